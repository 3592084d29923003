// SPDX-License-Identifier: MIT
/* See module_verdict.h. */
#include "provider/module_verdict.h"

#include "base/str.h"

#include <string.h>

struct judging {
	struct arena *arena;
	const char *name;
	const struct host_loadable *found;
	struct module_verdict verdict;
	bool is_over; /* what would still be found is less than what was */
};

static void say_no(struct judging *j, const char *cause, const char *reason)
{
	j->verdict = (struct module_verdict){MODULE_NO, cause, reason};
	j->is_over = true;
}

/* A doubt stands until something certain is found. */
static void doubt(struct judging *j, const char *cause, const char *reason)
{
	if (j->verdict.answer != MODULE_UNPROVEN) {
		j->verdict = (struct module_verdict){MODULE_UNPROVEN, cause, reason};
	}
}

/* ---- Is there a file? ---- */

static void judge_place(struct judging *j)
{
	const struct host_loadable *f = j->found;

	if (!f->has_tree && f->is_running) {
		say_no(j, "no-tree",
		       arena_printf(j->arena,
		                    "the modules of the running kernel %s are not there: "
		                    "/lib/modules/%s is missing",
		                    f->release, f->release));
	} else if (!f->has_tree) {
		say_no(j, "no-tree",
		       arena_printf(j->arena, "/lib/modules/%s is missing: no kernel %s is installed",
		                    f->release, f->release));
	} else if (f->builtin) {
		j->verdict.reason =
		    arena_printf(j->arena, "%s is part of the kernel image of %s", j->name, f->release);
		j->is_over = true;
	} else if (!f->file.path) {
		say_no(j, "missing",
		       arena_printf(j->arena, "there is no module %s for the %skernel %s", j->name,
		                    f->is_running ? "running " : "", f->release));
	}
}

/* ---- Is a file for this kernel? ---- */

/* What stands behind the first word, which is the release. */
static const char *after_release(const char *vermagic)
{
	return vermagic + strcspn(vermagic, " ");
}

static bool is_for_release(const char *vermagic, const char *release)
{
	size_t n = strlen(release);

	return vermagic && strncmp(vermagic, release, n) == 0 &&
	       (vermagic[n] == ' ' || vermagic[n] == '\0');
}

/* As same_magic() of the kernel does (kernel/module/version.c): where symbols have versions, the
 * release does not count. */
static bool is_same_magic(const struct host_module_file *file, const struct host_loadable *f)
{
	if (!f->vermagic) {
		return file->has_crcs || is_for_release(file->vermagic, f->release);
	}
	return file->has_crcs ? strcmp(after_release(file->vermagic), after_release(f->vermagic)) == 0
	                      : strcmp(file->vermagic, f->vermagic) == 0;
}

/* "lustre", or "libcfs, which lustre needs,". */
static const char *called(struct judging *j, const struct host_module_file *file)
{
	return file == &j->found->file
	           ? j->name
	           : arena_printf(j->arena, "%s, which %s needs,", file->name, j->name);
}

static const char *trimmed(struct arena *arena, const char *text)
{
	size_t n = strlen(text);

	while (n && text[n - 1] == ' ') {
		n--;
	}
	return arena_strndup(arena, text, n);
}

static void judge_file(struct judging *j, const struct host_module_file *file)
{
	const struct host_loadable *f = j->found;

	if (j->is_over) {
		return;
	}
	if (!file->path) {
		say_no(j, "needs",
		       arena_printf(j->arena, "%s needs the module %s, of which %s has no file", j->name,
		                    file->name, f->release));
	} else if (file->damaged) {
		say_no(j, "damaged", arena_printf(j->arena, "%s: %s", file->path, file->damaged));
	} else if (file->hidden) {
		doubt(j, "unreadable",
		      arena_printf(j->arena, "%s cannot be read: %s", file->path, file->hidden));
	} else if (file->packed) {
		doubt(j, "unreadable",
		      arena_printf(j->arena, "%s is packed with %s, which libkmod cannot unpack here",
		                   file->path, file->packed));
	} else if (!is_same_magic(file, f)) {
		say_no(j, "magic",
		       arena_printf(j->arena, "%s was built for \"%s\", the kernel is \"%s\"",
		                    called(j, file), trimmed(j->arena, file->vermagic),
		                    f->vermagic ? trimmed(j->arena, f->vermagic) : f->release));
	}
}

/* ---- Symbols ---- */

static const char *built_for(struct judging *j, const char *module)
{
	const struct host_module_file *file = &j->found->file;

	for (size_t i = 0; i < j->found->need_count; i++) {
		if (text_equal(j->found->needs[i].name, module)) {
			file = &j->found->needs[i];
		}
	}
	return file->vermagic ? arena_strndup(j->arena, file->vermagic, strcspn(file->vermagic, " "))
	                      : "another kernel";
}

