// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench: measure gosync's operations and its peers'.
 *
 * A bench is one implementation of one operation in one case. Those of the
 * same case are measured against each other: in each round every
 * implementation has its turn once, each round beginning with another one. The
 * result is the median of the rounds.
 *
 * - For every turn there are new processes, fork()ed and exec()ed, which know
 *   each other by name only, rehearse shortly, and are measured. New ones,
 *   because where a process's pages happen to lie makes it up to twice as fast
 *   or slow, above all in an emulator.
 * - A round has a length, not a number of operations: were a process done
 *   before the others, those would go on with less contention, which flatters
 *   unfair locks. ns is the time from the first process's begin to the last
 *   one's end, divided by the operations of them all.
 * - Every process has a second thread, asleep. glibc would do without lock
 *   prefixes otherwise.
 * - Process i runs on CPU i modulo their number, so that the scheduler's choice
 *   of where to wake whom does not decide the comparison.
 * - The loop is the same for all (BENCH_LOOP), each operation in it is either
 *   inline or an ordinary call into a shared library, and what it returns is
 *   looked at: the bench fails if one operation does.
 * - With --instructions a guest runs in which an instruction takes one
 *   nanosecond, so that the CPU time of a process is its instructions, its
 *   system calls', the loop's (two or so) and the timer interrupts' (few).
 *   Only what nobody contends for is counted so: there is but one CPU.
 *
 * Each case is measured in a process of its own, so that one which fails or
 * hangs costs its own results and no others.
 *
 * One line per result or failure goes to standard output; report.py makes tables
 * of them. A line that begins with # says how far it has come.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define MAX_ROUNDS	99
#define MAX_IMPLS	16
#define MAX_BENCHES	256
#define QUIT		(~0U)
#define REHEARSE_MS	5
#define COUNT_MS	20
#define NS_PER_SEC	1000000000ULL
#define PATIENCE	(60 * NS_PER_SEC)

/* What a turn takes besides its length: processes, rehearsal */
#define TURN_EXTRA_MS	50

static const struct bench *const tables[] = {
	mutex_benches,
	rwmutex_benches,
	waitgroup_benches,
	once_benches,
	cond_benches,
	semaphore_benches,
	map_benches,
	value_benches,
	atomic_benches,
	object_benches,
	poll_benches,
	waitany_benches,
	uring_benches,
};

/* All that the tables hold */
static const struct bench *benches[MAX_BENCHES];
static unsigned int count;

static unsigned int rounds = 7;
static bool instructions;
static const char *only;
static int status;

/* Which have told their result, or why there is none; shared with the cases */
static bool *told;

/* A bench while its case is being measured */
struct state {
	struct run run;
	unsigned int index;
	pid_t pid[BENCH_PROCS];
	double ns[MAX_ROUNDS];
	uint64_t *wait;
	size_t waits;
	bool failed;
};

static void sleep_ms(unsigned int ms)
{
	struct timespec ts = {
		.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000
	};

	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, &ts) == EINTR)
		;
}

static uint64_t ns_of(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

uint64_t bench_now(void)
{
	return ns_of(CLOCK_MONOTONIC);
}

/* The time that the bench is measured in */
uint64_t bench_time(const struct run *r)
{
	return ns_of(r->board->clock);
}

/* Map shared memory by name, or NULL. */
static void *map_shared(const char *name, size_t size, bool create)
{
	int fd = shm_open(name, O_RDWR | (create ? O_CREAT | O_EXCL : 0), 0600);
	void *p = MAP_FAILED;

	if (fd < 0)
		return NULL;
	if (!create || !ftruncate(fd, size))
		p = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_POPULATE, fd, 0);
	close(fd);
	return p == MAP_FAILED ? NULL : p;
}

static void share_name(char *name, size_t size, const struct run *r)
{
	snprintf(name, size, "%s.shm", r->name);
}

