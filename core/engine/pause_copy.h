// SPDX-License-Identifier: MIT
/*
 * What an ordinary user is told of a pause. The state folder is not theirs to look into, so
 * `pause`, `resume`, and every apply and run leave a copy of what stands there in the run-dir, for
 * all to read (RUN_DIR/pause.json).
 *
 * The copy only words answers: nothing that changes a node goes by it. It is as old as the last of
 * those commands, and not told of another boot; who goes by it says of when it is.
 */
#ifndef ENGINE_PAUSE_COPY_H
#define ENGINE_PAUSE_COPY_H

#include "engine/pause.h"

#define PAUSE_COPY "pause.json" /* in the run-dir */

/* Copies what root has found in the state folder; `boot_id`: of now. Where that cannot be written,
 * or could not be told, none is left: better none than an old one. */
void pause_copy_write(const char *run_dir, const char *boot_id, const struct pause *pause);

/* What a copy says at that moment: *ret_pause as pause_parse makes it, with `seen`. False, and
 * nothing set: it is none, or of another boot. Pure. */
bool pause_copy_parse(const char *text, size_t n, const struct pause_moment *at,
                      struct arena *arena, struct pause *ret_pause);

#endif