static void judge_symbols(struct judging *j)
{
	const struct host_symbols *s = &j->found->symbols;

	if (!j->is_over && s->bad) {
		say_no(j, "symbols",
		       arena_printf(j->arena,
		                    "%s was built for %s, the kernel is %s: symbol %s has version "
		                    "0x%08x in it, and 0x%08x in %s",
		                    s->bad_in, built_for(j, s->bad_in), j->found->release, s->bad,
		                    s->bad_wanted, s->bad_offered, s->bad_by));
	} else if (!j->is_over && s->missing) {
		say_no(j, "symbols",
		       arena_printf(j->arena,
		                    "%s was built for %s, the kernel is %s: it uses the symbol %s, which "
		                    "neither that kernel nor a module that it needs exports",
		                    s->missing_in, built_for(j, s->missing_in), j->found->release,
		                    s->missing));
	}
}

/* All that was built for exactly this release, and with its structures, and differs in nothing that
 * is known: the few symbols that no other module of the kernel imports are taken to be right. */
static bool is_built_for(const struct host_loadable *f)
{
	bool exact = is_for_release(f->file.vermagic, f->release);

	for (size_t i = 0; i < f->need_count; i++) {
		exact &= is_for_release(f->needs[i].vermagic, f->release);
	}
	return exact;
}

static void judge_proof(struct judging *j)
{
	const struct host_loadable *f = j->found;
	const struct host_symbols *s = &f->symbols;

	if (j->is_over || j->verdict.answer == MODULE_UNPROVEN) {
		return;
	}
	if (s->proved == s->total && (s->total || f->vermagic)) {
		j->verdict.reason =
		    s->total ? arena_printf(j->arena, "all %zu symbol versions agree with those of %s",
		                            s->total, f->release)
		             : arena_printf(j->arena, "it was built for exactly %s", f->release);
	} else if (!s->proved) {
		doubt(j, "no-reference",
		      arena_printf(j->arena,
		                   "there is nothing to compare %s with: neither the headers nor the own "
		                   "modules of %s are there",
		                   j->name, f->release));
	} else if (is_built_for(f)) {
		j->verdict.reason = arena_printf(
		    j->arena,
		    "it was built for exactly %s; %zu of its %zu symbol versions are known and agree",
		    f->release, s->proved, s->total);
	} else {
		doubt(j, "unknown-symbols",
		      arena_printf(j->arena,
		                   "%s was built for %s; %zu of its %zu symbol versions agree with those "
		                   "of %s, the other %zu are not known without its headers",
		                   j->name, built_for(j, f->file.name), s->proved, s->total, f->release,
		                   s->total - s->proved));
	}
}

/* ---- May it? ---- */

static void judge_signature(struct judging *j, const struct host_module_file *file)
{
	const struct host_loadable *f = j->found;

	if (j->is_over || !f->enforced || !file->path || file->hidden || file->packed) {
		return;
	}
	if (!file->signer) {
		say_no(
		    j, "unsigned",
		    arena_printf(j->arena, "%s is not signed, and %s demands it", file->path, f->enforced));
	} else if (!text_equal(file->key, f->key)) {
		doubt(j, "unknown-key",
		      arena_printf(j->arena,
		                   "%s is signed with another key than the kernel's own modules (%s), and "
		                   "%s demands one that the kernel knows",
		                   file->path, *file->signer ? file->signer : "no name", f->enforced));
	}
}

static void judge_config(struct judging *j)
{
	const struct host_loadable *f = j->found;

	if (!j->is_over && f->redirected) {
		say_no(j, "install-redirected",
		       arena_printf(j->arena, "%s has \"%s\" run instead of loading %s",
		                    f->redirected_by ? f->redirected_by : "modprobe.d", f->redirected,
		                    j->name));
	}
	judge_signature(j, &f->file);
	for (size_t i = 0; i < f->need_count; i++) {
		judge_signature(j, &f->needs[i]);
	}
}

/* What is mended or got round. */
static void judge_way(struct judging *j)
{
	const struct host_loadable *f = j->found;

	/* What libkmod cannot unpack, depmod cannot either. */
	if (!j->is_over && f->index_fault && !f->file.packed) {
		say_no(j, "not-indexed", arena_printf(j->arena, "%s: depmod is needed", f->index_fault));
	} else if (!j->is_over && f->blacklisted) {
		say_no(j, "blacklisted",
		       arena_printf(j->arena,
		                    "%s is blacklisted by %s: it is not loaded when it is needed (by a "
		                    "mount, for instance), only by its name",
		                    j->name,
		                    f->blacklisted_by ? f->blacklisted_by : "the kernel's command line"));
	}
}

struct module_verdict module_verdict(struct arena *arena, const char *name,
                                     const struct host_loadable *found)
{
	struct judging j = {.arena = arena, .name = name, .found = found};

	judge_place(&j);
	judge_file(&j, &found->file);
	for (size_t i = 0; i < found->need_count; i++) {
		judge_file(&j, &found->needs[i]);
	}
	judge_symbols(&j);
	judge_config(&j);
	judge_way(&j);
	judge_proof(&j);
	return j.verdict;
}

const char *module_verdict_word(enum module_answer answer)
{
	static const char *const words[] = {"yes", "no", "unproven"};

	return words[answer];
}

bool module_verdict_stops(const struct module_verdict *verdict)
{
	return verdict->answer == MODULE_NO && strcmp(verdict->cause, "not-indexed") != 0 &&
	       strcmp(verdict->cause, "blacklisted") != 0;
}
