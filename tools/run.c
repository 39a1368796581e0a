// SPDX-License-Identifier: GPL-2.0-only
/*
 * gosync run: a command under a lock; and how once and sem run their commands.
 *
 * COMMAND inherits the descriptor, so it is the same holder as this process. If
 * this one is killed, COMMAND goes on with the lock held, until it ends and
 * with it the last descriptor. Then an owner has died, as far as anybody can
 * know.
 *
 * If all goes well it is this process that sees the end of COMMAND, and unlocks.
 * If COMMAND was killed it leaves the lock as it is, to the kernel, which
 * unlocks and remembers.
 *
 * No library handles here: after fork they would be others' holders.
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

/* --- COMMAND --------------------------------------------------------------- */

static const int passed_on[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };

#define PASSED_ON	(sizeof(passed_on) / sizeof(*passed_on))

static pid_t child;

/* What a terminal sends comes from the kernel, and COMMAND gets it too. */
static void pass_on(int number, siginfo_t *info, void *context)
{
	(void)context;
	if (info->si_code <= 0)
		kill(child, number);
}

static void block_signals(sigset_t *old)
{
	sigset_t set;
	size_t i;

	sigemptyset(&set);
	for (i = 0; i < PASSED_ON; i++)
		sigaddset(&set, passed_on[i]);
	sigprocmask(SIG_BLOCK, &set, old);
}

/* Those that are ignored stay so, for nohup's sake. */
static void pass_on_signals(void)
{
	struct sigaction action = { .sa_sigaction = pass_on,
				    .sa_flags = SA_SIGINFO | SA_RESTART };
	struct sigaction old;
	size_t i;

	for (i = 0; i < PASSED_ON; i++)
		if (!sigaction(passed_on[i], NULL, &old) &&
		    old.sa_handler != SIG_IGN)
			sigaction(passed_on[i], &action, NULL);
}

int command_exec(const struct shell *sh)
{
	int err;

	execvp(*sh->command, sh->command);
	err = errno;
	fprintf(stderr, "%s: %s: %s\n", sh->who, *sh->command, strerror(err));
	return err == ENOENT ? 127 : 126;
}

int command_run(const struct shell *sh, bool *killed)
{
	sigset_t mask;
	siginfo_t end;

	*killed = false;
	/* An ignored SIGCHLD, inherited, would leave nothing to wait for. */
	signal(SIGCHLD, SIG_DFL);
	block_signals(&mask);
	child = fork();
	if (child < 0) {
		fprintf(stderr, "%s: fork: %s\n", sh->who, strerror(errno));
		return 126;
	}
	if (!child) {
		sigprocmask(SIG_SETMASK, &mask, NULL);
		_exit(command_exec(sh));
	}
	pass_on_signals();
	sigprocmask(SIG_SETMASK, &mask, NULL);

	/* Until it is reaped its number is its own, so signals can be sent. */
	while (waitid(P_PID, child, &end, WEXITED | WNOWAIT) < 0 &&
	       errno == EINTR)
		;
	block_signals(&mask);
	waitid(P_PID, child, &end, WEXITED);
	*killed = end.si_code != CLD_EXITED;
	return end.si_status + (*killed ? 128 : 0);
}

void command_tell_death(const struct shell *sh, bool died, const char *what)
{
	if (!died) {
		unsetenv("GOSYNC_OWNER_DIED");
		return;
	}
	shell_say(sh, "%s", what);
	setenv("GOSYNC_OWNER_DIED", "1", 1);
}

int command_keep(const struct shell *sh, int fd)
{
	int kept = fcntl(fd, sh->close ? F_DUPFD_CLOEXEC : F_DUPFD, 10);

	if (kept < 0) {
		shell_error(sh, 0, -errno);
		exit(1);
	}
	close(fd);
	return kept;
}

/* --- The lock -------------------------------------------------------------- */

/* How a kind of lock is locked */
struct kind {
	unsigned long lock;
	unsigned long trylock;
	unsigned long unlock;
	unsigned long recover;
};

static const struct kind mutex = {
	GOSYNC_IOC_MUTEX_LOCK, GOSYNC_IOC_MUTEX_TRYLOCK,
	GOSYNC_IOC_MUTEX_UNLOCK, GOSYNC_IOC_MUTEX_RECOVER,
};

static const struct kind writer = {
	GOSYNC_IOC_RWMUTEX_LOCK, GOSYNC_IOC_RWMUTEX_TRYLOCK,
	GOSYNC_IOC_RWMUTEX_UNLOCK, GOSYNC_IOC_RWMUTEX_RECOVER,
};

static const struct kind reader = {
	GOSYNC_IOC_RWMUTEX_RLOCK, GOSYNC_IOC_RWMUTEX_TRYRLOCK,
	GOSYNC_IOC_RWMUTEX_RUNLOCK, 0,
};

/* An RWMutex, or what a program has made of that name if it is a Mutex */
static const struct kind *open_lock(const struct shell *sh, int *fd)
{
	unsigned int flags = GOSYNC_CREATE |
			     (sh->temporary ? 0 : GOSYNC_PERSIST);

	*fd = shell_try_open(sh, GOSYNC_RWMUTEX, flags);
	if (*fd == -EPROTOTYPE && !sh->shared) {
		*fd = shell_try_open(sh, GOSYNC_MUTEX, 0);
		if (*fd >= 0)
			return &mutex;
	}
	/* It may have become one meanwhile; otherwise this tells the reason. */
	if (*fd < 0)
		*fd = shell_open(sh, GOSYNC_RWMUTEX, flags);
	return sh->shared ? &reader : &writer;
}

