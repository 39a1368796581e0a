// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tracepoints of waiting, which have to tell the same story as the statistics
 * that an object keeps.
 */
#include <sys/mount.h>
#include <sys/stat.h>
#include "gosync_test_trace.h"
#include "kinds.h"

/* --- tracepoints ---------------------------------------------------------- */

struct event {
	const char *what;	/* without gosync_; the lock's: contention_... */
	const char *fields;	/* as printed */
	pid_t tid;
	bool is_lock;		/* the kernel's own */
};

FIXTURE(traced)
{
	char *dir;		/* of the tracing instance */
	char *name;		/* of the object */
	const char *type;	/* and what it is called */
	uint64_t id;
	uint64_t token;		/* before the first acquisition */
	gosync_mutex_t *mutex;
};

MAPPED_AND_IOCTL_VARIANTS(traced);

static int set(FIXTURE_DATA(traced) *self, const char *file, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", self->dir, file);
	return write_file(path, text);
}

/* All that this process and its children do is recorded from here on. */
FIXTURE_SETUP(traced)
{
	char pid[16];

	self->name = unique_name();
	if (asprintf(&self->dir, TRACING "/instances/gosync-%s", self->name) < 0)
		abort();
	if (access(TRACING "/instances", F_OK))
		mount("tracefs", TRACING, "tracefs", 0, NULL);
	if (mkdir(self->dir, 0700))
		SKIP(return, "no tracing");
	snprintf(pid, sizeof(pid), "%d", getpid());
	ASSERT_EQ(0, set(self, "buffer_size_kb", "1024"));
	ASSERT_EQ(0, set(self, "options/event-fork", "1"));
	ASSERT_EQ(0, set(self, "set_event_pid", pid));
	ASSERT_EQ(0, set(self, "events/gosync/enable", "1"));
}

FIXTURE_TEARDOWN(traced)
{
	rmdir(self->dir);
}

static char *read_all(FIXTURE_DATA(traced) *self, const char *file)
{
	size_t size = 0, room = 1 << 16;
	char *text = malloc(room), path[256];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", self->dir, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	while (text && (n = read(fd, text + size, room - size - 1)) > 0) {
		size += n;
		if (size == room - 1)
			text = realloc(text, room *= 2);
	}
	close(fd);
	if (!text)
		abort();
	text[size] = 0;
	return text;
}

/* "   comm-123   [001] d..2.  12.345: event: fields"; false: something else */
static bool parse(char *line, struct event *event)
{
	char *cpu = strstr(line, " ["), *at;

	if (!cpu || *line == '#')
		return false;
	for (at = cpu; at > line && at[-1] != '-'; at--)
		;
	event->tid = atoi(at);
	at = strstr(cpu, ": ");
	if (!at)
		return false;
	event->what = at + 2;
	at = strstr(event->what, ": ");
	if (!at)
		return false;
	*at = 0;
	event->fields = at + 2;
	event->is_lock = strncmp(event->what, "gosync_", 7);
	if (!event->is_lock)
		event->what += 7;
	return true;
}

/* What was recorded, ended by one that has no name */
static struct event *recorded(FIXTURE_DATA(traced) *self)
{
	char *text = read_all(self, "trace"), *line, *rest = text;
	struct event *events;
	size_t n = 1;

	for (line = text; *line; line++)
		n += *line == '\n';
	events = calloc(n + 1, sizeof(*events));
	for (n = 0; (line = strsep(&rest, "\n"));)
		n += parse(line, &events[n]);
	events[n].what = NULL;
	return events;
}

static const char *field(const struct event *event, const char *name)
{
	size_t len = strlen(name);
	const char *at = event->fields;

	for (; at; at = strchr(at, ' ')) {
		at += *at == ' ';
		if (!strncmp(at, name, len) && at[len] == '=')
			return at + len + 1;
	}
	return "";
}

static bool is_word(const char *at, const char *word, size_t len)
{
	return !strncmp(at, word, len) && (at[len] == ' ' || !at[len]);
}

static bool has_word(const char *text, const char *word, size_t len)
{
	const char *at = text;

	for (; at; at = strchr(at, ' ')) {
		at += *at == ' ';
		if (is_word(at, word, len))
			return true;
	}
	return false;
}

static bool has_words(const char *text, const char *words)
{
	while (*words) {
		size_t len = strcspn(words, " ");

		if (len && !has_word(text, words, len))
			return false;
		words += len + !!words[len];
	}
	return true;
}

