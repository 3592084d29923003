-- Looks over the Lustre mounts that are wanted, for what the client takes without a word and then
-- does not do, or refuses with EINVAL at the worst moment. Plans nothing and blocks nothing: see
-- mounts.lua and modules.lua.

-- mount.lustre(8), and those options of mount(8) that the helper takes for flags of any file system
-- (opt_map in lustre/utils/mount_lustre.c; no dirsync, lazytime or nostrictatime: the client gets
-- them, and refuses). It compares by prefix: what it does not know may be swallowed in silence, or
-- end in EINVAL.
local known = {
  "acl", "noacl", "always_ping", "noalways_ping", "checksum", "nochecksum", "encrypt", "noencrypt",
  "flock", "localflock", "noflock", "lazystatfs", "nolazystatfs", "lruresize", "nolruresize",
  "user_fid2path", "nouser_fid2path", "user_xattr", "nouser_xattr", "verbose", "noverbose",
  "32bitapi", "statfs_project", "nostatfs_project",
  "ro", "rw", "suid", "nosuid", "dev", "nodev", "exec", "noexec", "sync", "async",
  "atime", "noatime", "diratime", "nodiratime", "relatime", "norelatime", "strictatime", "defaults",
}
local prefixes = {
  "retry=", "mgssec=", "skpath=", "network=", "mgsname=", "exclude=",
  "context=", "fscontext=", "defcontext=", "rootcontext=",
}

-- For fstab and systemd alone; reconcile hands none of them to the client.
local for_fstab = {
  "_netdev", "nofail", "fail", "auto", "noauto", "user", "nouser", "users", "owner", "group",
}

local function is_fstab_word(option)
  return lib.has(for_fstab, option) or option:sub(1, 2) == "x-" or option:sub(1, 2) == "X-"
    or option:sub(1, 8) == "comment="
end

local function is_known(option)
  if lib.has(known, option) or is_fstab_word(option) then
    return true
  end
  for _, prefix in ipairs(prefixes) do
    if option:sub(1, #prefix) == prefix then
      return true
    end
  end
  return false
end

local function warn(plan, rule, target, reason)
  plan:warn{ rule = rule, resource = "mount:" .. target, reason = reason }
end

local function check_options(plan, target, mount)
  local netdev, names_fstab = false, nil
  for _, option in ipairs(mount.options or {}) do
    netdev = netdev or option == "_netdev"
    names_fstab = names_fstab or (option ~= "_netdev" and is_fstab_word(option) and option)
    if not is_known(option) then
      warn(plan, "lustre-option-unknown", target, "mount.lustre does not know the option " .. option
        .. ": it is swallowed, or the mount ends with EINVAL")
    end
  end
  local full = (mount.manage or "full") == "full"
  if full and not netdev then
    warn(plan, "lustre-without-netdev", target,
      "without _netdev the line of fstab is mounted before the network is up: the boot may hang")
  elseif not full and names_fstab then
    warn(plan, "lustre-fstab-option", target, names_fstab
      .. " is for fstab, and with manage: " .. mount.manage .. " reconcile writes none")
  end
end

-- SERVERS:/NAME[/FOLDER], where a server is HOST@NETWORK and NAME has at most 8 characters, namely
-- letters, digits, _ and - (lustre_is_name_valid in lustre_param.h)
local function check_source(plan, target, source)
  local servers, name = source:match("^(.+):/([^/]+)")
  if not servers then
    warn(plan, "lustre-source", target,
      source .. " is not of the form HOST@tcp:/NAME: mount.lustre cannot parse it")
  elseif #name > 8 then
    warn(plan, "lustre-source", target,
      "a Lustre file system has a name of at most 8 characters, and " .. name .. " has " .. #name)
  elseif name:find("[^%w_-]") then
    warn(plan, "lustre-source", target,
      "the name of a Lustre file system has letters, digits, _ and - only: " .. name)
  elseif not servers:find("@", 1, true) then
    warn(plan, "lustre-source", target,
      servers .. " names no network: write " .. servers .. "@tcp")
  end
end

return {
  name = "lustre",
  summary = "Lustre mounts that would not do what they say",
  handles = { "mounts" },

  plan = function(want, _, plan)
    plan:each(want.mounts, function(target, mount)
      if mount.type == "lustre" and mount.state ~= "absent" then
        check_options(plan, target, mount)
        check_source(plan, target, mount.source)
      end
    end)
  end,
}
