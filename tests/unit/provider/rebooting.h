// SPDX-License-Identifier: MIT
/*
 * Here nothing is ever rebooted: what runs as systemctl and scontrol are scripts that write down
 * their words, in a folder that comes first in the PATH of all that is run, within a namespace of
 * our own. A test that cannot have them is skipped.
 */
#ifndef PROVIDER_REBOOTING_H
#define PROVIDER_REBOOTING_H

#include "unit/provider/observing.h"

#include "base/clock.h"
#include "provider/reboot_ledger.h"

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

static const char programs[] = "/usr/local/sbin", said[] = "/var/lib/said";
static const char ledger[] = REBOOT_LEDGER_DIR "/" REBOOT_LEDGER_NAME;

#define WANT(rest) "{\"kind\": \"reboot\", \"into\": \"9.9.9-wanted\", " rest "}"
#define NOW WANT("\"when\": \"now\"")

static inline void lay_over(const char *path)
{
	assert_int_equal(mount("tmpfs", path, "tmpfs", 0, "mode=0755"), 0);
}

static inline void menu(const char *boots)
{
	const char *text =
	    arena_printf(arena,
	                 "set default=\"0\"\nmenuentry 'a' --class x $menuentry_id_option 'a' {\n"
	                 " linux /boot/vmlinuz-%s\n}\n",
	                 boots);

	scratch_write("/boot/grub/grub.cfg", text, 0600);
}

static inline void program(const char *name, const char *body)
{
	scratch_write(arena_printf(arena, "%s/%s", programs, name),
	              arena_printf(arena, "#!/bin/sh\necho \"%s $*\" >>%s\n%s\n", name, said, body),
	              0755);
}

/* This node is called x in a Slurm that says this of its state, by its own scontrol. */
static inline void slurm(const char *node_state, const char *body)
{
	struct utsname names;

	uname(&names);
	program("scontrol",
	        arena_printf(arena,
	                     "[ \"$1\" != show ] || "
	                     "echo \"NodeName=x NodeHostName=%.*s OS=Linux State=%s\"\n%s",
	                     (int)strcspn(names.nodename, "."), names.nodename, node_state, body));
}

static bool is_prepared;

/* Everything that a reboot looks at or does, as this test has it. */
static inline void prepare(void)
{
	if (!is_prepared) {
		lay_over(programs);
		lay_over("/var/lib");
		lay_over("/boot");
		scratch_mkdir("/boot/grub", 0755);
		scratch_write("/boot/vmlinuz-9.9.9-wanted", "x", 0600);
		scratch_write("/boot/initrd.img-9.9.9-wanted", "x", 0600);
		is_prepared = true;
	}
	unlink(said);
	unlink(ledger);
	unlink(REBOOT_LEDGER_DIR "/history.db");
	unlink("/etc/exports");
	unlink("/usr/local/sbin/scontrol");
	program("systemctl", "");
	menu("9.9.9-wanted");
}

#define PREPARE()                                                       \
	do {                                                                \
		SCRATCH_NEEDS_ROOT();                                           \
		prepare();                                                      \
		assert_int_equal(access("/usr/local/sbin/systemctl", X_OK), 0); \
	} while (0)

static inline const char *words(void)
{
	return access(said, F_OK) ? "" : scratch_read(said);
}

static inline enum outcome converge(const char *want, const char **ret_why)
{
	return converging_apply(arena, &host_linux_ops, converging_want(arena, want), ret_why);
}

static inline const struct reboot *have(const char *want)
{
	const struct resource *r = converging_observe(arena, converging_want(arena, want));

	assert_int_equal(r->state, STATE_PRESENT);
	return &r->reboot;
}

static inline struct reboot_ledger written(void)
{
	const char *text = scratch_read(ledger);
	struct reboot_ledger l;
	struct err err;

	if (reboot_ledger_parse(text, strlen(text), arena, &l, &err)) {
		fail_msg("%s", err.text);
	}
	return l;
}

/* As if the node had been started anew since, into that kernel. */
static inline void as_if_booted(const char *into, bool trial, unsigned times)
{
	struct reboot_ledger l = {0};

	for (unsigned i = 0; i < times; i++) {
		struct reboot_entry e = {.boot_id = "another",
		                         .from = "old",
		                         .into = into,
		                         .how = "now",
		                         .at = clock_now() - 2 * 86400,
		                         .trial = trial,
		                         .asked = true};

		reboot_ledger_add(&l, &e);
	}
	mkdir(REBOOT_LEDGER_DIR, 0755);
	scratch_write(ledger, reboot_ledger_text(arena, &l), 0600);
}

#endif
