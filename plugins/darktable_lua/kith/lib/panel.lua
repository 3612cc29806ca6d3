--[[ The panel in the lighttable. It shows what it is told, and hands clicks on.

     Whatever reads or changes a part of it is done by darktable's first thread, and the Lua thread waits for that. Once
     darktable's main loop has ended, it would wait for ever, and darktable with it: so everything goes through `set`,
     `fill` and `text_of`, which do only what is needed, and nothing when darktable closes. ]]

local summary = require "kith/lib/summary"

local panel = {}
local Panel = {}
Panel.__index = Panel

local MOST_ROWS = 12
local MOST_MATCHES = 4
local LISTEN = 300        -- milliseconds between looks at what is being typed, which darktable doesn't tell,
local LISTEN_IDLE = 700  -- and where nothing was typed

function panel.new(kith)
  return setmetatable({ kith = kith, rows = {}, matches = {}, targets = {}, shown = {}, everybody = {},
    values = {}, entries = {} }, Panel)
end

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
  self.who = widget(dt, "entry", { placeholder = _("who is it?"), text = "",
    tooltip = _("type a name; people whose name has that in it are offered below") })
  local matches = self:box("vertical", {})
  for i = 1, MOST_MATCHES do
    self.matches[i] = self:button("", _("give the chosen faces this name"), function()
      act:name(self.matches[i].label)
    end)
    matches[i] = self.matches[i]
  end
  self.give = self:button(_("give the name"), _("these faces are that person"), function() act:name() end)
  self.find = self:button(_("find faces"), _("look at the selected photos again now"), function() act:find() end)
  self.review = self:button(_("review page"), _("open this photo in Kith's review page"), function() act:review() end)
  self.person = widget(dt, "combobox", { label = _("person"), tooltip = _("whose photos to show") })
  self.filter = self:button(_("show photos"), _("show the photos tagged with this person"), function()
    act:filter(self.person.value)
  end)
  self.box_ = self:box("vertical", {
    self.status, widget(dt, "section_label", { label = _("on the selected photos") }), self.head, people, self.more,
    self.all, self.which, self.who, matches, self.give, self.missing,
    self:box("horizontal", { self.find, self.review }),
    widget(dt, "section_label", { label = _("photos of one person") }), self.person, self.filter,
  })
  dt.register_lib("kith", _("people"), true, false,
    { [dt.gui.views.lighttable] = { "DT_UI_CONTAINER_PANEL_RIGHT_CENTER", 100 } }, self.box_,
    function() self:restore() end)
  self:show(summary.of({}), 0)
end

-- Set an attribute of a part where it changes.
function Panel:set(part, name, value)
  local known = self.values[part] or {}
  self.values[part] = known
  if known[name] == value or not self.kith:may_touch() then return end
  known[name] = value
  part[name] = value
end

-- Give a combobox its entries; gives whether they are others than before.
function Panel:fill(combobox, entries)
  local known, changed = self.entries[combobox] or {}, false
  self.entries[combobox] = known
  for i = #known, #entries + 1, -1 do
    if not self.kith:may_touch() then return false end
    combobox[i], known[i], changed = nil, nil, true
  end
  for i, entry in ipairs(entries) do
    if known[i] ~= entry then
      if not self.kith:may_touch() then return false end
      combobox[i], known[i], changed = entry, entry, true
    end
  end
  return changed
end

function Panel:text_of(entry) return self.kith:may_touch() and entry.text or "" end

function Panel:say_status(text)
  if not self.status then return end
  self:set(self.status, "label", text)
  self:set(self.status, "tooltip", text)
end

function Panel:progress(done, total)
  if not self.status then return end
  local words = self.kith.words
  self:set(self.head, "label", words.say("looked up %s of %s photos"):format(words:digits(done), words:digits(total)))
end

-- Show a summary of so many photos.
function Panel:show(known, photos)
  if not self.status then return end
  self.last = { known, photos }
  local words = self.kith.words
  self:set(self.head, "label", photos == 0 and words.say("nothing is selected") or self:headline(known, photos))
  self:show_people(known.people)
  self:set(self.all, "visible", #known.open > 0)
  if #known.open > 0 then
    self:set(self.all, "label", words.count("confirm the suggestion", "confirm all %d suggestions", #known.open))
  end
  self:show_targets(summary.nameable(known.unknown))
  local missing = words:of_reasons(known.reasons)
  self:set(self.missing, "label", missing)
  self:set(self.missing, "tooltip", missing)
  self:set(self.missing, "visible", missing ~= "")
  self:set(self.find, "sensitive", photos > 0)
  self:set(self.filter, "sensitive", #self.everybody > 0)
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
    self:set(row.box, "visible", person ~= nil)
    if person then
      self:set(row.text, "label", self.kith.words:of_person(person))
      self:set(row.text, "tooltip", self.kith.words:on_person(person))
      self:set(row.yes, "sensitive", #person.open > 0)
    end
  end
  local more = #people - #self.rows
  self:set(self.more, "visible", more > 0)
  if more > 0 then
    self:set(self.more, "label", self.kith.words.count("and %d more person", "and %d more people", more))
  end
end

function Panel:show_targets(targets)
  self.targets = targets
  local entries = {}
  for i = 1, math.min(#targets, 50) do entries[i] = self.kith.words:of_target(targets[i]) end
  local others = self:fill(self.which, entries)
  for _, part in ipairs { self.which, self.who, self.give } do self:set(part, "visible", #targets > 0) end
  if others and #targets > 0 and self.kith:may_touch() then self.which.selected = 1 end
  self:listen()
end

-- Offer people while a name is typed, as long as there is something to name.
function Panel:listen()
  if self.listening then return end
  self.listening = true
  self.kith.dt.control.dispatch(function()
    local seen
    while #self.targets > 0 and not self.kith:is_over() do
      local typed = self:text_of(self.who)
      if typed ~= seen then
        seen = typed
        self:offer(typed)
      end
      self.kith.dt.control.sleep(typed == "" and LISTEN_IDLE or LISTEN)
    end
    self:offer("")
    self.listening = false
  end)
end

function Panel:offer(typed)
  local found = typed:match("%S") and summary.matching(self.everybody, typed, MOST_MATCHES) or {}
  for i, match in ipairs(self.matches) do
    if found[i] then self:set(match, "label", found[i]) end
    self:set(match, "visible", found[i] ~= nil)
  end
end

-- Everybody who has a name, most photographed first.
function Panel:show_everybody(people)
  if not self.status then return end
  self.everybody = people
  local list = {}
  for i, person in ipairs(people) do list[i] = person.name end
  table.sort(list)
  self:fill(self.person, list)
  self:set(self.filter, "sensitive", #list > 0)
end

-- What is to be named, and how: nil where nothing was chosen. `name`: instead of what was typed.
function Panel:chosen(name)
  local target = self.targets[self.which.selected]
  name = (name or self:text_of(self.who)):match("^%s*(.-)%s*$")
  if target and name ~= "" then return target, name end
end

function Panel:forget_name()
  if self.kith:may_touch() then self.who.text = "" end
end

-- darktable shows all parts of a panel when a view is entered.
function Panel:restore()
  self.values = {}
  if self.last then self:show(table.unpack(self.last)) end
end

return panel
