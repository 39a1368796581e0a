// SPDX-License-Identifier: GPL-2.0-only
/*
 * A Mutex that all nodes of a cluster share. This runs on each node of cluster.sh, as a
 * member. Node 1 has the monitor as well: a server that everybody asks who is inside, and
 * that believes nobody's lock.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <gosync-user.h>

#define MONITOR_PORT	7078
#define WORKERS		3
#define CLIENTS		64

static int self, nodes, tests, failed;

static bool ok(bool good, const char *name)
{
	printf("%sok %d cluster mutex: %s\n", good ? "" : "not ", ++tests, name);
	fflush(stdout);
	failed += !good;
	return good;
}

/* Wait for all nodes, or for those that are named. */
static void meet(const char *name, const char *which)
{
	char command[128];

	snprintf(command, sizeof(command), "meet '%s' %s", name, which);
	if (system(command))
		errx(1, "meet %s", name);
}

/* --- The monitor ---------------------------------------------------------- */

struct request {
	char what;		/* Enter, Leave, Report */
	int node;
	uint64_t token;
};

struct report {
	uint64_t entered;
	uint64_t by_node[10];
	uint64_t violations;	/* two inside, or a token that was not the largest */
	uint64_t last_token;
};

static void serve(int fd, struct report *report, int *inside)
{
	struct request request;

	if (recv(fd, &request, sizeof(request), MSG_WAITALL) != sizeof(request)) {
		/* Killed: if it was inside, it is no more. */
		if (*inside == fd)
			*inside = 0;
		close(fd);
		return;
	}
	switch (request.what) {
	case 'E':
		if (*inside || request.token <= report->last_token) {
			printf("# violation: %d inside, token %llu after %llu\n",
			       *inside, (unsigned long long)request.token,
			       (unsigned long long)report->last_token);
			report->violations++;
		}
		*inside = fd;
		report->last_token = request.token;
		report->entered++;
		report->by_node[request.node]++;
		break;
	case 'L':
		*inside = 0;
		break;
	}
	send(fd, report, sizeof(*report), MSG_NOSIGNAL);
}

static int address(struct sockaddr_in *to)
{
	*to = (struct sockaddr_in) {
		.sin_family = AF_INET,
		.sin_port = htons(MONITOR_PORT),
		.sin_addr.s_addr = htonl(0x0a4d0001),
	};
	return socket(AF_INET, SOCK_STREAM, 0);
}

static void monitor(void)
{
	struct pollfd fds[CLIENTS] = {};
	struct report report = {};
	struct sockaddr_in at;
	int i, n = 1, inside = 0;

	fds[0].fd = address(&at);
	fds[0].events = POLLIN;
	if (bind(fds[0].fd, (struct sockaddr *)&at, sizeof(at)) ||
	    listen(fds[0].fd, CLIENTS))
		err(1, "monitor");
	for (;;) {
		poll(fds, n, -1);
		for (i = 1; i < n; i++) {
			if (!fds[i].revents)
				continue;
			serve(fds[i].fd, &report, &inside);
			if (fcntl(fds[i].fd, F_GETFD) < 0)
				fds[i--] = fds[--n];
		}
		if (fds[0].revents && n < CLIENTS) {
			fds[n].fd = accept(fds[0].fd, NULL, NULL);
			fds[n].events = POLLIN;
			fds[n++].revents = 0;
		}
	}
}

static struct report ask(int fd, char what, uint64_t token)
{
	struct request request = { what, self, token };
	struct report report;

	if (send(fd, &request, sizeof(request), MSG_NOSIGNAL) != sizeof(request) ||
	    recv(fd, &report, sizeof(report), MSG_WAITALL) != sizeof(report))
		err(1, "the monitor does not answer");
	return report;
}

static int to_monitor(void)
{
	struct sockaddr_in to;
	int fd = address(&to);

	if (connect(fd, (struct sockaddr *)&to, sizeof(to)))
		err(1, "the monitor is not there");
	return fd;
}

/* --- The tests ------------------------------------------------------------ */

static gosync_mutex_t *open_mutex(const char *name)
{
	gosync_mutex_t *mutex;
	int ret = gosync_mutex_open(name, GOSYNC_CREATE | GOSYNC_CLUSTER, 0600, &mutex);

	if (ret)
		errx(1, "%s: %s", name, gosync_strerror(GOSYNC_IOC_OPEN, ret));
	return mutex;
}

