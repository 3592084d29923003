// SPDX-License-Identifier: MIT
/* Entries of the Boot Loader Specification, read from files in a namespace of our own: a grubenv,
 * a loader.conf, and two entries. Needs root. */
#include "fuzz/fuzz.h"

#include "provider/boot_bls.h"

#include <sys/stat.h>

#define ENTRIES "/boot/loader/entries/"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fuzz_own("/boot");
	HOLDS(mkdir("/boot/loader", 0755) == 0 && mkdir(ENTRIES, 0755) == 0);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const paths[] = {ENTRIES "a-6.1.0.conf", ENTRIES "a-6.2.0.conf",
	                                    "/boot/loader/loader.conf"};
	AUTO(arena_auto) struct arena *arena = arena_create();
	struct fuzz_rest rest = {data, size};
	struct boot_loader loader = {0};
	struct host host;
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		const char *text = fuzz_text(arena, &rest);

		fuzz_write(paths[i], text ? text : "", text ? strlen(text) : 0);
	}
	host_init(&host, &host_linux_ops, arena);
	const char *env = fuzz_text(arena, &rest);

	if (boot_bls_read(&host, env, arena, &loader, &err) == 0) {
		for (size_t i = 0; i < loader.count; i++) {
			HOLDS(loader.choices[i].release);
		}
	}
	loader = (struct boot_loader){0};
	if (boot_bls_systemd(&host, arena, &loader, &err)) {
		HOLDS(err.text[0]);
	}
	host_done(&host);
	return 0;
}
