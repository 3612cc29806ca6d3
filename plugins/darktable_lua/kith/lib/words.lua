-- Sentences for the user, in their language: errors, counts, and what Kith is doing. Pure but for `gettext`.

local words = {}
local Words = {}

local API = 1

--[[ `gettext` is darktable's, or nil for English. `say` translates a sentence, `count` chooses between one and many and
     puts the number in. ]]
function words.new(gettext, folder)
  local self = setmetatable({}, { __index = Words })
  if gettext then gettext.bindtextdomain("kith", folder) end
  self.say = function(sentence) return gettext and gettext.dgettext("kith", sentence) or sentence end
  local _ = self.say
  self.comma = _(",") -- what stands between thousands
  self.count = function(one, many, n)
    local form = gettext and gettext.dngettext("kith", one, many, n) or (n == 1 and one or many)
    return (form:gsub("%%d", (self:digits(n):gsub("%%", "%%%%"))))
  end
  return self
end

-- 12345 -> "12,345"
function Words:digits(n)
  local text = ("%d"):format(n)
  local first = (#text - 1) % 3 + 1
  return text:sub(1, first) .. text:sub(first + 1):gsub("%d%d%d", function(three) return self.comma .. three end)
end

-- Marks what is translated only where it is shown; a sentence, or one for one and another for many.
local function N_(...) return ... end

words.of_kith = { -- what Kith calls its work, and why it pauses
  N_("Looking for photos"), N_("Finding faces"), N_("Looking at known faces anew"), N_("Learning from answers"),
  N_("you"), N_("battery"), N_("load"),
}

-- What went wrong, and what to do.
function Words:of_error(err)
  local _ = self.say
  local sentences = {
    absent = _("Kith isn't running; `kith run` starts it"),
    timeout = _("Kith takes too long to answer; it may be starting"),
    ["no program"] = _("neither curl nor kith can be started; install curl"),
    garbled = _("something answers there, but it isn't Kith; look at the address in the preferences"),
    address = _("Kith's address in the preferences is neither a path nor a port"),
    ended = _("darktable is closing"),
    stopped = _("stopped"),
    version = _("this Kith and this plugin don't fit together; `kith darktable install` renews the plugin"),
  }
  if err.kind == "refused" and err.code == "stale" then return _("this has changed meanwhile; look again") end
  if err.kind == "refused" then return err.message end
  return sentences[err.kind] or _("Kith can't be asked: %s"):format(err.message)
end

-- nil, or the error of a Kith that speaks another language than this plugin
function words.misfit(hello)
  if hello.name == "Kith" and hello.api == API then return nil end
  return { kind = hello.name == "Kith" and "version" or "garbled" }
end

local function stage_of(self, stage)
  local _ = self.say
  local text = _("%s: %s"):format(_(stage.title), self:digits(stage.done))
  if stage.total then text = _("%s of %s"):format(text, self:digits(stage.total)) end
  if not stage.seconds_left then return text end
  local minutes = math.ceil(stage.seconds_left / 60)
  return text .. ", " .. self.count("%d minute left", "%d minutes left", minutes)
end

-- What Kith is doing, in a line.
function Words:of_status(doing)
  local _ = self.say
  if doing.problem then return doing.problem.message end -- in English, as Kith says it
  if doing.stage then return stage_of(self, doing.stage) end
  for _, root in ipairs(doing.roots) do
    if not root.online then return self.say("not there now: %s"):format(root.path) end
  end
  if doing.state == "paused" then
    local reasons = {}
    for i, reason in ipairs(doing.paused_by) do reasons[i] = _(reason) end
    return _("paused by %s"):format(table.concat(reasons, ", "))
  end
  return doing.state == "busy" and _("looking for new photos") or _("all photos are looked at")
end

-- Why Kith has nothing to say of some photos, in a line; "" where it knows all of them.
function Words:of_reasons(reasons)
  local parts = {}
  local function add(reason, one, many)
    local n = reasons[reason]
    if n then parts[#parts + 1] = self.count(one, many, n) end
  end
  add("not-watched",
    N_("%d photo isn't in a folder that Kith watches", "%d photos aren't in folders that Kith watches"))
  add("offline", N_("%d photo is on a disk that isn't there", "%d photos are on a disk that isn't there"))
  add("gone", N_("%d photo is not where it was", "%d photos are not where they were"))
  add("not-analysed", N_("%d photo waits to be looked at", "%d photos wait to be looked at"))
  return table.concat(parts, "; ")
end

-- how sure the least sure suggestion is; a guess is never certain
local function percent(row) return math.min(99, math.floor(row.lowest * 100)) end

-- A person on the selected photos: the text of their row. What Kith only thinks never looks like an answer.
function Words:of_person(row)
  local parts, guesses = {}, #row.open - row.by_kith
  if row.certain > 0 then parts[#parts + 1] = self:digits(row.certain) end
  if row.by_kith > 0 then parts[#parts + 1] = self.say("%s by Kith"):format(self:digits(row.by_kith)) end
  if guesses > 0 then parts[#parts + 1] = ("%s? %d %%"):format(self:digits(guesses), percent(row)) end
  return row.name .. "  " .. table.concat(parts, " · ")
end

-- The same in sentences.
function Words:on_person(row)
  local parts = { self.count("on %d photo", "on %d photos", #row.on) }
  if row.by_kith > 0 then
    parts[#parts + 1] = self.count("%d name was given by Kith", "%d names were given by Kith", row.by_kith)
  end
  local guesses = #row.open - row.by_kith
  if guesses > 0 then
    local count = self.count("%d is a suggestion", "%d are suggestions", guesses)
    parts[#parts + 1] = self.say("%s, at least %d %% sure"):format(count, percent(row))
  end
  return row.name .. ": " .. table.concat(parts, "; ")
end

-- Something that can be given a name.
function Words:of_target(target)
  if target.group and #target.faces > 1 then
    return self.count("%d similar face", "%d similar faces", #target.faces)
  end
  local file = target.path:match("([^/]+)$") or target.path
  if target.of == 1 then return self.say("the face on %s"):format(file) end
  return self.say("face %d of %d on %s"):format(target.place, target.of, file)
end

return words
