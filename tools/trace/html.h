/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gosync report: functions of html.c that write a page to standard output, and
 * the parts of the page that report_who.c writes for report.c.
 *
 * Names and commands may have any bytes. Only html() writes them: as text, in an
 * element that isolates their direction of writing.
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

/* The same with at most @digits digits after the point */
const char *duration_with(uint64_t ns, int digits);

/* The ending of a noun: "" for 1, "s" for other numbers */
const char *plural(uint64_t n);

/* Begin a rectangle of a picture; the caller writes its title and its end. */
void rect(const char *class, double x, double y, double width, double height);

/* --- report_who.c -------------------------------------------------------- */

void who_add(const struct trace_wait *wait);
void show_who(void);
void show_where(void);

#endif /* GOSYNC_HTML_H */
