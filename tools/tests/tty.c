// SPDX-License-Identifier: GPL-2.0-only
/*
 * tty HOW COMMAND [ARG...]: run a command that takes over its terminal, and see
 * whether it leaves the terminal as it was.
 *
 * HOW is quit (the key q), int (Ctrl-C), stop (Ctrl-Z; continued, it is to show
 * something again; then q), size (it is to show something for the new one, then
 * q), or the name of a signal: term, hup. What the command showed goes to
 * standard output.
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

/* Return: 0 when nothing came for a while */
static int hear(int ms)
{
	struct pollfd fd = { .fd = master, .events = POLLIN };
	ssize_t n;

	if (poll(&fd, 1, ms) <= 0)
		return 0;
	if (nr_seen == sizeof(seen) - 1)
		fail("it shows too much");
	n = read(master, seen + nr_seen, sizeof(seen) - 1 - nr_seen);
	if (n <= 0)
		return 0;
	nr_seen += n;
	return 1;
}

/* Until it shows this, from where we stopped to look before */
static void await(const char *text)
{
	while (!strstr(seen + nr_old, text))
		if (!hear(30000))
			fail("it shows nothing more");
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
		fail("it does not stop");
	while (hear(100))
		;
	if (!as_before())
		fail("stopped, it leaves the terminal changed");
	nr_old = nr_seen;
	kill(child, SIGCONT);
	await("NAME");
	if (as_before())
		fail("continued, it does not take the terminal");
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
	/* The shell's end stays open, so that what it was set to remains. */
	child = forkpty(&master, NULL, NULL, &size);
	if (child < 0)
		fail(strerror(errno));
	if (!child) {
		/* Until we know how the terminal was */
		raise(SIGSTOP);
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	if (waitpid(child, &status, WUNTRACED) != child || !WIFSTOPPED(status) ||
	    tcgetattr(master, &before))
		fail("it does not begin");
	kill(child, SIGCONT);
	await("NAME");
	if (as_before())
		fail("it does not take the terminal");

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
		fail("it does not end");
	fwrite(seen, 1, nr_seen, stdout);
	if (expected ? !WIFSIGNALED(status) || WTERMSIG(status) != expected :
	    status)
		fail("it ends in another way");
	if (!as_before())
		fail("it leaves the terminal changed");
	return 0;
}
