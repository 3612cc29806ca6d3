-- The panel in the lighttable. It shows what it is told, and hands clicks on.

local summary = require "kith/lib/summary"

local panel = {}
local Panel = {}
Panel.__index = Panel

local MOST_ROWS = 12

function panel.new(kith) return setmetatable({ kith = kith, rows = {}, targets = {}, shown = {} }, Panel) end

local function widget(dt, kind, attributes) return dt.new_widget(kind)(attributes) end

function Panel:label(text, ellipsize)
  local attributes = { label = text or "", halign = "start", ellipsize = ellipsize or "end" }
  return widget(self.kith.dt, "label", attributes)
end

function Panel:button(text, tooltip, action)
  return widget(self.kith.dt, "button", { label = text, tooltip = tooltip, clicked_callback = action })
end

function Panel:box(orientation, children)
  children.orientation = orientation
  return widget(self.kith.dt, "box", children)
end

function Panel:row(number)
  local _, act = self.kith.words.say, self.kith.actions
  local row = { text = self:label("", "middle") }
  local function person() return self.shown[number] end
  row.yes = self:button("✓", _("confirm: this is who Kith takes these faces for"), function() act:confirm(person()) end)
  row.no = self:button("✗", _("not here: this person isn't on the selected photos"), function()
    act:not_here(person())
  end)
  row.box = self:box("horizontal", { row.text, row.yes, row.no })
  return row
end

-- Make the panel and put it into the lighttable; darktable has to have built its window.
function Panel:build()
  local dt, _, act = self.kith.dt, self.kith.words.say, self.kith.actions
  self.status = self:label(_("looking for Kith ..."))
  self.head, self.missing = self:label(_("nothing is selected")), self:label("")
  local people = self:box("vertical", {})
  for i = 1, MOST_ROWS do
    self.rows[i] = self:row(i)
    people[i] = self.rows[i].box
  end
  self.more = self:label("")
  self.all = self:button(_("confirm all"), _("all suggestions on the selected photos are right"), function()
    act:confirm_all()
  end)
  self.which = widget(dt, "combobox", { label = _("faces"), tooltip = _("faces without a name; who is it?") })
  self.who = widget(dt, "combobox", { label = _("name"), editable = true,
    tooltip = _("open and type: people whose name has that in it are listed; Enter takes a new name") })
  self.give = self:button(_("give the name"), _("these faces are that person"), function() act:name() end)
  self.find = self:button(_("find faces"), _("look at the selected photos again now"), function() act:find() end)
  self.review = self:button(_("review page"), _("open this photo in Kith's review page"), function() act:review() end)
  self.person = widget(dt, "combobox", { label = _("person"), tooltip = _("whose photos to show") })
  self.filter = self:button(_("show photos"), _("show the photos tagged with this person"), function()
    act:filter(self.person.value)
  end)
  self.box_ = self:box("vertical", {
    self.status, widget(dt, "section_label", { label = _("on the selected photos") }), self.head, people, self.more,
    self.all, self.which, self.who, self.give, self.missing,
    self:box("horizontal", { self.find, self.review }),
    widget(dt, "section_label", { label = _("photos of one person") }), self.person, self.filter,
  })
  dt.register_lib("kith", _("people"), true, false,
    { [dt.gui.views.lighttable] = { "DT_UI_CONTAINER_PANEL_RIGHT_CENTER", 100 } }, self.box_,
    function() self:restore() end)
  self:show(summary.of({}), 0)
end

-- Set an attribute only where it changes: each change is a trip to the user interface.
local function set(target, name, value)
  if target[name] ~= value then target[name] = value end
end

function Panel:say_status(text)
  if not self.status then return end
  set(self.status, "label", text)
  set(self.status, "tooltip", text)
end

function Panel:progress(done, total)
  if not self.status then return end
  local digits = require("kith/lib/words").digits
  set(self.head, "label", (self.kith.words.say("looked up %s of %s photos")):format(digits(done), digits(total)))
end

-- Show a summary of so many photos.
function Panel:show(known, photos)
  if not self.status then return end
  self.last = { known, photos }
  local words = self.kith.words
  set(self.head, "label", photos == 0 and words.say("nothing is selected") or self:headline(known, photos))
  self:show_people(known.people)
  set(self.all, "visible", #known.open > 0)
  if #known.open > 0 then
    set(self.all, "label", words.count("confirm the suggestion", "confirm all %d suggestions", #known.open))
  end
  self:show_targets(summary.nameable(known.unknown))
  local missing = words:of_reasons(known.reasons)
  set(self.missing, "label", missing)
  set(self.missing, "tooltip", missing)
  set(self.missing, "visible", missing ~= "")
  set(self.find, "sensitive", photos > 0)
end

function Panel:headline(known, photos)
  local words = self.kith.words
  local text = words.count("%d photo", "%d photos", photos)
  local unknown = #known.unknown
  if unknown == 0 then return text end
  return text .. ", " .. words.count("%d face without a name", "%d faces without a name", unknown)
end

function Panel:show_people(people)
  self.shown = people
  for i, row in ipairs(self.rows) do
    local person = people[i]
    set(row.box, "visible", person ~= nil)
    if person then
      set(row.text, "label", self.kith.words:of_person(person))
      set(row.text, "tooltip", self.kith.words:on_person(person))
      set(row.yes, "sensitive", #person.open > 0)
    end
  end
  local more = #people - #self.rows
  set(self.more, "visible", more > 0)
  if more > 0 then
    set(self.more, "label", self.kith.words.count("and %d more person", "and %d more people", more))
  end
end

local function fill(combobox, entries)
  while #combobox > #entries do combobox[#combobox] = nil end
  for i, entry in ipairs(entries) do
    if combobox[i] ~= entry then combobox[i] = entry end
  end
end

function Panel:show_targets(targets)
  self.targets = targets
  local entries = {}
  for i = 1, math.min(#targets, 50) do entries[i] = self.kith.words:of_target(targets[i]) end
  fill(self.which, entries)
  for _, part in ipairs { self.which, self.who, self.give } do set(part, "visible", #targets > 0) end
  if #targets > 0 then self.which.selected = 1 end
end

-- Everybody who has a name, for the two lists of people.
function Panel:show_everybody(list)
  if not self.status then return end
  fill(self.who, list)
  fill(self.person, list)
  set(self.filter, "sensitive", #list > 0)
end

-- What is to be named, and how: nil where nothing was chosen.
function Panel:chosen()
  local target, name = self.targets[self.which.selected], self.who.value
  if target and name and name:match("%S") then return target, name:match("^%s*(.-)%s*$") end
end

-- darktable shows all parts of a panel when a view is entered.
function Panel:restore()
  if self.last then self:show(table.unpack(self.last)) end
end

return panel
