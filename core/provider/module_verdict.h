// SPDX-License-Identifier: MIT
/*
 * From what the files of a kernel tell about a module (host/modules.h) to a verdict: would it load?
 * Pure. Texts come into the arena.
 */
#ifndef PROVIDER_MODULE_VERDICT_H
#define PROVIDER_MODULE_VERDICT_H

#include "provider/provider.h"

enum module_answer { MODULE_YES, MODULE_NO, MODULE_UNPROVEN };

/* Why not, or what is not known, in a word that does not change:
 *  no-tree  missing  damaged  magic  symbols  needs  install-redirected  unsigned
 *  not-indexed   depmod has to run; all else is well
 *  blacklisted   it loads by its name only; all else is well
 *  no-helper     it would load, and its file system could not be mounted
 * and unproven: unreadable  unknown-key  unknown-symbols  no-reference. */
struct module_verdict {
	enum module_answer answer;
	const char *cause;  /* NULL: yes */
	const char *reason; /* a sentence, of yes as well */
};

struct module_verdict module_verdict(struct arena *arena, const char *name,
                                     const struct host_loadable *found);
const char *module_verdict_word(enum module_answer answer); /* yes, no, unproven */
/* Stands in the way of loading it by its name: no, and neither depmod nor the blacklist is all. */
bool module_verdict_stops(const struct module_verdict *verdict);

#endif
