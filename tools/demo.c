// SPDX-License-Identifier: GPL-2.0-only
/*
 * gosync demo: processes that know nothing of each other but names.
 *
 * The parent creates five named objects and starts itself again, by fork and
 * exec, as workers, who share no memory and no descriptor with it:
 *
 *   config    a Value: how to work; published, and later replaced
 *   control   int32[2]: what phase this is, and how many workers are there
 *   lock      a Mutex: protects the next
 *   accounts  int64[3]: two accounts whose sum never changes, and the largest
 *             fencing token that was used on them
 *   jobs      int64: counts what has been done
 *
 * and a sixth, counts, in which every process keeps its own record, one row
 * each, so that the record of a process that is killed remains.
 *
 * A worker moves an amount from one account to the other under the lock: first
 * a store that takes it, some work, then a store that gives it. The parent
 * watches the lock's owner through GOSYNC_IOC_INFO and kills one worker between
 * those two stores. The worker has no part in that: it is stopped (SIGSTOP) at
 * a random moment, and continued if that was not the right one.
 *
 * No object is GOSYNC_PERSIST, so everything goes with the last process, and
 * the workers go with the parent (PR_SET_PDEATHSIG): nothing is left behind
 * however the demo ends.
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "gosync.h"

#define NSEC_PER_SEC	1000000000ULL
#define NSEC_PER_MSEC	1000000ULL
#define PATIENCE	(20 * NSEC_PER_SEC)	/* until something must have happened */

#define MAX_WORKERS	64
#define TOTAL		1000			/* the sum of both accounts */

struct demo_config {
	uint32_t number;
	uint32_t work_us;	/* between taking and giving */
	uint32_t pause_us;	/* from one transfer to the next */
	uint32_t most;		/* largest amount to move */
};

#define CONFIG_TYPE	GOSYNC_TYPE_ID(struct demo_config)

/* Words of control and what the first may be */
enum { PHASE, READY, CONTROL_WORDS };
enum { PREPARE, WORK, STOP };

/* Words of accounts */
enum { LEFT, RIGHT, LARGEST_TOKEN, ACCOUNT_WORDS };

/* A process's row in counts: operations on each object, then results */
enum {
	CONFIG_OPS, CONTROL_OPS, LOCK_OPS, ACCOUNT_OPS, JOB_OPS,
	OBJECTS,
	MY_JOBS = OBJECTS,	/* what it added to jobs */
	MY_REPORTS,		/* how often it was told of a death */
	MY_CONFIG,		/* number of the configuration it works by */
	MY_TOKEN,		/* fencing token of its last acquisition */
	MY_START,		/* parent: when the demo began */
	MY_AMOUNT,		/* taken and not yet given; the last to be stored */
	ROW
};

static const char * const object_names[OBJECTS] = {
	"config", "control", "lock", "accounts", "jobs"
};

/* This process: 0 is the parent, 1 and up are the workers. */
static int me;
static char prefix[32];
static bool quiet;

static gosync_value_t *config;
static gosync_int32_t *control;
static gosync_mutex_t *lock;
static gosync_int64_t *accounts;
static gosync_int64_t *jobs;
static gosync_int64_t *counts;

static int64_t row[ROW];
static uint64_t started;
static pid_t pids[MAX_WORKERS + 1];
static int workers = 4;
static int seconds = 3;
static volatile sig_atomic_t interrupted;

/* --- What parent and workers have in common ------------------------------ */

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

static void snooze(uint64_t ns)
{
	struct timespec ts = { ns / NSEC_PER_SEC, ns % NSEC_PER_SEC };

	nanosleep(&ts, NULL);
}

/* One write per line, so that lines of several processes do not mix. */
static void say_to(int fd, const char *format, va_list args)
{
	uint64_t ms = (now() - started) / NSEC_PER_MSEC;
	char line[256];
	size_t len;

	if (me)
		len = snprintf(line, sizeof(line), "%3u.%03u  worker %-2d  ",
			       (int)(ms / 1000), (int)(ms % 1000), me);
	else
		len = snprintf(line, sizeof(line), "%3u.%03u  parent     ",
			       (int)(ms / 1000), (int)(ms % 1000));
	len += vsnprintf(line + len, sizeof(line) - len, format, args);
	if (len > sizeof(line) - 2)
		len = sizeof(line) - 2;
	line[len++] = '\n';
	if (write(fd, line, len) < 0)
		exit(1);
}

