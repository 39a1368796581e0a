// SPDX-License-Identifier: GPL-2.0-only
/*
 * gosync demo: processes that know nothing of each other but names.
 *
 * The parent creates named objects and starts itself again, by fork and exec,
 * as workers and a clerk, who share no memory and no descriptor with it:
 *
 *   setup     a Once: whoever comes first fills the accounts
 *   crew      a WaitGroup: until all are there, and in the end until all are done
 *   phase     int32: begin, stop
 *   config    a Value: how to work; published, and later replaced
 *   rules     an RWMutex: all read the index under it, the parent changes it
 *   index     int64[2]: which configuration is the present one, and a check
 *   queue     a Mutex, with two Conds, work and room: the clerk puts jobs in, and
 *             waits for room; workers take them out, and wait for work
 *   ring      int64[]: the jobs in the queue
 *   desks     a Semaphore: not all workers are at the accounts at a time
 *   lock      a Mutex: protects the next
 *   accounts  int64[3]: two accounts whose sum never changes, and the largest
 *             fencing token that was used on them
 *   jobs      int64: counts what has been done
 *   results   a Map: every process's own record, by its name, so that what
 *             a process did that is killed remains
 *
 * A job is to move an amount from one account to the other under the lock: first
 * a store that takes it, some work, then a store that gives it. The parent
 * watches the lock's owner through GOSYNC_IOC_INFO and kills one worker between
 * those two stores. The worker has no part in that: it is stopped (SIGSTOP) at
 * a random moment, and continued if that was not the right one. It leaves a job
 * undone, an account wrong, a lock locked and a desk occupied.
 *
 * No object is GOSYNC_PERSIST, so everything goes with the last process, and
 * the others go with the parent (PR_SET_PDEATHSIG): nothing is left behind
 * however the demo ends.
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "demo.h"

static const char * const object_names[OBJECTS] = {
	"setup", "crew", "phase", "config", "rules", "index", "queue", "work",
	"room", "ring", "desks", "lock", "accounts", "jobs", "results"
};

int me;
int workers = 4;
char prefix[32];
bool quiet;
uint64_t started;
int64_t row[ROW];

gosync_once_t *setup;
gosync_waitgroup_t *crew;
gosync_int32_t *phase;
gosync_value_t *config;
gosync_rwmutex_t *rules;
gosync_int64_t *index_words;
gosync_mutex_t *queue;
gosync_cond_t *work_cond;
gosync_cond_t *room_cond;
gosync_int64_t *ring;
gosync_semaphore_t *desks;
gosync_mutex_t *lock;
gosync_int64_t *accounts;
gosync_int64_t *jobs;
gosync_map_t *results;

static pid_t pids[MAX_WORKERS + 2];
static int seconds;
static bool contended, fixed;
static struct demo_deadlock deadlock;
static volatile sig_atomic_t interrupted;

/* --- What parent and workers have in common ------------------------------ */

uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

void snooze(uint64_t ns)
{
	struct timespec ts = { ns / NSEC_PER_SEC, ns % NSEC_PER_SEC };

	nanosleep(&ts, NULL);
}

static size_t name_process(int who, char name[16])
{
	if (!who)
		return sprintf(name, "parent");
	if (who > workers)
		return sprintf(name, "clerk");
	return sprintf(name, "worker %d", who);
}

/* One write per line, so that lines of several processes do not mix. */
static void say_to(int fd, const char *format, va_list args)
{
	uint64_t ms = (now() - started) / NSEC_PER_MSEC;
	char line[256], who[16];
	size_t len;

	name_process(me, who);
	len = snprintf(line, sizeof(line), "%3u.%03u  %-9s  ",
		       (int)(ms / 1000), (int)(ms % 1000), who);
	len += vsnprintf(line + len, sizeof(line) - len, format, args);
	if (len > sizeof(line) - 2)
		len = sizeof(line) - 2;
	line[len++] = '\n';
	if (write(fd, line, len) < 0)
		exit(1);
}

