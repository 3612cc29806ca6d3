--[[ Requests to a running Kith through the programs `curl` or, where there is none, `kith call`.

     Nothing of the user's stands on a command line: socket, headers and token go into a file for `curl -K`, what is
     asked into another, both in a folder that only the user can read. Waiting is left to `execute`, which in darktable
     lets everything else go on. Errors are tables: kind ("absent", "timeout", "no program", "refused", "garbled",
     "ended", "address", "failed") and message; those that Kith refused have its code. ]]

local msgpack = require "kith/lib/msgpack"

local http = {}

local MSGPACK = "application/vnd.msgpack"
local KINDS = { [7] = "absent", [28] = "timeout", [52] = "absent", [56] = "absent", [126] = "no program",
  [127] = "no program" }
local REFUSED = 22          -- what `kith call` ends with where Kith refuses
local CONNECT_SECONDS = 2

-- files and words -------------------------------------------------------------------------------------------------

-- a word for the shell
function http.quote(word) return "'" .. word:gsub("'", "'\\''") .. "'" end

local function read(path)
  local file = io.open(path, "rb")
  if not file then return "" end
  local text = file:read("a")
  file:close()
  return text or ""
end

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  local fine, why = file:write(text)
  file:close()
  assert(fine, why)
end

-- the exit code in what system(3) gave
function http.exit_code(status)
  if status < 0 then return 127 end
  local signal = status & 0x7f
  return signal ~= 0 and 128 + signal or (status >> 8) & 0xff
end

local ESCAPED = { ["\\"] = "\\\\", ['"'] = '\\"', ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ["\v"] = "\\v" }

-- a file for `curl -K` from pairs of an option and its value; an option without one is {name}
function http.curl_file(options)
  local lines = {}
  for i, option in ipairs(options) do
    local value = option[2] and (' = "%s"'):format(tostring(option[2]):gsub('[\\"\n\r\t\v]', ESCAPED)) or ""
    lines[i] = option[1] .. value
  end
  return table.concat(lines, "\n") .. "\n"
end

-- where Kith answers: {socket} or {port, token}, from a setting (empty: the usual socket), and what is wrong with it
function http.address(setting, getenv, token_of)
  local port = setting:match("^%s*127%.0%.0%.1:(%d+)%s*$") or setting:match("^%s*(%d+)%s*$")
  if port then return { port = tonumber(port), token = token_of() } end
  local runtime, home = getenv("XDG_RUNTIME_DIR"), getenv("HOME") or ""
  if setting:match("^%s*$") then
    local folder = runtime or getenv("XDG_STATE_HOME") or home .. "/.local/state"
    return { socket = folder .. "/kith/kith.sock", usual = true }
  end
  local path = setting:gsub("^~/", home .. "/")
  return { socket = path, problem = path:sub(1, 1) ~= "/" and "neither a path nor a port" or nil }
end

-- The value with nil where a map had `null`; changes it.
function http.without_null(value)
  if type(value) ~= "table" then return value end
  for key, inner in pairs(value) do
    if inner == msgpack.null then value[key] = nil else http.without_null(inner) end
  end
  return value
end

-- requests --------------------------------------------------------------------------------------------------------

local Client = {}
Client.__index = Client

--[[ A client. `execute` runs a line in a shell and gives the status of system(3), `folder` is the user's alone,
     `address` gives what `http.address` does, `programs` has the names of `curl` and `kith`. ]]
function http.client(given)
  local programs = given.programs or { curl = "curl", kith = "kith" }
  return setmetatable({
    execute = given.execute, folder = given.folder, address = given.address, programs = programs,
    by = "curl", number = 0, running = {}, ended = false,
  }, Client)
end

function Client:files()
  self.number = self.number + 1
  local base = ("%s/%d"):format(self.folder, self.number)
  return { settings = base .. ".curl", body = base .. ".body", answer = base .. ".answer", said = base .. ".said",
    process = base .. ".pid" }
end

