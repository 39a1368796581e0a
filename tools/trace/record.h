/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gosync trace: what instance.c does for record.c.
 */
#ifndef GOSYNC_RECORD_H
#define GOSYNC_RECORD_H

#include "trace.h"

/* Say what is wrong and what to do, and end. */
void give_up(const char *format, ...)
	__attribute__((noreturn, format(printf, 1, 2)));

/**
 * create_instances() - have a place to record to; it is not yet switched on
 * @options: what to record
 *
 * Ends the program, with advice, if that cannot be had. The instances are
 * removed when it ends, too.
 *
 * Return: how many there are.
 */
unsigned int create_instances(const struct record_options *options);

/* May be called by a signal's handler, and when there are none. */
void switch_recording(bool on);

/**
 * open_buffer() - open the events of a processor
 * @instance: which of the instances
 * @cpu: the processor
 *
 * Return: a descriptor, which has to be closed before the instances are
 * removed; -1 if there is no such processor.
 */
int open_buffer(unsigned int instance, long cpu);

/* How many events did not fit */
uint64_t count_lost(void);

void remove_instances(void);

#endif /* GOSYNC_RECORD_H */
