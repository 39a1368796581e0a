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
 * If COMMAND was killed it gives the lock up, and the kernel remembers that an
 * owner died. So the lock is free when COMMAND has ended, although what that has
 * left in the background may have a copy of the descriptor.
 *
 * What may fail is done before the lock is had, so that nobody is told of a
 * death when nothing has been done.
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
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "shell.h"

/* --- COMMAND --------------------------------------------------------------- */

static pid_t child;
static bool inside;		/* of a COMMAND of another gosync run */

/* Those below are left to COMMAND's own redirections. */
#define FIRST_FD	10

int command_exec(const struct shell *sh)
{
	int err;

	signal(SIGCHLD, SIG_DFL);
	execvp(*sh->command, sh->command);
	err = errno;
	fprintf(stderr, "%s: %s: %s\n", sh->who, *sh->command, strerror(err));
	return err == ENOENT ? 127 : 126;
}

/*
 * What is sent to a process group, by a terminal or kill(2), or to one process
 * after the other, by a service manager, COMMAND gets as well. What is sent to
 * this process alone, it doesn't. To tell one from the other there is a witness:
 * a process beside this one that nobody means. What it gets, all have got.
 */
static int witness = -1;	/* a socket to it */
static pid_t witness_pid;

/* To those who send to one process after the other, time to come to the last */
#define GRACE_NS	100000000

static sigset_t unblocked;	/* as it was */
static const struct timespec grace = { 0, GRACE_NS };
static const struct timespec no_time;

/* All signals but those that stop and go on, and that tell of one's own doings */
static void passed_on(sigset_t *set)
{
	static const int others[] = {
		SIGCHLD, SIGCONT, SIGTSTP, SIGTTIN, SIGTTOU, SIGPIPE, SIGSEGV,
		SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS,
	};
	size_t i;

	sigfillset(set);
	for (i = 0; i < ARRAY_SIZE(others); i++)
		sigdelset(set, others[i]);
}

void command_helper(const char *name)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	/* Who looks for gosync by its name or its arguments means the other. */
	prctl(PR_SET_NAME, name);
	forget_arguments();
}

/* Answer each question with what has come since the last. */
static void bear_witness(int socket)
{
	sigset_t all, got;
	char question;
	int number;

	command_helper("witness");
	if (socket)
		close_range(0, socket - 1, 0);
	close_range(socket + 1, ~0U, 0);
	sigfillset(&all);
	while (recv(socket, &question, 1, 0) == 1) {
		sigemptyset(&got);
		while ((number = sigtimedwait(&all, NULL, &no_time)) > 0)
			sigaddset(&got, number);
		send(socket, &got, sizeof(got), MSG_NOSIGNAL);
	}
	/* This process has ended, or wants no more. */
	_exit(0);
}

static bool call_witness(const struct shell *sh)
{
	/* It may have been stopped. */
	const struct timeval patience = { .tv_sec = 1 };
	int sockets[2];

	if (witness >= 0)
		return true;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets)) {
		shell_error(sh, 0, -errno);
		return false;
	}
	setsockopt(sockets[0], SOL_SOCKET, SO_RCVTIMEO, &patience,
		   sizeof(patience));
	witness_pid = fork();
	if (!witness_pid)
		bear_witness(sockets[1]);
	close(sockets[1]);
	witness = sockets[0];
	if (witness_pid < 0)
		fprintf(stderr, "%s: fork: %s\n", sh->who, strerror(errno));
	return witness_pid > 0;
}

static void ask_witness(sigset_t *got)
{
	const char question = 0;

	/* An answer that has come too late */
	while (recv(witness, got, sizeof(*got), MSG_DONTWAIT) > 0)
		;
	if (send(witness, &question, 1, MSG_NOSIGNAL) != 1 ||
	    recv(witness, got, sizeof(*got), 0) != sizeof(*got))
		sigemptyset(got);
}

