#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Expected: several workers wait for one descriptor, each with an epoll set of its own and
# EPOLLEXCLUSIVE, so that an event wakes one of them. The event is level triggered: if
# the worker that was woken is killed before it runs, another one gets it.
#
# What happens (glibc 2.36; Linux 6.12 and 6.18): the wake-up goes with the
# worker. The descriptor stays readable, and the other workers sleep until their timeouts,
# or until something else happens to it. Without EPOLLEXCLUSIVE all are woken, and the
# other one gets the event.
#
# Why one meets it: pools of processes that share a queue (eventfd, socket, pipe) use
# EPOLLEXCLUSIVE against the thundering herd, and a supervisor or the OOM killer kills one
# of them at that moment. A primitive that hands something to a waiter can pass it on when
# the waiter dies; readiness is handed to nobody. So a pool needs a timeout, or whoever
# sees the death has to touch the event again.

set -u
# shellcheck source=findings/packages.bash
. "$(dirname "$0")/packages.bash"
get libc6=2.36-9+deb12u14

cd "$tmp" || exit
cat >workers.c <<'END'
#define _GNU_SOURCE
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

static int event;

static char state_of(pid_t pid)
{
	char path[64], state = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "r");
	if (file) {
		if (fscanf(file, "%*d %*s %c", &state) != 1)
			state = 0;
		fclose(file);
	}
	return state;
}

/* It sleeps when this returns. It ends with the number of events that it gets. */
static pid_t worker(unsigned int how)
{
	struct epoll_event wanted = { .events = EPOLLIN | how }, got;
	pid_t pid = fork();

	if (!pid) {
		int set = epoll_create1(0);

		if (epoll_ctl(set, EPOLL_CTL_ADD, event, &wanted))
			_exit(9);
		_exit(epoll_wait(set, &got, 1, 3000));
	}
	do
		usleep(20000);
	while (state_of(pid) != 'S');
	return pid;
}

static void kill_one_that_is_woken(unsigned int how)
{
	struct pollfd look = { .events = POLLIN };
	int i, killed = -1, woken = 0, status;
	const uint64_t one = 1;
	pid_t pids[2];

	event = eventfd(0, 0);
	for (i = 0; i < 2; i++)
		pids[i] = worker(how);
	if (write(event, &one, sizeof(one)) != sizeof(one))
		return;
	/* They have no processor while we run. */
	for (i = 0; i < 2; i++)
		if (state_of(pids[i]) == 'R') {
			woken++;
			killed = i;
		}
	if (killed < 0)
		return;
	kill(pids[killed], SIGKILL);
	waitpid(pids[killed], NULL, 0);
	waitpid(pids[!killed], &status, 0);
	look.fd = event;
	printf("%d\n%d\n%d\n", woken, WEXITSTATUS(status), poll(&look, 1, 0));
}

int main(void)
{
	struct sched_param param = { .sched_priority = 1 };
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus) ||
	    sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param)) {
		puts("needs root");
		return 1;
	}
	kill_one_that_is_woken(0);
	kill_one_that_is_woken(EPOLLEXCLUSIVE);
	return 0;
}
END
gcc -w -o workers workers.c
mapfile -t saw < <(with_its_libc ./workers)
echo "two workers sleep, an event comes, and one that is woken is killed; without EPOLLEXCLUSIVE"
expect "  workers woken" "${saw[0]-}" 2
expect "  events that the other one gets" "${saw[1]-}" 1
echo "with EPOLLEXCLUSIVE"
expect "  workers woken" "${saw[3]-}" 1
expect "  events that the other one gets within 3 s" "${saw[4]-}" 0
expect "  descriptors that poll(2) says are readable meanwhile" "${saw[5]-}" 1
exit $changed