void say(const char *format, ...)
{
	va_list args;

	if (quiet)
		return;
	va_start(args, format);
	say_to(STDOUT_FILENO, format, args);
	va_end(args);
}

static void kill_workers(void)
{
	int i;

	for (i = 1; i <= workers + 1; i++)
		if (pids[i])
			kill(pids[i], SIGKILL);
	for (i = 1; i <= workers + 1; i++)
		if (pids[i])
			waitpid(pids[i], NULL, 0);
}

void fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say_to(STDERR_FILENO, format, args);
	va_end(args);
	if (!me)
		kill_workers();
	exit(1);
}

int must(int ret, const char *what)
{
	if (ret < 0)
		fail("%s: %s", what, gosync_strerror(0, ret));
	return ret;
}

static const char *full_name(int object)
{
	static char full[sizeof(prefix) + 16];

	snprintf(full, sizeof(full), "%s.%s", prefix, object_names[object]);
	return full;
}

/* Open one of a type that is opened by a name, flags and a mode. */
#define OPEN(type, object, handle)					\
	must(gosync_##type##_open(full_name(object), flags, mode, handle), \
	     "open " #handle)

#define OPEN_WORDS(type, object, n, handle)				\
	must(gosync_##type##_open(full_name(object), create ? (n) : 0, flags, \
				  mode, handle), "open " #handle)

void open_objects(unsigned int flags)
{
	const struct gosync_map_limits limits = {
		.entries = workers + 2,
		.key_size = 16,
		.value_size = sizeof(row),
	};
	bool create = flags & GOSYNC_CREATE;
	unsigned int mode = create ? 0600 : 0;

	OPEN(once, SETUP, &setup);
	OPEN(waitgroup, CREW, &crew);
	OPEN_WORDS(int32, PHASE, 1, &phase);
	OPEN_WORDS(value, CONFIG, sizeof(struct demo_config), &config);
	OPEN(rwmutex, RULES, &rules);
	OPEN_WORDS(int64, INDEX, INDEX_WORDS, &index_words);
	OPEN(mutex, QUEUE, &queue);
	OPEN(cond, WORK_COND, &work_cond);
	OPEN(cond, ROOM_COND, &room_cond);
	OPEN_WORDS(int64, RINGS, RING_WORDS, &ring);
	must(gosync_semaphore_open(full_name(DESKS),
				   create ? workers / 2 + 1 : 0,
				   flags | (create ? GOSYNC_GIVE_BACK : 0),
				   mode, &desks), "open desks");
	OPEN(mutex, LOCK, &lock);
	OPEN_WORDS(int64, ACCOUNTS, ACCOUNT_WORDS, &accounts);
	OPEN_WORDS(int64, JOBS, 1, &jobs);
	must(gosync_map_open(full_name(RESULTS), create ? &limits : NULL,
			     flags, mode, &results), "open results");
}

int64_t load(gosync_int64_t *words, int i, int object)
{
	int64_t now = 0;

	must(gosync_int64_load(words, i, &now), object_names[object]);
	row[object]++;
	return now;
}

void store(gosync_int64_t *words, int i, int64_t now, int object)
{
	must(gosync_int64_store(words, i, now), object_names[object]);
	row[object]++;
}

void publish_row(void)
{
	char name[16];
	size_t len = name_process(me, name);

	row[RESULTS]++;
	must(gosync_map_store(results, name, len, row, sizeof(row)),
	     "store in results");
}

int64_t get_count(int who, int what)
{
	int64_t its[ROW] = { };
	size_t len = sizeof(its);
	char name[16];
	int ret;

	row[RESULTS]++;
	ret = gosync_map_load(results, name, name_process(who, name), its, &len);
	/* It has not begun yet. */
	if (ret != -ENODATA)
		must(ret, "load from results");
	return its[what];
}

static int add_row(const void *key, size_t key_len, const void *value,
		   size_t len, void *arg)
{
	const int64_t *its = value;
	int64_t *sum = arg;
	int i;

	(void)key;
	(void)key_len;
	(void)len;
	for (i = 0; i < ROW; i++)
		sum[i] += its[i];
	return 0;
}

static int64_t sum_counts(int what)
{
	int64_t sum[ROW] = { };

	row[RESULTS]++;
	must(gosync_map_range(results, add_row, sum), "range over results");
	return sum[what];
}

static void fill_accounts(void *arg, int died)
{
	(void)arg;
	store(accounts, LEFT, TOTAL / 2, ACCOUNTS);
	store(accounts, RIGHT, TOTAL / 2, ACCOUNTS);
	row[MY_SETUPS]++;
	say("is the first to come, fills the accounts%s",
	    died ? ", as somebody died who was to" : "");
}

void set_up_once(void)
{
	must(gosync_once_do(setup, fill_accounts, NULL), "set up");
	row[SETUP]++;
}

/* --- The parent ---------------------------------------------------------- */

static void on_signal(int sig)
{
	interrupted = sig;
}

/* Called wherever the parent waits: the demo may end here. */
static void look_around(void)
{
	int status;
	int i;

	if (interrupted) {
		kill_workers();
		fprintf(stderr, "gosync demo: interrupted, nothing is left behind\n");
		exit(128 + interrupted);
	}
	for (i = 1; i <= workers + 1; i++) {
		if (!pids[i] || waitpid(pids[i], &status, WNOHANG) <= 0)
			continue;
		pids[i] = 0;
		if (WIFSIGNALED(status))
			fail("worker %d was killed: %s", i,
			     strsignal(WTERMSIG(status)));
		fail("worker %d ended too early, with status %d", i,
		     WEXITSTATUS(status));
	}
}

static void pass_time(uint64_t ns)
{
	uint64_t end = now() + ns;

	while (now() < end) {
		look_around();
		snooze(10 * NSEC_PER_MSEC);
	}
}

static void start_worker(int n)
{
	sigset_t stopping, before;
	char number[16], all[16], exe[4096];
	pid_t parent = getpid();
	ssize_t len;

	len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	if (len < 0)
		fail("/proc/self/exe: %s", strerror(errno));
	exe[len] = 0;
	snprintf(number, sizeof(number), "%d", n);
	snprintf(all, sizeof(all), "%d", workers);

	sigemptyset(&stopping);
	sigaddset(&stopping, SIGINT);
	sigprocmask(SIG_BLOCK, &stopping, &before);
	pids[n] = fork();
	if (pids[n] < 0) {
		pids[n] = 0;
		fail("fork: %s", strerror(errno));
	}
	if (!pids[n]) {
		/* Ctrl-C is for the parent, and this goes with the parent. */
		signal(SIGINT, SIG_IGN);
		sigprocmask(SIG_SETMASK, &before, NULL);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() == parent)
			execl(exe, "gosync", "demo", "--worker", number,
			      "--prefix", prefix, "--workers", all,
			      quiet ? "--quiet" : NULL, NULL);
		_exit(127);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
}

/* Until all who were added to the crew are done */
static void await_crew(bool may_end)
{
	uint64_t deadline = now() + PATIENCE;
	int ret;

	for (;;) {
		ret = gosync_waitgroup_wait_until(crew, gosync_deadline(100 * NSEC_PER_MSEC),
						  GOSYNC_INTERRUPTIBLE);
		row[CREW]++;
		if (!ret)
			return;
		if (ret != -ETIMEDOUT && ret != -EINTR)
			must(ret, "wait for the crew");
		if (!may_end)
			look_around();
		if (now() > deadline)
			fail("%d of the crew are missing",
			     gosync_waitgroup_count(crew));
	}
}

static void start_workers(void)
{
	int i;

	must(gosync_waitgroup_add(crew, workers + 1), "add to the crew");
	row[CREW]++;
	for (i = 1; i <= workers + 1; i++)
		start_worker(i);
	await_crew(false);
}

static void publish_config(uint32_t number, uint32_t work_us, uint32_t most)
{
	struct demo_config cfg = {
		.number = number,
		.work_us = work_us,
		.pause_us = 100,
		.most = most,
	};

	say("publishes configuration %u", number);
	must(gosync_value_store(config, CONFIG_TYPE,
				&cfg, sizeof(cfg)), "store config");
	row[CONFIG]++;
	must(gosync_rwmutex_lock(rules), "lock rules");
	store(index_words, INDEX_NUMBER, number, INDEX);
	snooze(NSEC_PER_MSEC);
	store(index_words, INDEX_CHECK, number * INDEX_FACTOR, INDEX);
	must(gosync_rwmutex_unlock(rules), "unlock rules");
	row[RULES]++;
}

static void set_phase(int32_t to)
{
	must(gosync_int32_store(phase, 0, to), "store phase");
	must(gosync_int32_wake(phase, 0, workers + 1), "wake the workers");
	row[PHASE] += 2;
	/* Who is about to wait at the queue has it locked, or looks again. */
	must(gosync_mutex_lock(queue), "lock queue");
	must(gosync_cond_broadcast(work_cond), "broadcast");
	must(gosync_cond_broadcast(room_cond), "broadcast");
	must(gosync_mutex_unlock(queue), "unlock queue");
	row[QUEUE]++;
	row[WORK_COND]++;
	row[ROOM_COND]++;
}

static void lock_info(struct gosync_info *info)
{
	must(gosync_info(lock, info), "info of lock");
}

/* Stop a worker that is between taking and giving. */
static int catch_worker(int n)
{
	uint64_t deadline = now() + PATIENCE;
	struct gosync_info info;
	uint64_t tried = 0;
	int status;

	for (;;) {
		look_around();
		if (now() > deadline)
			fail("could not catch worker %d with the lock", n);
		lock_info(&info);
		/* One try per acquisition, so that it gets on meanwhile. */
		if (info.owner_pid != (uint32_t)pids[n] || info.token == tried) {
			snooze(20000);
			continue;
		}
		kill(pids[n], SIGSTOP);
		if (waitpid(pids[n], &status, WUNTRACED) != pids[n] ||
		    !WIFSTOPPED(status)) {
			pids[n] = 0;
			fail("worker %d ended too early", n);
		}
		lock_info(&info);
		if (info.owner_pid == (uint32_t)pids[n] &&
		    get_count(n, MY_AMOUNT))
			return get_count(n, MY_AMOUNT);
		tried = info.token;
		kill(pids[n], SIGCONT);
	}
}

static void kill_one(int n)
{
	uint64_t deadline = now() + PATIENCE;
	int amount = catch_worker(n);
	int64_t left = load(accounts, LEFT, ACCOUNTS);
	int64_t right = load(accounts, RIGHT, ACCOUNTS);
	struct gosync_info info, desk_info;
	int status;

	say("stopped worker %d, which owns the lock, between taking %d and giving it",
	    n, amount);
	if (left + right != TOTAL - amount)
		fail("found %lld + %lld, which is not %d: somebody else was at them",
		     (long long)left, (long long)right, TOTAL - amount);
	do {
		snooze(NSEC_PER_MSEC);
		lock_info(&info);
		must(gosync_info(desks, &desk_info), "info of desks");
	} while ((int)(info.waiters + desk_info.waiters) < workers - 1 &&
		 now() < deadline);
	say("the accounts say %lld + %lld; %u wait for the lock, %u for a desk",
	    (long long)left, (long long)right, info.waiters, desk_info.waiters);

	say("kills worker %d (SIGKILL)", n);
	kill(pids[n], SIGKILL);
	if (waitpid(pids[n], &status, 0) != pids[n] || !WIFSIGNALED(status))
		fail("worker %d could not be killed", n);
	pids[n] = 0;
	while (!sum_counts(MY_REPORTS)) {
		look_around();
		if (now() > deadline)
			fail("nobody was told of the death");
		snooze(NSEC_PER_MSEC);
	}
}

static void stop_workers(void)
{
	uint64_t deadline = now() + PATIENCE;
	int i, status;
	pid_t pid;

	/* One of them lives no longer. */
	must(gosync_waitgroup_add(crew, workers), "add to the crew");
	set_phase(STOP);
	await_crew(true);
	for (i = 1; i <= workers + 1; i++) {
		if (!pids[i])
			continue;
		while (!(pid = waitpid(pids[i], &status, WNOHANG))) {
			if (now() > deadline)
				fail("worker %d hangs", i);
			snooze(NSEC_PER_MSEC);
		}
		pids[i] = 0;
		if (pid < 0 || !WIFEXITED(status) || WEXITSTATUS(status))
			fail("worker %d failed", i);
	}
}

/* --- What came of it ----------------------------------------------------- */

__attribute__((format(printf, 2, 3)))
static int verdict(bool good, const char *format, ...)
{
	va_list args;

	printf("%s  ", good ? "ok    " : "FAILED");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	return !good;
}

static int check(int victim)
{
	int64_t left, right, own, put, taken, done, told_of, looks, setups;
	struct gosync_info info, desk_info;
	int bad = 0, late = 0;
	int i, told, free;

	told = must(gosync_mutex_lock(lock), "lock");
	row[LOCK]++;
	left = load(accounts, LEFT, ACCOUNTS);
	right = load(accounts, RIGHT, ACCOUNTS);
	must(gosync_mutex_unlock(lock), "unlock");
	done = load(jobs, 0, JOBS);
	put = load(ring, PUT, RINGS);
	taken = load(ring, TAKEN, RINGS);
	free = must(gosync_semaphore_count(desks), "count desks");
	publish_row();
	own = sum_counts(MY_JOBS);
	told_of = sum_counts(MY_REPORTS);
	looks = sum_counts(MY_LOOKS);
	setups = sum_counts(MY_SETUPS);
	lock_info(&info);
	must(gosync_info(desks, &desk_info), "info of desks");
	for (i = 1; i <= workers + 1; i++)
		if (i != victim && get_count(i, MY_CONFIG) != 2)
			late++;

	bad += verdict(setups == 1, "the setup: %lld of %d processes did it",
		       (long long)setups, workers + 1);
	bad += verdict(left + right == TOTAL,
		       "the accounts: %lld + %lld, together %lld of %d",
		       (long long)left, (long long)right,
		       (long long)(left + right), TOTAL);
	bad += verdict(done == own && taken == done + 1 && done > 0,
		       "the jobs: %lld put, %lld taken, %lld done, %lld died with its worker",
		       (long long)put, (long long)taken, (long long)own,
		       (long long)(taken - done));
	bad += verdict(info.deaths == 1 && told_of == 1 && !told,
		       "the death: %u owner died, %lld was told of it before recovery, %d after",
		       info.deaths, (long long)told_of, told);
	bad += verdict(free == (int)desk_info.capacity && desk_info.deaths == 1,
		       "the desks: %d of %llu are free, %u was given back for the dead",
		       free, (unsigned long long)desk_info.capacity,
		       desk_info.deaths);
	bad += verdict(!late && looks > 0,
		       "the configuration: %d of %d found the second, in %lld looks at the index",
		       workers - late, workers, (long long)looks);
	return bad;
}

static void table(void)
{
	void *handles[OBJECTS] = {
		setup, crew, phase, config, rules, index_words, queue,
		work_cond, room_cond, ring, desks, lock, accounts, jobs, results
	};
	char wait[16];
	struct gosync_info info;
	int i;

	publish_row();
	printf("\n%-22s %-9s %10s %10s %13s %7s\n", "object", "type",
	       "operations", "contended", "longest wait", "deaths");
	for (i = 0; i < OBJECTS; i++) {
		must(gosync_info(handles[i], &info), "info");
		printf("%-22s %-9s %10lld %10llu %13s %7u\n", full_name(i),
		       gosync_type_name(info.type), (long long)sum_counts(i),
		       (unsigned long long)info.contended,
		       duration_text(info.wait_max_ns, wait), info.deaths);
	}
}

static int conduct(void)
{
	struct sigaction action = { .sa_handler = on_signal };
	uint64_t third = seconds * NSEC_PER_SEC / 3;
	int victim = 2;
	int bad;

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);

	started = now();
	snprintf(prefix, sizeof(prefix), "demo.%d", getpid());
	open_objects(GOSYNC_CREATE | GOSYNC_EXCL);
	row[MY_START] = started;
	publish_row();
	say("is process %d, made %d objects named %s.*", getpid(), OBJECTS,
	    prefix);

	start_workers();
	publish_config(1, 100, 10);
	set_phase(WORK);
	pass_time(third);

	publish_config(2, 50, 100);
	pass_time(third);

	kill_one(victim);
	pass_time(third);

	say("calls it a day");
	stop_workers();
	if (!quiet)
		putchar('\n');
	bad = check(victim);
	table();
	return bad ? 1 : 0;
}