/* What COMMAND itself sends is not for it. */
static void note(sigset_t *set, int number, const siginfo_t *info)
{
	if (info->si_code > 0 || info->si_pid != child)
		sigaddset(set, number);
}

static void pass_on(int number, siginfo_t *info, void *context)
{
	sigset_t mine, to_all, set;
	int err = errno;
	siginfo_t more;

	(void)context;
	sigemptyset(&mine);
	note(&mine, number, info);
	nanosleep(&grace, NULL);
	passed_on(&set);
	while ((number = sigtimedwait(&set, &more, &no_time)) > 0)
		note(&mine, number, &more);
	ask_witness(&to_all);
	for (number = 1; number <= SIGRTMAX; number++)
		if (sigismember(&mine, number) == 1 &&
		    sigismember(&to_all, number) != 1)
			kill(child, number);
	errno = err;
}

/* Those of others, which came to us as the first process of a container */
static void reap_orphans(int number)
{
	int err = errno;
	siginfo_t end;

	(void)number;
	for (;;) {
		end.si_pid = 0;
		if (waitid(P_ALL, 0, &end, WEXITED | WNOHANG | WNOWAIT) ||
		    !end.si_pid || end.si_pid == child)
			break;
		waitid(P_PID, end.si_pid, &end, WEXITED | WNOHANG);
	}
	errno = err;
}

/* Those that are ignored stay so, for nohup's sake. */
static void handle_signals(void)
{
	struct sigaction action = { .sa_sigaction = pass_on,
				    .sa_flags = SA_SIGINFO | SA_RESTART };
	struct sigaction reap = { .sa_handler = reap_orphans,
				  .sa_flags = SA_NOCLDSTOP | SA_RESTART };
	struct sigaction old;
	int number;

	passed_on(&action.sa_mask);
	for (number = 1; number <= SIGRTMAX; number++)
		if (sigismember(&action.sa_mask, number) == 1 &&
		    !sigaction(number, NULL, &old) && old.sa_handler != SIG_IGN)
			sigaction(number, &action, NULL);
	sigaction(SIGCHLD, &reap, NULL);
	/* What is to be put in order is, whether or not messages are read. */
	signal(SIGPIPE, SIG_IGN);
}

int command_run(const struct shell *sh, bool *killed)
{
	sigset_t set, before;
	siginfo_t end;

	*killed = false;
	if (!call_witness(sh))
		return EX_OSERR;
	/* If it is ignored there will be nothing to wait for. */
	signal(SIGCHLD, SIG_DFL);
	passed_on(&set);
	sigprocmask(SIG_BLOCK, &set, &unblocked);
	ask_witness(&before);
	child = fork();
	if (child < 0) {
		fprintf(stderr, "%s: fork: %s\n", sh->who, strerror(errno));
		return EX_OSERR;
	}
	if (!child) {
		sigprocmask(SIG_SETMASK, &unblocked, NULL);
		_exit(command_exec(sh));
	}
	handle_signals();
	sigprocmask(SIG_SETMASK, &unblocked, NULL);

	/* Until it is reaped its number is its own, so signals can be sent. */
	while (waitid(P_PID, child, &end, WEXITED | WNOWAIT) < 0 &&
	       errno == EINTR)
		;
	sigprocmask(SIG_BLOCK, &set, NULL);
	waitid(P_PID, child, &end, WEXITED);
	kill(witness_pid, SIGKILL);
	waitid(P_PID, witness_pid, NULL, WEXITED);
	*killed = end.si_code != CLD_EXITED;
	return end.si_status + (*killed ? 128 : 0);
}

int command_end(int status, bool killed)
{
	if (!killed || !inside)
		return status;
	/* It has left a core file, if any was wanted. */
	prctl(PR_SET_DUMPABLE, 0);
	sigprocmask(SIG_SETMASK, &unblocked, NULL);
	signal(status - 128, SIG_DFL);
	raise(status - 128);
	return status;
}