/* Is this of the object, and of what was meant? */
static bool is_ours(FIXTURE_DATA(traced) *self, const struct event *event,
		    const char *what)
{
	char words[384];

	snprintf(words, sizeof(words), "name=%s id=%llu type=%s", self->name,
		 (unsigned long long)self->id, self->type);
	return !event->is_lock && !strcmp(event->what, what) &&
	       has_words(event->fields, words);
}

/* How often the object raised @what, with these fields */
static unsigned int seen(FIXTURE_DATA(traced) *self, const char *what,
			 const char *format, ...)
{
	struct event *events = recorded(self), *event;
	unsigned int n = 0;
	char words[256];
	va_list args;

	va_start(args, format);
	vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	for (event = events; event->what; event++)
		n += is_ours(self, event, what) &&
		     has_words(event->fields, words);
	return n;
}

/* It was raised once, and with these fields. */
#define EXPECT_ONCE(what, ...)						\
do {									\
	EXPECT_EQ(1, seen(self, what, ""));				\
	EXPECT_EQ(1, seen(self, what, __VA_ARGS__)) {			\
		char *__text = read_all(self, "trace");			\
									\
		TH_LOG("wanted " what ": " __VA_ARGS__);		\
		TH_LOG("%.8000s", __text);				\
	}								\
} while (0)

/* The object that is meant from here on */
static void trace_object(FIXTURE_DATA(traced) *self, const void *object,
			 const char *type)
{
	self->id = info(object).id;
	self->token = info(object).token;
	self->type = type;
}

#define MAKE_MUTEX()							\
do {									\
	self->mutex = NEW_NAMED(gosync_mutex, self->name, variant->how); \
	trace_object(self, self->mutex, "mutex");			\
} while (0)

TEST_F(traced, objects_come_and_go)
{
	int fd, again;

	fd = open_object(GOSYNC_SEMAPHORE, self->name,
			 GOSYNC_CREATE | GOSYNC_PERSIST, 0600);
	ASSERT_LE(0, fd);
	self->id = info_of(fd).id;
	self->type = "semaphore";
	EXPECT_ONCE("create", "holder=0 token=0");
	EXPECT_ONCE("open", "holder=%u token=0", info_of(fd).holder);
	again = reopen_object(fd, 0);
	EXPECT_EQ(2, seen(self, "open", ""));
	EXPECT_EQ(1, seen(self, "open", "holder=%u", info_of(again).holder));
	close(again);
	close(fd);
	EXPECT_EQ(0, seen(self, "unlink", "") + seen(self, "destroy", ""));
	ASSERT_EQ(0, gosync_unlink(self->name));
	EXPECT_ONCE("unlink", "holder=0");
	EXPECT_TRUE(eventually(seen(self, "destroy", "") == 1));
	EXPECT_ONCE("destroy", "holder=0");
	EXPECT_ONCE("create", "");
}

/* The token of the Nth acquisition */
#define T(n)	((unsigned long long)self->token + (n))

TEST_F(traced, a_wait_from_beginning_to_end)
{
	unsigned int me, waiter;
	pid_t pid;

	MAKE_MUTEX();
	me = info(self->mutex).holder;
	ASSERT_EQ(0, gosync_mutex_lock(self->mutex));
	pid = WAITER(self->mutex, lock_once(self->mutex));
	waiter = waiter_of(self->mutex, pid).holder;
	EXPECT_TRUE(eventually(seen(self, "contention_begin", "")));
	EXPECT_ONCE("contention_begin",
		    "holder=%u token=%llu wants=it owner=%u owner_pid=%d",
		    waiter, T(1), me, getpid());
	EXPECT_EQ(0, seen(self, "acquired", "") + seen(self, "wake", "") +
		     seen(self, "contention_end", ""));
	ASSERT_EQ(0, gosync_mutex_unlock(self->mutex));
	EXPECT_EQ(0, reap_soon(pid));
	EXPECT_ONCE("wake", "holder=%u how=woken tid=%d", waiter, pid);
	EXPECT_ONCE("acquired", "holder=%u token=%llu how=woken wait_ns=%llu",
		    waiter, T(2),
		    (unsigned long long)stat_of(self->mutex).wait_ns);
	EXPECT_ONCE("contention_end", "holder=%u token=%llu ret=0", waiter, T(2));
	EXPECT_ONCE("contention_begin", "");
	EXPECT_EQ(0, seen(self, "starvation_begin", ""));
}