/* Memory for the processes of a bench to share, or NULL with errno */
void *bench_share(const struct run *r, size_t size, bool create)
{
	char name[64];

	share_name(name, sizeof(name), r);
	return map_shared(name, size, create);
}

void bench_unshare(struct run *r)
{
	char name[64];

	share_name(name, sizeof(name), r);
	shm_unlink(name);
}

void bench_busy(uint64_t ns)
{
	uint64_t end = bench_now() + ns;

	while (bench_now() < end)
		;
}

void bench_rest(uint64_t ns)
{
	const struct timespec ts = { .tv_nsec = ns };

	clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL);
}

/* A wait was so long. */
void bench_record(struct run *r, uint64_t ns)
{
	if (r->score->waits < BENCH_WAITS)
		r->board->wait[r->score->waits++] = ns;
}

void bench_wait(uint32_t *word, uint32_t expected)
{
	syscall(SYS_futex, word, FUTEX_WAIT, expected, NULL);
}

void bench_wake(uint32_t *word, int count)
{
	syscall(SYS_futex, word, FUTEX_WAKE, count);
}

/* --- A worker process ----------------------------------------------------- */

static void *second_thread(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static void arrive(struct board *board)
{
	__atomic_add_fetch(&board->arrived, 1, __ATOMIC_SEQ_CST);
	bench_wake(&board->arrived, 1);
}

static void pin(unsigned int i)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(i % sysconf(_SC_NPROCESSORS_ONLN), &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
}

static void worker(const struct bench *bench, const char *name, unsigned int me)
{
	struct run r = { .bench = bench, .me = me };
	uint32_t seen = 0;
	pthread_t thread;
	int ret;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_TIMERSLACK, 1);
	snprintf(r.name, sizeof(r.name), "%s", name);
	r.board = map_shared(r.name, sizeof(*r.board), false);
	if (!r.board)
		err(1, "%s", r.name);
	r.score = &r.board->score[me];
	if (pthread_create(&thread, NULL, second_thread, NULL))
		errx(1, "no second thread");
	pin(me);
	ret = bench->open ? bench->open(&r) : 0;
	if (ret)
		errx(1, "open: %s", strerror(abs(ret)));
	if (bench->enter && bench->enter(&r))
		errx(1, "enter");
	for (;;) {
		uint32_t now;

		arrive(r.board);
		while ((now = __atomic_load_n(&r.board->round,
					      __ATOMIC_SEQ_CST)) == seen)
			bench_wait(&r.board->round, seen);
		seen = now;
		if (seen == QUIT)
			break;
		bench->run(&r);
	}
	if (bench->leave)
		bench->leave(&r);
	_exit(0);
}

/* --- The controller ------------------------------------------------------- */

static void tell_failed(unsigned int index, const char *why)
{
	const struct bench *b = benches[index];

	if (!told[index])
		printf("%-9s %-15s %-16s failed: %s\n", b->op, b->kase, b->impl,
		       why);
	told[index] = true;
	status = 1;
}

static void fail(struct state *s, const char *why)
{
	tell_failed(s->index, why);
	s->failed = true;
}

/* Wait for a process to end, for so long. Return: false if it has not */
static bool reap(pid_t pid, int *how, uint64_t ns)
{
	uint64_t give_up = bench_now() + ns;

	while (!waitpid(pid, how, WNOHANG)) {
		if (bench_now() > give_up)
			return false;
		sleep_ms(1);
	}
	return true;
}

/* Wait until all workers have opened, or done their round. */
static bool all_arrived(struct state *s)
{
	struct board *board = s->run.board;
	uint64_t give_up = bench_now() + PATIENCE;
	const struct timespec second = { .tv_sec = 1 };
	uint32_t n;

	while ((n = __atomic_load_n(&board->arrived, __ATOMIC_SEQ_CST)) <
	       s->run.bench->procs) {
		syscall(SYS_futex, &board->arrived, FUTEX_WAIT, n, &second);
		for (unsigned int i = 0; i < s->run.bench->procs; i++) {
			if (!waitpid(s->pid[i], NULL, WNOHANG))
				continue;
			s->pid[i] = 0;
			fail(s, "a process died");
			return false;
		}
		if (bench_now() > give_up) {
			fail(s, "it hangs");
			return false;
		}
	}
	return true;
}

