#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Expected: what a process took from a System V semaphore with SEM_UNDO comes back
# when it dies. semctl(2)'s SETVAL sets the value, and that is all.
#
# What happens (glibc 2.36; Linux 6.18; 6.12 by its source): SETVAL and SETALL also strike out
# what all processes have to undo for that semaphore. A process that holds it at that
# moment gives nothing back when it dies: the permit is gone for good.
#
# Why one meets it: SETVAL is what a repair script does to a semaphore that seems to
# be stuck, and what a program does at its start. Afterwards everything works, until
# somebody dies who was inside at that moment. So a lock that is set right by hand
# wants to be told who held it.

set -u
# shellcheck source=findings/packages.bash
. "$(dirname "$0")/packages.bash"
get libc6=2.36-9+deb12u14

cd "$tmp" || exit
cat >undo.c <<'END'
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/wait.h>
#include <unistd.h>

/* The value after a holder has died; with @set, 0 was set while it was inside. */
static int after_death(int set)
{
	int id = semget(IPC_PRIVATE, 1, 0600), said[2], value;
	struct sembuf take = { 0, -1, SEM_UNDO };
	char c = 0;
	pid_t pid;

	semctl(id, 0, SETVAL, 1);
	if (pipe(said))
		return -1;
	pid = fork();
	if (!pid) {
		semop(id, &take, 1);
		if (write(said[1], &c, 1) == 1)
			pause();
		_exit(1);
	}
	if (read(said[0], &c, 1) != 1)
		return -1;
	/* It is 0 already. */
	if (set)
		semctl(id, 0, SETVAL, 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	value = semctl(id, 0, GETVAL);
	semctl(id, 0, IPC_RMID);
	return value;
}

int main(void)
{
	printf("%d\n%d\n", after_death(0), after_death(1));
	return 0;
}
END
gcc -w -o undo undo.c
mapfile -t saw < <(with_its_libc ./undo)
echo "the value, once the holder has been killed, is"
expect "  if nobody did anything" "${saw[0]-}" 1
expect "  if its value, 0, was set to 0 meanwhile" "${saw[1]-}" 0
exit $changed
