// SPDX-License-Identifier: GPL-2.0-only
/*
 * gosync once, wg, sem and cond: waiting for each other, from a shell.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shell.h"

/* --- once ------------------------------------------------------------------ */

static int once(struct shell *sh)
{
	struct gosync_wait_args wait = { .size = sizeof(wait) };
	unsigned int flags = GOSYNC_CREATE | GOSYNC_PERSIST;
	int fd = command_keep(sh, shell_open(sh, GOSYNC_ONCE, flags));
	bool killed;
	int status;
	int ret;

	wait.deadline = shell_deadline(sh);
	ret = ioctl(fd, GOSYNC_IOC_ONCE_BEGIN, &wait);
	if (ret == GOSYNC_ONCE_DONE)
		return 0;
	if (ret < 0 && errno == ETIMEDOUT)
		return shell_gave_up(sh);
	if (ret < 0)
		return shell_error(sh, GOSYNC_IOC_ONCE_BEGIN, -errno);

	command_tell_death(sh, ret == GOSYNC_ONCE_RUN_AGAIN,
			   "a process began this and did not finish; it is tried again");
	status = command_run(sh, &killed);
	if (status)
		ioctl(fd, GOSYNC_IOC_ABANDON, 0);
	else if (ioctl(fd, GOSYNC_IOC_ONCE_DONE, 0) < 0)
		return shell_error(sh, GOSYNC_IOC_ONCE_DONE, -errno);
	return command_end(status, killed);
}

static const char once_more[] =
	"NAME is done when a COMMAND has exited with 0. While another gosync runs its\n"
	"COMMAND, this one waits. If that COMMAND fails or is killed, the next waiter\n"
	"runs its own at once, with GOSYNC_OWNER_DIED=1 in the environment. If gosync\n"
	"is killed, COMMAND goes on, and the waiters wait until it and the processes\n"
	"that it has started have ended; with -o they do not. Signals are passed on as\n"
	"by gosync run.\n\n"
	"NAME stays until gosync rm NAME, until a reboot, or until the module is\n"
	"unloaded (rmmod), which is possible when nothing uses it. In a container, it\n"
	"stays until the container ends. Nothing is written to a disk, so after that\n"
	"it is done again. If it must never be done again, let COMMAND leave a file,\n"
	"and look for that file.\n\n"
	"Exit status: 0 if it is done, now or before; otherwise that of COMMAND;\n"
	"128 + N if signal N killed it; 126 if it cannot be run; 127 if it does not\n"
	"exist; 1 (or -E) if another process did not finish in time; others as for\n"
	"gosync run.";

int once_main(int argc, char **argv)
{
	static const struct verb verbs[] = {
		{ .args = "NAME [--] COMMAND [ARG...]\nNAME -c COMMAND",
		  .doc = "Run COMMAND, unless NAME is already done.",
		  .more = once_more, .run = once, .min = 2, .command = true,
		  .options = { "timeout", "nonblock", "command",
			"conflict-exit-code", "close", "mode", "cluster" } },
		{ }
	};

	return verbs_main(argc, argv, verbs, NULL);
}

/* --- wg -------------------------------------------------------------------- */

static gosync_waitgroup_t *open_wg(const struct shell *sh, unsigned int flags)
{
	int fd = shell_open(sh, GOSYNC_WAITGROUP, flags);
	gosync_waitgroup_t *wg;
	int ret;

	ret = gosync_waitgroup_from_fd(fd, 0, &wg);
	if (!ret)
		return wg;
	exit(shell_error(sh, GOSYNC_IOC_OPEN, ret));
}

static int64_t wg_number(const struct shell *sh, int64_t least)
{
	return sh->count ? shell_number(sh, sh->args[0], "N", least, INT32_MAX) :
			   1;
}

static int change_wg(const struct shell *sh, unsigned int flags, int64_t n)
{
	int ret = gosync_waitgroup_add(open_wg(sh, flags), n);

	return ret ? shell_error(sh, GOSYNC_IOC_WAITGROUP_ADD, ret) : 0;
}

