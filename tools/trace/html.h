/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gosync report: how things are written in a page, to standard output.
 *
 * Names and commands may be anything. They are only ever written by html(), as
 * text, in an element that keeps their direction of writing to itself.
 */
#ifndef GOSYNC_HTML_H
#define GOSYNC_HTML_H

#include "trace.h"

extern const char html_style[];

void html(const char *s, size_t len);
void html_name(const struct trace_object *object);
void html_process(const struct trace_task *task);

/* 1,234,567; 12.3 ms; good until three calls later */
const char *count(uint64_t n);
const char *duration(uint64_t ns);

/* With so many digits behind the point at most */
const char *duration_with(uint64_t ns, int digits);

/* What is behind a word of which there are so many */
const char *plural(uint64_t n);

/* A rectangle of a picture; its title follows, and its end. */
void rect(const char *class, double x, double y, double width, double height);

/* --- report_who.c -------------------------------------------------------- */

void who_add(const struct trace_wait *wait);
void show_who(void);
void show_where(void);

#endif /* GOSYNC_HTML_H */