static int take(const struct shell *sh, const struct kind *kind, int fd)
{
	struct gosync_wait wait = {
		.size = sizeof(wait),
		.deadline = shell_deadline(sh),
	};
	char text[16];
	uint64_t since = gosync_deadline(0);
	int ret;

	if (sh->timeout)
		ret = ioctl(fd, kind->lock, &wait);
	else
		ret = ioctl(fd, kind->trylock, 0);
	if (ret < 0)
		return -errno;
	if (sh->verbose)
		shell_say(sh, "got the lock after %s",
			  duration_text(gosync_deadline(0) - since, text));
	return ret;
}

/* The numbers that COMMAND may want to know */
static void export_lock(const struct shell *sh, const struct kind *kind, int fd)
{
	struct gosync_info info;
	char text[24];

	shell_info(sh, fd, &info);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)info.token);
	if (kind == &reader)
		unsetenv("GOSYNC_TOKEN");
	else
		setenv("GOSYNC_TOKEN", text, 1);
	snprintf(text, sizeof(text), "%d", fd);
	if (sh->close)
		unsetenv("GOSYNC_LOCK_FD");
	else
		setenv("GOSYNC_LOCK_FD", text, 1);
}

/* `cond wait --lock' may have been killed without it, and then it is another's. */
static bool has_it(const struct shell *sh, const struct kind *kind, int fd)
{
	struct gosync_info info;

	if (kind == &reader)
		return true;
	shell_info(sh, fd, &info);
	return info.owner == info.holder;
}

static void give_back(const struct shell *sh, const struct kind *kind, int fd,
		      bool died, int status)
{
	if (!has_it(sh, kind, fd)) {
		shell_say(sh, "COMMAND ended without the lock");
		return;
	}
	if (died && kind->recover) {
		if (!status)
			ioctl(fd, kind->recover, 0);
		else
			shell_say(sh, "COMMAND failed, so the next will be told, too");
	}
	ioctl(fd, kind->unlock, 0);
}

static int run(struct shell *sh)
{
	const struct kind *kind;
	bool died, killed;
	int status;
	int fd, ret;

	kind = open_lock(sh, &fd);
	ret = take(sh, kind, fd);
	if (ret == -ETIMEDOUT || ret == -EBUSY)
		return shell_gave_up(sh);
	if (ret < 0)
		return shell_error(sh, kind->lock, ret);
	died = ret;

	fd = command_keep(sh, fd);
	command_tell_death(sh, died,
			   "an owner died with the lock: what it protects may want to be put right");
	export_lock(sh, kind, fd);
	if (sh->verbose)
		shell_say(sh, "running %s", *sh->command);
	if (sh->no_fork) {
		status = command_exec(sh);
		killed = false;
	} else {
		status = command_run(sh, &killed);
	}
	if (!killed)
		give_back(sh, kind, fd, died, status);
	else if (sh->verbose)
		shell_say(sh, "COMMAND was killed; the next will be told");
	return status;
}

static const char run_more[] =
	"NAME is an RWMutex, and is created if it isn't there; a Mutex that a program\n"
	"has made will do for -x. Who has waited for 1 ms gets it in turn. NAME stays\n"
	"until gosync rm NAME, so that it can remember a death, and tokens go on\n"
	"growing; with -t it does not.\n\n"
	"The lock is released when COMMAND ends. What COMMAND leaves in the\n"
	"background is without it. If gosync is killed, COMMAND goes on and keeps the\n"
	"lock until it and what it has started have ended; with -o it goes on\n"
	"without. SIGHUP, SIGINT, SIGQUIT and SIGTERM, sent to gosync, are passed on\n"
	"to COMMAND.\n\n"
	"If a signal kills COMMAND, an owner has died with the lock (with -x). So it\n"
	"is if gosync was killed first, and with -F, because then nobody sees how\n"
	"COMMAND ends. The next COMMAND finds GOSYNC_OWNER_DIED=1 in its environment,\n"
	"and is to put right what the lock protects. So does each after it, until one\n"
	"with -x succeeds, that is, exits with 0.\n\n"
	"GOSYNC_TOKEN (with -x) is the fencing token: each later one is larger.\n"
	"GOSYNC_LOCK_FD (not with -o) is the inherited descriptor; see gosync cond\n"
	"wait --lock.\n\n"
	"Exit status: COMMAND's own; 128 + N if signal N killed it; 126 if it cannot\n"
	"be run, 127 if there is none; 1 (or -E) if the lock was not to be had in\n"
	"time; 1 for another failure, 2 for wrong usage.\n\n"
	"There is no -u, and no locking of a descriptor: the lock ends with COMMAND.";

int run_main(int argc, char **argv)
{
	static const struct verb verbs[] = {
		{ .args = "NAME [--] COMMAND [ARG...]\nNAME -c COMMAND",
		  .doc = "Run COMMAND with the lock NAME held, as flock(1) does with a file.",
		  .more = run_more, .run = run, .min = 2, .command = true,
		  .options = { "exclusive", "shared", "timeout", "nonblock",
			"command", "conflict-exit-code", "close", "no-fork",
			"temporary", "mode", "verbose" } },
		{ }
	};

	return verbs_main(argc, argv, verbs, NULL);
}
