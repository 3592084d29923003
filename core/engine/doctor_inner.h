// SPDX-License-Identifier: MIT
/* What the files doctor*.c share. Private to them. */
#ifndef ENGINE_DOCTOR_INNER_H
#define ENGINE_DOCTOR_INNER_H

#include "engine/doctor.h"
#include "engine/inner.h"

/* doctor_mounts.c: fills in list, fstab_why and mounts. */
int doctor_find_mounts(struct engine *engine, const char *const *only, struct doctor *doctor,
                       struct err *err) MUST_CHECK;

/* Facts can be asked for, live or of the recording, also where no tree was loaded. */
int doctor_begin(struct engine *engine, struct err *err) MUST_CHECK;
/* One fact, live or recorded, for `doctor`. */
int doctor_fact(struct engine *engine, enum kind_id kind, const char *key,
                const struct resource **ret_fact, struct err *err) MUST_CHECK;
/* All keys of a kind; of a recording those it holds. An error when they cannot be listed. */
int doctor_keys(struct engine *engine, enum kind_id kind, struct keys *ret_keys,
                struct err *err) MUST_CHECK;

#endif