TEST_F(traced, starvation_and_what_is_handed_over)
{
	unsigned int waiter;
	pid_t pid;

	if (rule_one_cpu())
		SKIP(return, "cannot have a processor");
	MAKE_MUTEX();
	pid = starve(self->mutex);
	ASSERT_LT(0, pid);
	waiter = waiter_of(self->mutex, pid).holder;
	EXPECT_ONCE("starvation_begin", "holder=0 token=%llu", T(2));
	EXPECT_EQ(0, seen(self, "starvation_end", ""));
	EXPECT_ONCE("wake", "holder=%u how=woken tid=%d", waiter, pid);
	ASSERT_EQ(0, gosync_mutex_unlock(self->mutex));
	EXPECT_EQ(0, reap_soon(pid));
	EXPECT_ONCE("starvation_begin", "");
	EXPECT_ONCE("starvation_end", "holder=0");
	EXPECT_EQ(2, seen(self, "wake", ""));
	EXPECT_EQ(1, seen(self, "wake", "holder=%u how=handed-over tid=%d",
			  waiter, pid));
	EXPECT_ONCE("acquired",
		    "holder=%u token=%llu how=handed-over wait_ns=%llu", waiter, T(3),
		    (unsigned long long)stat_of(self->mutex).wait_ns);
	/* One wait, though it was woken in between */
	EXPECT_ONCE("contention_begin", "");
	EXPECT_ONCE("contention_end", "ret=0");
}

TEST_F(traced, who_barges)
{
	pid_t pids[2];
	int fd, i;

	if (rule_one_cpu())
		SKIP(return, "cannot have a processor");
	MAKE_MUTEX();
	fd = gosync_fd(self->mutex);
	ASSERT_EQ(0, lock_fd(fd));
	for (i = 0; i < 2; i++)
		pids[i] = WAITER(self->mutex, lock_once(self->mutex));
	ASSERT_EQ(0, unlock_fd(fd));
	ASSERT_EQ(0, lock_fd(fd));
	EXPECT_ONCE("acquired", "holder=%u token=%llu how=barged wait_ns=0",
		    info_of(fd).holder, T(2));
	ASSERT_EQ(0, unlock_fd(fd));
	EXPECT_EQ(0, reap_all(pids, 2));
	/* That was no wait. */
	EXPECT_EQ(2, stat_of(self->mutex).acquired);
	EXPECT_EQ(3, seen(self, "acquired", ""));
}

TEST_F(traced, who_gives_up)
{
	pid_t pid;

	MAKE_MUTEX();
	ASSERT_EQ(0, gosync_mutex_lock(self->mutex));
	EXPECT_EQ(-ETIMEDOUT, gosync_mutex_lock_until(self->mutex, 1, 0));
	EXPECT_ONCE("contention_end", "holder=%u ret=%d",
		    info(self->mutex).holder, -ETIMEDOUT);
	pid = WAITER(self->mutex, lock_once(self->mutex));
	kill_and_reap(pid);
	EXPECT_EQ(1, seen(self, "contention_end", "ret=-512"));
	EXPECT_EQ(2, seen(self, "contention_end", ""));
	EXPECT_EQ(2, seen(self, "contention_begin", ""));
	EXPECT_EQ(0, seen(self, "acquired", ""));
}

TEST_F(traced, owners_that_die_and_recovery)
{
	unsigned int *holder = shared_memory(sizeof(*holder));

	MAKE_MUTEX();
	reap(CHILD(({
		*holder = info(self->mutex).holder;
		die_with(gosync_mutex_lock(self->mutex));
	})));
	EXPECT_ONCE("owner_died", "holder=%u token=%llu", *holder, T(1));
	ASSERT_EQ(1, gosync_mutex_lock(self->mutex));
	EXPECT_EQ(0, seen(self, "recovered", ""));
	ASSERT_EQ(0, gosync_mutex_recover(self->mutex));
	EXPECT_ONCE("recovered", "holder=%u token=%llu", info(self->mutex).holder, T(2));
	ASSERT_EQ(0, gosync_mutex_unlock(self->mutex));
	EXPECT_ONCE("owner_died", "");
}

