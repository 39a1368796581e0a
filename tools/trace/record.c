// SPDX-License-Identifier: GPL-2.0-only
/*
 * gosync trace: recording.
 *
 * The kernel writes the events to the ring buffers of a tracefs instance, one
 * for each processor. Only the events that begin a wait need stacks, but an
 * instance adds stacks to all of its events or to none. So those events have an
 * instance of their own.
 *
 * All buffers are read while they are written. Each buffer is in the order of
 * time. When every buffer was seen empty after some moment, or with a later
 * event, all events before that moment are here; they are sorted and passed on.
 * An event gets its time shortly before it can be read, so there is a delay.
 */
#include <errno.h>
#include <err.h>
#include <event-parse.h>
#include <fcntl.h>
#include <kbuffer.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <tracefs.h>
#include <unistd.h>

#include "gosync.h"
#include "record.h"

#define GRACE_NS	100000000ULL
#define PAUSE_NS	10000000L
#define PAGES_AT_ONCE	256
#define MAX_CALLERS	64
#define NO_FIELD	{ -1, 0 }

struct field {
	int offset, size;
};

/* The offsets of the fields in an event; not every event has every field. */
struct layout {
	struct field name, id, token, holder, type;
	struct field wants, owner, owner_pid, ret, how, wait_ns, count, tid;
};

struct pending {
	struct trace_event event;
	uint64_t number;	/* in the order in which they were read */
};

/* The buffer of a processor in one of the instances */
struct reader {
	int fd;
	bool begun;		/* the beginning of a wait; its stacks may follow */
	struct trace_event begin;
	unsigned int nr_kernel;
	uint64_t kernel[MAX_CALLERS];
};

static struct reader *readers;
static unsigned int nr_readers;

static struct tep_handle *tep;
static struct kbuffer *kbuf;
static struct layout layouts[TRACE_KINDS];
static unsigned short kinds[65536];	/* by the kernel's number: kind + 1 */
static int kernel_stack_id, user_stack_id;
static struct field common_pid, kernel_size, kernel_caller, user_tgid,
	user_caller;

static struct pending *queue;
static size_t queued, room;
static uint64_t nr_pages, nr_events, number;
static bool cmdlines_loaded;

static pid_t child;
static volatile sig_atomic_t stopped;

/* --- Buffers ------------------------------------------------------------- */

static void close_buffers(void)
{
	while (nr_readers)
		close(readers[--nr_readers].fd);
}

static void open_buffers(unsigned int nr_instances)
{
	long cpus = sysconf(_SC_NPROCESSORS_CONF), cpu;
	unsigned int i;
	int fd;

	readers = calloc(cpus * nr_instances, sizeof(*readers));
	kbuf = kbuffer_alloc(KBUFFER_LSIZE_SAME_AS_HOST,
			     KBUFFER_ENDIAN_SAME_AS_HOST);
	if (!readers || !kbuf)
		err(1, "gosync");
	atexit(close_buffers);
	for (i = 0; i < nr_instances; i++) {
		for (cpu = 0; cpu < cpus; cpu++) {
			fd = open_buffer(i, cpu);
			if (fd >= 0)
				readers[nr_readers++].fd = fd;
		}
	}
	if (!nr_readers)
		give_up("cannot read the buffers: %s", strerror(errno));
}

/* --- What the events look like ------------------------------------------- */

static struct field find(struct tep_event *event, const char *name)
{
	struct tep_format_field *field = tep_find_field(event, name);

	if (!field)
		return (struct field)NO_FIELD;
	return (struct field){ field->offset, field->size };
}