static int wg_add(struct shell *sh)
{
	int64_t n = wg_number(sh, INT32_MIN + 1);

	/* A process that waits for a new name must not see the counter at 0. */
	if (n > 0) {
		sh->capacity = n;
		if (shell_try_open(sh, GOSYNC_WAITGROUP, GOSYNC_CREATE |
				   GOSYNC_EXCL | GOSYNC_PERSIST) >= 0)
			return 0;
		sh->capacity = 0;
	}
	return change_wg(sh, GOSYNC_CREATE | GOSYNC_PERSIST, n);
}

static int wg_done(struct shell *sh)
{
	return change_wg(sh, 0, -wg_number(sh, 1));
}

static int wg_wait(struct shell *sh)
{
	gosync_waitgroup_t *wg = open_wg(sh, GOSYNC_RDONLY);
	int ret;

	ret = gosync_waitgroup_wait_until(wg, shell_deadline(sh), 0);
	if (ret == -ETIMEDOUT)
		return shell_gave_up(sh);
	return ret ? shell_error(sh, GOSYNC_IOC_WAITGROUP_WAIT, ret) : 0;
}

static int wg_get(struct shell *sh)
{
	int ret = gosync_waitgroup_count(open_wg(sh, GOSYNC_RDONLY));

	if (ret < 0)
		return shell_error(sh, GOSYNC_IOC_INFO, ret);
	printf("%d\n", ret);
	return shell_write("", 0);
}

static int count_down(int fd)
{
	struct gosync_waitgroup_add_args done = { .size = sizeof(done), .delta = -1 };

	return ioctl(fd, GOSYNC_IOC_WAITGROUP_ADD, &done) < 0 ? -errno : 0;
}

/*
 * Start a process that counts down when it is told to. If gosync was killed, it
 * counts down when COMMAND, which inherits the other end of the pipe, has ended.
 *
 * Return: the other end.
 */
static int call_counter(const struct shell *sh, int fd, pid_t *pid)
{
	int ends[2], err;
	char told;

	*pid = pipe2(ends, O_CLOEXEC) < 0 ? -1 : fork();
	if (*pid < 0) {
		err = -errno;
		count_down(fd);
		exit(shell_error(sh, 0, err));
	}
	if (*pid) {
		close(ends[0]);
		return command_keep(sh, ends[1]);
	}
	command_helper("counter");
	setsid();
	close(ends[1]);
	while (read(ends[0], &told, 1) < 0 && errno == EINTR)
		;
	_exit(-count_down(fd));
}

static int wg_run(struct shell *sh)
{
	int wg = shell_open(sh, GOSYNC_WAITGROUP, 0);
	int counter, status, ended, ret;
	struct gosync_info info;
	bool killed;
	pid_t pid;

	shell_info(sh, wg, &info);
	if (!(info.word & GOSYNC_WAITGROUP_COUNTER)) {
		shell_say(sh, "the counter is 0; call gosync wg add first");
		return 1;
	}
	counter = call_counter(sh, wg, &pid);
	status = command_run(sh, &killed);
	/* It must not be reaped as an orphan. */
	signal(SIGCHLD, SIG_DFL);
	if (write(counter, "", 1) == 1 && waitpid(pid, &ended, 0) == pid &&
	    WIFEXITED(ended))
		ret = -WEXITSTATUS(ended);
	else
		ret = count_down(wg);
	if (ret)
		return shell_error(sh, GOSYNC_IOC_WAITGROUP_ADD, ret);
	return command_end(status, killed);
}

static const char wg_run_more[] =
	"Add to the counter before: gosync wg add NAME 3, and then three times, in the\n"
	"background, gosync wg run NAME COMMAND. The counter is reduced when COMMAND\n"
	"has ended, also if it failed, was killed, or could not be run at all. If\n"
	"gosync is killed, a process named `counter' does it when COMMAND and the\n"
	"processes that it has started have ended; with -o, at once. Signals are passed\n"
	"on as by gosync run.\n\n"
	"Exit status: that of COMMAND; 128 + N if signal N killed it; 126 if it cannot\n"
	"be run; 127 if it does not exist; 1 if the counter is 0; 66 if NAME does not\n"
	"exist; others as for gosync run.";

static const char wg_add_more[] =
	"NAME is created with 0 if it does not exist. It stays until gosync rm NAME,\n"
	"rmmod or a reboot.\n"
	"Add N before you start the N processes: otherwise wait may return too early.";

