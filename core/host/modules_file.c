// SPDX-License-Identifier: MIT
/* See modules_file.h. */
#include "host/modules_file.h"

#include "base/child.h"
#include "base/str.h"
#include "host/modules_tree.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MODPROBE_MS = 2000 };

/* ---- Build id ---- */

const char *modules_file_note(struct arena *arena, const char *bytes, size_t n)
{
	AUTO(str_free) struct str hex = {0};
	Elf64_Nhdr head; /* the same as of 32 bits */

	if (n < sizeof head + 4) {
		return NULL;
	}
	memcpy(&head, bytes, sizeof head);
	if (head.n_type != NT_GNU_BUILD_ID || head.n_namesz != 4 || !head.n_descsz ||
	    head.n_descsz > n - sizeof head - 4 || memcmp(bytes + sizeof head, "GNU", 4) != 0) {
		return NULL;
	}
	for (size_t i = 0; i < head.n_descsz; i++) {
		str_addf(&hex, "%02x", (unsigned char)bytes[sizeof head + 4 + i]);
	}
	return arena_strdup(arena, str_text(&hex));
}

/* ---- The bytes of a file that is not packed ---- */

struct bytes {
	const char *data;
	size_t size;
	Elf64_Ehdr head;
};

static bool is_within(uint64_t offset, uint64_t n, size_t size)
{
	return offset <= size && n <= size - offset;
}

static Elf64_Shdr section_of(const struct bytes *bytes, size_t i)
{
	Elf64_Shdr section;

	memcpy(&section, bytes->data + bytes->head.e_shoff + i * sizeof section, sizeof section);
	return section;
}

/* Is the first of the two headers one that leads somewhere? */
static bool is_head(const Elf64_Ehdr *head, uint64_t size)
{
	return memcmp(head->e_ident, ELFMAG, SELFMAG) == 0 && head->e_ident[EI_CLASS] == ELFCLASS64 &&
	       head->e_shentsize == sizeof(Elf64_Shdr) && head->e_shnum &&
	       head->e_shstrndx != SHN_UNDEF && head->e_shstrndx < head->e_shnum &&
	       is_within(head->e_shoff, head->e_shnum * sizeof(Elf64_Shdr), size);
}

/* Symbols lie in sections that there are. */
static bool has_whole_symbols(const struct bytes *bytes, const Elf64_Shdr *table)
{
	for (size_t i = 0; i < table->sh_size / sizeof(Elf64_Sym); i++) {
		Elf64_Sym symbol;

		memcpy(&symbol, bytes->data + table->sh_offset + i * sizeof symbol, sizeof symbol);
		if (symbol.st_shndx >= bytes->head.e_shnum && symbol.st_shndx != SHN_ABS) {
			return false;
		}
	}
	return true;
}

/* What libkmod takes for granted of an object file of 64 bits: on what is not so it ends the
 * process (assert) instead of saying no. All sections lie within the file, and have names. */
static bool is_whole(struct bytes *bytes)
{
	if (bytes->size < sizeof bytes->head) {
		return false;
	}
	memcpy(&bytes->head, bytes->data, sizeof bytes->head);
	if (!is_head(&bytes->head, bytes->size)) {
		return false;
	}
	Elf64_Shdr names = section_of(bytes, bytes->head.e_shstrndx);

	if (names.sh_type != SHT_STRTAB || !names.sh_size ||
	    !is_within(names.sh_offset, names.sh_size, bytes->size) ||
	    bytes->data[names.sh_offset + names.sh_size - 1]) {
		return false;
	}
	for (size_t i = 0; i < bytes->head.e_shnum; i++) {
		Elf64_Shdr section = section_of(bytes, i);

		if (section.sh_name >= names.sh_size ||
		    (section.sh_type != SHT_NOBITS && section.sh_type != SHT_NULL &&
		     !is_within(section.sh_offset, section.sh_size, bytes->size)) ||
		    (strcmp(bytes->data + names.sh_offset + section.sh_name, ".symtab") == 0 &&
		     !(section.sh_type == SHT_SYMTAB && has_whole_symbols(bytes, &section)))) {
			return false;
		}
	}
	return true;
}

static const char *find_note(struct arena *arena, const struct bytes *bytes)
{
	for (size_t i = 0; i < bytes->head.e_shnum; i++) {
		Elf64_Shdr section = section_of(bytes, i);
		const char *id =
		    section.sh_type == SHT_NOTE
		        ? modules_file_note(arena, bytes->data + section.sh_offset, section.sh_size)
		        : NULL;

		if (id) {
			return id;
		}
	}
	return NULL;
}

/* libkmod opens whatever lies there, and would wait for the other end of a pipe. What cannot be
 * looked at is left to it. */
static bool is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) || S_ISREG(st.st_mode);
}

