-- Which kernels the BeeGFS client is said to build on. Data with a source, not knowledge: what DKMS
-- really did overrules it.
return {
  version = "7.4.4",
  source = "field notes of a site that runs BeeGFS 7.4.4; upstream says nothing per kernel",
  -- The first pattern that fits a release decides.
  kernels = {
    { pattern = "6.1.*", verdict = "supported", note = "LTS, recommended" },
    { pattern = "6.6.*", verdict = "supported", note = "LTS, recommended" },
    { pattern = "6.11.*", verdict = "untested", note = "may work" },
    { pattern = "6.12.*", verdict = "incompatible",
      note = "generic_fillattr() and inode_owner_or_capable() changed, SetPageError() is gone, "
        .. "asm/unaligned.h moved" },
    { pattern = "6.1[3-9].*", verdict = "incompatible", note = "as 6.12" },
  },
}
