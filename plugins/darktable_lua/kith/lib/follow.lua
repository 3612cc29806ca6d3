--[[ Following what happens in Kith: one request that waits until something does. Runs in a Lua thread of its own, from
     start to end. ]]

local follow = {}
local Follow = {}
Follow.__index = Follow

local WAIT = 25                -- seconds that Kith keeps a request when nothing happens
local LONGEST_PAUSE = 30       -- seconds between two tries to reach a Kith that isn't there
local RELEVANT = { names = true, analysed = true, photo = true, sidecar = true }

function follow.new(kith) return setmetatable({ kith = kith, is_there = false }, Follow) end

local function saved(kith) return tonumber(kith.dt.preferences.read("kith", "since", "string")) end

function Follow:save(since)
  self.since = since
  self.kith.dt.preferences.write("kith", "since", "string", tostring(since))
end

-- Until the plugin stops.
function Follow:run()
  local pause = 1
  while not self.kith:is_over() do
    local err = self:once()
    if err then
      self.is_there = false
      self.kith:absent(err)
      self.kith:sleep(pause)
      pause = math.min(2 * pause, LONGEST_PAUSE)
    else
      pause = 1
    end
  end
end

-- One greeting, or one request that waits; gives an error, or nil.
function Follow:once()
  if not self.is_there then
    local err = self.kith:greet()
    if err then return err end
    self.is_there = true
    self.since = self.since or saved(self.kith)
    if not self.since then return self:begin() end
  end
  local path = ("/v1/events?since=%d&wait=%d&client=%s"):format(self.since, WAIT, self.kith.name)
  local answer, err = self.kith.client:get(path, WAIT + 10)
  if err and err.code == "events-gone" then return self:begin() end
  if not answer then return err end
  if #answer.events > 0 then
    err = self:happened(answer.events)
    if err then return err end
  end
  if answer.last ~= self.since then self:save(answer.last) end
end

-- Look at everything, because nobody knows what happened since.
function Follow:begin()
  local answer, err = self.kith.client:get("/v1/status")
  if not answer then return err end
  err = self.kith:look_at_all()
  if err and (err.kind ~= "stopped" or self.kith:is_over()) then return err end
  self:save(answer.last_event)
end

function Follow:happened(events)
  local written, touched, people = {}, {}, false
  for _, event in ipairs(events) do
    if event.path and RELEVANT[event.kind] then touched[event.path] = true end
    if event.path and event.kind == self.kith.when then written[event.path] = true end
    people = people or event.kind == "person" or event.kind == "answer"
  end
  local err = next(written) and self.kith:written(written)
  self.kith:changed(touched, people)
  return err
end

return follow