TEST_F(traced, an_rwmutex)
{
	unsigned int drains, reads, me;
	gosync_rwmutex_t *rwmutex;
	pid_t pids[2];

	rwmutex = NEW_NAMED(gosync_rwmutex, self->name, variant->how);
	trace_object(self, rwmutex, "rwmutex");
	me = info(rwmutex).holder;
	ASSERT_EQ(0, gosync_rwmutex_rlock(rwmutex));
	pids[0] = WAITER(rwmutex, write_once(rwmutex));
	drains = waiter_of(rwmutex, pids[0]).holder;
	pids[1] = WAITER(rwmutex, read_once(rwmutex));
	reads = waiter_of(rwmutex, pids[1]).holder;
	EXPECT_TRUE(eventually(seen(self, "contention_begin", "") == 2));
	EXPECT_ONCE("rwmutex_drain", "holder=%u token=%llu", drains, T(1));
	EXPECT_EQ(1, seen(self, "contention_begin",
			  "holder=%u wants=drain owner=%u owner_pid=%d",
			  drains, drains, pids[0]));
	EXPECT_EQ(1, seen(self, "contention_begin",
			  "holder=%u wants=read owner=%u owner_pid=%d", reads,
			  drains, pids[0]));
	ASSERT_EQ(0, gosync_rwmutex_runlock(rwmutex));
	EXPECT_EQ(0, reap_soon(pids[0]));
	EXPECT_EQ(0, reap_soon(pids[1]));
	EXPECT_EQ(1, seen(self, "wake", "holder=%u how=handed-over tid=%d",
			  drains, pids[0]));
	EXPECT_EQ(1, seen(self, "wake", "holder=%u how=handed-over tid=%d",
			  reads, pids[1]));
	EXPECT_EQ(1, seen(self, "acquired", "holder=%u how=handed-over",
			  drains));
	EXPECT_EQ(1, seen(self, "acquired", "holder=%u how=handed-over",
			  reads));
	ASSERT_EQ(0, gosync_rwmutex_lock(rwmutex));
	pids[0] = CHILD(write_once(rwmutex));
	EXPECT_TRUE(eventually(seen(self, "contention_begin",
				    "wants=it owner=%u owner_pid=%d", me,
				    getpid())));
	ASSERT_EQ(0, gosync_rwmutex_unlock(rwmutex));
	EXPECT_EQ(0, reap_soon(pids[0]));
	EXPECT_EQ(3, seen(self, "contention_end", "ret=0"));
}

TEST_F(traced, a_cond)
{
	gosync_cond_t *cond;
	unsigned int me;
	pid_t pids[3];
	int i;

	self->mutex = NEW(gosync_mutex, variant->how);
	cond = NEW_NAMED(gosync_cond, self->name, variant->how);
	trace_object(self, cond, "cond");
	me = info(cond).holder;
	for (i = 0; i < 3; i++) {
		pids[i] = WAITER(cond, wait_for_signal(cond, self->mutex));
		EXPECT_TRUE(eventually(seen(self, "cond_wait", "holder=%u",
					    waiter_of(cond, pids[i]).holder)));
	}
	EXPECT_EQ(3, seen(self, "cond_wait", ""));
	ASSERT_LE(0, gosync_cond_signal(cond));
	EXPECT_ONCE("cond_signal", "holder=%u count=1", me);
	EXPECT_EQ(0, reap_soon(pids[0]));
	EXPECT_ONCE("wake", "how=handed-over tid=%d", pids[0]);
	ASSERT_LE(0, gosync_cond_broadcast(cond));
	EXPECT_EQ(1, seen(self, "cond_signal", "holder=%u count=2", me));
	EXPECT_EQ(0, reap_soon(pids[1]));
	EXPECT_EQ(0, reap_soon(pids[2]));
	EXPECT_EQ(3, seen(self, "acquired", "how=handed-over"));
	EXPECT_EQ(3, seen(self, "contention_end", "ret=0"));
}

static void take_long(int sig)
{
	sleep_ns(100 * NSEC_PER_MSEC);
}

