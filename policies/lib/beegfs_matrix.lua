-- Which kernels each BeeGFS client is said to build on. Data with a source, not knowledge: what
-- DKMS really did overrules it (lib.kernels asks DKMS first).
--
-- Sources: 7.4.4 from the notes of a site that runs it (6.1 and 6.6 recommended, 6.11 to be tested,
-- 6.12 and later failing); the others from the release notes and tags of BeeGFS (7.4.5 names 6.8,
-- 7.4.6 up to 6.11; the detection of folio write_begin is in 7.4.7 and 8.1.0, and in no 8.0; the
-- d_revalidate change of 6.14 is followed from 8.3.0 on). 7 and 8 are branches: what came late to
-- the one is not in the early releases of the other.
local moved = "generic_fillattr() and inode_owner_or_capable() changed, SetPageError() is gone, "
  .. "asm/unaligned.h moved"

-- In each list the first row whose range holds the kernel decides: {from, to, verdict, note}, both
-- ends as major.minor, `to` left out for "and later".
local matrix = {
  { version = "7.4.4", kernels = {
    { "6.1", "6.1", "supported", "LTS, recommended" },
    { "6.6", "6.6", "supported", "LTS, recommended" },
    { "6.11", "6.11", "untested", "may work" },
    { "6.12", nil, "incompatible", moved },
  } },
  { version = "7.4.5", kernels = {
    { "6.1", "6.1", "supported", "LTS, recommended" },
    { "6.6", "6.6", "supported", "LTS, recommended" },
    { "6.8", "6.8", "supported", "as the release notes say" },
    { "6.11", "6.11", "untested", "may work" },
    { "6.12", nil, "incompatible", moved },
  } },
  { version = "7.4.6", kernels = {
    { "6.1", "6.11", "supported", "as the release notes say" },
    { "6.12", nil, "incompatible", "folio write_begin is not detected" },
  } },
  { version = "7.4.7", kernels = {
    { "6.1", "6.11", "supported", "as the release notes say" },
    { "6.12", "6.13", "untested", "folio write_begin is detected" },
    { "6.14", nil, "incompatible", "d_revalidate changed" },
  } },
  { version = "8.0.0", kernels = {
    { "6.1", "6.11", "untested", "no notes name it; 7.4.6, of the same time, is for it" },
    { "6.12", nil, "incompatible", "folio write_begin is not detected" },
  } },
  { version = "8.1.0", kernels = {
    { "6.1", "6.11", "supported", "as the release notes say" },
    { "6.12", "6.13", "untested", "folio write_begin is detected" },
    { "6.14", nil, "incompatible", "d_revalidate changed" },
  } },
  { version = "8.3.0", kernels = {
    { "6.1", "6.11", "supported", "as the release notes say" },
    { "6.12", "6.14", "untested", "the changes of 6.12 and 6.14 are followed" },
  } },
}

local beegfs_matrix = {}

-- What BeeGFS calls a version, of how a package, DKMS or the desired state writes it: "20:7.4.4*",
-- "7.4.4-1" and "7.4.4" are "7.4.4". The epoch of a package (deb-version(7)) is none of BeeGFS's.
-- nil of what begins with no number.
function beegfs_matrix.plain(version)
  return version and version:gsub("^%d+:", ""):match("^%d[%d.]*%f[^%d]")
end

-- The numbers at the start of a version or release: "7.4.4-1" and "6.12.38+deb12" have {7,4,4} and
-- {6,12,38}.
local function numbers(text)
  local found = {}
  for number in (beegfs_matrix.plain(text) or ""):gmatch("[0-9]+") do
    table.insert(found, tonumber(number))
  end
  return found
end

-- Negative, zero or positive, over as many numbers as `depth`.
local function compare(a, b, depth)
  local x, y = numbers(a), numbers(b)
  for i = 1, depth do
    local difference = (x[i] or 0) - (y[i] or 0)
    if difference ~= 0 then
      return difference
    end
  end
  return 0
end

-- The rows that speak for a version: those of the newest entry of its branch that is not newer
-- than it. Without a version, or for an older one than all, the oldest: it promises least. Nothing
-- speaks for a branch that is not in the matrix.
local function rows_for(version)
  if not version or compare(version, matrix[1].version, 3) < 0 then
    return matrix[1].kernels
  end
  local found = {}
  for _, entry in ipairs(matrix) do
    if compare(entry.version, version, 1) == 0 and compare(entry.version, version, 3) <= 0 then
      found = entry.kernels
    end
  end
  return found
end

-- "supported", "untested", "incompatible" or "unknown", and why.
function beegfs_matrix.judge(version, release)
  for _, row in ipairs(rows_for(beegfs_matrix.plain(version))) do
    if compare(release, row[1], 2) >= 0 and (not row[2] or compare(release, row[2], 2) <= 0) then
      return row[3], row[4]
    end
  end
  return "unknown", "nobody says anything about it"
end

-- The version that is judged by, for sentences: "BeeGFS 7.4.4".
function beegfs_matrix.version(version)
  return beegfs_matrix.plain(version)
    or "of a version that nobody tells (taken for " .. matrix[1].version .. ")"
end

return beegfs_matrix
