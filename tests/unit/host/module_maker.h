// SPDX-License-Identifier: MIT
/*
 * Modules for tests: object files with what libkmod and depmod read of one (elf(5); the sections
 * .modinfo and __versions, and the symbols __crc_X that stand for exports). No kernel would load
 * them.
 */
#ifndef HOST_MODULE_MAKER_H
#define HOST_MODULE_MAKER_H

#include "base/str.h"

#include <elf.h>
#include <string.h>

struct maker_symbol {
	const char *name;
	uint32_t crc;
};

struct maker {
	const char *vermagic;
	const char *info; /* more lines of .modinfo, "a=1\nb=2\n", or NULL */
	const char *depends;
	const struct maker_symbol *imports, *exports; /* end with a NULL name; may be NULL */
	const unsigned char *build_id;                /* 20 bytes, or NULL */
};

enum { MAKER_SECTIONS = 7 };

static inline void maker_section(struct str *file, Elf64_Shdr *header, struct str *names,
                                 const char *name, unsigned type, const struct str *data)
{
	str_pad(file, '\0', (16 - file->length % 16) % 16);
	*header = (Elf64_Shdr){.sh_name = (unsigned)names->length,
	                       .sh_type = type,
	                       .sh_offset = file->length,
	                       .sh_size = data->length,
	                       .sh_addralign = 8};
	str_addn(names, name, strlen(name) + 1);
	str_addn(file, data->data ? data->data : "", data->length);
}

static inline void maker_modinfo(struct str *text, const struct maker *m)
{
	AUTO(str_free) struct str lines = {0};

	str_addf(&lines, "license=GPL\ndepends=%s\nvermagic=%s\n%s", m->depends ? m->depends : "",
	         m->vermagic, m->info ? m->info : "");
	str_addn(text, lines.data, lines.length);
	for (size_t i = 0; i < text->length; i++) {
		text->data[i] = text->data[i] == '\n' ? '\0' : text->data[i];
	}
}

static inline void maker_versions(struct str *text, const struct maker_symbol *symbols)
{
	for (; symbols && symbols->name; symbols++) {
		char entry[64] = "";
		uint64_t crc = symbols->crc;

		memcpy(entry, &crc, sizeof crc);
		strncpy(entry + sizeof crc, symbols->name, sizeof entry - sizeof crc - 1);
		str_addn(text, entry, sizeof entry);
	}
}

/* Exports as absolute symbols, as kernels before 5.19 have them. */
static inline void maker_symtab(struct str *table, struct str *names,
                                const struct maker_symbol *symbols)
{
	Elf64_Sym entry = {0};

	str_addc(names, '\0');
	str_addn(table, &entry, sizeof entry);
	for (; symbols && symbols->name; symbols++) {
		entry = (Elf64_Sym){.st_name = (unsigned)names->length,
		                    .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_NOTYPE),
		                    .st_shndx = SHN_ABS,
		                    .st_value = symbols->crc};
		str_addf(names, "__crc_%s", symbols->name);
		str_addc(names, '\0');
		str_addn(table, &entry, sizeof entry);
	}
}

static inline void maker_note(struct str *note, const unsigned char *id)
{
	Elf64_Nhdr head = {.n_namesz = 4, .n_descsz = 20, .n_type = NT_GNU_BUILD_ID};

	if (id) {
		str_addn(note, &head, sizeof head);
		str_addn(note, "GNU", 4);
		str_addn(note, id, 20);
	}
}

/* The bytes of the file, to be freed with str_free. */
static inline struct str maker_bytes(const struct maker *m)
{
	AUTO(str_free)
	struct str info = {0}, versions = {0}, table = {0}, names = {0}, note = {0}, sections = {0};
	Elf64_Shdr headers[MAKER_SECTIONS] = {0};
	Elf64_Ehdr head = {
	    .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
	                __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB,
	                EV_CURRENT},
	    .e_type = ET_REL,
	    .e_machine = EM_X86_64,
	    .e_version = EV_CURRENT,
	    .e_ehsize = sizeof head,
	    .e_shentsize = sizeof *headers,
	    .e_shnum = MAKER_SECTIONS,
	    .e_shstrndx = MAKER_SECTIONS - 1};
	struct str file = {0};

	maker_modinfo(&info, m);
	maker_versions(&versions, m->imports);
	maker_symtab(&table, &names, m->exports);
	maker_note(&note, m->build_id);
	str_addn(&file, &head, sizeof head);
	str_addc(&sections, '\0');
	maker_section(&file, &headers[1], &sections, ".modinfo", SHT_PROGBITS, &info);
	maker_section(&file, &headers[2], &sections, "__versions", SHT_PROGBITS, &versions);
	maker_section(&file, &headers[3], &sections, ".note.gnu.build-id", SHT_NOTE, &note);
	maker_section(&file, &headers[4], &sections, ".strtab", SHT_STRTAB, &names);
	maker_section(&file, &headers[5], &sections, ".symtab", SHT_SYMTAB, &table);
	headers[5].sh_link = 4;
	headers[5].sh_entsize = sizeof(Elf64_Sym);
	/* The table of the names of sections holds its own name as well. */
	str_addn(&sections, ".shstrtab", sizeof ".shstrtab");
	headers[6] = (Elf64_Shdr){.sh_name = (unsigned)(sections.length - sizeof ".shstrtab"),
	                          .sh_type = SHT_STRTAB,
	                          .sh_offset = file.length,
	                          .sh_size = sections.length};
	str_addn(&file, sections.data, sections.length);
	str_pad(&file, '\0', (16 - file.length % 16) % 16);
	head.e_shoff = file.length;
	str_addn(&file, headers, sizeof headers);
	memcpy(file.data, &head, sizeof head);
	return file;
}

#endif
