--[[ What is known of the selected photos, looked at again whenever the selection changes, or what Kith thinks. Only
     the newest selection is looked at to its end. ]]

local images = require "kith/lib/images"
local summary = require "kith/lib/summary"

local selection = {}
local Selection = {}
Selection.__index = Selection

local SETTLE = 100       -- milliseconds without another change
local STEP = 500         -- images whose paths are read before others get their turn
local WATCHED = 200      -- images at most in which tags attached by hand are noticed while they stay selected

function selection.new(kith)
  return setmetatable({ kith = kith, version = 0, busy = false, images = {}, paths = {}, by_path = {} }, Selection)
end

-- The selection is another, or what is known of it.
function Selection:changed()
  self.version = self.version + 1
  if self.busy or not self.kith.installed or self.kith:is_over() then return end
  self.busy = true
  self.kith.dt.control.dispatch(function()
    local fine, why = pcall(self.settle, self)
    self.busy = false
    if not fine then self.kith:log(why) end
  end)
end

function Selection:settle()
  local version
  repeat
    version = self.version
    self.kith.dt.control.sleep(SETTLE)
    if version == self.version then self:look(version) end
  until version == self.version or self.kith:is_over()
end

function Selection:goes_on(version) return version == self.version and not self.kith:is_over() end

function Selection:read(version)
  if not self:goes_on(version) or not self.kith:may_touch() then return false end
  local list, paths, by_path = self.kith.dt.gui.selection(), {}, {}
  for some in images.chunks(list, STEP) do
    if not self:goes_on(version) then return false end
    local new, at = images.by_path(some)
    for _, path in ipairs(new) do
      if not by_path[path] then paths[#paths + 1] = path end
      by_path[path] = by_path[path] and table.move(at[path], 1, #at[path], #by_path[path] + 1, by_path[path])
        or at[path]
    end
    self.kith.dt.control.sleep(1)
  end
  self.images, self.paths, self.by_path = list, paths, by_path
  return true
end

function Selection:look(version)
  self:hear()
  if not self:read(version) then return end
  local photos = {}
  local err = self.kith.tags:look_up(self.paths, function(photo)
    photos[#photos + 1] = photo
    if #photos % STEP == 0 then self.kith.panel:progress(#photos, #self.paths) end
  end, function() return self:goes_on(version) end)
  if not self:goes_on(version) then return end
  if err then
    self.known = nil
    self.kith:absent(err)
  else
    self.known = summary.of(photos)
    self.kith.panel:show(self.known, #self.paths)
  end
end

-- Notice what was tagged by hand on the photos that are, or were, selected.
function Selection:hear()
  if self.hearing or not self.kith:setting("tell") or not self.kith:is_there() then return end
  self.hearing = true
  local fine, why = pcall(self.heard, self)
  self.hearing = false
  if not fine then self.kith:log(why) end
end

function Selection:heard()
  local news = {}
  for i = 1, math.min(#self.images, WATCHED) do
    local image = self.images[i]
    local fine, is_new = pcall(self.kith.tags.has_news, self.kith.tags, image)
    if fine and is_new then news[#news + 1] = image end
  end
  if #news == 0 then return end
  local paths, by_path = images.by_path(news)
  self.kith.tags:bring(by_path, paths, false, function() return not self.kith:is_over() end)
end

-- Whether one of some paths is selected.
function Selection:has(paths)
  for path in pairs(paths) do if self.by_path[path] then return true end end
  return false
end

return selection