static void learn_event(enum trace_kind kind)
{
	struct layout *layout = &layouts[kind];
	struct tep_format_field *pid;
	struct tep_event *event;
	char name[64];

	snprintf(name, sizeof(name), "gosync_%s", trace_kinds[kind]);
	event = tep_find_event_by_name(tep, "gosync", name);
	if (!event)
		give_up("there is no event %s: the module and the command have different versions",
			name);
	kinds[event->id & 0xffff] = kind + 1;
	pid = tep_find_common_field(event, "common_pid");
	if (pid)
		common_pid = (struct field){ pid->offset, pid->size };
	*layout = (struct layout) {
		find(event, "name"), find(event, "id"), find(event, "token"),
		find(event, "holder"), find(event, "type"),
		find(event, "wants"), find(event, "owner"),
		find(event, "owner_pid"), find(event, "ret"),
		find(event, "how"), find(event, "wait_ns"),
		find(event, "count"), find(event, "tid"),
	};
	if (layout->name.offset < 0 || layout->id.offset < 0)
		give_up("event %s has no name or id: module and command have different versions",
			name);
}

static void learn_events(void)
{
	const char * const systems[] = { "gosync", "ftrace", NULL };
	struct tep_event *event;
	enum trace_kind kind;

	/* Ignore errors of the print formats, which are not used. */
	tep_set_loglevel(TEP_LOG_NONE);
	tep = tracefs_local_events_system(NULL, systems);
	if (!tep)
		give_up("cannot read the formats of the events: %s",
			strerror(errno));
	for (kind = 0; kind < TRACE_KINDS; kind++)
		learn_event(kind);
	event = tep_find_event_by_name(tep, "ftrace", "kernel_stack");
	if (event) {
		kernel_stack_id = event->id;
		kernel_size = find(event, "size");
		kernel_caller = find(event, "caller");
	}
	event = tep_find_event_by_name(tep, "ftrace", "user_stack");
	if (event) {
		user_stack_id = event->id;
		user_tgid = find(event, "tgid");
		user_caller = find(event, "caller");
	}
}

/* --- From the kernel's records to events --------------------------------- */

static uint64_t get(const char *data, struct field field)
{
	uint32_t word;
	uint64_t value;

	if (field.offset < 0)
		return 0;
	switch (field.size) {
	case 1:
		return (uint8_t)data[field.offset];
	case 4:
		memcpy(&word, data + field.offset, sizeof(word));
		return word;
	case 8:
		memcpy(&value, data + field.offset, sizeof(value));
		return value;
	}
	return 0;
}

/* The process ended before it was asked for; the kernel may know its name. */
static void name_the_dead(struct trace_task *task)
{
	const char *comm;

	if (!cmdlines_loaded)
		tracefs_load_cmdlines(NULL, tep);
	cmdlines_loaded = true;
	comm = tep_data_comm_from_pid(tep, task->tid);
	snprintf(task->comm, sizeof(task->comm), "%s",
		 comm && *comm != '<' ? comm : "?");
}

static struct trace_task *find_task(pid_t tid)
{
	struct trace_task *task;

	if (tid <= 0)
		return NULL;
	task = trace_task(tid, 0, NULL);
	if (!task->comm[0])
		name_the_dead(task);
	return task;
}

static void push(const struct trace_event *event)
{
	if (queued == room) {
		room = room ? 2 * room : 4096;
		queue = reallocarray(queue, room, sizeof(*queue));
		if (!queue)
			err(1, "gosync");
	}
	queue[queued++] = (struct pending){ *event, number++ };
}

static void push_begin(struct reader *reader)
{
	if (reader->begun)
		push(&reader->begin);
	reader->begun = false;
}

static bool wanted(const struct trace_object *object, char **names)
{
	if (!*names)
		return true;
	for (; *names; names++)
		if (strlen(*names) == object->name_len &&
		    !memcmp(*names, object->name, object->name_len))
			return true;
	return false;
}

static void decode(struct reader *reader, const struct record_options *options,
		   enum trace_kind kind, const char *data, uint64_t time)
{
	const struct layout *layout = &layouts[kind];
	struct trace_event event = { .kind = kind, .time = time };
	uint32_t where = get(data, layout->name);
	uint32_t len = where >> 16;

