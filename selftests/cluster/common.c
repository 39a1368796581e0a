// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common.h"

#define MONITOR_PORT	7078
#define CLIENTS		64

int self, nodes;
static int tests, failed;
static const char *subject;

static volatile sig_atomic_t asked_to_end;

static void note_end(int sig __attribute__((unused)))
{
	asked_to_end = 1;
}

/*
 * By SIGTERM. Who is killed inside is gone for the lock before the monitor hears of it:
 * that would look like a violation.
 */
bool is_asked_to_end(void)
{
	return asked_to_end;
}

void begin(const char *what)
{
	subject = what;
	self = atoi(getenv("GOSYNC_NODE"));
	nodes = atoi(getenv("GOSYNC_NODES"));
	setlinebuf(stdout);
	signal(SIGTERM, note_end);
}

int end(void)
{
	printf("1..%d\n# totals: pass:%d fail:%d skip:0\n", tests, tests - failed,
	       failed);
	return !!failed;
}

bool ok(bool good, const char *name)
{
	printf("%sok %d cluster %s: %s\n", good ? "" : "not ", ++tests, subject, name);
	fflush(stdout);
	failed += !good;
	return good;
}

/* Wait for all nodes, or for those that are named. */
void meet(const char *name, const char *which)
{
	char command[128];

	snprintf(command, sizeof(command), "meet '%s %s' %s", subject, name, which);
	if (system(command))
		errx(1, "meet %s", name);
}

/* Return: its status, as of waitpid(2) */
int wait_for(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid ? status : -1;
}

void lose_power(void)
{
	printf("cluster: kill node %d\n", self);
	fflush(stdout);
	for (;;)
		pause();
}

/* A node has died. @left: the others */
void go_on_without(int node, const char *left)
{
	char command[256];

	ok(!system("gosync-dlm-members stop all"), "stops");
	ok(!system("! gosync cluster status -no STATE | grep -qv stopped"),
	   "and says so");
	meet(node == nodes ? "stopped" : "stopped again", left);
	snprintf(command, sizeof(command),
		 "gosync-dlm-members forget %d && gosync-dlm-members start all %s",
		 node, left);
	ok(!system(command), "goes on without it");
}

/* --- The monitor ---------------------------------------------------------- */

struct request {
	char what;
	int node;
	uint64_t token;
};

/* Who is inside, by descriptor; and the nodes of those who read */
static int writer;
static bool reads[CLIENTS * 2];
static int node_of[CLIENTS * 2];

static uint64_t count_readers(uint64_t *readers)
{
	bool seen[MAX_NODES + 1] = {};
	uint64_t n = 0;
	size_t fd;

	*readers = 0;
	for (fd = 0; fd < CLIENTS * 2; fd++) {
		*readers += reads[fd];
		n += reads[fd] && !seen[node_of[fd]];
		seen[node_of[fd]] |= reads[fd];
	}
	return n;
}

static void enter(struct report *report, const struct request *request, int fd)
{
	uint64_t readers, inside;

	count_readers(&readers);
	if (request->what == READS) {
		if (writer)
			report->violations++;
		node_of[fd] = request->node;
		reads[fd] = true;
		report->read++;
		inside = count_readers(&readers);
		if (inside > report->nodes_inside)
			report->nodes_inside = inside;
	} else {
		if (writer || readers || request->token <= report->last_token)
			report->violations++;
		writer = fd;
		report->last_token = request->token;
		report->entered++;
	}
	report->by_node[request->node]++;
	if (report->violations)
		printf("# violation: %d writes, %llu read, token %llu after %llu\n",
		       writer, (unsigned long long)readers,
		       (unsigned long long)request->token,
		       (unsigned long long)report->last_token);
}

static void serve(int fd, struct report *report)
{
	struct request request;

	if (recv(fd, &request, sizeof(request), MSG_WAITALL) != sizeof(request)) {
		/* Killed: if it was inside, it is no more. */
		if (writer == fd)
			writer = 0;
		reads[fd] = false;
		close(fd);
		return;
	}
	switch (request.what) {
	case ENTERS:
	case READS:
		enter(report, &request, fd);
		break;
	case LEAVES:
		writer = 0;
		break;
	case HAS_READ:
		reads[fd] = false;
		break;
	}
	send(fd, report, sizeof(*report), MSG_NOSIGNAL);
}