static void start(struct state *s, unsigned int index)
{
	const struct bench *b = benches[index];
	int ret;

	*s = (struct state){ .run.bench = b, .index = index };
	s->wait = malloc(rounds * sizeof(s->run.board->wait));
	snprintf(s->run.name, sizeof(s->run.name), "/gosync-bench.%d.%u",
		 getpid(), index);
	s->run.board = map_shared(s->run.name, sizeof(*s->run.board), true);
	if (!s->run.board || !s->wait)
		err(1, "%s", s->run.name);
	s->run.board->clock = instructions ? CLOCK_THREAD_CPUTIME_ID :
					     CLOCK_MONOTONIC;
	ret = b->create ? b->create(&s->run) : 0;
	if (ret)
		fail(s, strerror(abs(ret)));
}

static void finish(struct state *s)
{
	if (s->run.bench->destroy)
		s->run.bench->destroy(&s->run);
	munmap(s->run.board, sizeof(*s->run.board));
	shm_unlink(s->run.name);
	free(s->wait);
}

/* Make the processes; they open what they work on. */
static void spawn(struct state *s)
{
	char number[2][12];
	unsigned int i;

	s->run.board->arrived = 0;
	s->run.board->round = 0;
	for (i = 0; i < s->run.bench->procs; i++) {
		snprintf(number[0], sizeof(number[0]), "%u", s->index);
		snprintf(number[1], sizeof(number[1]), "%u", i);
		s->pid[i] = fork();
		if (s->pid[i] < 0)
			err(1, "fork");
		if (!s->pid[i]) {
			execl("/proc/self/exe", "bench", "--worker",
			      s->run.name, number[0], number[1], NULL);
			_exit(127);
		}
	}
	all_arrived(s);
}

static void quit(struct state *s)
{
	__atomic_store_n(&s->run.board->round, QUIT, __ATOMIC_SEQ_CST);
	bench_wake(&s->run.board->round, BENCH_PROCS);
	for (unsigned int i = 0; i < BENCH_PROCS; i++) {
		if (!s->pid[i])
			continue;
		if (s->failed)
			kill(s->pid[i], SIGKILL);
		if (!reap(s->pid[i], NULL, PATIENCE))
			fail(s, "a process does not end");
		s->pid[i] = 0;
	}
}

/* Have the processes work for so long. */
static void work(struct state *s, unsigned int ms)
{
	struct board *board = s->run.board;

	if (s->failed)
		return;
	board->arrived = 0;
	board->stop = 0;
	board->last = 0;
	board->counter = 0;
	for (unsigned int i = 0; i < s->run.bench->procs; i++)
		board->score[i] = (struct score){ 0 };
	__atomic_add_fetch(&board->round, 1, __ATOMIC_SEQ_CST);
	bench_wake(&board->round, BENCH_PROCS);
	sleep_ms(ms);
	__atomic_store_n(&board->stop, 1, __ATOMIC_SEQ_CST);
	all_arrived(s);
}

/* Nanoseconds per operation, from what the processes counted */
static double add_up(struct state *s)
{
	const struct bench *b = s->run.bench;
	struct board *board = s->run.board;
	uint64_t begin = UINT64_MAX;
	uint64_t end = 0, ops = 0;

	if (s->failed)
		return 0;
	for (unsigned int i = 0; i < b->procs; i++) {
		const struct score *score = &board->score[i];

		ops += score->ops;
		if (score->begin < begin)
			begin = score->begin;
		if (score->end > end)
			end = score->end;
		if (score->failed)
			fail(s, "an operation failed");
		memcpy(s->wait + s->waits, board->wait,
		       score->waits * sizeof(*s->wait));
		s->waits += score->waits;
	}
	if (!ops)
		fail(s, "nothing was done");
	else if (b->verify && !b->verify(&s->run, ops))
		fail(s, "the counts do not agree");
	return ops ? (double)(end - begin) / ops : 0;
}

