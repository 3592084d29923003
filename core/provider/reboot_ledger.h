// SPDX-License-Identifier: MIT
/*
 * The ledger of reboots: what we asked for, before we asked, and what came of it. Safety state, no
 * history: a small file that is written whole and synced, so that a crash, a full disk or a
 * damaged history can never make a loop of reboots. Pure: text in, text out. The provider writes
 * it before a reboot, the engine notes at the start of a run what came of the last one.
 */
#ifndef PROVIDER_REBOOT_LEDGER_H
#define PROVIDER_REBOOT_LEDGER_H

#include "base/mem.h"

#include <stdbool.h>
#include <stdint.h>

#define REBOOT_LEDGER_NAME "reboots.json"
#define REBOOT_LEDGER_DIR "/var/lib/reconcile"

/* What came of a reboot. */
#define REBOOT_ARRIVED "arrived"     /* another boot, of the wanted kernel */
#define REBOOT_CAME_BACK "came back" /* another boot, of another kernel */
#define REBOOT_KEPT "kept"           /* a trial that arrived and became the default */
#define REBOOT_FAILED "failed"       /* asking for it failed, and it is still the same boot */

struct reboot_entry {
	const char *boot_id; /* of the boot in which it was asked for */
	const char *from, *into;
	const char *how; /* the `when` that allowed it: now, window, slurm */
	int64_t at;      /* seconds since 1970 */
	int64_t uptime;  /* seconds since that boot: no clock that was set anew can move it */
	bool trial;
	const char *renew;  /* of one into the kernel that ran: what it was to put right; else NULL */
	bool asked;         /* the command that reboots was carried out, as another boot id proves too
	                     * */
	const char *result; /* one of the words above, NULL: not known yet */
	int64_t runs;       /* of a trial that arrived: runs that were begun under it since */
	bool resumed; /* `how` slurm: the drain that came with it is over, as far as it was ours */
};

struct reboot_boot {
	const char *id, *running; /* the release */
	const char *boot_default; /* NULL: it cannot be told */
	int64_t began;            /* seconds since 1970 */
};

enum { REBOOT_ENTRIES = 64 }; /* older ones are dropped */

struct reboot_ledger {
	struct reboot_entry list[REBOOT_ENTRIES]; /* oldest first */
	size_t count;
};

/* ERR_INPUT: damaged, or of another version. `text` may come from anywhere. */
int reboot_ledger_parse(const char *text, size_t n, struct arena *arena,
                        struct reboot_ledger *ret_ledger, struct err *err) MUST_CHECK;
/* As text for the file, in the arena. */
const char *reboot_ledger_text(struct arena *arena, const struct reboot_ledger *ledger);
/* The strings are borrowed. */
void reboot_ledger_add(struct reboot_ledger *ledger, const struct reboot_entry *entry);
/* The one that matters now, NULL when there is none: the last, as long as nothing came of it or it
 * is a trial that was not decided. */
const struct reboot_entry *reboot_ledger_open(const struct reboot_ledger *ledger);
/* Notes what came of them, as things are in this boot: another boot id is the proof that the node
 * was rebooted; the kernel that runs says into what. A command that failed has done it all the same
 * when the boot came as soon as of one that did not; later it was somebody else's. True when
 * something was noted. */
bool reboot_ledger_settle(struct reboot_ledger *ledger, const struct reboot_boot *boot);
/* One more run begins under a trial that arrived and is not decided. True when that was noted. */
bool reboot_ledger_count_run(struct reboot_ledger *ledger);
/* Is it still to be expected that the node goes down for it, in the boot in which it was asked for
 * and `uptime` seconds after that boot? */
bool reboot_ledger_is_awaited(const struct reboot_entry *entry, int64_t uptime);
/* Reboots into that kernel since one that went well: those that count against
 * attempts_per_kernel. With `renew` those that were to put just that right, which is still to be
 * put right: none of them went well. */
int64_t reboot_ledger_attempts(const struct reboot_ledger *ledger, const char *into,
                               const char *renew);
/* The last one, when Slurm carried it out, the node arrived, `running` is still that kernel, and
 * the drain that came with it is not over yet; else NULL. */
const struct reboot_entry *reboot_ledger_drained(const struct reboot_ledger *ledger,
                                                 const char *running);
/* Notes that it is over. */
void reboot_ledger_resume(struct reboot_ledger *ledger);
/* Reboots in the 24 hours before `now`, or later than `now` (the clock was set back). */
int64_t reboot_ledger_last_day(const struct reboot_ledger *ledger, int64_t now);

#endif