/* Whatever becomes of it, a wait that begins has an end. */
TEST_F(traced, waits_for_a_cond_that_a_signal_interrupts)
{
	gosync_cond_t *cond;
	pid_t pid;

	self->mutex = NEW(gosync_mutex, variant->how);
	cond = NEW_NAMED(gosync_cond, self->name, variant->how);
	trace_object(self, cond, "cond");
	pid = WAITER(cond, wait_for_signal(cond, self->mutex));
	kill_and_reap(pid);
	EXPECT_EQ(1, stat_of(cond).gave_up);
	EXPECT_ONCE("contention_begin", "");
	EXPECT_ONCE("contention_end", "ret=-512");

	pid = WAITER(cond, ({
		handle(take_long, SA_RESTART);
		wait_for_signal(cond, self->mutex);
	}));
	kill(pid, SIGUSR1);
	EXPECT_TRUE(eventually(!waiter_of(cond, pid).tid));
	/* Signalled in its handler most likely, or when it was back */
	ASSERT_LE(0, gosync_cond_signal(cond));
	EXPECT_EQ(0, reap_soon(pid));
	EXPECT_EQ(1, stat_of(cond).acquired);
	EXPECT_ONCE("acquired", "how=handed-over wait_ns=%llu",
		    (unsigned long long)stat_of(cond).wait_ns);
	EXPECT_EQ(1, seen(self, "contention_end", "ret=0"));

	/* It never comes back. */
	pid = WAITER(cond, ({
		handle(pause_here, SA_RESTART);
		wait_for_signal(cond, self->mutex);
	}));
	kill(pid, SIGUSR1);
	EXPECT_TRUE(eventually(!waiter_of(cond, pid).tid));
	kill_and_reap(pid);
	EXPECT_EQ(2, stat_of(cond).gave_up);
	EXPECT_EQ(2, seen(self, "contention_end", "ret=-512"));
	EXPECT_EQ(3, seen(self, "contention_end", ""));
}

TEST_F(traced, a_waitgroup)
{
	gosync_waitgroup_t *wg;
	pid_t pids[2];
	int i;

	wg = NEW_NAMED(gosync_waitgroup, self->name, variant->how);
	trace_object(self, wg, "waitgroup");
	ASSERT_EQ(0, gosync_waitgroup_add(wg, 1));
	for (i = 0; i < 2; i++)
		pids[i] = WAITER(wg, gosync_waitgroup_wait(wg));
	ASSERT_EQ(0, gosync_waitgroup_done(wg));
	EXPECT_EQ(0, reap_all(pids, 2));
	EXPECT_ONCE("waitgroup_zero", "holder=%u token=0 count=2",
		    info(wg).holder);
	EXPECT_EQ(2, seen(self, "acquired", "how=handed-over"));
}

TEST_F(traced, a_once)
{
	unsigned int *holder = shared_memory(sizeof(*holder));
	gosync_once_t *once = NEW_NAMED(gosync_once, self->name, variant->how);
	unsigned int me;
	pid_t pid;

	trace_object(self, once, "once");
	me = info(once).holder;
	pid = CHILD(({
		*holder = info(once).holder;
		gosync_once_begin(once);
		pause();
	}));
	ASSERT_TRUE(eventually(info(once).owner));
	EXPECT_ONCE("once_begin", "holder=%u", *holder);
	kill_and_reap(pid);
	EXPECT_ONCE("once_abandoned", "holder=%u", *holder);
	ASSERT_EQ(GOSYNC_ONCE_RUN_AGAIN, gosync_once_begin(once));
	EXPECT_EQ(1, seen(self, "once_begin", "holder=%u", me));
	EXPECT_EQ(0, seen(self, "once_done", ""));
	pid = CHILD(gosync_once_begin(once));
	EXPECT_TRUE(eventually(seen(self, "contention_begin",
				    "owner=%u owner_pid=%d", me, getpid())));
	ASSERT_EQ(0, gosync_once_done(once));
	EXPECT_EQ(0, reap_soon(pid));
	EXPECT_ONCE("once_done", "holder=%u", me);
	EXPECT_EQ(2, seen(self, "once_begin", ""));
	EXPECT_ONCE("once_abandoned", "");
}

TEST_F(traced, permits)
{
	gosync_semaphore_t *semaphore;
	unsigned int waiter;
	pid_t pid;

	semaphore = NEW_NAMED(gosync_semaphore, self->name, variant->how, 1);
	trace_object(self, semaphore, "semaphore");
	ASSERT_EQ(0, gosync_semaphore_acquire(semaphore, 1));
	pid = WAITER(semaphore, acquire_once(semaphore, 1));
	waiter = waiter_of(semaphore, pid).holder;
	EXPECT_TRUE(eventually(seen(self, "contention_begin", "")));
	EXPECT_ONCE("contention_begin",
		    "holder=%u token=0 wants=it owner=0 owner_pid=0", waiter);
	ASSERT_EQ(0, gosync_semaphore_release(semaphore, 1));
	EXPECT_EQ(0, reap_soon(pid));
	EXPECT_ONCE("wake", "holder=%u how=handed-over tid=%d", waiter, pid);
	EXPECT_ONCE("acquired", "holder=%u how=handed-over wait_ns=%llu",
		    waiter, (unsigned long long)stat_of(semaphore).wait_ns);
	EXPECT_ONCE("contention_end", "ret=0");
}

