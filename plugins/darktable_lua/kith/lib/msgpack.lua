--[[ MessagePack for Lua 5.3 and later, without extension types
     (https://github.com/msgpack/msgpack/blob/master/spec.md).

     encode: nil and `null` are nil; a string is str where it is valid UTF-8, else bin; integers take their shortest
     form, floats 64 bits; a table is an array where its keys are 1..n or it was made by `array`, else a map. {} is a
     map.
     decode: str and bin are strings; arrays and maps remember what they were, so that empty ones come out as they
     went in; nil inside them is `null`, so that it keeps its place. Integers above 2^63 - 1 become floats. ]]

local msgpack = {}

local ARRAY, MAP = { __name = "msgpack.array" }, { __name = "msgpack.map" }
local DEEPEST = 64

msgpack.null = setmetatable({}, { __name = "msgpack.null", __tostring = function() return "null" end })

function msgpack.array(values) return setmetatable(values, ARRAY) end

function msgpack.map(values) return setmetatable(values, MAP) end

-- encoding --------------------------------------------------------------------------------------------------------

-- the head of something `n` long: `fix` + n up to `most`, else one of the bytes for 8, 16 and 32 bits
local function head(n, fix, most, byte8, byte16, byte32)
  if n <= most then return string.char(fix + n) end
  if byte8 and n <= 0xff then return string.char(byte8, n) end
  if n <= 0xffff then return string.pack(">BI2", byte16, n) end
  if n <= 0xffffffff then return string.pack(">BI4", byte32, n) end
  error("msgpack: too long", 0)
end

local function integer(v)
  if v >= 0 then
    if v < 0x80 then return string.char(v) end
    if v <= 0xff then return string.char(0xcc, v) end
    if v <= 0xffff then return string.pack(">BI2", 0xcd, v) end
    if v <= 0xffffffff then return string.pack(">BI4", 0xce, v) end
    return string.pack(">BI8", 0xcf, v)
  end
  if v >= -0x20 then return string.pack("b", v) end
  if v >= -0x80 then return string.pack(">Bb", 0xd0, v) end
  if v >= -0x8000 then return string.pack(">Bi2", 0xd1, v) end
  if v >= -0x80000000 then return string.pack(">Bi4", 0xd2, v) end
  return string.pack(">Bi8", 0xd3, v)
end

local function text(v)
  if utf8.len(v) then return head(#v, 0xa0, 31, 0xd9, 0xda, 0xdb) .. v end
  return head(#v, 0, -1, 0xc4, 0xc5, 0xc6) .. v
end

local function count(t)
  local n = 0
  for _ in pairs(t) do n = n + 1 end
  return n
end

local function is_array(t)
  local kind = getmetatable(t)
  if kind == ARRAY or kind == MAP then return kind == ARRAY end
  return #t > 0 and count(t) == #t
end

local put

local function put_table(out, t, depth)
  if depth > DEEPEST then error("msgpack: nested too deep", 0) end
  if is_array(t) then
    out[#out + 1] = head(#t, 0x90, 15, nil, 0xdc, 0xdd)
    for i = 1, #t do put(out, t[i], depth + 1) end
    return
  end
  out[#out + 1] = head(count(t), 0x80, 15, nil, 0xde, 0xdf)
  for key, value in pairs(t) do
    put(out, key, depth + 1)
    put(out, value, depth + 1)
  end
end

function put(out, v, depth)
  local kind = math.type(v) or type(v)
  if v == nil or v == msgpack.null then out[#out + 1] = "\xc0"
  elseif kind == "boolean" then out[#out + 1] = v and "\xc3" or "\xc2"
  elseif kind == "integer" then out[#out + 1] = integer(v)
  elseif kind == "float" then out[#out + 1] = string.pack(">Bd", 0xcb, v)
  elseif kind == "string" then out[#out + 1] = text(v)
  elseif kind == "table" then put_table(out, v, depth)
  else error("msgpack: a " .. kind .. " can't be encoded", 0) end
end

function msgpack.encode(value)
  local out = {}
  put(out, value, 1)
  return table.concat(out)
end

-- decoding --------------------------------------------------------------------------------------------------------

local take

-- of a damaged head, too: nothing is made larger than what is left of the input
local function need(s, at, n)
  if n > #s - at + 1 then error("msgpack: the input ends too early", 0) end
end

local function take_text(s, at, n)
  need(s, at, n)
  return s:sub(at, at + n - 1), at + n
end

local function inner(s, at, depth)
  local value, next_at = take(s, at, depth + 1)
  if value == nil then value = msgpack.null end
  return value, next_at
end

local function take_array(s, at, n, depth)
  need(s, at, n)
  local t = {}
  for i = 1, n do t[i], at = inner(s, at, depth) end
  return msgpack.array(t), at
end

local function take_map(s, at, n, depth)
  need(s, at, 2 * n)
  local t = {}
  for _ = 1, n do
    local key, value
    key, at = inner(s, at, depth)
    value, at = inner(s, at, depth)
    if key ~= key then error("msgpack: NaN is no key", 0) end
    t[key] = value
  end
  return msgpack.map(t), at
end

local NUMBERS = {
  [0xca] = ">f", [0xcb] = ">d", [0xcc] = ">I1", [0xcd] = ">I2", [0xce] = ">I4",
  [0xd0] = ">i1", [0xd1] = ">i2", [0xd2] = ">i4", [0xd3] = ">i8",
}
local LONG = {
  [0xc4] = { ">I1", take_text }, [0xc5] = { ">I2", take_text }, [0xc6] = { ">I4", take_text },
  [0xd9] = { ">I1", take_text }, [0xda] = { ">I2", take_text }, [0xdb] = { ">I4", take_text },
  [0xdc] = { ">I2", take_array }, [0xdd] = { ">I4", take_array },
  [0xde] = { ">I2", take_map }, [0xdf] = { ">I4", take_map },
}

local function number(s, at, form)
  need(s, at, string.packsize(form))
  return string.unpack(form, s, at)
end

local function unsigned64(s, at)
  local v, next_at = number(s, at, ">i8")
  return v < 0 and v + 0x1p64 or v, next_at
end

function take(s, at, depth)
  if depth > DEEPEST then error("msgpack: nested too deep", 0) end
  need(s, at, 1)
  local b = s:byte(at)
  at = at + 1
  if b < 0x80 then return b, at end
  if b < 0x90 then return take_map(s, at, b - 0x80, depth) end
  if b < 0xa0 then return take_array(s, at, b - 0x90, depth) end
  if b < 0xc0 then return take_text(s, at, b - 0xa0) end
  if b >= 0xe0 then return b - 256, at end
  if NUMBERS[b] then return number(s, at, NUMBERS[b]) end
  if LONG[b] then
    local n
    n, at = number(s, at, LONG[b][1])
    return LONG[b][2](s, at, n, depth)
  end
  if b == 0xcf then return unsigned64(s, at) end
  if b == 0xc0 then return nil, at end
  if b == 0xc2 or b == 0xc3 then return b == 0xc3, at end
  error(("msgpack: the byte 0x%02x begins nothing"):format(b), 0)
end

-- the value that begins at a place in a string (default: its start), and the place behind it; raises a sentence
function msgpack.decode(s, at) return take(s, at or 1, 1) end

return msgpack
