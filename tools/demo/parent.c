// SPDX-License-Identifier: GPL-2.0-only
/*
 * gosync demo: the parent. See demo.c for the story.
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "demo.h"

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	interrupted = sig;
}

/* Called wherever the parent waits: it ends the program if that is due. */
static void look_around(void)
{
	int status;
	int i;

	if (interrupted) {
		kill_workers();
		fprintf(stderr, "gosync demo: interrupted; nothing is left behind\n");
		exit(128 + interrupted);
	}
	for (i = 1; i <= demo.workers + 1; i++) {
		if (!demo.pids[i] ||
		    waitpid(demo.pids[i], &status, WNOHANG) <= 0)
			continue;
		demo.pids[i] = 0;
		if (WIFSIGNALED(status))
			fail("worker %d was killed: %s", i,
			     strsignal(WTERMSIG(status)));
		fail("worker %d ended too early, with status %d", i,
		     WEXITSTATUS(status));
	}
}

static void pass_time(uint64_t ns)
{
	uint64_t end = now_ns() + ns;

	while (now_ns() < end) {
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
	snprintf(all, sizeof(all), "%d", demo.workers);

	sigemptyset(&stopping);
	sigaddset(&stopping, SIGINT);
	sigprocmask(SIG_BLOCK, &stopping, &before);
	demo.pids[n] = fork();
	if (demo.pids[n] < 0) {
		demo.pids[n] = 0;
		fail("fork: %s", strerror(errno));
	}
	if (!demo.pids[n]) {
		/* Ctrl-C is for the parent, whose death kills this process. */
		signal(SIGINT, SIG_IGN);
		sigprocmask(SIG_SETMASK, &before, NULL);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() == parent)
			execl(exe, "gosync", "demo", "--worker", number,
			      "--prefix", demo.prefix, "--workers", all,
			      demo.quiet ? "--quiet" : NULL, NULL);
		_exit(127);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
}

/* Wait until every process that was added to the crew is done. */
static void await_crew(bool may_end)
{
	uint64_t deadline = now_ns() + PATIENCE;
	int ret;

	for (;;) {
		ret = gosync_waitgroup_wait_until(demo.crew,
						  gosync_deadline(100 * NSEC_PER_MSEC),
						  GOSYNC_INTERRUPTIBLE);
		demo.row[CREW]++;
		if (!ret)
			return;
		if (ret != -ETIMEDOUT && ret != -EINTR)
			must(ret, "wait for the crew");
		if (!may_end)
			look_around();
		if (now_ns() > deadline)
			fail("%d processes of the crew are missing",
			     gosync_waitgroup_count(demo.crew));
	}
}

static void start_workers(void)
{
	int i;

	must(gosync_waitgroup_add(demo.crew, demo.workers + 1),
	     "add to the crew");
	demo.row[CREW]++;
	for (i = 1; i <= demo.workers + 1; i++)
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
	must(gosync_value_store(demo.config, CONFIG_TYPE,
				&cfg, sizeof(cfg)), "store config");
	demo.row[CONFIG]++;
	must(gosync_rwmutex_lock(demo.rules), "lock rules");
	store(demo.index, INDEX_NUMBER, number, INDEX);
	snooze(NSEC_PER_MSEC);
	store(demo.index, INDEX_CHECK, number * INDEX_FACTOR, INDEX);
	must(gosync_rwmutex_unlock(demo.rules), "unlock rules");
	demo.row[RULES]++;
}

static void set_phase(int32_t to)
{
	must(gosync_int32_store(demo.phase, 0, to), "store phase");
	must(gosync_int32_wake(demo.phase, 0, demo.workers + 1), "wake the workers");
	demo.row[PHASE] += 2;
	/*
	 * A process that is about to wait at the queue has it locked, or looks
	 * at the phase again.
	 */
	must(gosync_mutex_lock(demo.queue), "lock queue");
	must(gosync_cond_broadcast(demo.work), "broadcast");
	must(gosync_cond_broadcast(demo.room), "broadcast");
	must(gosync_mutex_unlock(demo.queue), "unlock queue");
	demo.row[QUEUE]++;
	demo.row[WORK_COND]++;
	demo.row[ROOM_COND]++;
}

static void lock_info(struct gosync_info *info)
{
	must(gosync_info(demo.lock, info), "info of lock");
}

/* Stop a worker that has taken an amount and has not given it yet. */
static int catch_worker(int n)
{
	uint64_t deadline = now_ns() + PATIENCE;
	struct gosync_info info;
	uint64_t tried = 0;
	int status;

	for (;;) {
		look_around();
		if (now_ns() > deadline)
			fail("could not catch worker %d with the lock", n);
		lock_info(&info);
		/* One try for each acquisition, so that the worker gets on. */
		if (info.owner_pid != (uint32_t)demo.pids[n] ||
		    info.token == tried) {
			snooze(20000);
			continue;
		}
		kill(demo.pids[n], SIGSTOP);
		if (waitpid(demo.pids[n], &status, WUNTRACED) != demo.pids[n] ||
		    !WIFSTOPPED(status)) {
			demo.pids[n] = 0;
			fail("worker %d ended too early", n);
		}
		lock_info(&info);
		if (info.owner_pid == (uint32_t)demo.pids[n] &&
		    get_count(n, MY_AMOUNT))
			return get_count(n, MY_AMOUNT);
		tried = info.token;
		kill(demo.pids[n], SIGCONT);
	}
}

static void kill_one(int n)
{
	uint64_t deadline = now_ns() + PATIENCE;
	int amount = catch_worker(n);
	int64_t left = load(demo.accounts, LEFT, ACCOUNTS);
	int64_t right = load(demo.accounts, RIGHT, ACCOUNTS);
	struct gosync_info info, desk_info;
	int status;

	say("stopped worker %d, which owns the lock, between taking %d and giving it",
	    n, amount);
	if (left + right != TOTAL - amount)
		fail("found %lld + %lld, which is not %d: another process changed them",
		     (long long)left, (long long)right, TOTAL - amount);
	do {
		snooze(NSEC_PER_MSEC);
		lock_info(&info);
		must(gosync_info(demo.desks, &desk_info), "info of desks");
	} while ((int)(info.waiters + desk_info.waiters) < demo.workers - 1 &&
		 now_ns() < deadline);
	say("finds %lld + %lld in the accounts; %u wait for the lock, %u for a desk",
	    (long long)left, (long long)right, info.waiters, desk_info.waiters);

	say("kills worker %d (SIGKILL)", n);
	kill(demo.pids[n], SIGKILL);
	if (waitpid(demo.pids[n], &status, 0) != demo.pids[n] ||
	    !WIFSIGNALED(status))
		fail("worker %d could not be killed", n);
	demo.pids[n] = 0;
	while (!sum_counts(MY_REPORTS)) {
		look_around();
		if (now_ns() > deadline)
			fail("no worker was told of the death");
		snooze(NSEC_PER_MSEC);
	}
}

static void stop_workers(void)
{
	uint64_t deadline = now_ns() + PATIENCE;
	int i, status;
	pid_t pid;

	/* One of the workers is dead. */
	must(gosync_waitgroup_add(demo.crew, demo.workers), "add to the crew");
	set_phase(STOP);
	await_crew(true);
	for (i = 1; i <= demo.workers + 1; i++) {
		if (!demo.pids[i])
			continue;
		while (!(pid = waitpid(demo.pids[i], &status, WNOHANG))) {
			if (now_ns() > deadline)
				fail("worker %d hangs", i);
			snooze(NSEC_PER_MSEC);
		}
		demo.pids[i] = 0;
		if (pid < 0 || !WIFEXITED(status) || WEXITSTATUS(status))
			fail("worker %d failed", i);
	}
}

/* --- The results --------------------------------------------------------- */

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

	told = must(gosync_mutex_lock(demo.lock), "lock");
	demo.row[LOCK]++;
	left = load(demo.accounts, LEFT, ACCOUNTS);
	right = load(demo.accounts, RIGHT, ACCOUNTS);
	must(gosync_mutex_unlock(demo.lock), "unlock");
	done = load(demo.jobs, 0, JOBS);
	put = load(demo.ring, PUT, RINGS);
	taken = load(demo.ring, TAKEN, RINGS);
	free = must(gosync_semaphore_count(demo.desks), "count desks");
	publish_row();
	own = sum_counts(MY_JOBS);
	told_of = sum_counts(MY_REPORTS);
	looks = sum_counts(MY_LOOKS);
	setups = sum_counts(MY_SETUPS);
	lock_info(&info);
	must(gosync_info(demo.desks, &desk_info), "info of desks");
	for (i = 1; i <= demo.workers + 1; i++)
		if (i != victim && get_count(i, MY_CONFIG) != 2)
			late++;

	bad += verdict(setups == 1, "the setup: %lld of %d processes did it, the others waited",
		       (long long)setups, demo.workers + 1);
	bad += verdict(left + right == TOTAL,
		       "the accounts: %lld + %lld, together %lld of %d",
		       (long long)left, (long long)right,
		       (long long)(left + right), TOTAL);
	bad += verdict(done == own && taken == done + 1 && done > 0,
		       "the jobs: %lld were put, %lld taken, %lld done, %lld lost with its worker",
		       (long long)put, (long long)taken, (long long)own,
		       (long long)(taken - done));
	bad += verdict(info.deaths == 1 && told_of == 1 && !told,
		       "the death: %u owner died, %lld next owner was told, %d after the recovery",
		       info.deaths, (long long)told_of, told);
	bad += verdict(free == (int)desk_info.capacity && desk_info.deaths == 1,
		       "the desks: %d of %llu are free, %u was given back for the dead worker",
		       free, (unsigned long long)desk_info.capacity,
		       desk_info.deaths);
	bad += verdict(!late && looks > 0,
		       "the configuration: %d of %d workers use the second, after %lld looks at the index",
		       demo.workers - late, demo.workers, (long long)looks);
	return bad;
}

static void table(void)
{
	void *handles[OBJECTS] = {
		demo.setup, demo.crew, demo.phase, demo.config, demo.rules,
		demo.index, demo.queue, demo.work, demo.room, demo.ring,
		demo.desks, demo.lock, demo.accounts, demo.jobs, demo.results
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

int conduct(int seconds)
{
	struct sigaction action = { .sa_handler = on_signal };
	uint64_t third = seconds * NSEC_PER_SEC / 3;
	int victim = 2;
	int bad;

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);

	demo.started = now_ns();
	snprintf(demo.prefix, sizeof(demo.prefix), "demo.%d", getpid());
	open_objects(GOSYNC_CREATE | GOSYNC_EXCL);
	demo.row[MY_START] = demo.started;
	publish_row();
	say("is process %d and made %d objects named %s.*", getpid(), OBJECTS,
	    demo.prefix);

	start_workers();
	publish_config(1, 100, 10);
	set_phase(WORK);
	pass_time(third);

	publish_config(2, 50, 100);
	pass_time(third);

	kill_one(victim);
	pass_time(third);

	say("tells all to stop");
	stop_workers();
	if (!demo.quiet)
		putchar('\n');
	bad = check(victim);
	table();
	return bad ? 1 : 0;
}