TEST_F(traced, words)
{
	gosync_int32_t *word;
	int32_t now;
	pid_t pid;

	word = NEW_NAMED(gosync_int32, self->name, variant->how, 1);
	trace_object(self, word, "int32");
	pid = WAITER(word,
		     gosync_int32_wait(word, 0, 0, GOSYNC_FOREVER, 0, &now));
	EXPECT_TRUE(eventually(seen(self, "contention_begin", "")));
	ASSERT_EQ(0, gosync_int32_store(word, 0, 1));
	ASSERT_LE(0, gosync_int32_wake(word, 0, 1));
	EXPECT_EQ(0, reap_soon(pid));
	EXPECT_ONCE("wake", "tid=%d", pid);
	EXPECT_ONCE("acquired", "wait_ns=%llu",
		    (unsigned long long)stat_of(word).wait_ns);
	EXPECT_ONCE("contention_end", "ret=0");
}

TEST_F(traced, values_and_maps)
{
	const struct gosync_map_limits limits = {};
	char *name = self->name;
	gosync_value_t *value = NEW_NAMED(gosync_value, name, variant->how, 0);
	gosync_map_t *map;
	uint32_t key;
	int v = 1;

	trace_object(self, value, "value");
	ASSERT_EQ(0, gosync_value_store(value, 1, &v, sizeof(v)));
	EXPECT_ONCE("value_store", "holder=%u", info(value).holder);
	ASSERT_EQ(1, gosync_value_cas(value, 1, &v, sizeof(v), 1, &v,
				      sizeof(v)));
	EXPECT_EQ(2, seen(self, "value_store", ""));
	ASSERT_EQ(-EPROTOTYPE, gosync_value_store(value, 2, &v, sizeof(v)));
	EXPECT_EQ(2, seen(self, "value_store", ""));

	self->name = unique_name();
	map = NEW_NAMED(gosync_map, self->name, variant->how, &limits);
	trace_object(self, map, "map");
	for (key = 0; key < 16; key++)
		ASSERT_EQ(0, gosync_map_store(map, &key, sizeof(key), &v,
					      sizeof(v)));
	EXPECT_EQ(0, seen(self, "map_grow", ""));
	for (; key < GOSYNC_MAP_SMALL; key++)
		ASSERT_EQ(0, gosync_map_store(map, &key, sizeof(key), &v,
					      sizeof(v)));
	EXPECT_LE(1, seen(self, "map_grow", ""));
	EXPECT_EQ(0, seen(self, "map_grow", "count=0"));
}

/*
 * What the kernel's own lock event says of the object's last wait, between
 * "flags=" and ")"; NULL: nothing. It comes just before ours, and so does the
 * one that ends it.
 */
static const char *lock_flags(FIXTURE_DATA(traced) *self, bool *ends)
{
	struct event *events = recorded(self), *event;
	struct event *before = NULL, *begin = NULL;
	const char *flags = NULL;

	*ends = false;
	for (event = events; event->what; event++) {
		if (is_ours(self, event, "contention_begin")) {
			begin = event;
			for (before = event - 1; before >= events &&
			     before->tid != event->tid; before--)
				;
			if (before < events || !before->is_lock ||
			    strcmp(before->what, "contention_begin"))
				before = NULL;
		}
		if (before && event->is_lock && event->tid == before->tid &&
		    !strcmp(event->what, "contention_end")) {
			*ends |= has_word(event->fields, before->fields,
					  strcspn(before->fields, " "));
		}
	}
	if (!begin || !before)
		return NULL;
	flags = strstr(before->fields, "flags=");
	return flags ? strndup(flags + 6, strcspn(flags + 6, ")")) : NULL;
}

