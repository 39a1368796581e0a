/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gosync trace: the functions of instance.c, which record.c calls.
 */
#ifndef GOSYNC_RECORD_H
#define GOSYNC_RECORD_H

#include "trace.h"

/* Print an error with advice, and end the program. */
void give_up(const char *format, ...)
	__attribute__((noreturn, format(printf, 1, 2)));

/**
 * create_instances() - create the tracefs instances, switched off
 * @options: what to record
 *
 * Ends the program, with advice, if that fails. The instances are removed when
 * the program ends.
 *
 * Return: how many there are.
 */
unsigned int create_instances(const struct record_options *options);

/* A signal handler may call it, also when there are no instances. */
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

/* Return: the number of events that did not fit into the buffers */
uint64_t count_lost(void);

void remove_instances(void);

#endif /* GOSYNC_RECORD_H */