int wg_main(int argc, char **argv)
{
	static const struct verb verbs[] = {
		{ .name = "add", .args = "NAME [N]",
		  .doc = "Add N (1) to the counter.", .more = wg_add_more,
		  .run = wg_add, .min = 1, .max = 2, .numbers = true,
		  .options = { "mode" } },
		{ .name = "done", .args = "NAME [N]",
		  .doc = "Subtract N (1) from the counter.", .run = wg_done,
		  .min = 1, .max = 2, .numbers = true,
		  .options = { "wait-for-name", "timeout" } },
		{ .name = "wait", .args = "NAME",
		  .doc = "Wait until the counter is 0.", .run = wg_wait,
		  .min = 1, .max = 1,
		  .options = { "timeout", "nonblock", "wait-for-name" } },
		{ .name = "run",
		  .args = "NAME [--] COMMAND [ARG...]\nNAME -c COMMAND",
		  .doc = "Run COMMAND, and subtract 1 when it ends, in whatever way.",
		  .more = wg_run_more, .run = wg_run, .min = 2,
		  .command = true,
		  .options = { "command", "close", "wait-for-name",
			"timeout" } },
		{ .name = "get", .args = "NAME", .doc = "Print the counter.",
		  .run = wg_get, .min = 1, .max = 1 },
		{ }
	};

	return verbs_main(argc, argv, verbs,
			  "WaitGroups: wait until as many parts are done as were added.");
}

/* --- sem ------------------------------------------------------------------- */

static unsigned int permits(const struct shell *sh)
{
	if (!sh->count)
		return 1;
	return shell_number(sh, sh->args[0], "N", 0, INT32_MAX);
}

/* Open the semaphore, or create it with the number of --permits. */
static int open_sem(const struct shell *sh, unsigned int flags)
{
	if (sh->capacity)
		flags |= GOSYNC_CREATE | GOSYNC_PERSIST;
	else
		flags = 0;
	return shell_open(sh, GOSYNC_SEMAPHORE, flags);
}

/* If it returns false, @status is the exit status. */
static bool acquire(const struct shell *sh, int fd, unsigned int n, int *status)
{
	struct gosync_semaphore_args args = { .size = sizeof(args), .count = n };
	unsigned int op = GOSYNC_IOC_SEMAPHORE_TRYACQUIRE;

	if (sh->timeout) {
		op = GOSYNC_IOC_SEMAPHORE_ACQUIRE;
		args.deadline = shell_deadline(sh);
	}
	*status = 0;
	if (ioctl(fd, op, &args) == 0)
		return true;
	if (errno == ETIMEDOUT || errno == EBUSY)
		*status = shell_gave_up(sh);
	else
		*status = shell_error(sh, op, -errno);
	return false;
}

static int release(const struct shell *sh, int fd, unsigned int n)
{
	struct gosync_semaphore_args args = { .size = sizeof(args), .count = n };

	if (ioctl(fd, GOSYNC_IOC_SEMAPHORE_RELEASE, &args) == 0)
		return 0;
	return shell_error(sh, GOSYNC_IOC_SEMAPHORE_RELEASE, -errno);
}

static int sem_create(struct shell *sh)
{
	unsigned int flags = GOSYNC_CREATE | GOSYNC_PERSIST;

	sh->capacity = permits(sh);
	if (sh->give_back)
		flags |= GOSYNC_GIVE_BACK;
	flags |= GOSYNC_EXCL;
	shell_open(sh, GOSYNC_SEMAPHORE, flags);
	return 0;
}

static int sem_acquire(struct shell *sh)
{
	unsigned int n = permits(sh);
	int fd = open_sem(sh, GOSYNC_CREATE);
	struct gosync_info info;
	int status;

	shell_info(sh, fd, &info);
	if (info.flags & GOSYNC_GIVE_BACK) {
		shell_say(sh, "the permits would be given back at once; use gosync sem run");
		return 1;
	}
	acquire(sh, fd, n, &status);
	return status;
}

static int sem_release(struct shell *sh)
{
	unsigned int n = permits(sh);

	return release(sh, shell_open(sh, GOSYNC_SEMAPHORE, 0), n);
}

static int sem_get(struct shell *sh)
{
	int fd = shell_open(sh, GOSYNC_SEMAPHORE, GOSYNC_RDONLY);
	struct gosync_info info;

	shell_info(sh, fd, &info);
	printf("%u\n", (unsigned int)(info.word & GOSYNC_SEMAPHORE_PERMITS));
	return shell_write("", 0);
}

