--[[ What darktable and Kith last agreed on, photo by photo, in a file that is only added to while darktable runs.

     Each entry is one value in MessagePack: [key, {name: "kith" | "hand"}]; the last one for a key counts. Where
     darktable is killed in the middle of a line, that line is not there. ]]

local msgpack = require "kith/lib/msgpack"

local record = {}
local Record = {}
Record.__index = Record

local function entries(path)
  local file = io.open(path, "rb")
  if not file then return {}, 0, true end
  local text, found, count, at = file:read("a"), {}, 0, 1
  file:close()
  while at <= #text do
    local fine, entry, behind = pcall(msgpack.decode, text, at)
    if not fine or type(entry) ~= "table" or type(entry[2]) ~= "table" then return found, count, false end
    found[entry[1]], count, at = entry[2], count + 1, behind
  end
  return found, count, true
end

-- The record in a file. Written anew where much of it is out of date, or its end is damaged.
function record.open(path)
  local found, count, whole = entries(path)
  local self = setmetatable({ path = path, found = found }, Record)
  local alive = 0
  for _ in pairs(found) do alive = alive + 1 end
  if not whole or count > 2 * alive + 1000 then self:rewrite() end
  return self
end

function Record:rewrite()
  local temp = self.path .. ".tmp"
  local file = io.open(temp, "wb")
  if not file then return end
  local fine = true
  for key, names in pairs(self.found) do fine = file:write(msgpack.encode { key, msgpack.map(names) }) and fine end
  if file:close() and fine then os.rename(temp, self.path) else os.remove(temp) end
end

local function same(a, b)
  for name, who in pairs(a) do if b[name] ~= who then return false end end
  for name in pairs(b) do if not a[name] then return false end end
  return true
end

-- who brought each name of a photo, nil where nobody has looked yet
function Record:get(key) return self.found[key] end

function Record:put(key, names)
  if self.found[key] and same(self.found[key], names) then return end
  self.found[key] = msgpack.map(names)
  local file = io.open(self.path, "ab")
  if not file then return end
  file:write(msgpack.encode { key, self.found[key] })
  file:close()
end

return record
