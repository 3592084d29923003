// SPDX-License-Identifier: MIT
/* See mount_options.h. What is not in these tables follows one rule: "noX" contradicts "X", and a
 * live mount that shows neither has no X. */
#include "model/mount_options.h"

#include "base/str.h"
#include "model/mount_value.h"

#include <string.h>

enum {
	LIVE = 1,      /* in force when a live mount shows no word of the group */
	WRITTEN = 2,   /* in force when an fstab line has no word of the group */
	DOMINATES = 4, /* true of a live mount as soon as it is shown anywhere in it */
	NOT = 8,       /* says only which state is not meant */
};

/* Words that exclude each other. The kernel's part: mount(8), "FILESYSTEM-INDEPENDENT MOUNT
 * OPTIONS", and what proc(5) says mountinfo shows; nfs(5); ext4(5); mount.lustre(8). */
static const struct word {
	const char *word, *group;
	unsigned flags;
	const char *state; /* NULL: the word itself */
} words[] = {
    /* The flags of the mount and of its superblock are one list here; either makes it read-only. */
    {"rw", "rw", LIVE | WRITTEN, NULL},
    {"ro", "rw", DOMINATES, NULL},
    {"emergency_ro", "rw", DOMINATES, "ro"},
    {"dev", "dev", LIVE | WRITTEN, NULL},
    {"nodev", "dev", DOMINATES, NULL},
    {"suid", "suid", LIVE | WRITTEN, NULL},
    {"nosuid", "suid", DOMINATES, NULL},
    {"exec", "exec", LIVE | WRITTEN, NULL},
    {"noexec", "exec", DOMINATES, NULL},
    {"async", "sync", LIVE | WRITTEN, NULL},
    {"sync", "sync", DOMINATES, NULL},
    {"diratime", "diratime", LIVE | WRITTEN, NULL},
    {"nodiratime", "diratime", 0, NULL},
    {"loud", "silent", LIVE | WRITTEN, NULL},
    {"silent", "silent", 0, NULL},
    /* relatime is what mount(2) makes of nothing said, and is shown; strictatime is shown as
     * nothing. norelatime asks mount(2) for nothing: it gives relatime as well. */
    {"relatime", "atime", WRITTEN, NULL},
    {"noatime", "atime", 0, NULL},
    {"strictatime", "atime", LIVE, NULL},
    {"atime", "atime", NOT, "noatime"},
    {"norelatime", "atime", NOT, "noatime"},
    {"nostrictatime", "atime", NOT, "strictatime"},
    /* Lustre shows flock or localflock, and nothing for noflock. Which one an fstab line without
     * a word gets depends on the version: flock since 2.12.3. */
    {"flock", "flock", 0, NULL},
    {"localflock", "flock", 0, NULL},
    {"noflock", "flock", LIVE, NULL},
    {"hard", "hard", LIVE | WRITTEN, NULL},
    {"soft", "hard", 0, NULL},
    {"softerr", "hard", 0, NULL},
    {"lock", "lock", LIVE | WRITTEN, NULL},
    {"nolock", "lock", 0, NULL},
    {"cto", "cto", LIVE | WRITTEN, NULL},
    {"nocto", "cto", 0, NULL},
    {"ac", "ac", LIVE | WRITTEN, NULL},
    {"noac", "ac", 0, NULL},
    {"acl", "acl", LIVE | WRITTEN, NULL},
    {"noacl", "acl", 0, NULL},
    {"sharecache", "sharecache", LIVE | WRITTEN, NULL},
    {"nosharecache", "sharecache", 0, NULL},
    {"rdirplus", "rdirplus", LIVE | WRITTEN, NULL},
    {"nordirplus", "rdirplus", 0, NULL},
    {"resvport", "resvport", LIVE | WRITTEN, NULL},
    {"noresvport", "resvport", 0, NULL},
    {"barrier", "barrier", LIVE | WRITTEN, NULL},
    {"nobarrier", "barrier", 0, NULL},
    {"delalloc", "delalloc", LIVE | WRITTEN, NULL},
    {"nodelalloc", "delalloc", 0, NULL},
    {"auto", "auto", WRITTEN, NULL},
    {"noauto", "auto", 0, NULL},
    {"nouser", "user", WRITTEN, NULL},
    {"user", "user", 0, NULL},
    {"users", "user", 0, NULL},
    {"owner", "user", 0, NULL},
    {"group", "user", 0, NULL},
};

