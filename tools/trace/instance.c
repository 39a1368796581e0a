// SPDX-License-Identifier: GPL-2.0-only
/*
 * gosync trace: tracefs instances for this recording. They disturb no other
 * tracing, and are removed at the end.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <tracefs.h>
#include <unistd.h>

#include "gosync.h"
#include "record.h"

static struct tracefs_instance *instances[2];	/* events; waits with stacks */
static int switches[2] = { -1, -1 };		/* their tracing_on */
static unsigned int nr_instances;

void remove_instances(void)
{
	unsigned int i;

	for (i = 0; i < nr_instances; i++) {
		if (switches[i] >= 0)
			close(switches[i]);
		tracefs_instance_destroy(instances[i]);
		tracefs_instance_free(instances[i]);
	}
	nr_instances = 0;
}

void give_up(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", program_invocation_name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

/* Remove instances of killed recorders; a living one has its files open. */
static void remove_old_instances(void)
{
	char **names = tracefs_instances("^gosync-[0-9]"), **name;
	struct tracefs_instance *old;
	int pid;

	for (name = names; name && *name; name++) {
		if (sscanf(*name, "gosync-%d", &pid) != 1 || !kill(pid, 0) ||
		    errno != ESRCH)
			continue;
		old = tracefs_instance_create(*name);
		if (!old)
			continue;
		tracefs_instance_destroy(old);
		tracefs_instance_free(old);
	}
	tracefs_list_free(names);
}

static void must_write(struct tracefs_instance *instance, const char *file,
		       const char *text)
{
	if (tracefs_instance_file_write(instance, file, text) < 0)
		give_up("%s: cannot write '%s': %s", file, text,
			strerror(errno));
}

static void create_instance(const char *suffix, size_t buffer_kib)
{
	struct tracefs_instance *instance;
	char name[64], size[32];

	snprintf(name, sizeof(name), "gosync-%d%s", getpid(), suffix);
	instance = tracefs_instance_create(name);
	if (!instance)
		give_up("cannot create %s/instances/%s: %s",
			tracefs_tracing_dir(), name, strerror(errno));
	instances[nr_instances++] = instance;
	tracefs_trace_off(instance);
	must_write(instance, "trace_clock", "mono");
	snprintf(size, sizeof(size), "%zu", buffer_kib);
	if (tracefs_instance_file_write(instance, "buffer_size_kb", size) < 0)
		give_up("there is no memory for %zu KiB per processor; use a smaller --buffer-size",
			buffer_kib);
	switches[nr_instances - 1] = tracefs_trace_on_get_fd(instance);
}

/* Names that a kernel filter cannot contain are left to wanted(). */
static bool can_be_filtered(const char *name)
{
	return *name && !name[strcspn(name, "\"\\*?[]")];
}

static void filter_names(struct tracefs_instance *instance, char **names)
{
	char *filter = NULL, **name;
	size_t size;
	FILE *f;

	for (name = names; *name; name++)
		if (!can_be_filtered(*name))
			return;
	f = open_memstream(&filter, &size);
	if (!f)
		err(1, "gosync");
	for (name = names; *name; name++)
		fprintf(f, "%sname == \"%s\"", name > names ? " || " : "",
			*name);
	fclose(f);
	/* With too many names, all objects are recorded. */
	if (*names)
		tracefs_instance_file_write(instance, "events/gosync/filter",
					    filter);
	free(filter);
}

static void enable(struct tracefs_instance *instance, const char *event)
{
	if (tracefs_event_enable(instance, "gosync", event))
		give_up("cannot enable the events of gosync: %s",
			strerror(errno));
}

static void check_access(void)
{
	const char *dir = tracefs_tracing_dir();

	if (!dir)
		give_up("there is no tracefs; as root: mount -t tracefs none /sys/kernel/tracing");
	if (access(dir, R_OK | X_OK) ||
	    !tracefs_dir_exists(NULL, "instances"))
		give_up("%s: %s; only root can record", dir, strerror(errno));
	if (!tracefs_dir_exists(NULL, "events/gosync"))
		give_up("%s", gosync_strerror(0, -ENXIO));
}

unsigned int create_instances(const struct record_options *options)
{
	check_access();
	remove_old_instances();
	atexit(remove_instances);
	create_instance("", options->buffer_kib);
	filter_names(instances[0], options->names);
	enable(instances[0], NULL);
	if (!options->stacks)
		return nr_instances;
	create_instance("-waits", options->buffer_kib);
	filter_names(instances[1], options->names);
	must_write(instances[1], "options/stacktrace", "1");
	must_write(instances[1], "options/userstacktrace", "1");
	tracefs_event_disable(instances[0], "gosync",
			      "gosync_contention_begin");
	enable(instances[1], "gosync_contention_begin");
	return nr_instances;
}

void switch_recording(bool on)
{
	unsigned int i;

	for (i = 0; i < nr_instances; i++) {
		if (on)
			tracefs_trace_on_fd(switches[i]);
		else
			tracefs_trace_off_fd(switches[i]);
	}
}

int open_buffer(unsigned int instance, long cpu)
{
	char path[64];

	snprintf(path, sizeof(path), "per_cpu/cpu%ld/trace_pipe_raw", cpu);
	return tracefs_instance_file_open(instances[instance], path,
					  O_RDONLY | O_NONBLOCK);
}

static uint64_t lost_in(struct tracefs_instance *instance, long cpu)
{
	static const char * const counts[] = {
		"\noverrun: ", "\ncommit overrun: ", "\ndropped events: ",
	};
	char path[64], *text;
	uint64_t lost = 0;
	const char *at;
	size_t i;

	snprintf(path, sizeof(path), "per_cpu/cpu%ld/stats", cpu);
	text = tracefs_instance_file_read(instance, path, NULL);
	for (i = 0; text && i < ARRAY_SIZE(counts); i++) {
		at = strstr(text, counts[i]);
		if (at)
			lost += strtoull(at + strlen(counts[i]), NULL, 10);
	}
	free(text);
	return lost;
}

uint64_t count_lost(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_CONF), cpu;
	uint64_t lost = 0;
	unsigned int i;

	for (i = 0; i < nr_instances; i++)
		for (cpu = 0; cpu < cpus; cpu++)
			lost += lost_in(instances[i], cpu);
	return lost;
}
