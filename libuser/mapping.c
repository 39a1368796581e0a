// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Mappings of the objects' state. Objects share pages, and a process has one
 * mapping for all handles whose state is on the same page.
 *
 * The list of handles is locked here. If the process is copied by other means
 * than fork(2) at any moment, the copy finds a mapping that counts too many
 * handles, or that no list has; never one that counts too few. So a mapping may
 * stay there for good, but none goes that is in use.
 */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "internal.h"

/* Numbers follow each other, so the lists are about as long as each other. */
#define LISTS	64

static struct gosync_mapping *mappings[LISTS];

static struct gosync_mapping *find(uint64_t id, int prot)
{
	struct gosync_mapping *mapping = mappings[id % LISTS];

	while (mapping && (mapping->id != id || mapping->prot != prot))
		mapping = mapping->next;
	return id ? mapping : NULL;
}

static struct gosync_mapping *map(int fd, const struct gosync_info *info,
				  int prot)
{
	struct gosync_mapping **list = &mappings[info->map_id % LISTS];
	struct gosync_mapping *mapping = calloc(1, sizeof(*mapping));

	if (!mapping)
		return NULL;
	/* Refused if the sender of the descriptor had more rights. */
	mapping->addr = mmap(NULL, info->map_len, prot, MAP_SHARED, fd, 0);
	if (mapping->addr == MAP_FAILED) {
		free(mapping);
		return NULL;
	}
	mapping->id = info->map_id;
	mapping->prot = prot;
	mapping->len = info->map_len;
	mapping->next = *list;
	__atomic_store_n(list, mapping, __ATOMIC_RELEASE);
	return mapping;
}

/**
 * __gosync_map_base() - map a handle's state, if that is possible
 * @base: the handle, with its descriptor
 * @info: describes the descriptor
 */
void __gosync_map_base(struct gosync_base *base, const struct gosync_info *info)
{
	struct gosync_mapping *mapping;
	int prot = PROT_READ;

	/* A Map may be larger than the address space of a 32-bit process. */
	if (!info->map_len || info->map_len > SIZE_MAX)
		return;
	if (info->type != GOSYNC_VALUE && info->type != GOSYNC_MAP &&
	    !(info->flags & GOSYNC_RDONLY))
		prot |= PROT_WRITE;
	mapping = find(info->map_id, prot);
	if (!mapping)
		mapping = map(base->fd, info, prot);
	if (!mapping)
		return;
	mapping->handles++;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	base->mapping = mapping;
}

/**
 * __gosync_unmap_base() - give a handle's mapping up, if it has one
 * @base: the handle
 *
 * Return: memory to be given to free(3), which must not be called in a copy of
 * the process; or NULL.
 */
void *__gosync_unmap_base(struct gosync_base *base)
{
	struct gosync_mapping *mapping = base->mapping, **list;

	base->mapping = NULL;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (!mapping || --mapping->handles)
		return NULL;
	list = &mappings[mapping->id % LISTS];
	while (*list != mapping)
		list = &(*list)->next;
	*list = mapping->next;
	munmap(mapping->addr, mapping->len);
	return mapping;
}
