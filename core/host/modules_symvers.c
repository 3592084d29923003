// SPDX-License-Identifier: MIT
/* See modules_symvers.h. */
#include "host/modules_symvers.h"

#include "base/str.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 64 << 10, TEXT_MOST = 64 << 20 };

static bool offer_plain(struct modules_proof *proof, const char *path)
{
	/* Not to wait for the other end of a pipe. */
	AUTO(fd_auto) int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	bool taken;

	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) || !st.st_size) {
		return false;
	}
	char *text = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);

	if (text == MAP_FAILED) {
		return false;
	}
	taken = modules_proof_symvers(proof, text, (size_t)st.st_size, path);
	munmap(text, (size_t)st.st_size);
	return taken;
}

/* Of zlib.h, which need not be installed where this is built. */
struct zlib {
	void *library;
	void *(*gzopen)(const char *path, const char *mode);
	int (*gzread)(void *file, void *buffer, unsigned n);
	int (*gzclose)(void *file);
};

static bool load_zlib(struct zlib *z)
{
	const struct {
		const char *name;
		void *place;
	} rows[] = {
	    {"gzopen", &z->gzopen},
	    {"gzread", &z->gzread},
	    {"gzclose", &z->gzclose},
	};

	z->library = dlopen("libz.so.1", RTLD_NOW | RTLD_LOCAL);
	for (size_t i = 0; z->library && i < ARRAY_LEN(rows); i++) {
		void *found = dlsym(z->library, rows[i].name);

		if (!found) {
			dlclose(z->library);
			return false;
		}
		/* POSIX, dlsym: a pointer to a function looks the same as one to an object. */
		memcpy(rows[i].place, &found, sizeof found);
	}
	return z->library != NULL;
}

static bool offer_packed(struct modules_proof *proof, const char *path)
{
	AUTO(str_free) struct str text = {0};
	AUTO(mem_auto) char *piece = mem_alloc(PIECE);
	struct zlib z = {0};
	int n = -1;

	if (!load_zlib(&z)) {
		return false;
	}
	void *file = z.gzopen(path, "rbe");

	while (file && text.length < TEXT_MOST && (n = z.gzread(file, piece, PIECE)) > 0) {
		str_addn(&text, piece, (size_t)n);
	}
	/* Of a file that was cut off, gzclose tells. */
	bool whole = file && z.gzclose(file) == 0 && n == 0;

	dlclose(z.library);
	return whole && modules_proof_symvers(proof, str_text(&text), text.length, path);
}

bool modules_symvers_offer(struct modules_proof *proof, const char *path)
{
	if (access(path, R_OK)) {
		return false;
	}
	return text_ends(path, ".gz") ? offer_packed(proof, path) : offer_plain(proof, path);
}
