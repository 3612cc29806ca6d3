-- The plugin as a whole: its parts are made here, started, and stopped.

local actions = require "kith/lib/actions"
local follow = require "kith/lib/follow"
local http = require "kith/lib/http"
local images = require "kith/lib/images"
local names = require "kith/lib/names"
local panel = require "kith/lib/panel"
local record = require "kith/lib/record"
local selection = require "kith/lib/selection"
local tags = require "kith/lib/tags"
local words = require "kith/lib/words"

local plugin = {}
local Plugin = {}
Plugin.__index = Plugin

local MOD = "kith"
local OLDEST_API = 9      -- of darktable's Lua, which 4.2 has
local WINDOW_READY = 1.5  -- seconds: what darktable is still building must not be touched from Lua (darktable #22357)
local WINDOW_PATIENCE = 20
local BUSY_PATIENCE = 500 -- looks at a busy first thread, each two milliseconds after the other
local TICK = 2            -- seconds between looks whether something was tagged by hand, or Kith is further
local LAST_WORDS = 1      -- seconds in which requests may end when darktable closes
local STEP = 500          -- photos between two looks at the progress bar's cross

local function text_of(path)
  local file = path and io.open(path)
  if not file then return nil end
  local text = file:read("l")
  file:close()
  return text
end

function plugin.new(dt)
  local folder = dt.configuration.config_dir .. "/lua/kith"
  local self = setmetatable({ dt = dt, over = true, starts = 0, tags_root = "People", pipe = "¦", when = "sidecar" },
    Plugin)
  self.words = words.new(dt.gettext, folder .. "/locale")
  self.kith_command = text_of(folder .. "/kith-command") or "kith"
  self.record = record.open(dt.configuration.config_dir .. "/kith-names.msgpack")
  self.images = images.new(dt)
  self.tags, self.actions = tags.new(self, self.record), actions.new(self)
  self.panel, self.selection = panel.new(self), selection.new(self)
  return self
end

-- settings --------------------------------------------------------------------------------------------------------

-- darktable shows what is registered last first. It makes their widgets at once, which has to wait for the window, too.
function Plugin:register_preferences()
  local _, register = self.words.say, self.dt.preferences.register
  register(MOD, "tell", "bool", _("kith: tags that I attach are answers"),
    _("a person's tag attached by hand tells Kith that this person is on the photo"), true)
  register(MOD, "attach", "bool", _("kith: attach names by itself"),
    _("names that Kith knows become tags as soon as they are written beside the photo"), true)
  register(MOD, "root", "string", _("kith: tag that people stand under"),
    _("names become ROOT|NAME; empty: as in Kith's own settings"), "")
  register(MOD, "address", "string", _("kith: where Kith answers"),
    _("path of its socket, or 127.0.0.1:PORT; empty: the usual socket"), "")
end

local KINDS = { attach = "bool", tell = "bool" }

function Plugin:setting(name) return self.dt.preferences.read(MOD, name, KINDS[name] or "string") end

-- the tag that people stand under
function Plugin:root()
  local own = self:setting("root")
  return own ~= "" and own or self.tags_root
end

-- Kith's own, also from inside Flatpak's sandbox, where the usual variable names another folder.
local function state_folder()
  local variable = os.getenv("FLATPAK_ID") and "HOST_XDG_STATE_HOME" or "XDG_STATE_HOME"
  return os.getenv(variable) or (os.getenv("HOME") or "") .. "/.local/state"
end

function Plugin:address()
  local setting = self:setting("address")
  if setting == "" and os.getenv("FLATPAK_ID") then -- the sandbox has no way to the socket, but one to the port
    setting = (text_of(state_folder() .. "/kith/page") or ""):match("127%.0%.0%.1:%d+") or ""
  end
  return http.address(setting, os.getenv, function() return text_of(state_folder() .. "/kith/token") end)
end

-- the address of the review page, nil where it isn't known
function Plugin:page()
  local port = self:address().port
  return port and ("http://127.0.0.1:%d"):format(port) or text_of(state_folder() .. "/kith/page")
end

-- starting and stopping -------------------------------------------------------------------------------------------

-- A folder that only the user can read; made by mkdir, which refuses one that is there. It lies where the system
-- empties at logout, should darktable be killed.
function Plugin:private_folder()
  local placeholder = os.tmpname()
  local runtime = os.getenv("XDG_RUNTIME_DIR")
  local folder = (runtime and runtime .. placeholder:match("/[^/]+$") or placeholder) .. ".kith"
  local status = self.dt.control.execute("umask 077 && mkdir -- " .. http.quote(folder))
  os.remove(placeholder)
  return status == 0 and folder or nil
end

function Plugin:start()
  if not self.over then return end
  if self.dt.configuration.api_version_major < OLDEST_API then
    return self:say(self.words.say("darktable 4.2 or newer is needed"))
  end
  self.over, self.starts = false, self.starts + 1
  if not self.listens then self:listen() end
  if self.dt.configuration.has_gui then self.dt.control.dispatch(function() self:guarded(self.run) end) end
end

function Plugin:guarded(work)
  local fine, why = xpcall(work, debug.traceback, self)
  if not fine then self:log(why) end
end

-- Where darktable's first thread is, which builds the window and then waits for the user: "running", or the number of
-- the system call in which it waits and for how many files (poll's second argument; waiting for the X server alone is
-- another place than waiting for the user); nil if nobody can tell.
local function first_thread()
  local process = text_of("/proc/self/stat")
  local call = process and text_of(("/proc/self/task/%s/syscall"):format(process:match("^%d+")))
  if not call then return nil end
  local number, files = call:match("^(%d+) %S+ (%S+)")
  return number and number .. " " .. files or "running"
end

-- Wait until the window is there: for a moment, and then for half a second in which its thread only waits.
function Plugin:wait_for_window()
  self:sleep(WINDOW_READY)
  local calm = 0
  for _ = 1, WINDOW_PATIENCE * 10 do
    local at = first_thread()
    calm = at ~= "running" and at == self.rest and calm + 1 or 0
    self.rest = at
    if at == nil or calm == 5 or self:is_over() then return end
    self.dt.control.sleep(100)
  end
end

--[[ Whether darktable's window may be touched, which its first thread does while the Lua thread waits. From when its
     main loop has ended until `ending` says so, that wait has no end: so nothing is touched while that thread is
     anywhere but where it was at rest. Whoever is elsewhere for longer isn't ending. ]]
function Plugin:may_touch()
  local at
  for _ = 1, BUSY_PATIENCE do
    if self:is_over() then return false end
    at = first_thread()
    if at == nil or at == self.rest then return not self:is_over() end
    self.dt.control.sleep(2)
  end
  if at ~= "running" then self.rest = at end
  return not self:is_over()
end

-- Do something that another version of darktable may not know.
function Plugin:optional(what, work)
  local fine, why = pcall(work)
  if not fine then self:log(("this darktable has no %s: %s"):format(what, why)) end
end

function Plugin:run()
  local turn = self.starts
  self:wait_for_window()
  local folder = self:private_folder()
  if not folder then return self:say(self.words.say("no private folder for Kith's answers could be made")) end
  self.name = folder:match("([%w_]+)%.kith$") or "darktable"
  self.client = http.client { execute = self.dt.control.execute, folder = folder,
    address = function() return self:address() end, programs = { curl = "curl", kith = self.kith_command } }
  if self:is_over() then return self.client:remove() end
  if turn == 1 then self:register_preferences() end
  self.follow = follow.new(self)
  self:install()
  self:offer()
  self.dt.control.dispatch(function() self:guarded(function() self:tick(turn) end) end)
  self.follow:run()
end

-- Put the panel up, now or when the lighttable is entered first.
function Plugin:install()
  if self.installed then return self:show() end
  local function build()
    if self.installed then return end
    self.installed = true
    self.panel:build()
    self.selection:changed()
  end
  if self.dt.gui.current_view().id == "lighttable" then return build() end
  self.dt.register_event(MOD .. "-view", "view-changed", function(_, _, new)
    if new.id == "lighttable" then build() end
  end)
end

function Plugin:show()
  if self.installed then self.dt.gui.libs[MOD].visible = true end
end

-- What darktable tells the plugin; nothing of this touches the window.
function Plugin:listen()
  local dt = self.dt
  self.listens = true
  dt.register_event(MOD, "exit", function() self:stop() end)
  self:optional("event for selections", function()
    dt.register_event(MOD, "selection-changed", function() self.selection:changed() end)
  end)
  self:optional("event for imports", function()
    dt.register_event(MOD, "post-import-film", function(_, film) self:imported(film) end)
  end)
end

-- The buttons of the selected images, and shortcuts for the same: name, title, what it does, tooltip.
function Plugin:choices()
  local _, act = self.words.say, self.actions
  return {
    { "confirm", _("kith: confirm suggestions"), function() act:confirm_all() end,
      _("all suggestions on the selected photos are right") },
    { "find", _("kith: find faces"), function(list) act:find(list) end, _("look at the selected photos again now") },
    { "tags", _("kith: names as tags"), function(list) act:bring(list) end,
      _("attach the names that Kith knows to the selected photos") },
    { "review", _("kith: review page"), function(list) act:review(list) end,
      _("open the first selected photo in Kith's review page") },
  }
end

function Plugin:offer()
  for _, choice in ipairs(self:choices()) do
    local name, title, act, tooltip = table.unpack(choice)
    self:optional("buttons of selected images", function()
      self.dt.gui.libs.image.register_action(MOD .. "-" .. name, title, function(_, list) act(list) end, tooltip)
    end)
    if not self.has_shortcuts then
      self:optional("shortcuts of scripts", function()
        self.dt.register_event(MOD .. "-" .. name, "shortcut", function()
          if not self.over then act(nil) end
        end, title)
      end)
    end
  end
  self.has_shortcuts = true
end

-- Take panel and buttons away; darktable's own end does without.
function Plugin:withdraw()
  if self.installed then self.dt.gui.libs[MOD].visible = false end
  self:optional("buttons of selected images", function()
    for _, choice in ipairs(self:choices()) do self.dt.gui.libs.image.destroy_action(MOD .. "-" .. choice[1]) end
  end)
end

-- End everything; nothing is left behind, and nothing is waited for longer than a moment.
function Plugin:stop()
  if self.over then return end
  self.over = true
  local client = self.client
  if not client then return end
  if not self.dt.control.ending then self:withdraw() end
  if self.follow.is_there then client:post("/v1/events/end", { client = self.name }, LAST_WORDS) end
  self.follow.is_there = false
  client:close()
  for _ = 1, LAST_WORDS * 20 do
    if not client:is_busy() then break end
    self.dt.control.sleep(50)
  end
  client:remove()
end

function Plugin:is_over() return self.over or self.dt.control.ending end

function Plugin:is_there() return self.follow ~= nil and self.follow.is_there end

-- Sleep for some seconds, or until the end.
function Plugin:sleep(seconds)
  for _ = 1, math.ceil(seconds * 10) do
    if self:is_over() then return end
    self.dt.control.sleep(100)
  end
end

-- telling the user ------------------------------------------------------------------------------------------------

function Plugin:log(text) self.dt.print_log("kith: " .. tostring(text)) end

function Plugin:say(text)
  self.dt.print("kith: " .. text)
  self:log(text)
end

-- Ask Kith for something; what goes wrong is told. Gives the answer, or nil.
function Plugin:ask(path, body)
  local answer, err = self.client:post(path, body)
  if not answer and err.kind ~= "ended" then self:say(self.words:of_error(err)) end
  return answer
end

-- Kith can't be asked now.
function Plugin:absent(err)
  if err.kind ~= "ended" then self.panel:say_status(self.words:of_error(err)) end
end

-- Open an address in the user's browser, which is not waited for.
function Plugin:open(address)
  local opener = self.dt.configuration.running_os == "macos" and "open " or "xdg-open "
  self.dt.control.execute(opener .. http.quote(address) .. " >/dev/null 2>&1 &")
end

-- following Kith --------------------------------------------------------------------------------------------------

-- Find out whom we speak to, and how it names things; gives an error, or nil.
function Plugin:greet()
  local hello, err = self.client:get("/v1/hello", 5)
  err = err or words.misfit(hello)
  if err then return err end
  local answer
  answer, err = self.client:get("/v1/settings")
  if not answer then return err end
  local chosen = answer.settings.sidecars
  self.tags_root, self.pipe = chosen.root, chosen.pipe
  self.when = chosen.write and "sidecar" or "names" -- what has to have happened before tags follow
  self:show_everybody()
  self:show_status()
  self.selection:changed()
end

function Plugin:show_status()
  local answer = self.client:get("/v1/status", 5)
  if not answer then return end
  self.busy = answer.doing.state == "busy"
  self.panel:say_status(self.words:of_status(answer.doing))
end

function Plugin:show_everybody()
  local list, cursor = {}, nil
  repeat
    local answer = self.client:get("/v1/people?limit=500" .. (cursor and "&cursor=" .. cursor or ""))
    if not answer then return end
    table.move(answer.people, 1, #answer.people, #list + 1, list)
    cursor = answer.cursor
  until not cursor
  self.panel:show_everybody(list)
end

-- Sidecars were written, or names changed: the tags follow. Gives an error, or nil.
function Plugin:written(paths)
  if not self:setting("attach") then return nil end
  local list = names.sorted(paths)
  local found = self.images:at(list)
  local there = {}
  for _, path in ipairs(list) do if found[path] then there[#there + 1] = path end end
  return self.tags:bring(found, there, self.when == "sidecar", function() return not self:is_over() end)
end

-- Something is different on some photos, or of people.
function Plugin:changed(paths, people)
  if people then self:show_everybody() end
  self:show_status()
  if people or self.selection:has(paths) then self.selection:changed() end
end

function Plugin:tick(turn)
  while not self:is_over() and turn == self.starts do
    if self:is_there() then
      self.selection:hear()
      if self.busy then self:show_status() end
    end
    self:sleep(TICK)
  end
end

-- looking at many photos ------------------------------------------------------------------------------------------

-- Bring the tags of many photos to what Kith says, with a progress bar that can be stopped; gives an error, or nil.
function Plugin:with_progress(title, paths, by_path)
  local goes_on, err = true, nil
  local bar = #paths > STEP and self.dt.gui.create_job(title, true, function() goes_on = false end)
  local function on() return goes_on and not self:is_over() end
  for some, first in images.chunks(paths, STEP) do
    err = self.tags:bring(by_path, some, false, on)
    if err then break end
    if bar and bar.valid then bar.percent = math.min(1, (first + #some) / #paths) end
  end
  if bar and bar.valid then bar.valid = false end
  return err
end

-- What darktable has just imported may have names in Kith already.
function Plugin:imported(film)
  self.images:forget()
  if not self:is_there() or not self:setting("attach") then return end
  local list = {}
  for i = 1, #film do list[i] = film[i] end
  local paths, by_path = images.by_path(list)
  self:with_progress(self.words.say("kith: names of the new photos"), paths, by_path)
  self.selection:changed()
end

-- Look at the whole library, film roll by film roll; gives an error, or nil.
function Plugin:look_at_all()
  if not self:setting("attach") then return nil end
  for _, film in ipairs(self.dt.films) do
    local list = {}
    for i = 1, #film do list[i] = film[i] end
    local paths, by_path = images.by_path(list)
    local err = self:with_progress(self.words.say("kith: names of all photos"), paths, by_path)
    if err then return err end
  end
end

return plugin
