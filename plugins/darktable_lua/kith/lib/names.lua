--[[ Which tags a photo should have: pure functions between what Kith says, what darktable has, and what the two last
     agreed on. Below the people root (as "People|Anna") the last part of a tag is a name. ]]

local names = {}

local BY_KITH, BY_HAND = "kith", "hand"

local function set(list)
  local found = {}
  for _, one in ipairs(list) do found[one] = true end
  return found
end

local function sorted(found)
  local list = {}
  for one in pairs(found) do list[#list + 1] = one end
  table.sort(list)
  return list
end

names.set, names.sorted = set, sorted

local function replaced(text, this, by) return (text:gsub("[" .. this .. "]", function() return by end)) end

-- a name as it stands in a tag; `pipe` stands for |, which separates the parts of a tag
function names.in_tag(name, pipe) return replaced(name, "|", pipe) end

-- the name that a tag below the root stands for, or nil
function names.of_tag(tag, root)
  if tag:sub(1, #root + 1) ~= root .. "|" then return nil end
  return tag:match("([^|]+)$")
end

-- the name as a person would write it, from the one in a tag
function names.told(leaf, pipe)
  local at, behind = leaf:find(pipe, 1, true)
  if pipe == "" or not at then return leaf end
  return leaf:sub(1, at - 1) .. "|" .. names.told(leaf:sub(behind + 1), pipe)
end

-- The names that Kith puts beside a photo, as they stand in tags: whom a person, or Kith itself, is sure of. Each comes
-- with how: by a "face", or as "present" without one, which only a person can have said.
function names.on_photo(photo, pipe)
  local found = {}
  for _, there in ipairs(photo.present) do found[names.in_tag(there.name, pipe)] = "present" end
  for _, face in ipairs(photo.faces) do
    local who = face.state == "confirmed" and face.person or face.state == "auto" and face.suggestion.person
    if who then found[names.in_tag(who.name, pipe)] = "face" end
  end
  return found
end

--[[ What to do with a photo's tags. `has` is the set of names in its tags, `wanted` is what `on_photo` gives, `record`
     says who brought each name that was there when last looked at ("kith" or "hand"), nil where nobody has looked yet.
     Gives {attach, detach, tell} (sorted lists) and the new record. Kith takes back only what it brought; what a person
     attached is told to Kith once, even where Kith has read it in the sidecar meanwhile, as it may now know which face
     that is; what a person detached stays so. Tags from before the first look are no news: neither told nor removed. ]]
function names.plan(has, wanted, record)
  local attach, detach, tell, now = {}, {}, {}, {}
  local known = record or {}
  for name, how in pairs(wanted) do
    local by_hand = record and has[name] and not known[name] and how == "present"
    now[name] = known[name] or by_hand and BY_HAND or BY_KITH
    if by_hand then tell[name] = true end
    if not has[name] and not known[name] then attach[name] = true end
  end
  for name in pairs(has) do
    if not wanted[name] and known[name] == BY_KITH then
      detach[name] = true
    elseif not wanted[name] then
      now[name] = BY_HAND
      if record and not known[name] then tell[name] = true end
    end
  end
  return { attach = sorted(attach), detach = sorted(detach), tell = sorted(tell) }, now
end

local function suggested_face(photo, name)
  for _, face in ipairs(photo.faces) do
    if face.state == "suggested" and face.suggestion.person.name == name then return face end
  end
end

local function is_known(photo, name)
  for _, face in ipairs(photo.faces) do
    if face.state == "confirmed" and face.person.name == name then return true end
  end
  for _, there in ipairs(photo.present) do if there.name == name then return true end end
  return false
end

--[[ How to tell Kith that somebody with a tag is on some photos: {faces = those suggested to be them, person = their id,
     photos = those without such a face that Kith doesn't know them to be on}. Without revisions: the person said it of
     the photo, whatever Kith has thought meanwhile. ]]
function names.answer(name, photos)
  local faces, without, person = {}, {}, nil
  for _, photo in ipairs(photos) do
    local face = suggested_face(photo, name)
    if face then
      faces[#faces + 1], person = face.id, face.suggestion.person.id
    elseif not is_known(photo, name) then
      without[#without + 1] = photo.id
    end
  end
  return { faces = faces, person = person, photos = without }
end

return names
