/* SPDX-License-Identifier: GPL-2.0-only */
/* The functions that the library exports, as the library itself says */
#ifndef EXPORTED_H
#define EXPORTED_H

#include <elf.h>
#include <link.h>
#include <sys/stat.h>
#include "gosync_test.h"

enum { EXPORTED_MOST = 512 };

static inline int find_library(struct dl_phdr_info *object, size_t size,
			       void *path)
{
	if (!strstr(object->dlpi_name, "libgosync-user.so"))
		return 0;
	*(const char **)path = object->dlpi_name;
	return 1;
}

/* Their names, which stay. Return: how many there are */
static inline unsigned int exported(const char *names[EXPORTED_MOST])
{
	const ElfW(Shdr) *sections, *symbols = NULL;
	const char *path = NULL, *file, *strings;
	const ElfW(Ehdr) *header;
	const ElfW(Sym) *symbol;
	unsigned int n = 0;
	struct stat st;
	size_t i;
	int fd;

	MUST(dl_iterate_phdr(find_library, &path) == 1);
	fd = open(path, O_RDONLY);
	MUST(!fstat(fd, &st));
	file = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	MUST(file != MAP_FAILED);
	close(fd);
	header = (const void *)file;
	sections = (const void *)(file + header->e_shoff);
	for (i = 0; i < header->e_shnum; i++)
		if (sections[i].sh_type == SHT_DYNSYM)
			symbols = &sections[i];
	MUST(symbols);
	strings = file + sections[symbols->sh_link].sh_offset;
	symbol = (const void *)(file + symbols->sh_offset);
	for (i = 0; i < symbols->sh_size / sizeof(*symbol); i++, symbol++) {
		if (symbol->st_shndx == SHN_UNDEF ||
		    (symbol->st_info & 0xf) != STT_FUNC)
			continue;
		MUST(n < EXPORTED_MOST);
		names[n++] = strings + symbol->st_name;
	}
	return n;
}

#endif /* EXPORTED_H */