	/* The length of the name includes its final 0. */
	event.object = trace_object(get(data, layout->id),
				    get(data, layout->type),
				    data + (where & 0xffff), len ? len - 1 : 0);
	if (!wanted(event.object, options->names))
		return;
	event.task = find_task(get(data, common_pid));
	if (!event.task)
		return;
	nr_events++;
	event.token = get(data, layout->token);
	event.holder = get(data, layout->holder);
	event.owner = get(data, layout->owner);
	event.wants = get(data, layout->wants);
	event.how = get(data, layout->how);
	event.ret = get(data, layout->ret);
	event.count = get(data, kind == TRACE_ACQUIRED ? layout->wait_ns :
							layout->count);
	event.other = find_task(get(data, kind == TRACE_WAKE ?
					  layout->tid : layout->owner_pid));
	if (kind == TRACE_OPEN)
		trace_task_changed(event.task);
	if (kind == TRACE_CONTENTION_BEGIN && options->stacks) {
		reader->begin = event;
		reader->begun = true;
		reader->nr_kernel = 0;
	} else {
		push(&event);
	}
}

/* The largest number that fits into the record */
static unsigned int callers(const char *data, int len, struct field field,
			    unsigned int want, uint64_t *to)
{
	unsigned int n;

	if (field.offset < 0 || len < field.offset)
		return 0;
	n = (len - field.offset) / sizeof(unsigned long);
	if (n > want)
		n = want;
	if (n > MAX_CALLERS)
		n = MAX_CALLERS;
	memcpy(to, data + field.offset, n * sizeof(*to));
	return n;
}

static void take_stack(struct reader *reader, int id, const char *data, int len)
{
	uint64_t user[MAX_CALLERS];
	unsigned int n = 0;

	if (!reader->begun)
		return;
	if (id == kernel_stack_id) {
		reader->nr_kernel = callers(data, len, kernel_caller,
					    get(data, kernel_size),
					    reader->kernel);
		return;
	}
	n = callers(data, len, user_caller, MAX_CALLERS, user);
	/* The rest is zeros. */
	while (n && !user[n - 1])
		n--;
	reader->begin.stack = trace_stack(get(data, user_tgid), reader->kernel,
					  reader->nr_kernel, user, n);
	push_begin(reader);
}

static uint64_t take_page(struct reader *reader, void *page,
			  const struct record_options *options)
{
	unsigned long long time = 0;
	uint64_t last = 0;
	uint16_t id;
	char *data;

	kbuffer_load_subbuffer(kbuf, page);
	for (data = kbuffer_read_event(kbuf, &time); data;
	     data = kbuffer_next_event(kbuf, &time)) {
		last = time;
		memcpy(&id, data, sizeof(id));
		if (id && (id == kernel_stack_id || id == user_stack_id)) {
			take_stack(reader, id, data, kbuffer_event_size(kbuf));
			continue;
		}
		push_begin(reader);
		if (kinds[id])
			decode(reader, options, kinds[id] - 1, data, time);
	}
	return last;
}

/* Return: the moment before which all events of the buffer have been read */
static uint64_t drain(struct reader *reader,
		      const struct record_options *options)
{
	static char page[65536];
	uint64_t last = 0, moment;
	int i;

	for (i = 0; i < PAGES_AT_ONCE; i++) {
		moment = now_ns();
		if (read(reader->fd, page, getpagesize()) <= 0)
			return moment;
		nr_pages++;
		last = take_page(reader, page, options);
	}
	return last;
}

static int compare_pending(const void *a, const void *b)
{
	const struct pending *x = a, *y = b;

	if (x->event.time != y->event.time)
		return x->event.time < y->event.time ? -1 : 1;
	return x->number < y->number ? -1 : 1;
}

static void feed_until(uint64_t moment)
{
	size_t i;

	qsort(queue, queued, sizeof(*queue), compare_pending);
	for (i = 0; i < queued && queue[i].event.time < moment; i++)
		trace_feed(&queue[i].event);
	queued -= i;
	memmove(queue, queue + i, queued * sizeof(*queue));
}

