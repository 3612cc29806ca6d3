-- What the user can ask for, from the panel, the buttons of the selected images, or by shortcut.

local images = require "kith/lib/images"
local names = require "kith/lib/names"

local actions = {}
local Actions = {}
Actions.__index = Actions

local AT_ONCE = 5000     -- faces or photos in one answer
local PATHS = 1000       -- paths in one rescan

function actions.new(kith) return setmetatable({ kith = kith }, Actions) end

-- What is known of the selection; nil, and a sentence, where there is none.
function Actions:known()
  local kith = self.kith
  if not kith.selection.known then
    kith:say(kith:is_there() and kith.words.say("nothing is selected") or kith.words:of_error { kind = "absent" })
  end
  return kith.selection.known
end

function Actions:tell(path, faces, more)
  for some in images.chunks(faces, AT_ONCE) do
    local body = { faces = some }
    for name, value in pairs(more or {}) do body[name] = value end
    if not self.kith:ask(path, body) then break end
  end
  self.kith.selection:changed()
end

function Actions:confirm_all()
  local known = self:known()
  if not known then return end
  if #known.open == 0 then return self.kith:say(self.kith.words.say("there is no suggestion to confirm")) end
  self:tell("/v1/faces/confirm", known.open)
end

function Actions:confirm(person)
  if person and #person.open > 0 then self:tell("/v1/faces/confirm", person.open) end
end

-- A person is not on the selected photos.
function Actions:not_here(person)
  if not person then return end
  local kith, selected = self.kith, self.kith.selection.images
  for some in images.chunks(person.on, AT_ONCE) do
    if not kith:ask("/v1/photos/absent", { photos = some, person = person.id }) then return kith.selection:changed() end
  end
  kith.tags:take_off(selected, names.in_tag(person.name, kith.pipe))
  kith.selection:changed()
end

-- Give the chosen faces a name: the typed one, or this.
function Actions:name(offered)
  local target, name = self.kith.panel:chosen(offered)
  if not target then return self.kith:say(self.kith.words.say("choose a person, or type a name")) end
  self.kith.panel:forget_name()
  self:tell("/v1/faces/name", target.faces, { name = name })
end

-- Find faces on the selected photos now.
function Actions:find(list)
  local kith = self.kith
  local paths = images.by_path(list or kith.dt.gui.action_images)
  if #paths == 0 then return kith:say(kith.words.say("nothing is selected")) end
  for some in images.chunks(paths, PATHS) do
    local started = kith:ask("/v1/rescan", { paths = some, mode = "again" })
    if not started or not self:wait_for(started.job, #some) then break end
  end
  kith.selection:changed()
end

-- Until a job of Kith's has ended, or isn't waited for any more; gives whether it is done.
function Actions:wait_for(number, count)
  local kith, waiting = self.kith, true
  local title = kith.words.count("kith: faces on %d photo", "kith: faces on %d photos", count)
  local bar = kith.dt.gui.create_job(title, true, function() waiting = false end)
  local done = false
  while waiting and not kith:is_over() do
    local answer, err = kith.client:get("/v1/jobs/" .. number)
    if not answer then kith:say(kith.words:of_error(err)) break end
    done = answer.job.state == "done"
    if answer.job.error then kith:say(answer.job.error.message) end
    if done or answer.job.state == "failed" then break end
    kith:show_status()
    kith:sleep(0.5)
  end
  if bar.valid then bar.valid = false end
  return done
end

-- Bring the tags of the selected images to what Kith says.
function Actions:bring(list)
  local kith = self.kith
  local paths, by_path = images.by_path(list or kith.dt.gui.action_images)
  if #paths == 0 then return kith:say(kith.words.say("nothing is selected")) end
  local err = kith:with_progress(kith.words.say("kith: names as tags"), paths, by_path)
  kith:say(err and kith.words:of_error(err) or kith.words.say("the tags are what Kith says"))
end

-- Open the first selected photo in the review page.
function Actions:review(list)
  local kith = self.kith
  local image = (list or kith.dt.gui.action_images)[1]
  local view = "#/review"
  if image then
    local answer, err = kith.client:post("/v1/photos/lookup", { paths = { images.path(image) } })
    if not answer then return kith:say(kith.words:of_error(err)) end
    if answer.photos[1].id then view = "#/photo/" .. answer.photos[1].id end
  end
  local page = kith:page()
  if not page then return kith:say(kith.words.say("Kith's review page isn't known; try `kith review`")) end
  local link = kith:ask("/v1/login-links", nil)
  if link then kith:open(page .. link.path .. view) end
end

-- Show the photos that are tagged with a person.
function Actions:filter(name)
  local kith = self.kith
  if not name or name == "" then return end
  local collect = kith.dt.gui.libs.collect
  local rule = collect.new_rule()
  rule.mode, rule.item = "DT_LIB_COLLECT_MODE_AND", "DT_COLLECTION_PROP_TAG"
  rule.data = kith:root() .. "|" .. names.in_tag(name, kith.pipe)
  collect.filter({ rule })
end

return actions
