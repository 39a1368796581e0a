/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is done by C in pairs_c.c and by C++ in pairs.cpp: each function does its operation
 * @n times, on an object whose handle is in memory, as a program has it.
 */
#ifndef GOSYNC_PAIRS_H
#define GOSYNC_PAIRS_H

#include <gosync-user.h>

struct c_objects {
	gosync_mutex_t *mutex;
	gosync_rwmutex_t *rwmutex;
	gosync_semaphore_t *semaphore;
	gosync_waitgroup_t *waitgroup;
	gosync_once_t *once;
	gosync_int64_t *words;
	gosync_value_t *value;
	gosync_map_t *map;
};

#ifdef __cplusplus
extern "C" {
#endif

/* Called where something fails that cannot */
__attribute__((noreturn, cold)) void c_fail(int ret);

void c_mutex(struct c_objects *o, unsigned int n);
void c_read(struct c_objects *o, unsigned int n);
void c_write(struct c_objects *o, unsigned int n);
void c_semaphore(struct c_objects *o, unsigned int n);
void c_waitgroup(struct c_objects *o, unsigned int n);
void c_once(struct c_objects *o, unsigned int n);
void c_add(struct c_objects *o, unsigned int n);
void c_value(struct c_objects *o, unsigned int n);
void c_map(struct c_objects *o, unsigned int n);

#ifdef __cplusplus
}
#endif

#endif /* GOSYNC_PAIRS_H */