function Client:curl(files, method, path, body, seconds)
  local at = self.address()
  local options = {
    { "silent" }, { "show-error" }, { "globoff" }, { "noproxy", "*" }, { "request", method },
    { "connect-timeout", CONNECT_SECONDS }, { "max-time", seconds }, { "output", files.answer },
    { "write-out", "%{http_code}" }, { "header", "Accept: " .. MSGPACK }, { "header", "Expect:" },
    { "url", ("http://%s%s"):format(at.port and "127.0.0.1:" .. at.port or "kith", path) },
  }
  if at.socket then options[#options + 1] = { "unix-socket", at.socket } end
  if at.token then options[#options + 1] = { "header", "Authorization: Bearer " .. at.token } end
  if body then
    options[#options + 1] = { "header", "Content-Type: " .. MSGPACK }
    options[#options + 1] = { "data-binary", "@" .. files.body }
  end
  write(files.settings, http.curl_file(options))
  return ("%s -q -K %s"):format(http.quote(self.programs.curl), http.quote(files.settings))
end

function Client:kith_call(files, method, path, body, seconds)
  local at = self.address()
  local words = { http.quote(self.programs.kith), "call", "--output", http.quote(files.answer), "--timeout", seconds }
  if body then words[#words + 1] = "--body " .. http.quote(files.body) end
  if at.socket and not at.usual then words[#words + 1] = "--socket " .. http.quote(at.socket) end
  return table.concat(words, " ") .. (" %s %s"):format(method, http.quote(path))
end

local function decoded(answer)
  local fine, value = pcall(msgpack.decode, answer)
  if not fine or type(value) ~= "table" or value.ok == nil then return nil end
  return http.without_null(value)
end

-- what an exit code and an answer mean: the answer's values, or nil and the error
function http.outcome(code, answer, said)
  if code ~= 0 and code ~= REFUSED then
    return nil, { kind = KINDS[code] or "failed", message = said:gsub("%s+$", "") }
  end
  local value = decoded(answer)
  if not value then return nil, { kind = "garbled", message = "what answers there is not Kith" } end
  if value.ok then return value end
  local told = type(value.error) == "table" and value.error or {}
  return nil, { kind = "refused", code = told.code, message = told.message or "?", detail = told.detail }
end

function Client:run(line, files)
  -- the shell becomes the program, so that this number is the one to end
  local command = ("echo $$ >%s; exec %s >%s 2>&1"):format(http.quote(files.process), line, http.quote(files.said))
  return http.exit_code(self.execute(command))
end

--[[ Ask Kith. `body` is what is said (nil for GET), `seconds` how long to wait for an answer (default 20).
     Gives the answer's values, or nil and the error. ]]
function Client:call(method, path, body, seconds)
  if self.ended then return nil, { kind = "ended", message = "darktable is closing" } end
  if self.address().problem then return nil, { kind = "address", message = self.address().problem } end
  local files = self:files()
  self.running[files.process] = true
  local fine, value, err = pcall(self.exchange, self, files, method, path, body, seconds or 20)
  for _, file in pairs(files) do os.remove(file) end
  self.running[files.process] = nil
  if not fine then return nil, { kind = "failed", message = tostring(value) } end
  if self.ended and err then return nil, { kind = "ended", message = "darktable is closing" } end
  return value, err
end

function Client:exchange(files, method, path, body, seconds)
  if body then write(files.body, msgpack.encode(body)) end
  if self.by == "curl" then
    local code = self:run(self:curl(files, method, path, body, seconds), files)
    if KINDS[code] ~= "no program" or not self.address().socket then
      return http.outcome(code, read(files.answer), read(files.said))
    end
    self.by = "kith"
  end
  local code = self:run(self:kith_call(files, method, path, body, seconds), files)
  if KINDS[code] == "no program" then self.by = "curl" end
  return http.outcome(code, read(files.answer), read(files.said))
end

function Client:get(path, seconds) return self:call("GET", path, nil, seconds) end

function Client:post(path, body, seconds) return self:call("POST", path, body or msgpack.map {}, seconds) end

function Client:is_busy() return next(self.running) ~= nil end

-- Nothing is asked from now on.
function Client:close() self.ended = true end

-- End the programs that still wait for an answer, and remove every file; after `close`.
function Client:remove()
  for process in pairs(self.running) do
    local number = read(process):match("^%d+")
    if number then self.execute("kill " .. number .. " 2>/dev/null") end
    for _, suffix in ipairs { "curl", "body", "answer", "said", "pid" } do
      os.remove((process:gsub("pid$", suffix)))
    end
  end
  os.remove(self.folder)
end

return http
