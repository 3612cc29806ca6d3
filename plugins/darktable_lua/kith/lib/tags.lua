--[[ Names as tags, and tags as answers.

     The order that loses nothing: Kith writes the sidecar, says so, and only then the tags here follow; darktable then
     writes the same names itself. Where no tag changes, the image is touched, so that darktable takes the sidecar for
     its own and doesn't ask about it at its next start. ]]

local images = require "kith/lib/images"
local names = require "kith/lib/names"

local tags = {}
local Tags = {}
Tags.__index = Tags

local AT_ONCE = 500      -- photos asked about in one request
local BREATH = 20        -- changes after which others get their turn
local BLOCKING = 10      -- regions with which darktable writes a sidecar no more

function tags.new(kith, record)
  return setmetatable({ kith = kith, record = record, changes = 0 }, Tags)
end

local function key(image) return image.id .. ":" .. images.path(image) end

-- the names an image has as tags, each with those tags
function Tags:of(image)
  local root, found = self.kith:root(), {}
  for _, tag in ipairs(image:get_tags()) do
    local name = names.of_tag(tag.name, root)
    if name then
      found[name] = found[name] or {}
      table.insert(found[name], tag)
    end
  end
  return found
end

function Tags:breathe()
  self.changes = self.changes + 1
  if self.changes % BREATH == 0 then self.kith.dt.control.sleep(5) end
end

local function touch(image) image.rating = image.rating end

--[[ Bring the tags of an image to what Kith says of its photo; gives the names that a person attached meanwhile, which
     Kith doesn't know of. `nudge`: the sidecar was just written. ]]
function Tags:follow(image, photo, nudge)
  local has, id = self:of(image), key(image)
  local plan, now = names.plan(has, names.on_photo(photo, self.kith.pipe), self.record:get(id))
  for _, name in ipairs(plan.attach) do
    image:attach_tag(self.kith.dt.tags.create(self.kith:root() .. "|" .. name))
    self:breathe()
  end
  for _, name in ipairs(plan.detach) do
    for _, tag in ipairs(has[name]) do image:detach_tag(tag) end
    self:breathe()
  end
  if nudge and #plan.attach + #plan.detach == 0 and #photo.faces < BLOCKING then touch(image) end
  for _, name in ipairs(plan.tell) do now[name] = nil end -- until Kith has heard of it
  self.record:put(id, now)
  return plan.tell
end

-- Take somebody's tag off some images, because a person said that they are not there.
function Tags:take_off(list, name)
  for _, image in ipairs(list) do
    local found = self:of(image)[name]
    for _, tag in ipairs(found or {}) do image:detach_tag(tag) end
    local known = self.record:get(key(image))
    if known and known[name] then
      local now = {}
      for one, who in pairs(known) do if one ~= name then now[one] = who end end
      self.record:put(key(image), now)
    end
    self:breathe()
  end
end

-- Whether somebody attached or detached names since an image was last looked at.
function Tags:has_news(image)
  local known = self.record:get(key(image))
  if not known then return false end
  for name in pairs(self:of(image)) do if not known[name] then return true end end
  return false
end

-- Photos as Kith knows them, in a few requests; `each` gets one after another, while it `goes_on`. Gives an error, or
-- nil.
function Tags:look_up(paths, each, goes_on)
  for some in images.chunks(paths, AT_ONCE) do
    if not goes_on() then return { kind = "stopped" } end
    local answer, err = self.kith.client:post("/v1/photos/lookup", { paths = some })
    if not answer then return err end
    for _, photo in ipairs(answer.photos) do each(photo) end
  end
end

-- Bring the tags of images at some paths to what Kith says, while it `goes_on`. Gives an error, or nil.
function Tags:bring(found, paths, nudge, goes_on)
  local news = {}
  local err = self:look_up(paths, function(photo)
    if photo.id then self:settle(found[photo.asked] or {}, photo, nudge, news) end
  end, goes_on)
  self:tell(news)
  return err
end

-- Follow for all images of one photo; what people attached is put into `news`: name -> {photos, keys}.
function Tags:settle(list, photo, nudge, news)
  for _, image in ipairs(list) do
    for _, name in ipairs(self:follow(image, photo, nudge)) do
      news[name] = news[name] or { photos = {}, images = {} }
      local said = news[name]
      if said.photos[#said.photos] ~= photo then said.photos[#said.photos + 1] = photo end
      said.images[#said.images + 1] = image
    end
  end
end

-- Tell Kith what people attached by hand: whose suggested face is there is confirmed, others are there without one.
function Tags:tell(news)
  if not self.kith:setting("tell") then return end
  for leaf, said in pairs(news) do
    local name = names.told(leaf, self.kith.pipe)
    local answer, fine = names.answer(name, said.photos), true
    local count = #answer.faces + #answer.photos
    if #answer.faces > 0 then
      fine = self.kith:ask("/v1/faces/confirm", { faces = answer.faces, person = answer.person })
    end
    if fine and #answer.photos > 0 then
      fine = self.kith:ask("/v1/photos/tag", { photos = answer.photos, name = name })
    end
    if fine then
      for _, image in ipairs(said.images) do self:remember(image, leaf) end
    end
    if fine and count > 0 then
      self.kith:say(self.kith.words.count("told Kith: %s is on %d photo", "told Kith: %s is on %d photos", count):format(name))
    end
  end
end

function Tags:remember(image, leaf)
  local now = { [leaf] = "hand" }
  for name, who in pairs(self.record:get(key(image)) or {}) do now[name] = who end
  self.record:put(key(image), now)
end

return tags
