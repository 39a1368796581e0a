// SPDX-License-Identifier: GPL-2.0-only
/*
 * tty HOW COMMAND [ARG...]: run a command that changes its terminal, and check
 * that it restores the terminal.
 *
 * HOW is quit (the key q), int (Ctrl-C), stop (Ctrl-Z, continue, then q), size
 * (change the size, then q), or a signal: term, hup. After it has been continued
 * or has got a new size, the command must show something again. The output of
 * the command goes to standard output.
 */
#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static int master;
static pid_t child;
static struct termios before;
static char seen[1 << 20];
static size_t nr_seen, nr_old;

static void fail(const char *what)
{
	fprintf(stderr, "tty: %s\n", what);
	kill(child, SIGKILL);
	exit(1);
}

static int as_before(void)
{
	struct termios now;

	if (tcgetattr(master, &now))
		fail("tcgetattr");
	return now.c_lflag == before.c_lflag && now.c_iflag == before.c_iflag &&
	       now.c_oflag == before.c_oflag &&
	       !memcmp(now.c_cc, before.c_cc, sizeof(now.c_cc));
}

/* Return: 0 if nothing came for a while */
static int hear(int ms)
{
	struct pollfd fd = { .fd = master, .events = POLLIN };
	ssize_t n;

	if (poll(&fd, 1, ms) <= 0)
		return 0;
	if (nr_seen == sizeof(seen) - 1)
		fail("the command prints too much");
	n = read(master, seen + nr_seen, sizeof(seen) - 1 - nr_seen);
	if (n <= 0)
		return 0;
	nr_seen += n;
	return 1;
}

/* Wait until it prints this, after the place where the last search ended. */
static void await(const char *text)
{
	while (!strstr(seen + nr_old, text))
		if (!hear(30000))
			fail("the command prints nothing more");
	nr_old = nr_seen;
}

static void type(char key)
{
	if (write(master, &key, 1) != 1)
		fail("the key");
}

static void await_stop(void)
{
	int status;

	if (waitpid(child, &status, WUNTRACED) != child || !WIFSTOPPED(status))
		fail("the command does not stop");
	while (hear(100))
		;
	if (!as_before())
		fail("the command stops and leaves the terminal changed");
	nr_old = nr_seen;
	kill(child, SIGCONT);
	await("NAME");
	if (as_before())
		fail("the command continues and does not change the terminal");
}

int main(int argc, char **argv)
{
	struct winsize size = { .ws_row = 24, .ws_col = 120 };
	int status, expected = 0;
	const char *how;

	if (argc < 3)
		fail("usage: tty HOW COMMAND");
	how = argv[1];
	alarm(120);
	/* The parent's end stays open, so that the settings remain. */
	child = forkpty(&master, NULL, NULL, &size);
	if (child < 0)
		fail(strerror(errno));
	if (!child) {
		/* Stop until the parent has read the settings of the terminal. */
		raise(SIGSTOP);
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	if (waitpid(child, &status, WUNTRACED) != child || !WIFSTOPPED(status) ||
	    tcgetattr(master, &before))
		fail("the command does not begin");
	kill(child, SIGCONT);
	await("NAME");
	if (as_before())
		fail("the command does not change the terminal");

	if (!strcmp(how, "stop")) {
		type(26);
		await_stop();
		type('q');
	} else if (!strcmp(how, "size")) {
		size.ws_col = 80;
		ioctl(master, TIOCSWINSZ, &size);
		await("NAME");
		type('q');
	} else if (!strcmp(how, "quit")) {
		type('q');
	} else if (!strcmp(how, "int")) {
		expected = SIGINT;
		type(3);
	} else if (!strcmp(how, "term")) {
		expected = SIGTERM;
		kill(child, expected);
	} else if (!strcmp(how, "hup")) {
		expected = SIGHUP;
		kill(child, expected);
	} else {
		fail("how?");
	}
	while (hear(2000))
		;
	if (waitpid(child, &status, 0) != child)
		fail("the command does not end");
	fwrite(seen, 1, nr_seen, stdout);
	if (expected ? !WIFSIGNALED(status) || WTERMSIG(status) != expected :
	    status)
		fail("the command ends in another way");
	if (!as_before())
		fail("the command leaves the terminal changed");
	return 0;
}