enum {
	KEY_WORKER = 256, KEY_PREFIX, KEY_DEADLOCK, KEY_DEADLINE, KEY_THREADS,
	KEY_CONTENDED, KEY_FIXED
};

static error_t demo_parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case 'w':
		workers = parse_number(state, arg, "WORKERS", 2, MAX_WORKERS);
		return 0;
	case 's':
		seconds = parse_number(state, arg, "SECONDS", 1, 86400);
		return 0;
	case 'q':
		quiet = true;
		return 0;
	case KEY_WORKER:
		me = parse_number(state, arg, "N", 1, MAX_WORKERS + 1);
		return 0;
	case KEY_PREFIX:
		snprintf(prefix, sizeof(prefix), "%s", arg);
		return 0;
	case KEY_DEADLOCK:
		deadlock.philosophers = parse_number(state, arg, "N", 1,
						     MAX_WORKERS);
		return 0;
	case KEY_DEADLINE:
		deadlock.deadline = parse_number(state, arg, "SECONDS", 1,
						 86400);
		return 0;
	case KEY_THREADS:
		deadlock.threads = true;
		return 0;
	case KEY_FIXED:
		fixed = true;
		contended = true;
		return 0;
	case KEY_CONTENDED:
		contended = true;
		return 0;
	case ARGP_KEY_END:
		if (contended && deadlock.philosophers)
			argp_error(state, "--contended and --deadlock are two demonstrations");
		if (!seconds)
			seconds = contended ? 10 : 3;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