/* Return: whether there may be more events now */
static bool read_all(const struct record_options *options)
{
	uint64_t moment = UINT64_MAX, seen, before = nr_pages;
	struct reader *reader;

	cmdlines_loaded = false;
	for (reader = readers; reader < readers + nr_readers; reader++) {
		seen = drain(reader, options);
		if (seen < moment)
			moment = seen;
	}
	moment = moment > GRACE_NS ? moment - GRACE_NS : 0;
	for (reader = readers; reader < readers + nr_readers; reader++)
		if (reader->begun && reader->begin.time < moment)
			push_begin(reader);
	feed_until(moment);
	return nr_pages != before;
}

/* --- From the beginning to the end --------------------------------------- */

static void on_signal(int signal)
{
	int saved = errno;

	stopped = 1;
	switch_recording(false);
	if (child && signal != SIGCHLD)
		kill(child, signal);
	errno = saved;
}

static void catch_signals(void)
{
	static const int signals[] = {
		SIGINT, SIGTERM, SIGHUP, SIGALRM, SIGCHLD,
	};
	struct sigaction action = {
		.sa_handler = on_signal,
		.sa_flags = SA_NOCLDSTOP,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &action, NULL);
	/* If the reader of the output leaves, the instances must still be removed. */
	signal(SIGPIPE, SIG_IGN);
}

/* The command waits until this process writes to the pipe. */
static int prepare_command(char **command)
{
	int pipes[2], err;
	char go;

	if (pipe2(pipes, O_CLOEXEC))
		give_up("pipe: %s", strerror(errno));
	child = fork();
	if (child < 0)
		give_up("fork: %s", strerror(errno));
	if (child) {
		close(pipes[0]);
		return pipes[1];
	}
	close(pipes[1]);
	if (read(pipes[0], &go, 1) != 1)
		_exit(1);
	execvp(command[0], command);
	err = errno;
	fprintf(stderr, "%s: %s: %s\n", program_invocation_name, command[0],
		strerror(err));
	_exit(err == ENOENT ? 127 : 126);
}

static int command_status(void)
{
	int status;

	if (!child)
		return 0;
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return 1;
	child = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) :
				   128 + WTERMSIG(status);
}

static void start(const struct record_options *options, int go)
{
	struct itimerval timer = {
		.it_value.tv_sec = options->seconds,
		.it_value.tv_usec = 1e6 * (options->seconds -
					   (time_t)options->seconds),
	};

	switch_recording(true);
	if (stopped)
		switch_recording(false);
	if (options->seconds)
		setitimer(ITIMER_REAL, &timer, NULL);
	if (go >= 0 && write(go, "", 1) != 1)
		give_up("cannot start the command: %s", strerror(errno));
}

static void show_progress(uint64_t begin)
{
	static uint64_t last;
	uint64_t moment = now_ns();

	if (moment - last < 200000000)
		return;
	last = moment;
	fprintf(stderr, "\rrecording: %.1f s, %llu events; Ctrl-C ends it ",
		(moment - begin) / 1e9, (unsigned long long)nr_events);
}

int record(const struct record_options *options, struct trace_summary *summary)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	unsigned int nr_instances;
	struct reader *reader;
	int go = -1;

	/* The command must not inherit the descriptors of this process. */
	if (options->command)
		go = prepare_command(options->command);
	if (options->output >= 0 && dup2(options->output, STDOUT_FILENO) < 0)
		give_up("dup2: %s", strerror(errno));
	catch_signals();
	nr_instances = create_instances(options);
	learn_events();
	open_buffers(nr_instances);
	if (options->stacks)
		trace_read_kernel_symbols();
	start(options, go);
	summary->begin = now_ns();

	while (!stopped && !ferror(stdout)) {
		read_all(options);
		fflush(stdout);
		if (options->progress)
			show_progress(summary->begin);
		if (!stopped)
			nanosleep(&pause, NULL);
	}
	switch_recording(false);
	summary->end = now_ns();
	while (read_all(options))
		;
	summary->lost = count_lost();
	summary->events = nr_events;
	for (reader = readers; reader < readers + nr_readers; reader++)
		push_begin(reader);
	close_buffers();
	remove_instances();
	feed_until(UINT64_MAX);
	if (options->progress)
		fputs("\r\033[K", stderr);
	return command_status();
}
