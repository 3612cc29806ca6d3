--[[
    Kith for darktable is free software: you can redistribute it and/or modify it under the terms of the GNU General
    Public License as published by the Free Software Foundation, either version 3 of the License, or (at your option)
    any later version.
]]

--[[
    Who is on your photos.

    The names that a running Kith knows become tags, tags become answers, and a panel in the lighttable says who is on
    the selected photos, and lets you confirm, correct and name them.

    USAGE: put the folder `kith` into darktable's `lua` folder and `require "kith/kith"` into its `luarc`
    (`kith darktable install` does both), or start it from script_manager. Needs darktable 4.2 or newer, and `curl` or
    the `kith` command. It runs without lua-scripts.
]]

local dt = require "darktable"
local plugin = require "kith/lib/plugin"

local kith = plugin.new(dt)
local _ = kith.words.say

local script_data = {}

script_data.metadata = {
  name = _("kith: who is on your photos"),
  purpose = _("find the people on your photos and keep their names as tags"),
  author = "Kith",
  help = ""
}

script_data.plugin = kith -- for other scripts
script_data.destroy_method = "hide"
script_data.destroy = function() kith:stop() end
script_data.restart = function() kith:start() end
script_data.show = function() kith:show() end

kith:start()

return script_data