/* The five words that mount(8) gives for `defaults` and a live mount can show. */
static const char *const defaults[] = {"rw", "suid", "dev", "exec", "async"};

/* For whoever reads fstab: mount -a, systemd. systemd strips them and libmount does not hand (all
 * of) them on; mount.lustre and other helpers refuse those that slip through. */
static const char *const fstab_words[] = {"auto",    "noauto",   "nofail", "fail",
                                          "_netdev", "defaults", "nouser", "user",
                                          "users",   "owner",    "group"};
static const char *const fstab_prefixes[] = {"x-", "X-", "comment="};

/* For the moment of mounting: nothing of them can be seen afterwards. */
static const char *const unseen_words[] = {
    "bind",        "rbind", "move",   "remount", "shared", "rshared", "private",
    "rprivate",    "slave", "rslave", "loop",    "bg",     "fg",      "unbindable",
    "runbindable", "intr",  "nointr", "sloppy",  "loud",   "silent",
};
static const char *const unseen_prefixes[] = {
    "loop=", "offset=",   "sizelimit=", "retry=", "credentials=",
    "cred=", "password=", "pass=",      "user="};

/* Values that are in force when they are not shown: the kernel hides defaults. */
static const struct {
	const char *type, *option;
} hidden[] = {
    {"tmpfs", "mode=1777"}, {"tmpfs", "uid=0"},       {"tmpfs", "gid=0"},     {"tmpfs", "uid=root"},
    {"tmpfs", "gid=root"},  {"ext4", "data=ordered"}, {"ext4", "commit=5"},   {"ext4", "barrier=1"},
    {"ext4", "user_xattr"}, {"ext3", "user_xattr"},   {"ext2", "user_xattr"},
};

/* What mount.lustre and the module's lmd_parse (lustre/obdclass/obd_mount.c) take and
 * ll_show_options (lustre/llite/llite_lib.c) never shows; context= SELinux shows where it is on. */
static const char *const lustre_untold[] = {
    "network=", "mgssec=",    "skpath=",     "mgsname=",    "exclude=",
    "context=", "fscontext=", "defcontext=", "rootcontext="};
/* Told by clients that say one of checksum and nochecksum; older ones, 2.12 among them, show six
 * other words and nothing of these. */
static const char *const lustre_newly_told[] = {"checksum", "lruresize", "verbose", "always_ping",
                                                "32bitapi"};

static bool is_lustre(const char *type)
{
	return type && strcmp(type, "lustre") == 0;
}

static bool is_one_of(const char *text, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(text, list[i]) == 0) {
			return true;
		}
	}
	return false;
}

static bool starts_with_one_of(const char *text, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (text_starts(text, list[i])) {
			return true;
		}
	}
	return false;
}

enum option_class mount_option_class(const char *option)
{
	return is_one_of(option, fstab_words, ARRAY_LEN(fstab_words)) ||
	               starts_with_one_of(option, fstab_prefixes, ARRAY_LEN(fstab_prefixes))
	           ? OPTION_FSTAB
	           : OPTION_KERNEL;
}

static bool is_unseen(const char *option)
{
	return is_one_of(option, unseen_words, ARRAY_LEN(unseen_words)) ||
	       starts_with_one_of(option, unseen_prefixes, ARRAY_LEN(unseen_prefixes));
}

/* ---- Options with a value ---- */

static const char *last_of_key(const char *option, const struct list *list)
{
	for (size_t i = list->count; i-- > 0;) {
		if (mount_value_same_key(option, list->items[i])) {
			return list->items[i];
		}
	}
	return NULL;
}

static bool is_hidden(const char *option, const char *type)
{
	for (size_t i = 0; type && i < ARRAY_LEN(hidden); i++) {
		const char *other = hidden[i].option;

		if (strcmp(hidden[i].type, type) == 0 &&
		    (strcmp(other, option) == 0 ||
		     (mount_value_same_key(option, other) && mount_value_same(option, other, true)))) {
			return true;
		}
	}
	/* A share of the memory may happen to be the default, which is not shown either. */
	return type && strcmp(type, "tmpfs") == 0 && text_ends(option, "%");
}

