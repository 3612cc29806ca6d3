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
  self.count = function(one, many, n)
    local form = gettext and gettext.dngettext("kith", one, many, n) or (n == 1 and one or many)
    return (form:gsub("%%d", words.digits(n)))
  end
  return self
end

-- 12345 -> "12,345"
function words.digits(n)
  local text = ("%d"):format(n):reverse():gsub("(%d%d%d)", "%1,"):reverse()
  return (text:gsub("^,", ""))
end

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
  return sentences[err.kind] or _("Kith can't be asked: ") .. tostring(err.message)
end

-- nil, or the error of a Kith that speaks another language than this plugin
function words.misfit(hello)
  if hello.name == "Kith" and hello.api == API then return nil end
  return { kind = hello.name == "Kith" and "version" or "garbled" }
end

local function stage_of(self, stage)
  local text = stage.title .. ": " .. words.digits(stage.done)
  if stage.total then text = text .. self.say(" of ") .. words.digits(stage.total) end
  if not stage.seconds_left then return text end
  local minutes = math.ceil(stage.seconds_left / 60)
  return text .. ", " .. self.count("%d minute left", "%d minutes left", minutes)
end

-- What Kith is doing, in a line.
function Words:of_status(doing)
  local _ = self.say
  if doing.problem then return doing.problem.message end
  if doing.stage then return stage_of(self, doing.stage) end
  for _, root in ipairs(doing.roots) do
    if not root.online then return self.say("not there now: ") .. root.path end
  end
  if doing.state == "paused" then return _("paused by ") .. table.concat(doing.paused_by, ", ") end
  return doing.state == "busy" and _("looking for new photos") or _("all photos are looked at")
end

-- Why Kith has nothing to say of some photos, in a line; "" where it knows all of them.
function Words:of_reasons(reasons)
  local parts = {}
  local function add(reason, one, many)
    local n = reasons[reason]
    if n then parts[#parts + 1] = self.count(one, many, n) end
  end
  add("not-watched", "%d photo isn't in a folder that Kith watches", "%d photos aren't in folders that Kith watches")
  add("offline", "%d photo is on a disk that isn't there", "%d photos are on a disk that isn't there")
  add("gone", "%d photo is not where it was", "%d photos are not where they were")
  add("not-analysed", "%d photo waits to be looked at", "%d photos wait to be looked at")
  return table.concat(parts, "; ")
end

-- how sure the least sure suggestion is; a guess is never certain
local function percent(row) return math.min(99, math.floor(row.lowest * 100)) end

-- A person on the selected photos: the text of their row. What Kith only thinks never looks like an answer.
function Words:of_person(row)
  local parts, guesses = {}, #row.open - row.by_kith
  if row.certain > 0 then parts[#parts + 1] = words.digits(row.certain) end
  if row.by_kith > 0 then parts[#parts + 1] = (self.say("%s by Kith")):format(words.digits(row.by_kith)) end
  if guesses > 0 then parts[#parts + 1] = ("%s? %d %%"):format(words.digits(guesses), percent(row)) end
  return row.name .. "  " .. table.concat(parts, " · ")
end

-- The same in sentences.
function Words:on_person(row)
  local parts = { self.count("on %d photo", "on %d photos", row.photos) }
  if row.by_kith > 0 then
    parts[#parts + 1] = self.count("%d name was given by Kith", "%d names were given by Kith", row.by_kith)
  end
  local guesses = #row.open - row.by_kith
  if guesses > 0 then
    parts[#parts + 1] = self.count("%d is a suggestion", "%d are suggestions", guesses)
      .. (self.say(", at least %d %% sure")):format(percent(row))
  end
  return row.name .. ": " .. table.concat(parts, "; ")
end

-- Something that can be given a name.
function Words:of_target(target)
  if target.group and #target.faces > 1 then
    return self.count("%d similar face", "%d similar faces", #target.faces)
  end
  local file = target.path:match("([^/]+)$") or target.path
  if target.of == 1 then return self.say("the face on ") .. file end
  return (self.say("face %d of %d on ")):format(target.place, target.of) .. file
end

return words
