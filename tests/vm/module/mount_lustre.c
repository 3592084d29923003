// SPDX-License-Identifier: MIT
/*
 * mount.lustre SOURCE TARGET [-o OPTIONS] for tests: the program between mount(8) and the kernel,
 * with the words and exit statuses (the errno) that Lustre's own has for what goes wrong. Options
 * that only mount(8) knows are handed to it by mistake now and then: the client refuses them.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static const char *const foreign[] = {"nofail", "noauto", "_netdev", "x-systemd.automount"};

static int is_foreign(const char *word)
{
	for (size_t i = 0; i < sizeof(foreign) / sizeof(*foreign); i++) {
		if (strcmp(word, foreign[i]) == 0) {
			return i != 2; /* _netdev it takes and drops */
		}
	}
	return 0;
}

/* What the VFS knows goes into the flags; the file system itself wants none of the others. */
static int mount_with(const char *source, const char *target, char *options)
{
	unsigned long flags = 0;

	for (char *word = strtok(options, ","); word; word = strtok(NULL, ",")) {
		if (is_foreign(word)) {
			return EINVAL;
		}
		flags |= strcmp(word, "ro") == 0 ? MS_RDONLY : 0;
		flags |= strcmp(word, "relatime") == 0 ? MS_RELATIME : 0;
		flags |= strcmp(word, "noatime") == 0 ? MS_NOATIME : 0;
		flags |= strcmp(word, "nosuid") == 0 ? MS_NOSUID : 0;
		flags |= strcmp(word, "nodev") == 0 ? MS_NODEV : 0;
	}
	return mount(source, target, "lustre", flags, NULL) ? errno : 0;
}

int main(int argc, char **argv)
{
	char none[] = "";
	char *options = none;
	int option, error;

	while ((option = getopt(argc, argv, "o:rfnsv")) != -1) {
		if (option == 'o') {
			options = optarg;
		}
	}
	if (argc - optind != 2) {
		fprintf(stderr, "usage: mount.lustre SOURCE TARGET [-o OPTIONS]\n");
		return EINVAL;
	}
	error = mount_with(argv[optind], argv[optind + 1], options);
	if (error) {
		fprintf(stderr, "mount.lustre: mount %s at %s failed: %s\n", argv[optind], argv[optind + 1],
		        strerror(error));
	}
	if (error == ENODEV) {
		fprintf(stderr, "Are the lustre modules loaded?\n");
	} else if (error == EINVAL) {
		fprintf(stderr, "This may have multiple causes.\nAre the mount options correct?\n"
		                "Check the syslog for more info.\n");
	}
	return error;
}
