// SPDX-License-Identifier: GPL-2.0-only
/*
 * Run a command, but no more than N of them at once.
 *
 *   limit N COMMAND [ARGUMENT...]
 *
 * If a command is killed, the kernel gives its permit back.
 */
#include <errno.h>
#include <gosync-user.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static int run(char **command)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		/* Whose permit is given back must not go on. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execvp(command[0], command);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return 126;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 125;
}

static int run_limited(gosync_semaphore_t *permits, char **command, int *status)
{
	int ret = gosync_semaphore_acquire(permits, 1);

	if (ret)
		return ret;
	*status = run(command);
	return gosync_semaphore_release(permits, 1);
}

int main(int argc, char **argv)
{
	gosync_semaphore_t *permits;
	int ret, status = 1;

	if (argc < 3) {
		fprintf(stderr, "limit N COMMAND [ARGUMENT...]\n");
		return 2;
	}
	/* Refused (EPROTOTYPE) where the limit is already another. */
	ret = gosync_semaphore_open("limit.example", atoi(argv[1]),
				    GOSYNC_CREATE | GOSYNC_GIVE_BACK, 0600,
				    &permits);
	if (!ret)
		ret = run_limited(permits, argv + 2, &status);
	if (ret)
		fprintf(stderr, "limit: %s\n", gosync_strerror(0, ret));
	return status;
}