static uint64_t token_of(gosync_mutex_t *mutex)
{
	uint64_t token;

	if (gosync_mutex_token(mutex, &token))
		errx(1, "no token");
	return token;
}

static void work(const char *name, int times)
{
	gosync_mutex_t *mutex = open_mutex(name);
	int fd = to_monitor(), i;

	for (i = 0; i < times; i++) {
		if (gosync_mutex_lock(mutex))
			errx(1, "cannot lock");
		ask(fd, 'E', token_of(mutex));
		ask(fd, 'L', 0);
		if (gosync_mutex_unlock(mutex))
			errx(1, "cannot unlock");
	}
	exit(0);
}

static bool run_workers(const char *name, int times)
{
	int i, status, bad = 0;

	for (i = 0; i < WORKERS; i++)
		if (!fork())
			work(name, times);
	for (i = 0; i < WORKERS; i++)
		bad |= wait(&status) < 0 || status;
	return !bad;
}

static void test_one_at_a_time(void)
{
	const int times = 100;
	struct report report;
	int fd, node;

	meet("work", "");
	ok(run_workers("cluster.work", times), "all workers have been inside");
	meet("worked", "");
	if (self != 1)
		return;
	fd = to_monitor();
	report = ask(fd, 'R', 0);
	close(fd);
	ok(report.entered == (uint64_t)times * WORKERS * nodes &&
	   !report.violations, "nobody was inside with another, tokens grow");
	for (node = 1; node <= nodes; node++)
		printf("# node %d was inside %llu times\n", node,
		       (unsigned long long)report.by_node[node]);
}

