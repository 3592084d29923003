// SPDX-License-Identifier: MIT
/*
 * What tests of boot loaders share: a /boot, /lib/modules, /etc/default and /run of their own, and
 * in /usr/sbin tools that behave as those of GRUB do as far as is needed here. The real ones
 * are asked in tests/behaviour/boot.bats.
 */
#ifndef PROVIDER_BOOTING_H
#define PROVIDER_BOOTING_H

#include "unit/provider/observing.h"

#include "host/host.h"

#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define OLD "6.8.0-1039-aws"
#define NEW "6.8.0-1042-aws"
#define ID_OF(release) "gnulinux-advanced-U>gnulinux-" release "-advanced-U"
#define OWN_FILE "/etc/default/grub.d/zz-reconcile.cfg"
#define BLOCK "# GRUB Environment Block\n"

/* An entry as 10_linux makes it, in the submenu or on top. */
#define ENTRY(release)                                                                           \
	"menuentry 'Linux " release "' $menuentry_id_option 'gnulinux-" release                      \
	"-advanced-U' {\n\tlinux\t/boot/vmlinuz-" release " ro\n\tinitrd\t/boot/initrd.img-" release \
	"\n}\n"
#define HEAD(preset)                                                                      \
	"if [ \"${next_entry}\" ] ; then\n set default=\"${next_entry}\"\n set next_entry=\n" \
	"else\n set default=\"" preset "\"\nfi\n"
#define MENU_OF_TWO                                                                             \
	"menuentry 'Linux' $menuentry_id_option 'gnulinux-simple-U' {\n\tlinux\t/boot/vmlinuz-" NEW \
	" ro\n}\nsubmenu 'Advanced' $menuentry_id_option 'gnulinux-advanced-U' {\n" ENTRY(NEW)      \
	    ENTRY(OLD) "}\n"

static inline void booting_over(const char *path)
{
	umount2(path, MNT_DETACH);
	if (access(path, F_OK)) {
		scratch_mkdir(path, 0755);
	}
	assert_int_equal(mount("tmpfs", path, "tmpfs", 0, "mode=0755"), 0);
}

static inline void booting_kernel(const char *release)
{
	scratch_write(arena_printf(arena, "/boot/vmlinuz-%s", release), "k", 0600);
	scratch_write(arena_printf(arena, "/boot/initrd.img-%s", release), "i", 0600);
	scratch_mkdir(arena_printf(arena, "/lib/modules/%s", release), 0755);
	scratch_write(arena_printf(arena, "/lib/modules/%s/modules.dep", release), "", 0644);
}

// clang-format off
/* Makes what the files of /etc/default/grub.d ask for, of the menu in /run/menu. */
#define MKCONFIG                                                                  \
	"#!/bin/sh\n# reads /etc/default/grub.d/\nGRUB_DEFAULT=0\n"                    \
	"for x in /etc/default/grub.d/*.cfg; do [ ! -e \"$x\" ] || . \"$x\"; done\n"   \
	"[ ! -e /run/broken ] || exit 1\n"                                             \
	"{ sed \"s|@DEFAULT@|$GRUB_DEFAULT|\" /run/head; cat /run/menu; } >$2.new\n"   \
	"if [ -e /run/meddle ]; then\nrm /run/meddle\n"                                \
	"echo '# meddled' >>/boot/grub/grub.cfg\necho '# one more' >>/run/menu\nfi\n"  \
	"cat $2.new >$2; rm $2.new\n"
/* create, set NAME=VALUE, unset NAME: of one variable. */
#define EDITENV                                                               \
	"#!/bin/sh\n[ ! -e /run/broken ] || exit 1\ncase $2 in\n"                  \
	"create) printf '# GRUB Environment Block\\n####' >$1 ;;\n"                \
	"set) { echo '# GRUB Environment Block'; grep '^saved' $1; echo \"$3\"; "  \
	"printf '###'; } >$1.x; cat $1.x >$1; rm $1.x ;;\n"                        \
	"unset) { grep -v \"^$3=\" $1; } >$1.x; cat $1.x >$1; rm $1.x ;;\nesac\n"
#define PROBE                                                                 \
	"#!/bin/sh\ncase $1 in\n--target=fs) cat /run/fs ;;\n"                     \
	"--target=abstraction) cat /run/abstraction ;;\nesac\n"
// clang-format on

/* Laid over what is there. */
static inline void booting_tools(void)
{
	const char *up = arena_strdup(arena, scratch_path("up"));
	const char *work = arena_strdup(arena, scratch_path("work"));

	umount2("/usr/sbin", MNT_DETACH);
	scratch_clear();
	scratch_mkdir(up, 0755);
	scratch_mkdir(work, 0755);
	assert_int_equal(
	    mount("overlay", "/usr/sbin", "overlay", 0,
	          arena_printf(arena, "lowerdir=/usr/sbin,upperdir=%s,workdir=%s", up, work)),
	    0);
	scratch_write("/usr/sbin/grub-mkconfig", MKCONFIG, 0755);
	scratch_write("/usr/sbin/grub-editenv", EDITENV, 0755);
	scratch_write("/usr/sbin/grub-probe", PROBE, 0755);
}

/* Two kernels, the newer one first in the menu, and nothing of ours. */
static inline void booting_fresh(void)
{
	static const char *const folders[] = {"/boot", "/lib/modules", "/etc/default", "/run",
	                                      "/var/lib/dpkg"};

	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		booting_over(folders[i]);
	}
	booting_kernel(OLD);
	booting_kernel(NEW);
	scratch_mkdir("/boot/grub", 0755);
	scratch_mkdir("/var/lib/dpkg/updates", 0755);
	scratch_write("/var/lib/dpkg/status", "", 0644);
	scratch_write("/boot/grub/grub.cfg", HEAD("0") MENU_OF_TWO, 0600);
	scratch_write("/run/head", HEAD("@DEFAULT@"), 0644);
	scratch_write("/run/menu", MENU_OF_TWO, 0644);
	scratch_write("/run/fs", "ext2\n", 0644);
	scratch_write("/run/abstraction", "\n", 0644);
}

/* For a test that begins with SCRATCH_NEEDS_ROOT. */
static inline void booting_open(void)
{
	booting_tools();
	booting_fresh();
}

/* Puts a program of that name first in the PATH which never comes to an end by itself. */
static inline void booting_slow(const char *name)
{
	booting_over("/usr/local/sbin");
	scratch_write(arena_printf(arena, "/usr/local/sbin/%s", name), "#!/bin/sh\nexec sleep 60\n",
	              0755);
}

static struct host booting_the_host;

/* The real machine, looked at afresh; the one before it is done with. */
static inline struct host *booting_host(void)
{
	if (booting_the_host.ops) {
		host_done(&booting_the_host);
	}
	host_init(&booting_the_host, &host_linux_ops, arena);
	return &booting_the_host;
}

static inline int booting_teardown(void **state)
{
	if (booting_the_host.ops) {
		host_done(&booting_the_host);
		booting_the_host.ops = NULL;
	}
	return observing_teardown(state);
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, observing_setup, booting_teardown)

static inline const struct kernel *booting_look(void)
{
	const struct resource *have = fact(KIND_KERNEL, "");

	assert_int_equal(have->state, STATE_PRESENT);
	return &have->kernel;
}

#endif
