// SPDX-License-Identifier: MIT
/* Mount options by meaning, with lines as mountinfo and fstab have them. */
#include "model/mount_options.h"

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct arena *arena;

/* A list from its usual text, separated by commas. */
static struct list split(const char *text)
{
	const char **items = arena_array(arena, strlen(text) + 1, sizeof *items);
	size_t n = 0;

	while (*text) {
		size_t length = strcspn(text, ",");

		items[n++] = arena_strndup(arena, text, length);
		text += length + (text[length] == ',');
	}
	return (struct list){.set = true, .count = n, .items = items};
}

static const char *join(struct list list)
{
	AUTO(str_free) struct str out = {0};

	for (size_t i = 0; i < list.count; i++) {
		str_add(&out, i ? "," : "");
		str_add(&out, list.items[i]);
	}
	return arena_strdup(arena, str_text(&out));
}

static const char lustre[] = "rw,relatime,checksum,flock,nouser_xattr,lruresize,lazystatfs,"
                             "nouser_fid2path,verbose,encrypt";
static const char old_lustre[] = "rw,relatime,flock,lazystatfs"; /* a client of 2.12 */
static const char nfs[] = "rw,noatime,vers=4.1,rsize=1048576,wsize=1048576,namlen=255,hard,"
                          "noresvport,proto=tcp,timeo=600,retrans=2,sec=sys,"
                          "clientaddr=10.0.0.9,local_lock=none,addr=10.0.0.5";
static const struct {
	const char *type, *live, *option;
	bool holds;
} live_cases[] = {
    {"lustre", lustre, "flock", true},
    {"lustre", lustre, "localflock", false},
    {"lustre", lustre, "noflock", false},
    {"lustre", lustre, "relatime", true},
    {"lustre", lustre, "noatime", false},
    {"lustre", lustre, "atime", true},
    {"lustre", lustre, "strictatime", false},
    {"lustre", lustre, "nostrictatime", true},
    {"lustre", lustre, "norelatime", true},
    {"lustre", lustre, "lazystatfs", true},
    {"lustre", lustre, "nolazystatfs", false},
    {"lustre", lustre, "user_xattr", false},
    {"lustre", lustre, "nouser_xattr", true},
    {"lustre", lustre, "checksum", true},
    {"lustre", lustre, "nochecksum", false},
    {"lustre", lustre, "user_fid2path", false},
    {"lustre", lustre, "always_ping", false},
    {"lustre", lustre, "noalways_ping", true},
    {"lustre", lustre, "_netdev", true},
    {"lustre", lustre, "x-systemd.automount", true},
    {"lustre", lustre, "x-systemd.requires=network.service", true},
    {"lustre", lustre, "nofail", true},
    {"lustre", lustre, "noauto", true},
    {"lustre", lustre, "defaults", true},
    {"lustre", lustre, "ro", false},
    {"lustre", lustre, "verbose", true},
    {"lustre", lustre, "32bitapi", false},
    {"lustre", old_lustre, "checksum", true},
    {"lustre", old_lustre, "nochecksum", true},
    {"lustre", old_lustre, "lruresize", true},
    {"lustre", old_lustre, "always_ping", true},
    {"lustre", old_lustre, "verbose", true},
    {"lustre", old_lustre, "32bitapi", true},
    {"lustre", old_lustre, "user_fid2path", false},
    {"lustre", "rw,nochecksum", "checksum", false},
    {"lustre", lustre, "noacl", true},
    {"lustre", lustre, "network=tcp1", true},
    {"lustre", lustre, "mgssec=skpi", true},
    {"lustre", lustre, "skpath=/etc/keys", true},
    {"lustre", lustre, "context=a_t", true},
    {"lustre", "rw,context=b_t", "context=a_t", false},
    {"ext4", "rw,relatime", "context=a_t", false},
    {"ext4", "rw,relatime", "checksum", false},
    {"lustre", "rw,relatime", "noflock", true},
    {"lustre", "rw,relatime", "flock", false},
    {"nfs4", nfs, "noatime", true},
    {"nfs4", nfs, "nodiratime", true},
    {"nfs4", nfs, "atime", false},
    {"nfs4", nfs, "nfsvers=4.1", true},
    {"nfs4", nfs, "vers=4", true},
    {"nfs4", nfs, "vers=3", false},
    {"nfs4", nfs, "hard", true},
    {"nfs4", nfs, "soft", false},
    {"nfs4", nfs, "noresvport", true},
    {"nfs4", nfs, "resvport", false},
    {"nfs4", nfs, "timeo=600", true},
    {"nfs4", nfs, "timeo=100", false},
    {"nfs4", nfs, "nconnect=16", false},
    {"nfs4", nfs, "intr", true},
    {"nfs4", nfs, "retry=2", true},
    {"nfs4", nfs, "nolock", false},
    {"nfs4", nfs, "acl", true},
    {"tmpfs", "rw,nodev,noatime,size=65536k,mode=700", "size=64m", true},
    {"tmpfs", "rw,nodev,noatime,size=65536k,mode=700", "mode=0700", true},
    {"tmpfs", "rw,nodev,noatime,size=65536k,mode=700", "nodev", true},
    {"tmpfs", "rw,nodev,noatime,size=65536k,mode=700", "nosuid", false},
    {"tmpfs", "rw,nodev,noatime,size=65536k,mode=700", "suid", true},
    {"tmpfs", "rw,nodev,noatime,size=65536k,mode=700", "dev", false},
    {"tmpfs", "rw,nodev,noatime,size=65536k,mode=700", "defaults", false},
    {"tmpfs", "rw,relatime", "mode=1777", true},
    {"tmpfs", "rw,relatime", "mode=0755", false},
    {"tmpfs", "rw,relatime", "uid=root", true},
    {"tmpfs", "rw,relatime", "uid=ubuntu", false},
    {"tmpfs", "rw,relatime", "size=50%", true},
    {"tmpfs", "rw,relatime", "size=64m", false},
    {"ext4", "rw,relatime", "user_xattr", true},
    {"ext4", "rw,relatime", "nouser_xattr", false},
    {"ext4", "rw,relatime,nouser_xattr", "nouser_xattr", true},
    {"ext4", "rw,relatime,nouser_xattr", "user_xattr", false},
    {"ext4", "rw,relatime", "data=ordered", true},
    {"ext4", "rw,relatime", "data=journal", false},
    {"ext4", "rw,relatime", "discard", false},
    {"ext4", "rw,relatime", "nodiscard", true},
    {"ext4", "rw,relatime,discard", "nodiscard", false},
    {"ext4", "rw", "strictatime", true},
    {"ext4", "rw", "relatime", false},
    {"ext4", "rw,relatime", "async", true},
    {"ext4", "rw,sync,relatime", "async", false},
    {"ext4", "rw,sync,relatime", "sync", true},
    /* The mount's flags and its superblock's, in one list: either makes it read-only. */
    {"ext4", "ro,relatime,rw", "ro", true},
    {"ext4", "ro,relatime,rw", "rw", false},
    {"ext4", "rw,relatime,ro", "rw", false},
    {"ext4", "rw,relatime,emergency_ro", "rw", false},
    {"ext4", "rw,relatime", "bind", true},
    {"xfs", "", "rw", true},
};