void command_tell_death(const struct shell *sh, bool died, const char *what)
{
	if (!died)
		return;
	shell_say(sh, "%s", what);
	setenv("GOSYNC_OWNER_DIED", "1", 1);
}

int command_keep(const struct shell *sh, int fd)
{
	int kept = fd;

	inside = getenv("GOSYNC_LOCKS");
	if (!sh->close) {
		kept = fcntl(fd, F_DUPFD, FIRST_FD);
		if (kept < 0) {
			shell_say(sh, "no descriptor from %d for COMMAND: raise ulimit -n, or -o",
				  FIRST_FD);
			exit(EX_OSERR);
		}
		close(fd);
	}
	if (!sh->no_fork && !call_witness(sh))
		exit(EX_OSERR);
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
	struct gosync_wait_args wait = {
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

/*
 * What COMMAND may want to know. If this is inside of another gosync run, that
 * one's is still true: nothing of it is taken away, only the innermost is found
 * more easily.
 */
static int export_lock(const struct shell *sh, const struct kind *kind, int fd,
		       bool died)
{
	const char *others = getenv("GOSYNC_LOCKS");
	struct gosync_info info = { .size = sizeof(info) };
	char token[24] = "-", number[16] = "-", name[NAME_BUF];
	char *locks;

	if (ioctl(fd, GOSYNC_IOC_INFO, &info) < 0)
		return -errno;
	if (kind != &reader) {
		snprintf(token, sizeof(token), "%llu",
			 (unsigned long long)info.token);
		setenv("GOSYNC_TOKEN", token, 1);
	}
	if (!sh->close) {
		snprintf(number, sizeof(number), "%d", fd);
		setenv("GOSYNC_LOCK_FD", number, 1);
	}
	if (asprintf(&locks, "%s%s%s %s %s %s", others ? others : "",
		     others ? "\n" : "", token, number, died ? "died" : "-",
		     name_text(sh->name, strlen(sh->name), name)) < 0)
		return -ENOMEM;
	setenv("GOSYNC_LOCKS", locks, 1);
	free(locks);
	return 0;
}

/* `cond wait --lock' may have been killed without it, and then it is another's. */
static bool has_it(const struct shell *sh, const struct kind *kind, int fd)
{
	struct gosync_info info;

	shell_info(sh, fd, &info);
	/* Or somebody has taken it from us: gosync break. */
	if (info.flags & GOSYNC_BROKEN)
		return false;
	return kind == &reader || info.owner == info.holder;
}

static void give_back(const struct shell *sh, const struct kind *kind, int fd,
		      bool died, int status)
{
	if (!has_it(sh, kind, fd)) {
		shell_say(sh, "COMMAND ended without the lock");
		return;
	}
	if (died && kind->recover && !status)
		ioctl(fd, kind->recover, 0);
	ioctl(fd, kind->unlock, 0);
	if (died && kind->recover && status)
		shell_say(sh, "COMMAND failed, so the next will be told, too");
}

static int run(struct shell *sh)
{
	const struct kind *kind;
	bool died, killed;
	int status;
	int fd, ret;

	kind = open_lock(sh, &fd);
	fd = command_keep(sh, fd);
	ret = take(sh, kind, fd);
	if (ret == -ETIMEDOUT || ret == -EBUSY)
		return shell_gave_up(sh);
	if (ret < 0)
		return shell_error(sh, kind->lock, ret);
	died = ret;

	ret = export_lock(sh, kind, fd, died);
	if (ret < 0) {
		ioctl(fd, kind->unlock, 0);
		return shell_error(sh, GOSYNC_IOC_INFO, ret);
	}
	command_tell_death(sh, died,
			   "an owner died with the lock: what it protects may want to be put right");
	if (sh->verbose)
		shell_say(sh, "running %s", *sh->command);
	if (sh->no_fork) {
		status = command_exec(sh);
		killed = false;
	} else {
		status = command_run(sh, &killed);
	}
	if (!killed && !(status && sh->poison)) {
		give_back(sh, kind, fd, died, status);
	} else {
		/* Somebody may have a copy of the descriptor, and live on. */
		ioctl(fd, GOSYNC_IOC_ABANDON, 0);
		if (sh->verbose)
			shell_say(sh, "COMMAND %s; the next will be told",
				  killed ? "was killed" : "failed");
	}
	return command_end(status, killed);
}

static const char run_more[] =
	"NAME is an RWMutex, and is created if it isn't there; a Mutex that a program\n"
	"has made will do for -x. Who has waited for 1 ms gets it in turn. NAME stays\n"
	"until gosync rm NAME, rmmod or a reboot, so that it can remember a death; with\n"
	"-t it does not. Others than who made it can use it if that was with -m 0666,\n"
	"or under such a umask; flock(1) asks for less.\n\n"
	"The lock is released when COMMAND ends, whoever has a copy of the descriptor:\n"
	"what COMMAND leaves in the background is without it. If gosync is killed,\n"
	"COMMAND goes on and keeps the lock until it and what it has started have\n"
	"ended; with -o it goes on without. With -F nobody sees COMMAND end, so what\n"
	"it has started keeps the lock as well.\n\n"
	"Signals that are sent to gosync alone are passed on to COMMAND after a tenth\n"
	"of a second; what is sent to a process group, or by a service manager to\n"
	"each process, COMMAND gets anyhow, and so once. A process named `witness' is\n"
	"there to tell one from the other. Not passed on are those that stop and go\n"
	"on, what COMMAND itself sends, and SIGPIPE.\n\n"
	"If a signal kills COMMAND, an owner has died with the lock (with -x). So it\n"
	"is if gosync was killed first, and with -F, because then nobody sees how\n"
	"COMMAND ends, and with --poison-on-failure if it fails. The next COMMAND\n"
	"finds GOSYNC_OWNER_DIED=1 in its environment, and is to put right what the\n"
	"lock protects. So does each after it, until one with -x succeeds, that is,\n"
	"exits with 0.\n\n"
	"GOSYNC_TOKEN (with -x) is the fencing token: each later one is larger,\n"
	"also if NAME was taken away in between.\n"
	"GOSYNC_LOCK_FD (not with -o) is the inherited descriptor; see gosync cond\n"
	"wait --lock. Inside of another gosync run, they are the innermost's, and\n"
	"GOSYNC_OWNER_DIED is 1 if it was so for any. GOSYNC_LOCKS has a line for\n"
	"each, the innermost last: TOKEN FD DIED NAME, where DIED is `died' or `-', and\n"
	"`-' stands for what there isn't. If a signal kills COMMAND, it is a death for\n"
	"all of them.\n\n"
	"Exit status: COMMAND's own; 128 + N if signal N killed it; 126 if it cannot\n"
	"be run, 127 if there is none; 1 (or -E) if the lock was not to be had in\n"
	"time; 2 wrong usage, 65 NAME is something else or not as -m says, 69 no\n"
	"device, 71 too few descriptors, processes or memory, 73 too many names, 77 no\n"
	"permission.\n\n"
	"There is no -u, and no locking of a descriptor: the lock ends with COMMAND.";

int run_main(int argc, char **argv)
{
	static const struct verb verbs[] = {
		{ .args = "NAME [--] COMMAND [ARG...]\nNAME -c COMMAND",
		  .doc = "Run COMMAND with the lock NAME held, as flock(1) does with a file.",
		  .more = run_more, .run = run, .min = 2, .command = true,
		  .options = { "exclusive", "shared", "timeout", "nonblock",
			"command", "conflict-exit-code", "close", "no-fork",
			"temporary", "mode", "verbose",
			"poison-on-failure" } },
		{ }
	};

	return verbs_main(argc, argv, verbs, NULL);
}
