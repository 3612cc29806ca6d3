-- What a test body in darktable works with; tests/programs.py starts darktable with it.

local dt = require "darktable"

local t = { out = os.getenv("TEST_OUT"), photos = os.getenv("TEST_PHOTOS") }

local function write(name, text)
  local file <close> = assert(io.open(t.out .. "/" .. name, "w"))
  file:write(text)
end

-- Goes on as soon as `happened` says so, and fails after so many seconds.
function t.await(what, seconds, happened)
  local finish = os.time() + seconds
  while not happened() do
    if os.time() > finish then error("it never came: " .. what, 2) end
    t.pause(50)
  end
end

function t.pause(milliseconds) dt.control.sleep(milliseconds) end

-- Runs a program while darktable goes on; it has to succeed.
function t.shell(line) assert(dt.control.execute(line) == 0, line) end

function t.picture(name) t.shell(("import -window root '%s/%s'"):format(t.out, name)) end

-- A line for whoever reads `said` afterwards.
function t.say(...)
  local file <close> = assert(io.open(t.out .. "/said", "a"))
  file:write(string.format(...), "\n")
end

-- Does what a test is about as soon as darktable's main loop runs, notes what came of it, and closes darktable.
function t.perform(body)
  dt.control.dispatch(function()
    write("begun", "")
    local fine, trouble = xpcall(body, debug.traceback)
    write("result", fine and "fine" or tostring(trouble))
    dt.gui.action("global/quit", 0, "", "", 1)
  end)
end

return t
