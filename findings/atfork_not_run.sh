#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Expected: what a library registers with pthread_atfork(3) is run whenever the
# program gets a child, so it can put its locks and descriptors in order there.
#
# What happens (glibc 2.36): only fork(3) runs it. system(3), popen(3) and
# posix_spawn(3) do not, nor do _Fork(3) and vfork(2).
#
# Why one meets it: a library that holds locks by descriptor relies on the child
# half of the handler to give them up. By these ways the child has the parent's
# descriptors as they are until it executes another program, and keeps those
# without FD_CLOEXEC for as long as that runs: a lock of a parent that has died
# stays taken.

set -u
# shellcheck source=findings/packages.bash
. "$(dirname "$0")/packages.bash"
get libc6=2.36-9+deb12u14

cd "$tmp" || exit
cat >ways.c <<'END'
#define _GNU_SOURCE
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int calls;

static void handler(void)
{
	calls++;
}

static void report(void)
{
	printf("%d\n", calls);
	calls = 0;
}

int main(void)
{
	char *argv[] = { "true", NULL };
	pid_t pid;

	pthread_atfork(handler, handler, NULL);
	setvbuf(stdout, NULL, _IOLBF, 0);

	if (!fork())
		_exit(0);
	wait(NULL);
	report();
	system("true");
	report();
	pclose(popen("true", "r"));
	report();
	posix_spawnp(&pid, "true", NULL, NULL, argv, NULL);
	wait(NULL);
	report();
	if (!_Fork())
		_exit(0);
	wait(NULL);
	report();
	if (!vfork())
		_exit(0);
	wait(NULL);
	report();
	return 0;
}
END
gcc -w -pthread -o ways ways.c
mapfile -t saw < <(with_its_libc ./ways)
echo "handlers run in the parent, before and after"
expect "  fork" "${saw[0]-}" 2
expect "  system" "${saw[1]-}" 0
expect "  popen" "${saw[2]-}" 0
expect "  posix_spawn" "${saw[3]-}" 0
expect "  _Fork" "${saw[4]-}" 0
expect "  vfork" "${saw[5]-}" 0
exit $changed
