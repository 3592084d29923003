// SPDX-License-Identifier: MIT
/*
 * A field: one property of a resource kind or of a section of the desired state, as a row of a
 * table.
 *
 * The same row serves the YAML loader, the Lua bridge, comparison, printing, JSON, history and
 * the generated reference (docs/state.md). Fields of a kind also say where the member lies in
 * `struct resource` (offset, with the type derived by the compiler); fields of a section have no
 * C member (offset 0).
 */
#ifndef MODEL_FIELD_H
#define MODEL_FIELD_H

#include "base/list.h"
#include "base/value.h"

#include <stddef.h>

enum field_type { FIELD_TEXT, FIELD_LIST, FIELD_NUMBER, FIELD_TRUTH };

/* What a text (or each item of a list) must look like; field_check() knows the rules and the
 * words. */
enum field_format {
	FORMAT_TEXT,      /* one line without control characters */
	FORMAT_CONTENT,   /* any UTF-8 without NUL */
	FORMAT_PATH,      /* absolute, normal form (path_fault) */
	FORMAT_MODE,      /* quoted octal of four digits, "0644" */
	FORMAT_DURATION,  /* 90s, 5m, 2h, 7d */
	FORMAT_RELEASE,   /* kernel release or glob: [A-Za-z0-9._+~*?-]+ */
	FORMAT_GLOB,      /* package version or glob: [A-Za-z0-9._+~:*?-]+ */
	FORMAT_PACKAGE,   /* Debian package name (deb-control(5)); {kernel} with FIELD_TEMPLATE */
	FORMAT_WORD,      /* no blanks, no control characters */
	FORMAT_OWNER,     /* user or group name, or number */
	FORMAT_OPTION,    /* one mount option: no blanks, no comma */
	FORMAT_MODULE,    /* kernel module name: [A-Za-z0-9_-]+ */
	FORMAT_SETTING,   /* name=value */
	FORMAT_S3,        /* s3://bucket[/prefix] */
	FORMAT_UNIT,      /* systemd unit name with its suffix */
	FORMAT_CHOICE,    /* one of `choices` */
	FORMAT_NODE,      /* node name or glob: [A-Za-z0-9._*?-]+ */
	FORMAT_NAME,      /* name of a role: [A-Za-z0-9_][A-Za-z0-9._-]* */
	FORMAT_WINDOW,    /* days, hours and time zone: "Sun 02:00-05:00 Asia/Seoul" */
	FORMAT_DIGEST,    /* SHA-256 as 64 hex digits */
	FORMAT_MODULE_AT, /* module@release: lustre@6.8.0-1039-aws */
	FORMAT_APT,       /* option of apt.conf(5): APT::NeverAutoRemove */
	FORMAT_COUNT
};

/* When an observed value is good enough for a wanted one (model/compare.h). */
enum field_match {
	MATCH_EXACT,
	MATCH_GLOB,     /* wanted is a glob (fnmatch(3) without flags) */
	MATCH_SET,      /* the same items in any order */
	MATCH_ITEMS,    /* each wanted item is there, others do not matter */
	MATCH_SETTINGS, /* name=value: each wanted one holds, others do not matter */
	MATCH_OPTIONS,  /* mount options: each wanted one holds, others do not matter */
	MATCH_FSTAB,    /* the same for the options of an fstab line */
	MATCH_SOURCE,   /* mount source by meaning */
	MATCH_TYPE,     /* file system type: what is wanted as nfs is shown as nfs4 */
	MATCH_NEVER, /* not a property of the node: not compared (settings, the guard of a command) */
};

enum field_flag {
	FIELD_KEY = 1 << 0,      /* names the resource */
	FIELD_REQUIRED = 1 << 1, /* must be wanted with it (unless state: absent) */
	FIELD_FACT = 1 << 2,     /* only observed; wanting it is an error */
	FIELD_TEMPLATE = 1 << 3, /* may hold {kernel} */
	FIELD_SECRET = 1 << 4,   /* never shown or stored as text, only as a digest */
};

struct field {
	const char *name;
	enum field_type type;
	enum field_format format;
	enum field_match match;
	unsigned flags;
	size_t offset;
	const char *help;           /* one line for the reference */
	const char *const *choices; /* FORMAT_CHOICE: NULL-terminated */
	int64_t least, most;        /* FIELD_NUMBER: bounds, both 0 = none */
};

/* clang-format off */
#define FIELD_TYPE(member) \
	_Generic((member), const char *: FIELD_TEXT, struct list: FIELD_LIST, \
	         struct number: FIELD_NUMBER, struct truth: FIELD_TRUTH)
/* clang-format on */

/* Checks a value from outside (YAML, Lua, JSON) against the row: type, format, choice, bounds. 0,
 * or *err with the position of the offending value, what is wrong and what was expected. */
int field_check(const struct field *field, const struct value *value, struct err *err) MUST_CHECK;

/* Only the type: of what was observed or recorded, where the machine and not a person chose the
 * text. */
int field_check_type(const struct field *field, const struct value *value,
                     struct err *err) MUST_CHECK;

/* The row of that name, or NULL. */
const struct field *field_find(const struct field *fields, size_t n, const char *name);
/* The nearest field name to a misspelt one, or NULL. */
const char *field_nearest(const struct field *fields, size_t n, const char *name);

/* The member a row speaks of, as a value (null when unset) and back. `object` is the struct that
 * the row's offset counts from. Texts are borrowed both ways. */
struct value field_get(const struct field *field, const void *object, struct arena *arena);
void field_set(const struct field *field, void *object, const struct value *value,
               struct arena *arena);
bool field_is_set(const struct field *field, const void *object);

/* "text", "list of paths", "one of a, b, c", "whole number from 1 to 9": for messages and the
 * reference. */
const char *field_expectation(const struct field *field, struct arena *arena);

#endif