TEST_F(traced, the_kernels_own_lock_events)
{
	static const struct {
		enum kind kind;
		const char *flags;
	} rows[] = {
		{ MUTEX, "MUTEX" }, { READ, "READ" }, { WRITE, "WRITE" },
		{ DRAIN, "WRITE" }, { PERMITS, "" }, { COND, NULL },
		{ WAITGROUP, NULL }, { BEGIN, NULL }, { WORD, NULL },
	};
	unsigned int i;

	/* It raises them for each of its own mutexes, so for who reads them, too. */
	if (!access("/sys/kernel/debug/kmemleak", F_OK))
		SKIP(return, "the debug kernel's lock events have no end");
	if (set(self, "events/lock/contention_begin/enable", "1") ||
	    set(self, "events/lock/contention_end/enable", "1"))
		SKIP(return, "no lock events");
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		const uint32_t type = kinds[rows[i].kind].type;
		void *beside = new_beside(rows[i].kind, variant->how), *mine;
		const char *flags;
		struct thing thing;
		bool ends;
		pid_t pid;

		self->name = unique_name();
		thing = thing_of(open_object(type, self->name, GOSYNC_CREATE,
					     0600), rows[i].kind, variant->how);
		ASSERT_EQ(0, make_handle(thing.kind, thing.fd, variant->how,
					 &mine));
		ASSERT_EQ(0, keep(&thing));
		trace_object(self, mine, gosync_type_name(type));
		pid = WAITER(mine, ({
			if (thing.kind == COND)
				gosync_mutex_lock(beside);
			wait_by_library(&thing, mine, beside, GOSYNC_FOREVER, 0);
		}));
		ASSERT_TRUE(eventually(seen(self, "contention_begin", "holder=%u",
					    waiter_of(mine, pid).holder)));
		ASSERT_EQ(0, let_go(&thing));
		EXPECT_EQ(0, reap_soon(pid));
		flags = lock_flags(self, &ends);
		EXPECT_EQ(!!rows[i].flags, !!flags);
		if (rows[i].flags && flags) {
			EXPECT_STREQ(rows[i].flags, flags);
			EXPECT_TRUE(ends);
		}
	}
}

#define PROCESSES	4
#define ROUNDS		60

struct objects {
	gosync_mutex_t *mutex;
	gosync_rwmutex_t *rwmutex;
	gosync_semaphore_t *semaphore;
};

/* A while that is long enough for others to come, or not */
static void dwell(uint64_t *state)
{
	uint32_t n = random_u32(state) % 8;

	if (n)
		sleep_ns(n * 50 * NSEC_PER_USEC);
}

static void contend(const struct objects *objects, uint64_t state)
{
	void *const handles[] = {
		[MUTEX] = objects->mutex, [WRITE] = objects->rwmutex,
		[READ] = objects->rwmutex, [PERMITS] = objects->semaphore,
	};
	int i;

	for (i = 0; i < ROUNDS; i++) {
		struct thing thing = {
			.kind = random_u32(&state) % ARRAY_SIZE(handles),
			.value = 1,
		};
		uint64_t deadline = GOSYNC_FOREVER;
		int ret;

		if (random_u32(&state) % 3 == 0)
			deadline = gosync_deadline(random_u32(&state) %
						   NSEC_PER_MSEC);
		ret = wait_by_library(&thing, handles[thing.kind], NULL,
				      deadline, 0);
		dwell(&state);
		if (ret < 0)
			continue;
		if (thing.kind == MUTEX)
			gosync_mutex_unlock(objects->mutex);
		else if (thing.kind == WRITE)
			gosync_rwmutex_unlock(objects->rwmutex);
		else if (thing.kind == READ)
			gosync_rwmutex_runlock(objects->rwmutex);
		else
			gosync_semaphore_release(objects->semaphore, 1);
	}
}

/* The same as the object says of itself, counted from a recording */
static struct gosync_stat counted(const struct event *event, uint64_t id)
{
	struct gosync_stat stat = {};
	char words[32];