/* False: it is damaged. What is packed, cannot be read or is of 32 bits is libkmod's alone. */
static bool look_at_bytes(struct arena *arena, const char *path, const char **ret_build_id)
{
	AUTO(fd_auto) int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct bytes bytes = {0};
	struct stat st;
	bool whole;

	if (!is_file(path)) {
		return false;
	}
	if (fd < 0 || modules_tree_packing(path) || fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		return true;
	}
	bytes.size = (size_t)st.st_size;
	if (bytes.size <= EI_CLASS) {
		return false;
	}
	char *data = mmap(NULL, bytes.size, PROT_READ, MAP_PRIVATE, fd, 0);

	if (data == MAP_FAILED) {
		return true;
	}
	bytes.data = data;
	whole = data[EI_CLASS] == ELFCLASS32 || is_whole(&bytes);
	if (whole && data[EI_CLASS] == ELFCLASS64) {
		*ret_build_id = find_note(arena, &bytes);
	}
	munmap(data, bytes.size);
	return whole;
}

/* The same of one of thousands that are asked in passing: its first header only. */
static bool seems_whole(const char *path)
{
	AUTO(fd_auto) int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	Elf64_Ehdr head;
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	       pread(fd, &head, sizeof head, 0) == (ssize_t)sizeof head &&
	       (memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 || head.e_ident[EI_CLASS] == ELFCLASS32 ||
	        is_head(&head, (uint64_t)st.st_size));
}

/* ---- Symbols ---- */

static uint32_t layout_in(const struct modules_library *kmod, struct kmod_list *list)
{
	for (struct kmod_list *l = list; l; l = kmod->kmod_list_next(list, l)) {
		if (strcmp(kmod->kmod_module_version_get_symbol(l), "module_layout") == 0) {
			return (uint32_t)kmod->kmod_module_version_get_crc(l);
		}
	}
	return 0;
}

/* The versions that a file imports; free them with the library's function. NULL: none. */
static struct kmod_list *versions_of(const struct modules_library *kmod, struct kmod_ctx *ctx,
                                     const char *path)
{
	struct kmod_list *list = NULL;
	struct kmod_module *m = NULL;

	if (!seems_whole(path) || kmod->kmod_module_new_from_path(ctx, path, &m) < 0) {
		return NULL;
	}
	if (kmod->kmod_module_get_versions(m, &list) < 0) {
		list = NULL;
	}
	kmod->kmod_module_unref(m);
	return list;
}

uint32_t modules_file_layout(const struct modules_library *kmod, struct kmod_ctx *ctx,
                             const char *path)
{
	struct kmod_list *list = versions_of(kmod, ctx, path);
	uint32_t layout = layout_in(kmod, list);

	kmod->kmod_module_versions_free_list(list);
	return layout;
}

void modules_file_witness(const struct modules_library *kmod, struct kmod_ctx *ctx,
                          const char *path, uint32_t layout, struct modules_proof *proof)
{
	struct kmod_list *list = versions_of(kmod, ctx, path);

	for (struct kmod_list *l = layout_in(kmod, list) == layout ? list : NULL; l;
	     l = kmod->kmod_list_next(list, l)) {
		modules_proof_offer(proof, kmod->kmod_module_version_get_symbol(l),
		                    (uint32_t)kmod->kmod_module_version_get_crc(l), path);
	}
	kmod->kmod_module_versions_free_list(list);
}

/* Returns how many. */
static size_t take_imports(const struct modules_library *kmod, struct kmod_module *m,
                           const char *module, struct modules_proof *proof)
{
	struct kmod_list *list = NULL;
	size_t count = 0;

	if (kmod->kmod_module_get_versions(m, &list) < 0) {
		return 0;
	}
	for (struct kmod_list *l = list; l; l = kmod->kmod_list_next(list, l), count++) {
		modules_proof_import(proof, kmod->kmod_module_version_get_symbol(l),
		                     (uint32_t)kmod->kmod_module_version_get_crc(l), module);
	}
	kmod->kmod_module_versions_free_list(list);
	return count;
}

void modules_file_exports(const struct modules_library *kmod, struct kmod_ctx *ctx,
                          const char *path, struct modules_proof *proof)
{
	struct kmod_list *list = NULL;
	struct kmod_module *m = NULL;

	if (!is_file(path) || kmod->kmod_module_new_from_path(ctx, path, &m) < 0) {
		return;
	}
	if (kmod->kmod_module_get_symbols(m, &list) >= 0) {
		for (struct kmod_list *l = list; l; l = kmod->kmod_list_next(list, l)) {
			modules_proof_offer(proof, kmod->kmod_module_symbol_get_symbol(l),
			                    (uint32_t)kmod->kmod_module_symbol_get_crc(l), path);
		}
		kmod->kmod_module_symbols_free_list(list);
	}
	kmod->kmod_module_unref(m);
}

/* ---- What it says of itself ---- */

/* "a,b": the names of modules. */
static void take_needs(struct arena *arena, const char *text, struct list *list)
{
	const char **items = NULL;
	size_t cap = 0;

	*list = (struct list){.set = true};
	while (*text) {
		size_t n = strcspn(text, ",");

		if (n) {
			items = arena_grow(arena, items, list->count, &cap, sizeof *items);
			items[list->count++] = arena_strndup(arena, text, n);
		}
		text += n + (text[n] == ',');
	}
	list->items = items;
}