static double turn(struct state *s)
{
	double ns;

	if (s->failed)
		return 0;
	spawn(s);
	work(s, REHEARSE_MS);
	work(s, instructions ? COUNT_MS : s->run.bench->ms);
	ns = add_up(s);
	quit(s);
	return ns;
}

static int by_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int by_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void report(struct state *s)
{
	const struct bench *b = s->run.bench;
	double median;

	if (s->failed)
		return;
	qsort(s->ns, rounds, sizeof(*s->ns), by_double);
	median = (s->ns[(rounds - 1) / 2] + s->ns[rounds / 2]) / 2;
	printf("%-9s %-15s %-16s %s=%.1f min=%.1f max=%.1f", b->op, b->kase,
	       b->impl, instructions ? "instructions" : "ns", median, s->ns[0],
	       s->ns[rounds - 1]);
	if (s->waits) {
		qsort(s->wait, s->waits, sizeof(*s->wait), by_u64);
		printf(" worst_ms=%.3f p99_ms=%.3f",
		       s->wait[s->waits - 1] / 1e6,
		       s->wait[s->waits * 99 / 100] / 1e6);
	}
	printf("\n");
	told[s->index] = true;
}

static void measure(unsigned int index)
{
	const struct bench *b = benches[index];
	struct run r = { .bench = b };
	double bytes;

	snprintf(r.name, sizeof(r.name), "/gosync-bench.%d", getpid());
	bytes = b->measure(&r);
	if (!(bytes >= 0)) {
		tell_failed(index, "it cannot be measured");
		return;
	}
	printf("%-9s %-15s %-16s bytes=%.1f\n", b->op, b->kase, b->impl,
	       bytes);
	told[index] = true;
}

static bool wanted(const struct bench *b)
{
	size_t len = strlen(b->op);

	if (instructions && !b->counted)
		return false;
	return !only || !strcmp(only, b->op) ||
	       (!strncmp(only, b->op, len) && only[len] == '/' &&
		!strcmp(only + len + 1, b->kase));
}

static bool same_case(const struct bench *a, const struct bench *b)
{
	return !strcmp(a->op, b->op) && !strcmp(a->kase, b->kase);
}

static bool in_case(unsigned int index, unsigned int first)
{
	return same_case(benches[index], benches[first]) &&
	       wanted(benches[index]);
}

/* Measure all implementations of the case that begins at this index. */
static void run_case(unsigned int first)
{
	static struct state states[MAX_IMPLS];
	unsigned int i, k, n = 0;

	for (i = first; i < count && n < MAX_IMPLS; i++) {
		if (!in_case(i, first))
			continue;
		if (benches[i]->measure)
			measure(i);
		else
			start(&states[n++], i);
	}
	for (k = 0; k < rounds; k++)
		for (i = 0; i < n; i++)
			states[(i + k) % n].ns[k] = turn(&states[(i + k) % n]);
	for (i = 0; i < n; i++) {
		report(&states[i]);
		finish(&states[i]);
	}
}

/* How long a case takes if nothing fails, roughly */
static unsigned int length_ms(unsigned int first)
{
	unsigned int i, ms = 0;

	for (i = first; i < count; i++)
		if (in_case(i, first))
			ms += benches[i]->measure ? 1000 : rounds *
			      ((instructions ? COUNT_MS : benches[i]->ms) +
			       TURN_EXTRA_MS);
	return ms;
}