/* Of what the list does not name: does this client never show it? */
static bool is_untold(const char *option, const struct list *live, const char *type)
{
	if (!is_lustre(type)) {
		return false;
	}
	if (mount_value_key(option)) {
		return starts_with_one_of(option, lustre_untold, ARRAY_LEN(lustre_untold));
	}
	return strcmp(option, "noacl") == 0 ||
	       (is_one_of(option, lustre_newly_told, ARRAY_LEN(lustre_newly_told)) &&
	        !is_one_of("checksum", live->items, live->count) &&
	        !is_one_of("nochecksum", live->items, live->count));
}

/* ---- Words ---- */

/* What a word says: the state of a group of words. */
struct saying {
	const char *group, *state;
	unsigned flags;
};

static const struct word *find_word(const char *option)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(words[i].word, option) == 0) {
			return &words[i];
		}
	}
	return NULL;
}

static struct saying say(const char *option)
{
	const struct word *word = find_word(option);

	if (word) {
		return (struct saying){word->group, word->state ? word->state : word->word, word->flags};
	}
	bool negative = text_starts(option, "no") && option[2];

	return (struct saying){option + (negative ? 2 : 0), option, negative ? LIVE : 0};
}

/* The state of a group when no word of it is there, or NULL. `type` matters to a line of fstab:
 * mount.lustre asks for strictatime unless told noatime or relatime (lustre/utils/mount_lustre.c,
 * parse_options). */
static const char *state_unsaid(const struct saying *saying, unsigned where, const char *type)
{
	if (where == WRITTEN && is_lustre(type) && strcmp(saying->group, "atime") == 0) {
		return "strictatime";
	}
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(words[i].group, saying->group) == 0 && (words[i].flags & where)) {
			return words[i].word;
		}
	}
	return (saying->flags & where) ? saying->state : NULL;
}

/* The state in which the list leaves the group that `saying` speaks of, or NULL. */
static const char *state_in(const struct list *list, const struct saying *saying, bool in_fstab,
                            const char *type)
{
	const char *unsaid = state_unsaid(saying, in_fstab ? WRITTEN : LIVE, type), *state = unsaid;
	bool dominated = false;

	for (size_t i = 0; i < list->count && !dominated; i++) {
		struct saying other = say(list->items[i]);

		if (in_fstab && strcmp(list->items[i], "defaults") == 0) {
			for (size_t k = 0; k < ARRAY_LEN(defaults); k++) {
				state = strcmp(say(defaults[k]).group, saying->group) == 0 ? unsaid : state;
			}
		} else if (!mount_value_key(list->items[i]) && strcmp(other.group, saying->group) == 0) {
			state = other.flags & NOT ? unsaid : other.state;
			dominated = !in_fstab && (other.flags & DOMINATES);
		}
	}
	return state;
}

static bool is_state(const struct saying *wanted, const char *state)
{
	bool same = state && strcmp(wanted->state, state) == 0;

	return wanted->flags & NOT ? !same : same;
}

static bool word_holds(const char *option, const struct list *live, const char *type)
{
	struct saying wanted = say(option);

	if (!find_word(option) && wanted.flags && is_hidden(wanted.group, type)) {
		return is_one_of(option, live->items,
		                 live->count); /* "X" is the hidden default, not "noX" */
	}
	if (is_state(&wanted, state_in(live, &wanted, false, type))) {
		return true;
	}
	/* mount(8): noatime implies nodiratime. */
	return strcmp(option, "nodiratime") == 0 && word_holds("noatime", live, type);
}

static bool are_defaults(const struct list *list, bool in_fstab, const char *type)
{
	for (size_t i = 0; i < ARRAY_LEN(defaults); i++) {
		struct saying wanted = say(defaults[i]);

		if (!is_state(&wanted, state_in(list, &wanted, in_fstab, type))) {
			return false;
		}
	}
	return true;
}

/* ---- What others ask ---- */

bool mount_option_holds(const char *option, const struct list *live, const char *type)
{
	if (strcmp(option, "defaults") == 0) {
		return are_defaults(live, false, type);
	}
	if (mount_option_class(option) == OPTION_FSTAB || is_unseen(option)) {
		return true;
	}
	if (mount_value_key(option)) {
		const char *have = last_of_key(option, live);

		return have ? mount_value_same(option, have, false)
		            : is_hidden(option, type) || is_untold(option, live, type);
	}
	return word_holds(option, live, type) || is_untold(option, live, type) ||
	       (is_hidden(option, type) && !mount_option_counterpart(option, live, false, type));
}

