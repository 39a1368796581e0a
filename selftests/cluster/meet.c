// SPDX-License-Identifier: GPL-2.0-only
/*
 * meet NAME [NODE...]: wait until all these nodes of a cluster (all there are,
 * if none is named) have come here, by the same name. For programs that run in
 * all nodes of cluster.sh. The node with the lowest number answers when it has
 * heard of each other.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MEET_PORT	7077
#define MAX_NODES	9
#define NAME_SIZE	64

static struct sockaddr_in address_of(int node)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(MEET_PORT),
		.sin_addr.s_addr = htonl(0x0a4d0000 + node),
	};

	return to;
}

static int new_socket(void)
{
	int one = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		err(1, "meet: socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	return fd;
}

static bool read_name(int fd, char name[NAME_SIZE])
{
	return recv(fd, name, NAME_SIZE, MSG_WAITALL) == NAME_SIZE;
}

/*
 * Nobody is answered before all have come, and none can come any more: so what
 * comes is not for the next meeting.
 */
static void serve(const char *name, int self, int others)
{
	struct sockaddr_in at = address_of(self);
	int listener = new_socket();
	int fds[MAX_NODES];
	char theirs[NAME_SIZE];
	int i;

	if (bind(listener, (struct sockaddr *)&at, sizeof(at)) ||
	    listen(listener, MAX_NODES))
		err(1, "meet: cannot listen");
	for (i = 0; i < others; ) {
		fds[i] = accept(listener, NULL, NULL);
		if (fds[i] < 0)
			err(1, "meet: accept");
		/* One that died before it said anything */
		if (!read_name(fds[i], theirs)) {
			close(fds[i]);
			continue;
		}
		if (memcmp(theirs, name, NAME_SIZE))
			errx(1, "meet: %s: another node is at %.*s", name,
			     NAME_SIZE, theirs);
		i++;
	}
	close(listener);
	for (i = 0; i < others; i++) {
		if (send(fds[i], name, NAME_SIZE, MSG_NOSIGNAL) != NAME_SIZE)
			warn("meet: %s: cannot answer", name);
		close(fds[i]);
	}
}

/* The one who serves may not have come yet, or not even have booted. */
static void come(const char *name, int server)
{
	struct sockaddr_in to = address_of(server);
	char answer[NAME_SIZE];

	for (;;) {
		int fd = new_socket();

		if (!connect(fd, (struct sockaddr *)&to, sizeof(to)) &&
		    send(fd, name, NAME_SIZE, MSG_NOSIGNAL) == NAME_SIZE &&
		    read_name(fd, answer))
			return;
		close(fd);
		usleep(50 * 1000);
	}
}

static int parse_node(const char *what, const char *from)
{
	int n = from ? atoi(from) : 0;

	if (n < 1 || n > MAX_NODES)
		errx(2, "meet: %s is not a number from 1 to %d", what, MAX_NODES);
	return n;
}

int main(int argc, char **argv)
{
	char name[NAME_SIZE] = "";
	int self = parse_node("GOSYNC_NODE", getenv("GOSYNC_NODE"));
	int lowest = 1;
	int count, i;

	if (argc < 2 || strlen(argv[1]) >= NAME_SIZE)
		errx(2, "usage: meet NAME [NODE...]");
	memcpy(name, argv[1], strlen(argv[1]));
	if (argc > 2) {
		count = argc - 2;
		lowest = self;
		for (i = 2; i < argc; i++) {
			int node = parse_node("a node", argv[i]);

			if (node < lowest)
				lowest = node;
		}
	} else {
		count = parse_node("GOSYNC_NODES", getenv("GOSYNC_NODES"));
	}
	if (self == lowest)
		serve(name, self, count - 1);
	else
		come(name, lowest);
	return 0;
}
