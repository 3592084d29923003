-- Puts the hooks in place by which a package transaction that would take a wanted module or mount
-- from the node is noticed: `guard` (the default where modules are wanted and there is a boot
-- loader) keeps the boot default on a proven kernel after a new one was installed, `warn` and
-- `refuse` also judge each transaction of apt before it is carried out. Decides nothing about
-- kernels itself: the hooks ask `reconcile preflight`.
local kernel_hook = "/etc/kernel/postinst.d/zzz-reconcile"
local apt_hook = "/etc/apt/apt.conf.d/zz-reconcile-preflight"
local mark = "written by reconcile (policy preflight)"

-- Run after zz-update-grub, whose name comes before. A hook that fails would leave the kernel half
-- configured, so this one never does; and where the program is gone, it does nothing.
local kernel_hook_text = [[
#!/bin/sh
# ]] .. mark .. [[

PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
command -v reconcile >/dev/null || exit 0
if [ "$1" = --apt ]; then
	exec reconcile preflight --apt
fi
[ -z "$1" ] || reconcile preflight --guard "$1" >&2 || :
exit 0
]]

-- The hook stands first in its line, since apt finds the version of the protocol by the line's
-- first word; the clause behind it lets one exit code through, so that a missing program, a crash
-- or a bug never stands in apt's way.
local apt_hook_text = "// " .. mark .. "\n"
  .. 'DPkg::Pre-Install-Pkgs {"' .. kernel_hook .. ' --apt || { test $? -ne 10 || exit 10; }";};\n'
  .. 'DPkg::Tools::Options::' .. kernel_hook .. '::Version "3";\n'
  .. 'DPkg::Tools::Options::' .. kernel_hook .. '::InfoFD "20";\n'

local function is_ours(facts, path)
  local file = facts.file[path]
  return file.state == "present" and file.content ~= nil and file.content:find(mark, 1, true) ~= nil
end

-- Without a word in the tree a file that cannot be looked at is left alone.
local function may_go(want, facts, path)
  return (want.preflight or facts:known("file", path)) and is_ours(facts, path)
end

local function plan_file(want, facts, plan, path, content, mode, wanted, reason)
  if wanted then
    plan:file{
      path = path,
      content = content,
      mode = mode,
      owner = "root",
      group = "root",
      reason = reason,
    }
  elseif may_go(want, facts, path) then
    plan:file{ path = path, state = "absent", reason = reason }
  end
end

local function wants_modules(want)
  for _, module in pairs(want.modules or {}) do
    if module.state ~= "absent" then
      return true
    end
  end
  return false
end

-- What nobody asked for in words needs something to guard, a boot default that can be told, and
-- kernels whose packages call hooks. Where these cannot be told now, nothing is decided (nil): what
-- guarded the node yesterday is not taken away for that.
local function mode_of(want, facts)
  if want.preflight then
    return want.preflight, "preflight is " .. want.preflight
  elseif not wants_modules(want) then
    return "off", "no module is wanted that a kernel could take away"
  elseif facts:known("kernel", "") and facts.kernel.loader
    and facts:known("directory", "/etc/kernel/postinst.d")
    and facts.directory["/etc/kernel/postinst.d"].state == "present" then
    return "guard", "modules are wanted, and preflight is guard unless it is said otherwise"
  end
  return nil
end

return {
  name = "preflight",
  summary = "guards against package transactions that would break the next boot",
  handles = { "preflight", "modules" },

  plan = function(want, facts, plan)
    local mode, reason = mode_of(want, facts)
    if not mode then
      return
    end
    if mode ~= "off" and want.preflight then
      plan:directory{ path = "/etc/kernel", reason = reason }
      plan:directory{ path = "/etc/kernel/postinst.d", reason = reason }
    end
    plan_file(want, facts, plan, kernel_hook, kernel_hook_text, "0755", mode ~= "off", reason)
    local judges = mode == "warn" or mode == "refuse"
    plan_file(want, facts, plan, apt_hook, apt_hook_text, "0644", judges, reason)
  end,
}
