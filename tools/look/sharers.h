/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What processes have a holder's descriptor, now. See sharers.c.
 */
#ifndef GOSYNC_SHARERS_H
#define GOSYNC_SHARERS_H

#include <stdbool.h>

#include "gosync.h"

/* A process that has the descriptor of a holder */
struct sharer {
	uint64_t id;		/* of the object */
	uint32_t holder;
	uint32_t pid;
};

struct sharers {
	struct sharer *all;	/* by id and holder */
	int nr;
};

/**
 * sharers_look() - look at the descriptors of all processes
 * @sharers: where to put who has which; free() @sharers->all
 * @each: called for each process, may sharers_add() what it believes, returns 0
 *	or -errno; or NULL
 * @arg: passed on to @each, which is also told whether the process's
 *	descriptors could be seen
 *
 * Return: 0 or -errno.
 */
int sharers_look(struct sharers *sharers,
		 int (*each)(struct sharers *sharers, uint32_t pid, bool seen,
			     void *arg),
		 void *arg);

/**
 * sharers_add() - one more
 * @sharers: while sharers_look() looks
 * @sharer: it
 *
 * Return: 0 or -ENOMEM.
 */
int sharers_add(struct sharers *sharers, const struct sharer *sharer);

/**
 * sharers_of() - who has a holder's descriptor
 * @sharers: from sharers_look()
 * @id: of the object
 * @holder: the holder
 * @nr: where to put how many there are
 *
 * Return: the first of them; they stand in a row.
 */
const struct sharer *sharers_of(const struct sharers *sharers, uint64_t id,
				uint32_t holder, int *nr);

/**
 * sharers_now() - who has a holder's descriptor, for one answer
 * @id: of the object
 * @holder: the holder
 * @opener: the process that opened it, as the kernel tells, or 0
 * @nr: where to put how many there are; 0: nobody that can be seen
 *
 * Looks at all processes when first asked. Of an opener that can't be seen it
 * is believed that it has what it opened.
 *
 * Return: them, until the next call.
 */
const struct sharer *sharers_now(uint64_t id, uint32_t holder, uint32_t opener,
				 int *nr);

/**
 * sharers_forget() - look again when next asked
 */
void sharers_forget(void);

/**
 * owner_now() - a process that has what an object's owner has
 * @info: what is known of the object
 *
 * Return: the one that opened it if that still has it, otherwise another; 0 if
 * there is none that can be seen.
 */
uint32_t owner_now(const struct gosync_info *info);

/**
 * process_read() - read what /proc tells of a process
 * @pid: its number
 * @file: "comm", "stat" ...
 * @text: where to put the beginning of the file, ended by a 0 byte
 * @size: the size of @text
 *
 * Return: its length; 0 if it cannot be read.
 */
size_t process_read(uint32_t pid, const char *file, char *text, size_t size);

/**
 * process_comm() - what a process calls itself
 * @pid: its number
 *
 * Return: that, or "?"; good until the next call. It may be any bytes.
 */
const char *process_comm(uint32_t pid);

#endif /* GOSYNC_SHARERS_H */
