--[[ Who is on the selected photos: what the panel shows, from what Kith answers about each of them. Pure. ]]

local summary = {}

local function person_of(people, who)
  local row = people[who.id]
  if not row then
    row = { id = who.id, name = who.name, on = {}, certain = 0, by_kith = 0, lowest = 1, open = {} }
    people[who.id] = row
  end
  return row
end

local function on(row, photo)
  if row.on[#row.on] ~= photo.id then row.on[#row.on + 1] = photo.id end
end

-- once for each photo, with and without a face
local function certainly(row, photo)
  if row.sure ~= photo.id then row.certain, row.sure = row.certain + 1, photo.id end
end

local function add_face(found, photo, face, place)
  local seen = { id = face.id, rev = photo.rev }
  local guess = face.suggestion
  local who = face.state == "confirmed" and face.person or guess and guess.person
  if face.state == "ignored" or face.state == "not-a-face" then return end
  if not who then
    found.unknown[#found.unknown + 1] = { id = face.id, rev = photo.rev, group = face.group, path = photo.path,
      place = place, of = #photo.faces }
    return
  end
  local row = person_of(found.by_id, who)
  on(row, photo)
  if face.state == "confirmed" then return certainly(row, photo) end
  if face.state == "auto" then row.by_kith = row.by_kith + 1 end
  row.lowest = math.min(row.lowest, guess.probability_group or 0)
  row.open[#row.open + 1] = seen
  found.open[#found.open + 1] = seen
end

local function add_photo(found, photo)
  if not photo.id then
    found.reasons[photo.reason] = (found.reasons[photo.reason] or 0) + 1
    return
  end
  found.known = found.known + 1
  for place, face in ipairs(photo.faces) do add_face(found, photo, face, place) end
  for _, there in ipairs(photo.present) do
    local row = person_of(found.by_id, there)
    on(row, photo)
    certainly(row, photo)
  end
end

--[[ {people = rows, most photos first, open = suggested faces, unknown = faces without a suggestion, known = how many
     photos Kith knows, reasons = how many it doesn't know, by reason}. A row has id, name, on (the ids of their photos),
     certain (how many of them people answered), by_kith (faces that Kith named by itself), open (faces to confirm;
     lowest: the least sure of them). ]]
function summary.of(photos)
  local found = { by_id = {}, people = {}, open = {}, unknown = {}, known = 0, reasons = {} }
  for _, photo in ipairs(photos) do add_photo(found, photo) end
  for _, row in pairs(found.by_id) do found.people[#found.people + 1] = row end
  table.sort(found.people, function(a, b)
    if #a.on ~= #b.on then return #a.on > #b.on end
    return a.name < b.name
  end)
  return found
end

--[[ What a name can be given to: groups of similar faces, then faces by themselves. Each has `faces`, and `group`, or
     the `path` of its photo with its `place` from the left `of` how many. ]]
function summary.nameable(unknown)
  local targets, groups = {}, {}
  for _, face in ipairs(unknown) do
    local target = face.group and groups[face.group]
    if not target then
      target = { group = face.group, faces = {}, path = face.path, place = face.place, of = face.of }
      targets[#targets + 1] = target
      if face.group then groups[face.group] = target end
    end
    target.faces[#target.faces + 1] = { id = face.id, rev = face.rev }
  end
  table.sort(targets, function(a, b)
    if #a.faces ~= #b.faces then return #a.faces > #b.faces end
    if a.path ~= b.path then return a.path < b.path end
    return a.place < b.place
  end)
  return targets
end

-- People whose name begins with what was typed, then those who have it inside, most photographed first.
function summary.matching(people, typed, most)
  local wanted, begins, inside = typed:lower(), {}, {}
  for _, person in ipairs(people) do
    local at = person.name:lower():find(wanted, 1, true)
    if at == 1 then begins[#begins + 1] = person.name elseif at then inside[#inside + 1] = person.name end
  end
  table.move(inside, 1, #inside, #begins + 1, begins)
  return table.move(begins, 1, math.min(most, #begins), 1, {})
end

return summary