static int address(struct sockaddr_in *to)
{
	const int one = 1;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	*to = (struct sockaddr_in) {
		.sin_family = AF_INET,
		.sin_port = htons(MONITOR_PORT),
		.sin_addr.s_addr = htonl(0x0a4d0001),
	};
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	return fd;
}

static void monitor(void)
{
	struct pollfd fds[CLIENTS] = {};
	struct report report = {};
	struct sockaddr_in at;
	int i, n = 1;

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
			serve(fds[i].fd, &report);
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

/* On node 1; for whoever it is, kill(2) ends it. Return: 0 on other nodes */
pid_t start_monitor(void)
{
	pid_t pid = self == 1 ? fork() : 1;

	if (!pid)
		monitor();
	return self == 1 ? pid : 0;
}

struct report ask(int fd, char what, uint64_t token)
{
	struct request request = { what, self, token };
	struct report report;

	if (send(fd, &request, sizeof(request), MSG_NOSIGNAL) != sizeof(request) ||
	    recv(fd, &report, sizeof(report), MSG_WAITALL) != sizeof(report))
		err(1, "the monitor does not answer");
	return report;
}

int to_monitor(void)
{
	struct sockaddr_in to;
	int fd = address(&to);

	if (connect(fd, (struct sockaddr *)&to, sizeof(to)))
		err(1, "the monitor is not there");
	return fd;
}

/* Had each node its share of what was entered, within a factor of 3? */
static bool is_shared_out(const struct report *before, const struct report *after)
{
	uint64_t least = UINT64_MAX, most = 0;
	int i;

	for (i = 1; i <= nodes; i++) {
		uint64_t n = after->by_node[i] - before->by_node[i];

		printf("# node %d had it %llu times\n", i, (unsigned long long)n);
		least = n < least ? n : least;
		most = n > most ? n : most;
	}
	return least && most <= 3 * least;
}

/* --- Processes of this node ------------------------------------------------- */

static pid_t start_worker(void (*work)(int times), int times)
{
	pid_t pid = fork();

	if (!pid) {
		work(times);
		exit(0);
	}
	return pid;
}

bool run_workers(void (*work)(int times), int times)
{
	int i, status, bad = 0;

	for (i = 0; i < WORKERS; i++)
		start_worker(work, times);
	for (i = 0; i < WORKERS; i++)
		bad |= wait(&status) < 0 || status;
	return !bad;
}

/* Without an end, until they are asked to: who got how much? */
void test_each_has_its_share(void (*work)(int times))
{
	struct report before, after;
	pid_t pids[WORKERS];
	int fd = -1, i;

	if (self == 1) {
		fd = to_monitor();
		before = ask(fd, REPORTS, 0);
	}
	meet("share", "");
	for (i = 0; i < WORKERS; i++)
		pids[i] = start_worker(work, 1 << 30);
	sleep(10);
	/* What is counted is over before the first of them stops. */
	if (self == 1)
		after = ask(fd, REPORTS, 0);
	meet("shared", "");
	for (i = 0; i < WORKERS; i++) {
		kill(pids[i], SIGTERM);
		wait_for(pids[i]);
	}
	meet("share over", "");
	if (self != 1)
		return;
	ok(is_shared_out(&before, &after) && !after.violations,
	   "each node has its share");
	close(fd);
}

/* A process that gets something by hold(), and keeps it until kill_holder() */
pid_t start_holder(void (*hold)(void))
{
	int ready[2];
	pid_t pid;
	char c;

	if (pipe(ready))
		err(1, "pipe");
	pid = fork();
	if (!pid) {
		hold();
		if (write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1)
		errx(1, "it could not hold it");
	close(ready[0]);
	return pid;
}

/* Somebody may wait for it by then. */
void kill_holder(pid_t pid)
{
	usleep(200000);
	kill(pid, SIGKILL);
	wait_for(pid);
}