/* The same in a process of its own, whatever becomes of that */
static void run_case_apart(unsigned int first)
{
	uint64_t patience = length_ms(first) * 10 * NS_PER_SEC / 1000;
	const char *why = "the measurement hangs";
	int how = 0;
	pid_t pid;

	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		setpgid(0, 0);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		run_case(first);
		_exit(status);
	}
	for (unsigned int i = first; i < count; i++)
		if (in_case(i, first))
			patience += 2 * PATIENCE;
	if (reap(pid, &how, patience)) {
		why = "the measurement died";
	} else {
		kill(-pid, SIGKILL);
		reap(pid, NULL, PATIENCE);
	}
	if (how)
		status = 1;
	for (unsigned int i = first; i < count; i++)
		if (in_case(i, first) && !told[i])
			tell_failed(i, why);
}

static void collect(void)
{
	const struct bench *b;

	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		for (b = tables[i]; b->op; b++) {
			if (count == MAX_BENCHES)
				errx(1, "MAX_BENCHES is too small");
			benches[count++] = b;
		}
	}
}

static bool is_first_of_case(unsigned int index)
{
	for (unsigned int i = 0; i < index; i++)
		if (wanted(benches[i]) && same_case(benches[i], benches[index]))
			return false;
	return wanted(benches[index]);
}

static void usage(FILE *out)
{
	fputs("usage: bench [--only OP[/CASE]] [--rounds N] [--instructions] [--list]\n",
	      out);
}

static void header(void)
{
	const char *accel = getenv("GOSYNC_ACCEL");
	struct utsname uts;

	uname(&uts);
	printf("kernel=%s accel=%s\n", uts.release, accel ? accel : "none");
}

static void run_all(void)
{
	unsigned int first[MAX_BENCHES], cases = 0, i;
	uint64_t planned = 0, done = 0, begin = bench_now();

	for (i = 0; i < count; i++) {
		if (!is_first_of_case(i))
			continue;
		first[cases++] = i;
		planned += length_ms(i);
	}
	for (i = 0; i < cases; i++) {
		const struct bench *b = benches[first[i]];
		uint64_t took = (bench_now() - begin) / (NS_PER_SEC / 1000);
		uint64_t left = planned - done;

		/* Once it is known how much longer than planned it takes */
		if (done)
			left = left * took / done;
		printf("# %u of %u: %s %s; about %llu s left\n", i + 1, cases,
		       b->op, b->kase, (unsigned long long)left / 1000);
		run_case_apart(first[i]);
		done += length_ms(first[i]);
	}
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "only", required_argument, NULL, 'o' },
		{ "rounds", required_argument, NULL, 'r' },
		{ "instructions", no_argument, NULL, 'i' },
		{ "list", no_argument, NULL, 'l' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	bool list = false;
	int c;

	if (argc == 5 && !strcmp(argv[1], "--worker")) {
		collect();
		worker(benches[atoi(argv[3])], argv[2], atoi(argv[4]));
	}
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'o':
			only = optarg;
			break;
		case 'r':
			rounds = atoi(optarg);
			break;
		case 'i':
			instructions = true;
			break;
		case 'l':
			list = true;
			break;
		default:
			usage(c == 'h' ? stdout : stderr);
			return c == 'h' ? 0 : 2;
		}
	}
	if (optind < argc || rounds < 1 || rounds > MAX_ROUNDS) {
		usage(stderr);
		return 2;
	}
	collect();
	if (list) {
		for (unsigned int i = 0; i < count; i++)
			if (wanted(benches[i]))
				printf("%s/%s %s\n", benches[i]->op,
				       benches[i]->kase, benches[i]->impl);
		return 0;
	}
	told = mmap(NULL, MAX_BENCHES * sizeof(*told), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (told == MAP_FAILED)
		err(1, "mmap");
	/* What is told is told, whatever becomes of who tells it. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	header();
	run_all();
	return status;
}