__attribute__((format(printf, 1, 2)))
static void say(const char *format, ...)
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

	for (i = 1; i <= workers; i++)
		if (pids[i])
			kill(pids[i], SIGKILL);
	for (i = 1; i <= workers; i++)
		if (pids[i])
			waitpid(pids[i], NULL, 0);
}

__attribute__((format(printf, 1, 2), noreturn))
static void fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say_to(STDERR_FILENO, format, args);
	va_end(args);
	if (!me)
		kill_workers();
	exit(1);
}

/* For calls that should succeed */
static int must(int ret, const char *what)
{
	if (ret < 0)
		fail("%s: %s", what, gosync_strerror(0, ret));
	return ret;
}

static const char *full_name(const char *name)
{
	static char full[sizeof(prefix) + 16];

	snprintf(full, sizeof(full), "%s.%s", prefix, name);
	return full;
}

static void open_objects(unsigned int flags)
{
	unsigned int mode = flags & GOSYNC_CREATE ? 0600 : 0;
	size_t rows = flags & GOSYNC_CREATE ? (workers + 1) * ROW : 0;

	must(gosync_value_open(full_name("config"), sizeof(struct demo_config),
			       flags, mode, &config), "open config");
	must(gosync_int32_open(full_name("control"), CONTROL_WORDS, flags,
			       mode, &control), "open control");
	must(gosync_mutex_open(full_name("lock"), flags, mode, &lock),
	     "open lock");
	must(gosync_int64_open(full_name("accounts"), ACCOUNT_WORDS, flags,
			       mode, &accounts), "open accounts");
	must(gosync_int64_open(full_name("jobs"), 1, flags, mode, &jobs),
	     "open jobs");
	must(gosync_int64_open(full_name("counts"), rows, flags, mode,
			       &counts), "open counts");
}

static void publish_count(int what)
{
	must(gosync_int64_store(counts, me * ROW + what, row[what]),
	     "store in counts");
}

/* Make this process's record readable to the others. */
static void publish_row(void)
{
	int i;

	for (i = 0; i < ROW; i++)
		publish_count(i);
}

static int64_t get_count(int who, int what)
{
	int64_t n = 0;

	must(gosync_int64_load(counts, who * ROW + what, &n),
	     "load from counts");
	return n;
}

static int64_t sum_counts(int what)
{
	int64_t sum = 0;
	int i;

	for (i = 0; i <= workers; i++)
		sum += get_count(i, what);
	return sum;
}

static int64_t account(int which)
{
	int64_t amount = 0;

	must(gosync_int64_load(accounts, which, &amount), "load an account");
	row[ACCOUNT_OPS]++;
	return amount;
}

static void set_account(int which, int64_t amount)
{
	must(gosync_int64_store(accounts, which, amount), "store an account");
	row[ACCOUNT_OPS]++;
}

static int phase(void)
{
	int32_t now = 0;

	must(gosync_int32_load(control, PHASE, &now), "load control");
	row[CONTROL_OPS]++;
	return now;
}

/* --- A worker ------------------------------------------------------------ */

static void await_work(void)
{
	must(gosync_int32_wait(control, PHASE, PREPARE, GOSYNC_FOREVER, 0,
			       NULL), "wait for control");
	row[CONTROL_OPS]++;
}

static void find_config(struct demo_config *cfg)
{
	size_t len;
	uint64_t type;
	int ret;

	for (;;) {
		len = sizeof(*cfg);
		ret = gosync_value_load(config, cfg, &len, &type);
		row[CONFIG_OPS]++;
		if (ret != -ENODATA)
			break;
		/* Nothing published yet. It will be before work begins. */
		await_work();
	}
	must(ret, "load config");
	if (type != CONFIG_TYPE || len != sizeof(*cfg))
		fail("config is of another type");
	row[MY_CONFIG] = cfg->number;
	say("found configuration %u: moves up to %u, taking %u us",
	    cfg->number, cfg->most, cfg->work_us);
}