/* "parm" is "NAME:what it is for (int)", and only where somebody wrote that; "parmtype" is
 * "NAME:int", and libkmod tells both as they stand. */
static void take_setting(struct arena *arena, const char *value, struct modules_file *file)
{
	const char *name = arena_strndup(arena, value, strcspn(value, ":"));
	const char **items = (const char **)file->settings.items;

	for (size_t i = 0; i < file->settings.count; i++) {
		if (modules_tree_same(items[i], name)) {
			return;
		}
	}
	items = arena_grow(arena, items, file->settings.count, &file->settings_cap, sizeof *items);
	items[file->settings.count++] = name;
	file->settings.items = items;
}

static void take(struct arena *arena, const char *key, const char *value, struct modules_file *file)
{
	struct host_module_file *told = &file->told;
	const struct {
		const char *key, **place;
	} texts[] = {
	    {"vermagic", &told->vermagic},     {"version", &told->version},
	    {"srcversion", &file->srcversion}, {"signer", &told->signer},
	    {"sig_key", &told->key},
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		if (strcmp(key, texts[i].key) == 0) {
			*texts[i].place = arena_strdup(arena, value);
		}
	}
	if (strcmp(key, "depends") == 0) {
		take_needs(arena, value, &file->needs);
	} else if (strcmp(key, "parm") == 0 || strcmp(key, "parmtype") == 0) {
		take_setting(arena, value, file);
	} else if (strcmp(key, "intree") == 0) {
		file->is_own = strcmp(value, "Y") == 0;
	} else if (strcmp(key, "sig_id") == 0 && !told->signer) {
		told->signer = ""; /* signed, by somebody without a name */
	} else if (strcmp(key, "alias") == 0 && text_starts(value, "fs-") && !told->filesystem) {
		told->filesystem = arena_strdup(arena, value + strlen("fs-"));
	}
}

/* Can the libkmod of this machine unpack it? Its programs tell with what it was built: a library
 * without zstd says of such a file what it says of a damaged one. */
static bool can_unpack(const char *packing)
{
	static const char *const argv[] = {"modprobe", "--version", NULL};
	static const struct {
		const char *packing, *feature;
	} features[] = {{"gzip", "+ZLIB"}, {"xz", "+XZ"}, {"zstd", "+ZSTD"}};
	struct child_command command = {.argv = argv, .timeout_ms = MODPROBE_MS};
	struct child_result result;
	struct err fault = {0};
	bool found = false;

	if (child_run(&command, &result, &fault)) {
		return false;
	}
	for (size_t i = 0; i < ARRAY_LEN(features); i++) {
		found |= strcmp(packing, features[i].packing) == 0 &&
		         strstr(str_text(&result.out), features[i].feature);
	}
	child_result_free(&result);
	return found;
}

static void explain(struct arena *arena, const char *path, int error, struct host_module_file *told)
{
	const char *packing = modules_tree_packing(path);
	struct stat st;

	if (packing && !can_unpack(packing)) {
		told->packed = packing;
	} else if (error == EACCES || error == EPERM) {
		told->hidden = arena_strdup(arena, strerror(error));
	} else if (error == EIO) {
		told->damaged = arena_printf(arena, "it cannot be read: %s", strerror(error));
	} else if (stat(path, &st)) {
		told->damaged = "it is a link to something that is not there";
	} else if (!S_ISREG(st.st_mode)) {
		told->damaged = "it is no regular file";
	} else if (!st.st_size) {
		told->damaged = "it is empty";
	} else {
		told->damaged = packing ? arena_printf(arena, "it cannot be unpacked as %s", packing)
		                        : "it is cut off, or no module";
	}
}

void modules_file_read(const struct modules_library *kmod, struct kmod_ctx *ctx,
                       struct arena *arena, const char *path, struct modules_proof *proof,
                       struct modules_file *ret_file)
{
	struct modules_file file = {
	    .told = {.name = modules_tree_name_of(arena, path), .path = arena_strdup(arena, path)}};
	struct kmod_list *list = NULL;
	struct kmod_module *m = NULL;
	int r = look_at_bytes(arena, path, &file.build_id)
	            ? kmod->kmod_module_new_from_path(ctx, path, &m)
	            : -ENOEXEC;

	if (r >= 0) {
		r = kmod->kmod_module_get_info(m, &list);
	}
	for (struct kmod_list *l = r >= 0 ? list : NULL; l; l = kmod->kmod_list_next(list, l)) {
		take(arena, kmod->kmod_module_info_get_key(l), kmod->kmod_module_info_get_value(l), &file);
	}
	if (r >= 0) {
		kmod->kmod_module_info_free_list(list);
		file.told.has_crcs = proof && take_imports(kmod, m, file.told.name, proof) > 0;
	}
	if (m) {
		kmod->kmod_module_unref(m);
	}
	file.settings.set = r >= 0;
	if (r < 0) {
		explain(arena, path, -r, &file.told);
	} else if (!file.told.vermagic) {
		file.told.damaged = "it does not say for what kernel it was built";
	}
	*ret_file = file;
}
