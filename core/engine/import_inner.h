// SPDX-License-Identifier: MIT
/* What the files import*.c share. Private to them. */
#ifndef ENGINE_IMPORT_INNER_H
#define ENGINE_IMPORT_INNER_H

#include "engine/doctor_inner.h"
#include "engine/import.h"

struct import_writer {
	struct engine *engine;
	const struct doctor *doctor;
	struct import *import;
	struct str *s;
	bool all; /* every mount of fstab */
};

/* Something that is not in the tree, and why; borrowed. */
void import_leave_out(struct import_writer *w, const char *text);
/* Something that keeps the plan from being empty; borrowed. */
void import_is_broken(struct import_writer *w, const char *text);

/* import_mounts.c: is it one of those that are written? */
bool import_takes(const struct import_writer *w, const struct doctor_mount *mount);
/* The section `mounts`. */
int import_mounts(struct import_writer *w, struct err *err) MUST_CHECK;

/* import_yaml.c: quoted where YAML would read it otherwise. */
void import_yaml_scalar(struct str *s, const char *text);
void import_yaml_list(struct str *s, const struct list *list); /* in brackets */
/* A comment of one line, whatever the text holds. */
void import_yaml_comment(struct str *s, const char *indent, const char *text);
/* Would the loader take the text for that field of the kind? */
bool import_yaml_takes(enum kind_id kind, const char *field, const char *text);

#endif