/* The lock is held and its last owner died with it. */
static void repair(void)
{
	int64_t left = account(LEFT), right = account(RIGHT);
	int64_t missing = TOTAL - left - right;

	row[MY_REPORTS]++;
	say("has the lock, was told that its last owner died (token %lld)",
	    (long long)row[MY_TOKEN]);
	set_account(RIGHT, right + missing);
	must(gosync_mutex_recover(lock), "recover");
	say("found %lld + %lld, put the missing %lld back, recovered the lock",
	    (long long)left, (long long)right, (long long)missing);
}

static void transfer(const struct demo_config *cfg, unsigned int *seed)
{
	int64_t had[2], amount = 1 + rand_r(seed) % cfg->most;
	uint64_t until, token;
	int from, told;

	told = must(gosync_mutex_lock(lock), "lock");
	row[LOCK_OPS]++;
	must(gosync_mutex_token(lock, &token), "token");
	row[MY_TOKEN] = token;

	/* Refuse a delayed writer: see the fencing token. */
	if ((int64_t)token <= account(LARGEST_TOKEN))
		fail("token %llu is not larger than the last",
		     (unsigned long long)token);
	if (told)
		repair();
	set_account(LARGEST_TOKEN, token);

	/* Loads, work and stores, which only the lock makes one step. */
	had[LEFT] = account(LEFT);
	had[RIGHT] = account(RIGHT);
	if (had[LEFT] + had[RIGHT] != TOTAL)
		fail("has the lock and found %lld + %lld, which is not %d",
		     (long long)had[LEFT], (long long)had[RIGHT], TOTAL);
	from = had[LEFT] > had[RIGHT] ? LEFT : RIGHT;
	set_account(from, had[from] - amount);
	row[MY_AMOUNT] = amount;
	publish_row();
	until = now() + cfg->work_us * 1000ULL;
	while (now() < until)
		;
	row[MY_AMOUNT] = 0;
	publish_count(MY_AMOUNT);
	set_account(!from, had[!from] + amount);
	must(gosync_mutex_unlock(lock), "unlock");

	must(gosync_int64_add(jobs, 0, 1, NULL), "add to jobs");
	row[JOB_OPS]++;
	row[MY_JOBS]++;
}

static int work(void)
{
	struct demo_config cfg;
	unsigned int seed = me;
	uint64_t version;

	open_objects(0);
	started = get_count(0, MY_START);
	say("is process %d, found everything named %s.*", getpid(), prefix);
	must(gosync_int32_add(control, READY, 1, NULL), "add to control");
	must(gosync_int32_wake(control, READY, 1), "wake the parent");
	row[CONTROL_OPS] += 2;

	find_config(&cfg);
	await_work();
	while (phase() == WORK) {
		transfer(&cfg, &seed);
		must(gosync_value_version(config, &version), "config");
		if (version != cfg.number)
			find_config(&cfg);
		publish_row();
		snooze(cfg.pause_us * 1000ULL);
	}
	publish_row();
	return 0;
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
	for (i = 1; i <= workers; i++) {
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
	char number[16], exe[4096];
	pid_t parent = getpid();
	ssize_t len;

	len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	if (len < 0)
		fail("/proc/self/exe: %s", strerror(errno));
	exe[len] = 0;
	snprintf(number, sizeof(number), "%d", n);

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
			      "--prefix", prefix, quiet ? "--quiet" : NULL,
			      NULL);
		_exit(127);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
}

static void start_workers(void)
{
	uint64_t deadline = now() + PATIENCE;
	int32_t ready = 0, before;
	int i, ret;

	for (i = 1; i <= workers; i++)
		start_worker(i);
	while (ready < workers) {
		look_around();
		if (now() > deadline)
			fail("only %d workers are there", ready);
		before = ready;
		ret = gosync_int32_wait(control, READY, ready,
					gosync_deadline(100 * NSEC_PER_MSEC),
					GOSYNC_INTERRUPTIBLE, &ready);
		row[CONTROL_OPS]++;
		if (ret != -ETIMEDOUT && ret != -EINTR)
			must(ret, "wait for control");
		if (ready != before)
			deadline = now() + PATIENCE;
	}
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
	row[CONFIG_OPS]++;
}