static int sem_limit(struct shell *sh)
{
	int fd = shell_open(sh, GOSYNC_SEMAPHORE, 0);
	struct gosync_semaphore_args args = {
		.size = sizeof(args),
		.count = shell_number(sh, sh->args[0], "N", 0, INT32_MAX),
	};
	struct gosync_info info;

	if (ioctl(fd, GOSYNC_IOC_SEMAPHORE_LIMIT, &args))
		return shell_error(sh, GOSYNC_IOC_SEMAPHORE_LIMIT, -errno);
	shell_info(sh, fd, &info);
	if (info.owed)
		shell_say(sh, "permits that are in use beyond the limit until they come back: %u",
			  info.owed);
	return 0;
}

static int sem_run(struct shell *sh)
{
	unsigned int n = permits(sh);
	int fd = command_keep(sh, open_sem(sh, GOSYNC_GIVE_BACK));
	bool killed;
	int status;

	if (!acquire(sh, fd, n, &status))
		return status;
	status = command_run(sh, &killed);
	release(sh, fd, n);
	return command_end(status, killed);
}

static const char sem_create_more[] =
	"It stays until gosync rm NAME, rmmod or a reboot.";

static const char sem_release_more[] =
	"If the semaphore gives back permits (--give-back), only their holder can\n"
	"release them: gosync sem run does that. To change the number of permits, see\n"
	"gosync sem limit.";

static const char sem_limit_more[] =
	"The first limit is the number of permits at creation. A new limit adds or\n"
	"removes permits. If more than N are in use, no holder loses any: permits that\n"
	"come back are not given out again until at most N are in use. From now on,\n"
	"--permits must be N, or be left out.";

static const char sem_run_more[] =
	"If NAME is created here, the permits of a killed process are given back. If\n"
	"gosync is killed, COMMAND keeps the permits until it and the processes that it\n"
	"has started have ended; with -o it does not. NAME may also be a semaphore\n"
	"without --give-back, but then the permits of a killed gosync are lost.\n\n"
	"Signals are passed on as by gosync run.\n\n"
	"Exit status: that of COMMAND; 128 + N if signal N killed it; 126 if it cannot\n"
	"be run; 127 if it does not exist; 1 (or -E) if the permits were not free in\n"
	"time; 66 if NAME does not exist; others as for gosync run.";

static const char sem_acquire_more[] =
	"The permits are taken until a process releases as many. If a killed script\n"
	"must not keep them, use sem run.";

int sem_main(int argc, char **argv)
{
	static const struct verb verbs[] = {
		{ .name = "create", .args = "NAME PERMITS",
		  .doc = "Create a semaphore.", .more = sem_create_more,
		  .run = sem_create, .min = 2, .max = 2, .numbers = true,
		  .options = { "give-back", "mode" } },
		{ .name = "run",
		  .args = "NAME [N --] COMMAND [ARG...]\nNAME -c COMMAND",
		  .doc = "Hold N (1) permits while COMMAND runs.",
		  .more = sem_run_more, .run = sem_run, .min = 2, .max = 3,
		  .command = true,
		  .options = { "timeout", "nonblock", "permits", "command",
			"conflict-exit-code", "close", "mode",
			"wait-for-name" } },
		{ .name = "acquire", .args = "NAME [N]",
		  .doc = "Take N (1) permits, waiting for them.",
		  .more = sem_acquire_more, .run = sem_acquire, .min = 1,
		  .max = 2,
		  .options = { "timeout", "nonblock", "permits", "mode",
			"wait-for-name" } },
		{ .name = "release", .args = "NAME [N]",
		  .doc = "Add N (1) permits.", .more = sem_release_more,
		  .run = sem_release, .min = 1, .max = 2,
		  .options = { "wait-for-name", "timeout" } },
		{ .name = "limit", .args = "NAME N",
		  .doc = "Change the number of permits.",
		  .more = sem_limit_more, .run = sem_limit, .min = 2, .max = 2,
		  .numbers = true },
		{ .name = "get", .args = "NAME",
		  .doc = "Print the number of free permits.", .run = sem_get,
		  .min = 1, .max = 1 },
		{ }
	};

	return verbs_main(argc, argv, verbs,
			  "Semaphores: a number of permits.");
}

