// SPDX-License-Identifier: GPL-2.0-only
/*
 * gosync run: a command under a lock. The commands of once, sem and wg are run
 * by the same functions.
 *
 * COMMAND inherits the descriptor, so it is the same holder as this process. If
 * this process is killed, COMMAND goes on with the lock until it ends, and with
 * it the last descriptor. For the kernel, that is the death of an owner.
 *
 * Usually this process sees the end of COMMAND and unlocks. If COMMAND was
 * killed, this process gives the lock up, and the kernel remembers that an owner
 * died. So the lock is free when COMMAND has ended, although its background
 * processes may have a copy of the descriptor.
 *
 * Everything that may fail is done before the lock is taken. So the next owner
 * is not told of a death if COMMAND has not run.
 *
 * This file uses no handles of the library: after fork they would be other
 * holders.
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
static bool inside;		/* for a COMMAND of another gosync run */

/* Lower descriptors are left to the redirections of COMMAND. */
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
 * COMMAND also gets a signal that a terminal or kill(2) sends to the process
 * group, or that a service manager sends to each process. It does not get a
 * signal that is sent to this process alone, which must be passed on. To tell
 * the two apart there is a witness: a process beside this one that nobody sends
 * signals to. A signal that the witness gets was sent to all.
 */
static int witness = -1;	/* a socket to it */
static pid_t witness_pid;

/* The time in which a sender reaches the last of the processes */
#define GRACE_NS	100000000

static sigset_t unblocked;	/* as it was */
static const struct timespec grace = { 0, GRACE_NS };
static const struct timespec no_time;

/* All signals except those for stopping, continuing, and the process's own faults */
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
	/* A search for gosync by name or arguments must not find the witness. */
	prctl(PR_SET_NAME, name);
	forget_arguments();
}

/* Answer each question with the signals since the last one. */
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
	/* The process that asks has ended, or needs no more answers. */
	_exit(0);
}

static bool call_witness(const struct shell *sh)
{
	/* The witness may have been stopped. */
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

	/* This answer has come too late. */
	while (recv(witness, got, sizeof(*got), MSG_DONTWAIT) > 0)
		;
	if (send(witness, &question, 1, MSG_NOSIGNAL) != 1 ||
	    recv(witness, got, sizeof(*got), 0) != sizeof(*got))
		sigemptyset(got);
}

/* A signal that COMMAND itself sends is not passed on to it. */
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

/* Reap orphans: this process may be the first one of a container. */
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

/* Ignored signals stay ignored, for nohup. */
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
	/* Go on with cleaning up, even if the messages cannot be written. */
	signal(SIGPIPE, SIG_IGN);
}

int command_run(const struct shell *sh, bool *killed)
{
	sigset_t set, before;
	siginfo_t end;

	*killed = false;
	if (!call_witness(sh))
		return EX_OSERR;
	/* If SIGCHLD were ignored, there would be no status to wait for. */
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

	/* The number stays its own until it is reaped, so signals can be sent. */
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
	/* COMMAND has written its core file, if one was wanted. */
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
			shell_say(sh, "no descriptor from %d on is free; see ulimit -n, or use -o",
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

/* Open an RWMutex, or a Mutex that a program has created. */
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
	/* It may be an RWMutex by now; otherwise this prints the reason. */
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
 * Put what COMMAND may need into its environment. Inside another gosync run,
 * the information of the outer one stays; the innermost is easiest to find.
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

/* If `cond wait --lock' was killed without the lock, another process has it. */
static bool has_it(const struct shell *sh, const struct kind *kind, int fd)
{
	struct gosync_info info;

	shell_info(sh, fd, &info);
	/* Or gosync break has taken the lock from this holder. */
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
		shell_say(sh, "COMMAND failed; the next owner will be told");
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
			   "an owner died with the lock: the data that it protects may need repair");
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
		/* Another process may have a copy of the descriptor, and live on. */
		ioctl(fd, GOSYNC_IOC_ABANDON, 0);
		if (sh->verbose)
			shell_say(sh, "COMMAND %s; the next owner will be told",
				  killed ? "was killed" : "failed");
	}
	return command_end(status, killed);
}

static const char run_more[] =
	"NAME is an RWMutex, which is created if it does not exist. With -x it may\n"
	"also be a Mutex of a program. After 1 ms of waiting the lock is handed over\n"
	"in turn. NAME stays until gosync rm NAME, rmmod or a reboot, so that it can\n"
	"remember a death; with -t it does not stay. Other users can only use NAME if\n"
	"it was created with -m 0666, or with a umask that allows it; flock(1) needs\n"
	"less.\n\n"
	"The lock is released when COMMAND ends, even if a background process has a\n"
	"copy of the descriptor. If gosync is killed, COMMAND goes on. It keeps the\n"
	"lock until it and the processes that it has started have ended; with -o it\n"
	"goes on without the lock. With -F, too, those processes keep the lock, because\n"
	"gosync does not see the end of COMMAND.\n\n"
	"A signal that is sent to gosync alone is passed on to COMMAND after a tenth of\n"
	"a second. COMMAND gets a signal to the process group, or of a service manager\n"
	"to each process, by itself, and only once. A process named `witness' tells the\n"
	"two cases apart. These signals are not passed on: those that stop and continue\n"
	"a process, those that COMMAND itself sends, and SIGPIPE.\n\n"
	"If a signal kills COMMAND, an owner has died with the lock (only with -x).\n"
	"These count as a death, too: COMMAND ends after gosync was killed; it ends\n"
	"with -F; it fails with --poison-on-failure. The next COMMAND has\n"
	"GOSYNC_OWNER_DIED=1 in its environment, and should repair the data that the\n"
	"lock protects. So has each later one, until a COMMAND with -x exits with 0.\n\n"
	"GOSYNC_TOKEN (with -x) is the fencing token. Each later token is larger, even\n"
	"if NAME was removed in between. GOSYNC_LOCK_FD (not with -o) is the inherited\n"
	"descriptor; see gosync cond wait --lock. Inside another gosync run, both are\n"
	"those of the innermost lock, and GOSYNC_OWNER_DIED is 1 if an owner of any of\n"
	"the locks died. GOSYNC_LOCKS has a line for each lock, the innermost last:\n"
	"TOKEN FD DIED NAME. DIED is `died' or `-'; a missing TOKEN or FD is `-', too.\n"
	"If a signal kills COMMAND, that is a death for all of the locks.\n\n"
	"Exit status: that of COMMAND; 128 + N if signal N killed it; 126 if it cannot\n"
	"be run; 127 if it does not exist; 1 (or -E) if the lock was not free in time;\n"
	"2 for wrong usage; 65 if NAME has another type, or not the mode of -m; 69 if\n"
	"there is no device; 71 if there are too few descriptors, processes or memory;\n"
	"73 if there are too many names; 77 without permission.\n\n"
	"Unlike flock(1), there is no -u, and a descriptor cannot be locked: the lock\n"
	"ends with COMMAND.";

int run_main(int argc, char **argv)
{
	static const struct verb verbs[] = {
		{ .args = "NAME [--] COMMAND [ARG...]\nNAME -c COMMAND",
		  .doc = "Run COMMAND while the lock NAME is held, as flock(1) does with a file.",
		  .more = run_more, .run = run, .min = 2, .command = true,
		  .options = { "exclusive", "shared", "timeout", "nonblock",
			"command", "conflict-exit-code", "close", "no-fork",
			"temporary", "mode", "cluster", "verbose",
			"poison-on-failure" } },
		{ }
	};

	return verbs_main(argc, argv, verbs, NULL);
}