bool mount_option_stands(const char *option, const struct list *fstab, const char *type)
{
	if (strcmp(option, "defaults") == 0) {
		return are_defaults(fstab, true, type);
	}
	if (is_one_of(option, fstab->items, fstab->count) &&
	    (mount_option_class(option) == OPTION_FSTAB || is_unseen(option))) {
		return true; /* such may stand several times: x-systemd.requires= */
	}
	if (mount_value_key(option)) {
		const char *have = last_of_key(option, fstab);

		return have && mount_option_class(option) == OPTION_KERNEL &&
		       mount_value_same(option, have, true);
	}
	struct saying wanted = say(option);

	/* mount(8): noatime implies nodiratime. */
	return is_state(&wanted, state_in(fstab, &wanted, true, type)) ||
	       (strcmp(option, "nodiratime") == 0 && mount_option_stands("noatime", fstab, type));
}

const char *mount_option_counterpart(const char *option, const struct list *list, bool in_fstab,
                                     const char *type)
{
	if (mount_value_key(option)) {
		return last_of_key(option, list);
	}
	struct saying wanted = say(option);
	const char *state = state_in(list, &wanted, in_fstab, type);

	if (!state || find_word(option)) {
		return state;
	}
	/* Of words that are not in the table only what really stands there. */
	return is_one_of(state, list->items, list->count) ? state : NULL;
}

/* Do the two speak of the same thing, so that the later one is in force? */
static bool is_overridden(const char *earlier, const char *later)
{
	bool has_key = mount_value_key(earlier);

	if (strcmp(earlier, later) == 0) {
		return true;
	}
	if (mount_option_class(earlier) == OPTION_FSTAB && !find_word(earlier)) {
		return false;
	}
	if (has_key || mount_value_key(later)) {
		/* overlay's "lowerdir+=" and its kind add to what is there. */
		return has_key && earlier[mount_value_key(earlier) - 1] != '+' &&
		       mount_value_same_key(earlier, later);
	}
	return strcmp(say(earlier).group, say(later).group) == 0;
}

static bool contradicts(const char *a, const char *b)
{
	if (!is_overridden(a, b) || strcmp(a, b) == 0) {
		return false;
	}
	if (mount_value_key(a)) {
		return !mount_value_same(a, b, true) && !mount_value_same(b, a, true);
	}
	struct saying one = say(a), other = say(b);

	if (one.flags & NOT) {
		return !(other.flags & NOT) && strcmp(one.state, other.state) == 0;
	}
	return !is_state(&other, one.state);
}

const char *mount_options_conflict(const struct list *options)
{
	for (size_t i = 0; i < options->count; i++) {
		for (size_t k = 0; k < i; k++) {
			if (contradicts(options->items[k], options->items[i])) {
				return options->items[i];
			}
		}
	}
	return NULL;
}

struct list mount_options_in_force(struct arena *arena, const struct list *options, bool in_fstab)
{
	size_t n = 0, count = 0;
	const char **all = arena_array(arena, options->count * ARRAY_LEN(defaults), sizeof *all);

	for (size_t i = 0; i < options->count; i++) {
		if (strcmp(options->items[i], "defaults") == 0) {
			memcpy(all + n, defaults, sizeof defaults);
			n += ARRAY_LEN(defaults);
		} else if (in_fstab || mount_option_class(options->items[i]) == OPTION_KERNEL) {
			all[n++] = options->items[i];
		}
	}
	for (size_t i = 0; i < n; i++) {
		bool overridden = false;

		for (size_t k = i + 1; k < n && !overridden; k++) {
			overridden = is_overridden(all[i], all[k]);
		}
		if (!overridden) {
			all[count++] = all[i];
		}
	}
	return (struct list){.set = options->set, .count = count, .items = all};
}

/* The flags of a mount point and of its superblock are the kernel's own. */
bool mount_option_remounts(const char *option, const char *type)
{
	static const char *const groups[] = {"rw",   "dev",   "suid",     "exec",
	                                     "sync", "atime", "diratime", "symfollow"};

	return !is_lustre(type) || mount_option_class(option) == OPTION_FSTAB || is_unseen(option) ||
	       (!mount_value_key(option) && is_one_of(say(option).group, groups, ARRAY_LEN(groups)));
}

bool mount_options_bind(const struct list *options)
{
	return is_one_of("bind", options->items, options->count) ||
	       is_one_of("rbind", options->items, options->count);
}
