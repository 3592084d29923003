// SPDX-License-Identifier: MIT
/*
 * make.log of a DKMS build: for which kernel it was, and the lines of it that say why it failed.
 * Pure. Results live in the arena.
 */
#ifndef PROVIDER_DKMS_LOG_H
#define PROVIDER_DKMS_LOG_H

#include "base/mem.h"

#include <stdbool.h>

/* The first line is "DKMS make.log for MODULE-VERSION for kernel RELEASE (ARCH)". */
bool dkms_log_is_for(const char *log, const char *release);

/* The first complaints of compiler, linker and make, at most three, joined with "; "; the last line
 * when there is none. For people: one line, printable. */
const char *dkms_log_lines(struct arena *arena, const char *log);

/* Would the next try fail alike? Not for want of space or memory, nor where nothing is complained
 * of: that build was cut off or is under way, unless it is known to have come to its end
 * (is_whole). */
bool dkms_log_is_final(const char *log, bool is_whole);

#endif
