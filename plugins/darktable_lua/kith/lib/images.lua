-- From darktable's images to paths, and back.

local images = {}
local Images = {}
Images.__index = Images

function images.path(image) return image.path .. "/" .. image.filename end

-- Each path once, in order, and the images at each: several where a photo has duplicates. The folder of each film roll
-- is asked once, since darktable looks into its database for it.
function images.by_path(list)
  local paths, found, folders = {}, {}, {}
  for _, image in ipairs(list) do
    local film = image.film
    folders[film] = folders[film] or film.path
    local path = folders[film] .. "/" .. image.filename
    if not found[path] then
      found[path] = {}
      paths[#paths + 1] = path
    end
    table.insert(found[path], image)
  end
  return paths, found
end

-- Lists of at most `most` of a list's entries.
function images.chunks(list, most)
  local first = 1 - most
  return function()
    first = first + most
    if first <= #list then return table.move(list, first, math.min(first + most - 1, #list), 1, {}), first end
  end
end

-- The images in darktable's library by path; film rolls are read when they are asked for, and again when they grow.
function images.new(dt) return setmetatable({ dt = dt, rolls = {} }, Images) end

function Images:roll(film)
  local known = self.rolls[film.path]
  if known and known.count == #film then return known.files end
  local files = {}
  for i = 1, #film do
    local image = film[i]
    local name = image.filename
    files[name] = files[name] or {}
    table.insert(files[name], image)
  end
  self.rolls[film.path] = { count = #film, files = files }
  return files
end

-- What a script may keep of an image that was removed meanwhile is worth nothing.
local function alive(image, name)
  local fine, filename = pcall(function() return image.filename end)
  return fine and filename == name
end

-- The images at some paths: path -> images, without those that darktable doesn't have.
function Images:at(paths)
  local folders, found = {}, {}
  for _, path in ipairs(paths) do
    local folder, name = path:match("^(.*)/([^/]+)$")
    if folder then
      folders[folder] = folders[folder] or {}
      folders[folder][name] = path
    end
  end
  for _, film in ipairs(self.dt.films) do
    local wanted = folders[film.path]
    for name, path in pairs(wanted or {}) do found[path] = self:named(film, name) end
  end
  return found
end

function Images:named(film, name)
  local list = self:roll(film)[name]
  for _, image in ipairs(list or {}) do
    if not alive(image, name) then
      self.rolls[film.path] = nil
      return self:roll(film)[name]
    end
  end
  return list
end

function Images:forget() self.rolls = {} end

return images