static void mount_option_holds_in_what_is_live(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(live_cases); i++) {
		struct list live = split(live_cases[i].live);

		if (mount_option_holds(live_cases[i].option, &live, live_cases[i].type) !=
		    live_cases[i].holds) {
			fail_msg("%s in %s %s: expected %d", live_cases[i].option, live_cases[i].type,
			         live_cases[i].live, live_cases[i].holds);
		}
	}
}

static void mount_option_stands_in_an_fstab_line(void **state)
{
	static const struct {
		const char *fstab, *option;
		bool stands;
	} cases[] = {
	    {"defaults", "defaults", true},
	    {"defaults", "rw", true},
	    {"flock,_netdev", "defaults", true},
	    {"ro", "defaults", false},
	    {"ro,defaults", "rw", true},
	    {"defaults,ro", "rw", false},
	    {"defaults,ro", "ro", true},
	    {"noatime,relatime", "relatime", true},
	    {"noatime", "nodiratime", true},
	    {"relatime", "nodiratime", false},
	    {"relatime,noatime", "relatime", false},
	    {"defaults", "relatime", true},
	    {"defaults", "strictatime", false},
	    {"noatime,atime", "relatime", true},
	    {"defaults", "flock", false},
	    {"defaults,flock", "flock", true},
	    {"defaults,noflock", "flock", false},
	    {"defaults", "noflock", false},
	    {"defaults", "_netdev", false},
	    {"defaults,_netdev", "_netdev", true},
	    {"defaults", "auto", true},
	    {"noauto", "auto", false},
	    {"noauto", "noauto", true},
	    {"defaults", "nofail", false},
	    {"x-systemd.requires=a.service,x-systemd.requires=b.service",
	     "x-systemd.requires=a.service", true},
	    {"x-systemd.requires=a.service", "x-systemd.requires=b.service", false},
	    {"size=1g", "size=1024m", true},
	    {"size=1g", "size=50%", false},
	    {"size=1g,size=2g", "size=1g", false},
	    {"rsize=65536", "rsize=1048576", false},
	    {"", "nouser_xattr", false},
	    {"bind", "bind", true},
	    {"defaults", "bind", false},
	    {"", "rw", true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct list fstab = split(cases[i].fstab);

		if (mount_option_stands(cases[i].option, &fstab, NULL) != cases[i].stands) {
			fail_msg("%s in %s: expected %d", cases[i].option, cases[i].fstab, cases[i].stands);
		}
	}
}

/* mount.lustre asks for strictatime when nothing is said of access times. */
static void a_line_of_lustre_without_a_word_for_access_times_says_strictatime(void **state)
{
	static const struct {
		const char *type, *fstab, *option;
		bool stands;
	} cases[] = {
	    {"lustre", "defaults,flock", "relatime", false},
	    {"lustre", "defaults,flock", "strictatime", true},
	    {"lustre", "defaults,flock", "atime", true},
	    {"lustre", "defaults,relatime", "relatime", true},
	    {"lustre", "noatime", "noatime", true},
	    {"lustre", "defaults,flock", "rw", true},
	    {"nfs4", "defaults", "relatime", true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct list fstab = split(cases[i].fstab);

		if (mount_option_stands(cases[i].option, &fstab, cases[i].type) != cases[i].stands) {
			fail_msg("%s in %s: expected %d", cases[i].option, cases[i].fstab, cases[i].stands);
		}
	}
}

static void only_flags_of_the_kernel_are_changed_by_a_remount_of_lustre(void **state)
{
	static const char *const yes[] = {"ro",          "rw",      "noatime", "relatime",
	                                  "nodiratime",  "nosuid",  "nodev",   "sync",
	                                  "strictatime", "_netdev", "retry=3"};
	static const char *const no[] = {"flock",      "localflock", "user_xattr", "nolazystatfs",
	                                 "nochecksum", "network=o2", "context=a_t"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		assert_true(mount_option_remounts(yes[i], "lustre"));
	}
	for (size_t i = 0; i < ARRAY_LEN(no); i++) {
		assert_false(mount_option_remounts(no[i], "lustre"));
		assert_true(mount_option_remounts(no[i], "tmpfs"));
	}
}

static void mount_option_counterpart_is_what_is_there_instead(void **state)
{
	static const struct {
		const char *live, *option, *counterpart;
	} cases[] = {
	    {"rw,relatime", "noatime", "relatime"},
	    {"rw", "noatime", "strictatime"},
	    {"rw,size=64k", "size=1g", "size=64k"},
	    {"rw", "size=1g", NULL},
	    {"ro", "rw", "ro"},
	    {"rw", "nodev", "dev"},
	    {"rw,localflock", "flock", "localflock"},
	    {"rw,nochecksum", "checksum", "nochecksum"},
	    {"rw", "checksum", NULL},
	    {"rw,vers=4.2", "nfsvers=3", "vers=4.2"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct list live = split(cases[i].live);

		if (!text_equal(mount_option_counterpart(cases[i].option, &live, false, NULL),
		                cases[i].counterpart)) {
			fail_msg("%s in %s", cases[i].option, cases[i].live);
		}
	}
}

static void mount_option_class_tells_what_a_helper_must_not_get(void **state)
{
	static const char *const fstab[] = {
	    "noauto",       "auto",     "nofail",    "_netdev",
	    "user",         "defaults", "comment=x", "x-systemd.automount",
	    "X-mount.mkdir"};
	static const char *const kernel[] = {"flock", "rw",        "size=64m",    "vers=4",
	                                     "x",     "userxattr", "group_quota", "noatime"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(fstab); i++) {
		assert_int_equal(mount_option_class(fstab[i]), OPTION_FSTAB);
	}
	for (size_t i = 0; i < ARRAY_LEN(kernel); i++) {
		assert_int_equal(mount_option_class(kernel[i]), OPTION_KERNEL);
	}
}

static void mount_options_conflict_finds_the_second(void **state)
{
	static const struct {
		const char *options, *conflict;
	} cases[] = {
	    {"ro,rw", "rw"},
	    {"rw,flock,noatime", NULL},
	    {"defaults,ro", NULL},
	    {"noatime,relatime", "relatime"},
	    {"atime,relatime", NULL},
	    {"relatime,atime", NULL},
	    {"atime,noatime", "noatime"},
	    {"noatime,atime", "atime"},
	    {"norelatime,nostrictatime", NULL},
	    {"flock,noflock", "noflock"},
	    {"flock,localflock", "localflock"},
	    {"checksum,nochecksum", "nochecksum"},
	    {"auto,noauto", "noauto"},
	    {"size=64m,size=65536k", NULL},
	    {"size=64m,size=1g", "size=1g"},
	    {"flock,flock", NULL},
	    {"x-systemd.requires=a,x-systemd.requires=b", NULL},
	    {"lowerdir+=/a,lowerdir+=/b", NULL},
	    {"", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct list options = split(cases[i].options);

		if (!text_equal(mount_options_conflict(&options), cases[i].conflict)) {
			fail_msg("%s", cases[i].options);
		}
	}
}

static void mount_options_in_force_lets_the_last_win(void **state)
{
	static const struct {
		const char *options, *live, *fstab;
	} cases[] = {
	    {"relatime,flock,_netdev", "relatime,flock", "relatime,flock,_netdev"},
	    {"defaults,ro", "suid,dev,exec,async,ro", "suid,dev,exec,async,ro"},
	    {"ro,defaults", "rw,suid,dev,exec,async", "rw,suid,dev,exec,async"},
	    {"noatime,relatime", "relatime", "relatime"},
	    {"size=1g,size=2g", "size=2g", "size=2g"},
	    {"noauto,auto,nofail", "", "auto,nofail"},
	    {"x-systemd.requires=a,x-systemd.requires=b", "",
	     "x-systemd.requires=a,x-systemd.requires=b"},
	    {"flock,flock", "flock", "flock"},
	    {"lowerdir+=/a,lowerdir+=/b", "lowerdir+=/a,lowerdir+=/b", "lowerdir+=/a,lowerdir+=/b"},
	    {"", "", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct list options = split(cases[i].options);

		assert_string_equal(join(mount_options_in_force(arena, &options, false)), cases[i].live);
		assert_string_equal(join(mount_options_in_force(arena, &options, true)), cases[i].fstab);
	}
}

/* A line that is written as it was wanted stands, whatever was wanted. */
static void mount_options_that_were_written_stand(void **state)
{
	static const char *const lines[] = {
	    "defaults,noatime,flock,_netdev,x-systemd.automount,x-systemd.requires=network.service",
	    "ro,defaults,noauto,nofail",
	    "relatime,flock,_netdev",
	    "size=50%,mode=0700,nodev,uid=ubuntu",
	    "bind,ro",
	    "noatime,atime,norelatime",
	    "rsize=1048576,nfsvers=4.1,hard,retry=2,user=x",
	    "nosomething,something,odd=1",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		struct list line = split(lines[i]);
		struct list wanted = mount_options_in_force(arena, &line, true);

		for (size_t k = 0; k < wanted.count; k++) {
			assert_true(mount_option_stands(wanted.items[k], &line, NULL));
		}
	}
}

static void mount_options_bind_are_recognised(void **state)
{
	struct list bind = split("ro,bind"), rbind = split("rbind"), none = split("rw");

	(void)state;
	assert_true(mount_options_bind(&bind));
	assert_true(mount_options_bind(&rbind));
	assert_false(mount_options_bind(&none));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(mount_option_holds_in_what_is_live),
	    cmocka_unit_test(mount_option_stands_in_an_fstab_line),
	    cmocka_unit_test(a_line_of_lustre_without_a_word_for_access_times_says_strictatime),
	    cmocka_unit_test(only_flags_of_the_kernel_are_changed_by_a_remount_of_lustre),
	    cmocka_unit_test(mount_option_counterpart_is_what_is_there_instead),
	    cmocka_unit_test(mount_option_class_tells_what_a_helper_must_not_get),
	    cmocka_unit_test(mount_options_conflict_finds_the_second),
	    cmocka_unit_test(mount_options_in_force_lets_the_last_win),
	    cmocka_unit_test(mount_options_that_were_written_stand),
	    cmocka_unit_test(mount_options_bind_are_recognised),
	};

	arena = arena_create();
	int r = cmocka_run_group_tests(tests, NULL, NULL);

	arena_free(arena);
	return r;
}