	snprintf(words, sizeof(words), "id=%llu", (unsigned long long)id);
	for (; event->what; event++) {
		uint64_t ns;

		if (event->is_lock || !has_words(event->fields, words))
			continue;
		if (!strcmp(event->what, "contention_begin"))
			stat.contended++;
		if (!strcmp(event->what, "contention_end"))
			stat.gave_up += atoi(field(event, "ret")) != 0;
		if (!strcmp(event->what, "starvation_begin"))
			stat.starvations++;
		if (!strcmp(event->what, "owner_died"))
			stat.deaths++;
		if (strcmp(event->what, "acquired") ||
		    is_word(field(event, "how"), "barged", 6))
			continue;
		ns = strtoull(field(event, "wait_ns"), NULL, 10);
		stat.acquired++;
		stat.handed_over += is_word(field(event, "how"), "handed-over",
					    11);
		stat.wait_ns += ns;
		if (ns > stat.wait_max_ns)
			stat.wait_max_ns = ns;
		stat.histogram[range_of(ns)]++;
	}
	return stat;
}

#define EXPECT_SAME(object)						\
do {									\
	struct gosync_stat __kept = stat_of(object);			\
	struct gosync_stat __counted = counted(events, info(object).id); \
	int __i;							\
									\
	EXPECT_EQ(__counted.contended, __kept.contended);		\
	EXPECT_EQ(__counted.acquired, __kept.acquired);			\
	EXPECT_EQ(__counted.handed_over, __kept.handed_over);		\
	EXPECT_EQ(__counted.gave_up, __kept.gave_up);			\
	EXPECT_EQ(__counted.wait_ns, __kept.wait_ns);			\
	EXPECT_EQ(__counted.wait_max_ns, __kept.wait_max_ns);		\
	EXPECT_EQ(__counted.starvations, __kept.starvations);		\
	for (__i = 0; __i < GOSYNC_HISTOGRAM; __i++)			\
		EXPECT_EQ(__counted.histogram[__i], __kept.histogram[__i]); \
	EXPECT_EQ(__kept.contended, __kept.acquired + __kept.gave_up);	\
	total.contended += __kept.contended;				\
	total.handed_over += __kept.handed_over;			\
	total.gave_up += __kept.gave_up;				\
	total.starvations += __kept.starvations;			\
} while (0)

/* Of all that was to be recorded, nothing was lost. */
static bool is_whole(FIXTURE_DATA(traced) *self)
{
	char file[32], *text;
	int cpu;

	for (cpu = 0; cpu < sysconf(_SC_NPROCESSORS_CONF); cpu++) {
		snprintf(file, sizeof(file), "per_cpu/cpu%d/stats", cpu);
		text = read_all(self, file);
		if (!strstr(text, "\noverrun: 0\n") ||
		    !strstr(text, "\ndropped events: 0\n"))
			return false;
	}
	return true;
}

TEST_F(traced, and_the_statistics_agree)
{
	uint64_t state = random_seed(), end = end_of_budget();
	struct gosync_stat total = {};
	int i;

	TH_LOG("seed %llu", (unsigned long long)state);
	do {
		struct objects objects;
		pid_t pids[PROCESSES];
		struct event *events;

		objects.mutex = NEW(gosync_mutex, variant->how);
		objects.rwmutex = NEW(gosync_rwmutex, variant->how);
		objects.semaphore = NEW(gosync_semaphore, GOSYNC_GIVE_BACK |
					variant->how, 2);
		ASSERT_EQ(0, set(self, "trace", ""));
		for (i = 0; i < PROCESSES; i++) {
			random_u32(&state);
			pids[i] = CHILD((contend(&objects, state), 0));
		}
		/* Some of them don't come to their end. */
		sleep_ns(random_u32(&state) % (20 * NSEC_PER_MSEC));
		kill(pids[0], SIGKILL);
		sleep_ns(random_u32(&state) % (5 * NSEC_PER_MSEC));
		kill(pids[1], SIGKILL);
		for (i = 0; i < PROCESSES; i++)
			reap(pids[i]);
		events = recorded(self);
		ASSERT_TRUE(is_whole(self));
		EXPECT_SAME(objects.mutex);
		EXPECT_SAME(objects.rwmutex);
		EXPECT_SAME(objects.semaphore);
		gosync_close(objects.mutex);
		gosync_close(objects.rwmutex);
		gosync_close(objects.semaphore);
		/* On a slow machine, until somebody has given up */
	} while ((budget_left(end) || !total.gave_up) &&
		 _metadata->exit_code != KSFT_FAIL);
	TH_LOG("%llu waits, %llu handed over, %llu given up, %u starvations",
	       (unsigned long long)total.contended,
	       (unsigned long long)total.handed_over,
	       (unsigned long long)total.gave_up, total.starvations);
	EXPECT_LT(0, total.contended);
}

TEST_HARNESS_MAIN