static void set_phase(int32_t to)
{
	must(gosync_int32_store(control, PHASE, to), "store control");
	must(gosync_int32_wake(control, PHASE, workers), "wake the workers");
	row[CONTROL_OPS] += 2;
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
	int64_t left = account(LEFT), right = account(RIGHT);
	struct gosync_info info;
	int status;

	say("stopped worker %d, which owns the lock, between taking %d and giving it",
	    n, amount);
	if (left + right != TOTAL - amount)
		fail("found %lld + %lld, which is not %d: somebody else was at them",
		     (long long)left, (long long)right, TOTAL - amount);
	do {
		snooze(NSEC_PER_MSEC);
		lock_info(&info);
	} while ((int)info.waiters < workers - 1 && now() < deadline);
	say("the accounts say %lld + %lld, %u workers wait, the last token is %llu",
	    (long long)left, (long long)right, info.waiters,
	    (unsigned long long)info.token);

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

	set_phase(STOP);
	for (i = 1; i <= workers; i++) {
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
	int64_t left, right, own, done = 0;
	struct gosync_info info;
	int bad = 0, late = 0;
	int i, told;

	told = must(gosync_mutex_lock(lock), "lock");
	row[LOCK_OPS]++;
	left = account(LEFT);
	right = account(RIGHT);
	must(gosync_mutex_unlock(lock), "unlock");
	must(gosync_int64_load(jobs, 0, &done), "load jobs");
	row[JOB_OPS]++;
	own = sum_counts(MY_JOBS);
	lock_info(&info);
	for (i = 1; i <= workers; i++)
		if (i != victim && get_count(i, MY_CONFIG) != 2)
			late++;

	bad += verdict(left + right == TOTAL,
		       "the accounts: %lld + %lld, together %lld of %d",
		       (long long)left, (long long)right,
		       (long long)(left + right), TOTAL);
	bad += verdict(done == own && done > 0,
		       "the jobs: %lld in the atomic, %lld by the workers' own counts",
		       (long long)done, (long long)own);
	bad += verdict(info.deaths == 1 && sum_counts(MY_REPORTS) == 1 && !told,
		       "the death: %u owner died, %lld was told of it before recovery, %d after",
		       info.deaths, (long long)sum_counts(MY_REPORTS), told);
	bad += verdict(!late, "the configuration: %d of %d workers found the second",
		       workers - 1 - late, workers - 1);
	return bad;
}

static void table(void)
{
	void *handles[OBJECTS] = { config, control, lock, accounts, jobs };
	char name[sizeof(prefix) + 16], wait[16];
	struct gosync_info info;
	int i;

	publish_row();
	printf("\n%-24s %-6s %10s %10s %13s %7s\n", "object", "type",
	       "operations", "contended", "longest wait", "deaths");
	for (i = 0; i < OBJECTS; i++) {
		must(gosync_info(handles[i], &info), "info");
		snprintf(name, sizeof(name), "%s", full_name(object_names[i]));
		printf("%-24s %-6s %10lld %10llu %13s %7u\n", name,
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
	set_account(LEFT, TOTAL / 2);
	set_account(RIGHT, TOTAL / 2);
	row[MY_START] = started;
	publish_row();
	say("is process %d, made %s.{config,control,lock,accounts,jobs,counts}",
	    getpid(), prefix);

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

enum { KEY_WORKER = 256, KEY_PREFIX };

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
		me = parse_number(state, arg, "N", 1, MAX_WORKERS);
		return 0;
	case KEY_PREFIX:
		snprintf(prefix, sizeof(prefix), "%s", arg);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

int demo_main(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "workers", 'w', "WORKERS", 0, "how many workers (4)", 0 },
		{ "seconds", 's', "SECONDS", 0, "how long they work (3)", 0 },
		{ "quiet", 'q', NULL, 0, "only tell what came of it", 0 },
		{ "worker", KEY_WORKER, "N", OPTION_HIDDEN, NULL, 0 },
		{ "prefix", KEY_PREFIX, "PREFIX", OPTION_HIDDEN, NULL, 0 },
		{ }
	};
	static const struct argp argp = {
		.options = options,
		.parser = demo_parse,
		.doc = "Workers find a configuration, a lock and counters by name, and use them.\n"
		       "The configuration changes, and one worker is killed while it has the lock.\n"
		       "Fails if what the lock protects is wrong in the end.",
	};

	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	close(device_open());
	return me ? work() : conduct();
}