/* Without an end, until they are killed: who got how much? */
static void test_each_has_its_share(void)
{
	struct report before, after;
	uint64_t least = UINT64_MAX, most = 0;
	pid_t pids[WORKERS];
	int fd = -1, i;

	if (self == 1) {
		fd = to_monitor();
		before = ask(fd, 'R', 0);
	}
	meet("share", "");
	for (i = 0; i < WORKERS; i++) {
		pids[i] = fork();
		if (!pids[i])
			work("cluster.work", 1 << 30);
	}
	sleep(10);
	/* What is counted is over before the first of them stops. */
	if (self == 1)
		after = ask(fd, 'R', 0);
	meet("shared", "");
	for (i = 0; i < WORKERS; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	meet("share over", "");
	if (self != 1)
		return;
	for (i = 1; i <= nodes; i++) {
		uint64_t n = after.by_node[i] - before.by_node[i];

		printf("# node %d had it %llu times\n", i, (unsigned long long)n);
		least = n < least ? n : least;
		most = n > most ? n : most;
	}
	ok(!after.violations && least && most <= 3 * least,
	   "each node has its share");
	close(fd);
}

static void test_deadline(void)
{
	gosync_mutex_t *mutex = open_mutex("cluster.deadline");

	if (self == 1)
		ok(!gosync_mutex_lock(mutex), "locks");
	meet("deadline: locked", "");
	if (self != 1) {
		ok(gosync_mutex_lock_until(mutex, gosync_deadline(50000000), 0) ==
		   -ETIMEDOUT, "a deadline ends the wait for another node");
		ok(gosync_mutex_trylock(mutex) == -EBUSY,
		   "to try fails while another node has it");
		ok(gosync_mutex_unlock(mutex) == -EPERM,
		   "who has not got it cannot unlock it");
	}
	meet("deadline: passed", "");
	if (self == 1)
		ok(!gosync_mutex_unlock(mutex), "unlocks");
	meet("deadline: free", "");
	ok(!gosync_mutex_lock(mutex) && !gosync_mutex_unlock(mutex),
	   "each can have it in the end");
	meet("deadline: over", "");
	gosync_close(mutex);
}

/* A process is killed inside, on another node than who waits. */
static void test_death_of_a_process(void)
{
	gosync_mutex_t *mutex = open_mutex("cluster.death");
	pid_t pid = 0;

	meet("death: opened", "");
	if (self == 2) {
		int ready[2];
		char c;

		if (pipe(ready))
			err(1, "pipe");
		pid = fork();
		if (!pid) {
			mutex = open_mutex("cluster.death");
			if (gosync_mutex_lock(mutex) || write(ready[1], "", 1) != 1)
				_exit(1);
			pause();
		}
		if (read(ready[0], &c, 1) != 1)
			err(1, "read");
	}
	meet("death: locked", "");
	if (self == 2) {
		usleep(200000);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	if (self == 1) {
		ok(gosync_mutex_lock(mutex) == 1, "the next node hears of the death");
		ok(!gosync_mutex_recover(mutex), "and recovers it");
		ok(!gosync_mutex_unlock(mutex), "and unlocks it");
	}
	meet("death: recovered", "");
	ok(!gosync_mutex_lock(mutex) && !gosync_mutex_unlock(mutex),
	   "then all is well on each node");
	meet("death: over", "");
	gosync_close(mutex);
}

/* The last node loses its power with the lock. */
static void test_death_of_a_node(void)
{
	gosync_mutex_t *mutex = open_mutex("cluster.power");
	uint64_t before = 0, after;
	char left[64] = "", command[256];
	int i, n = 0;

	for (i = 1; i < nodes; i++)
		n += sprintf(left + n, "%d ", i);
	if (self == 1) {
		ok(!gosync_mutex_lock(mutex), "the first locks");
		before = token_of(mutex);
		gosync_mutex_unlock(mutex);
	}
	meet("power: opened", "");
	if (self == nodes)
		ok(!gosync_mutex_lock(mutex), "the last node locks");
	meet("power: locked", "");
	if (self == nodes) {
		ok(system("rmmod gosync_dlm 2>/dev/null"), "the module cannot go");
		printf("cluster: kill node %d\n", self);
		fflush(stdout);
		for (;;)
			pause();
	}
	usleep(1000000);
	if (self == 1)
		ok(gosync_mutex_trylock(mutex) == -EBUSY, "nobody has it meanwhile");
	snprintf(command, sizeof(command), "gosync-dlm-members stop gosync");
	ok(!system(command), "stops");
	meet("power: stopped", left);
	snprintf(command, sizeof(command),
		 "gosync-dlm-members forget %d && gosync-dlm-members start gosync %s",
		 nodes, left);
	ok(!system(command), "goes on without it");
	if (self == 1) {
		ok(gosync_mutex_lock(mutex) == 1, "who waits hears of the death");
		after = token_of(mutex);
		printf("# tokens: %llu before, %llu after\n",
		       (unsigned long long)before, (unsigned long long)after);
		ok(after > before + 1, "its token is above all that the dead had");
		ok(!gosync_mutex_recover(mutex) && !gosync_mutex_unlock(mutex),
		   "and recovers it");
	}
	meet("power: recovered", left);
	ok(!gosync_mutex_lock(mutex) && !gosync_mutex_unlock(mutex),
	   "then all is well on each node that is left");
	meet("power: over", left);
	gosync_close(mutex);
}

/* This machine is in no cluster yet. */
static void test_alone(void)
{
	const unsigned int flags = GOSYNC_CREATE | GOSYNC_CLUSTER;
	gosync_mutex_t *mutex;

	ok(gosync_mutex_open("cluster.alone", flags, 0600, &mutex) == -ENOTCONN,
	   "without a cluster there is none");
	ok(gosync_mutex_open("cluster.alone", 0, 0, &mutex) == -ENOENT,
	   "and nothing is left of it");
}

/*
 * Whoever unloads the module leaves the lockspace; all others have to have stopped by
 * then. Nobody has an object open any more, but the DLM may still be told so.
 */
static void leave(const char *left)
{
	while (system("grep -q '^0$' /sys/module/gosync_dlm/refcnt"))
		usleep(100000);
	meet("leave", left);
	ok(!system("gosync-dlm-members stop gosync"), "stops");
	meet("left", left);
}

int main(int argc, char **argv)
{
	pid_t server = 0;

	self = atoi(getenv("GOSYNC_NODE"));
	nodes = atoi(getenv("GOSYNC_NODES"));
	setlinebuf(stdout);
	if (argc > 1 && !strcmp(argv[1], "--alone")) {
		test_alone();
		return !!failed;
	}
	if (self == 1) {
		server = fork();
		if (!server)
			monitor();
	}
	test_one_at_a_time();
	test_each_has_its_share();
	test_deadline();
	test_death_of_a_process();
	test_death_of_a_node();
	if (server)
		kill(server, SIGKILL);
	leave(nodes == 3 ? "1 2" : "1");
	printf("1..%d\n# totals: pass:%d fail:%d skip:0\n", tests, tests - failed,
	       failed);
	return !!failed;
}