int demo_main(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "workers", 'w', "WORKERS", 0, "how many workers (4)", 0 },
		{ "seconds", 's', "SECONDS", 0,
		  "how long they work (3, with --contended 10)", 0 },
		{ "quiet", 'q', NULL, 0, "only tell what came of it", 0 },
		{ "contended", KEY_CONTENDED, NULL, 0,
		  "another one: a shop that is slow, to find out why", 1 },
		{ "fixed", KEY_FIXED, NULL, 0, "the same shop, mended", 1 },
		{ "deadlock", KEY_DEADLOCK, "N", 0,
		  "yet another: N processes that wait for each other", 1 },
		{ "deadline", KEY_DEADLINE, "SECONDS", 0,
		  "but the first of them not longer than this", 1 },
		{ "threads", KEY_THREADS, NULL, 0,
		  "and each has a thread that does not wait", 1 },
		{ "worker", KEY_WORKER, "N", OPTION_HIDDEN, NULL, 0 },
		{ "prefix", KEY_PREFIX, "PREFIX", OPTION_HIDDEN, NULL, 0 },
		{ }
	};
	static const struct argp argp = {
		.options = options,
		.parser = demo_parse,
		.doc = "Workers find jobs, a configuration and locks by name, and use them.\n"
		       "The configuration changes, and one worker is killed while it has a lock.\n"
		       "Fails if what the lock protects is wrong in the end.",
	};

	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	close(device_open());
	if (deadlock.philosophers)
		return demo_deadlock(&deadlock);
	if (contended)
		return demo_contended(seconds, fixed);
	return me ? work() : conduct();
}
