// SPDX-License-Identifier: MIT
/* make.log of a DKMS build: what is shown of it is one printable line. */
#include "fuzz/fuzz.h"

#include "provider/dkms_log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	const char *log = arena_strndup(arena, (const char *)data, size);
	const char *lines = dkms_log_lines(arena, log);

	for (; lines && *lines; lines++) {
		HOLDS((unsigned char)*lines >= ' ');
	}
	dkms_log_is_for(log, "6.1.0-18-amd64");
	HOLDS(!dkms_log_is_final(log, false) || dkms_log_is_final(log, true));
	return 0;
}
