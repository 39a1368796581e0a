/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sharers.c: the processes that have a holder's descriptor now, for the other
 * files of this folder.
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
 * @sharers: where to put the result; free() @sharers->all
 * @each: called for each process, or NULL; returns 0 or -errno. It is told
 *	whether the descriptors could be seen, and may call sharers_add()
 * @arg: passed on to @each
 *
 * Return: 0 or -errno.
 */
int sharers_look(struct sharers *sharers,
		 int (*each)(struct sharers *sharers, uint32_t pid, bool seen,
			     void *arg),
		 void *arg);

/**
 * sharers_add() - add a sharer
 * @sharers: the result of sharers_look(), while that runs
 * @sharer: the sharer
 *
 * Return: 0 or -ENOMEM.
 */
int sharers_add(struct sharers *sharers, const struct sharer *sharer);

/**
 * sharers_of() - find the processes that have a holder's descriptor
 * @sharers: from sharers_look()
 * @id: of the object
 * @holder: the holder
 * @nr: out: their number
 *
 * Return: the first of them; they stand in a row.
 */
const struct sharer *sharers_of(const struct sharers *sharers, uint64_t id,
				uint32_t holder, int *nr);

/**
 * sharers_now() - find the processes that have a holder's descriptor
 * @id: of the object
 * @holder: the holder
 * @opener: the process that opened it, as the kernel tells, or 0
 * @nr: out: their number; 0 if all of them are hidden
 *
 * The first call looks at all processes; the later ones use that look. A hidden
 * opener is assumed to have the descriptor still.
 *
 * Return: the first of them, valid until the next call; they stand in a row.
 */
const struct sharer *sharers_now(uint64_t id, uint32_t holder, uint32_t opener,
				 int *nr);

/**
 * sharers_forget() - let the next sharers_now() look again
 */
void sharers_forget(void);

/**
 * owner_now() - find a process that has the descriptor of an object's owner
 * @info: the object's properties
 *
 * Return: the opener if it still has the descriptor, otherwise another process;
 * 0 if all of them are hidden.
 */
uint32_t owner_now(const struct gosync_info *info);

/**
 * process_read() - read a file of /proc about a process
 * @pid: its number
 * @file: "comm", "stat" ...
 * @text: where to put the beginning of the file, ended by a 0 byte
 * @size: the size of @text
 *
 * Return: its length; 0 if it cannot be read.
 */
size_t process_read(uint32_t pid, const char *file, char *text, size_t size);

/**
 * process_comm() - the name of a process
 * @pid: its number
 *
 * Return: the name, which may have any bytes, or "?"; good until the next call.
 */
const char *process_comm(uint32_t pid);

#endif /* GOSYNC_SHARERS_H */