/* --- cond ------------------------------------------------------------------ */

/* A lock of this process, for callers without --lock */
static int private_lock(const struct shell *sh)
{
	struct shell lock = *sh;
	int fd;

	lock.name = "";
	fd = shell_open(&lock, GOSYNC_MUTEX, GOSYNC_CREATE);
	ioctl(fd, GOSYNC_IOC_MUTEX_LOCK, 0);
	return fd;
}

/* The lock of the gosync run around this command */
static int inherited_lock(const struct shell *sh, unsigned int *flags)
{
	const char *number = getenv("GOSYNC_LOCK_FD");
	struct gosync_info info = { .size = sizeof(info) };
	int fd = number ? atoi(number) : -1;

	if (ioctl(fd, GOSYNC_IOC_INFO, &info) < 0 ||
	    (info.type != GOSYNC_MUTEX && info.type != GOSYNC_RWMUTEX)) {
		shell_say(sh, "--lock needs a gosync run, without -o, around this command");
		exit(1);
	}
	if (info.owner != info.holder)
		*flags = GOSYNC_READ_SIDE;
	return fd;
}

static int cond_wait(struct shell *sh)
{
	struct gosync_cond_wait_args args = { .size = sizeof(args) };
	int fd, ret;

	if (sh->lock)
		args.lock = inherited_lock(sh, &args.flags);
	else
		args.lock = private_lock(sh);
	fd = shell_open(sh, GOSYNC_COND, GOSYNC_CREATE);
	args.deadline = shell_deadline(sh);
	do {
		ret = ioctl(fd, GOSYNC_IOC_COND_WAIT, &args);
	} while (ret < 0 && errno == EINTR);
	if (ret < 0 && errno == ETIMEDOUT)
		return shell_gave_up(sh);
	if (ret < 0)
		return shell_error(sh, GOSYNC_IOC_COND_WAIT, -errno);
	if (ret)
		shell_say(sh, "an owner died with the lock");
	return 0;
}

/* Without waiters the name may not exist. */
static int wake(const struct shell *sh, unsigned int op)
{
	int fd = shell_try_open(sh, GOSYNC_COND, 0);
	int n = 0;

	if (fd != -ENOENT) {
		if (fd < 0)
			fd = shell_open(sh, GOSYNC_COND, 0);
		n = ioctl(fd, op, 0);
		if (n < 0)
			return shell_error(sh, op, -errno);
	}
	printf("%d\n", n);
	return shell_write("", 0);
}

static int cond_signal(struct shell *sh)
{
	return wake(sh, GOSYNC_IOC_COND_SIGNAL);
}

static int cond_broadcast(struct shell *sh)
{
	return wake(sh, GOSYNC_IOC_COND_BROADCAST);
}

static const char cond_wait_more[] =
	"A signal before the wait is lost. To wait for something that other processes\n"
	"change, let all change it under gosync run LOCK, and there call\n\n"
	"  until SOMETHING; do gosync cond wait --lock NAME || exit; done\n\n"
	"so that nothing happens between the check and the wait. When the wait is\n"
	"over, also by -w, the lock is held again; but not if gosync is killed.\n\n"
	"NAME exists while there is a waiter.";

static const char cond_signal_more[] =
	"It prints the number of woken waiters, 1 or 0.";

static const char cond_broadcast_more[] =
	"It prints the number of woken waiters.";

int cond_main(int argc, char **argv)
{
	static const struct verb verbs[] = {
		{ .name = "wait", .args = "NAME",
		  .doc = "Wait for a signal or a broadcast.", .more = cond_wait_more,
		  .run = cond_wait, .min = 1, .max = 1,
		  .options = { "lock", "timeout", "mode" } },
		{ .name = "signal", .args = "NAME",
		  .doc = "Wake the waiter that has waited longest.",
		  .more = cond_signal_more, .run = cond_signal, .min = 1,
		  .max = 1 },
		{ .name = "broadcast", .args = "NAME",
		  .doc = "Wake all waiters.", .more = cond_broadcast_more,
		  .run = cond_broadcast, .min = 1, .max = 1 },
		{ }
	};

	return verbs_main(argc, argv, verbs,
			  "Wait for signals of other processes.");
}
