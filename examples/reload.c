// SPDX-License-Identifier: GPL-2.0-only
/*
 * A server that reloads its configuration when it changes. The configuration is
 * one more descriptor in the server's event loop.
 *
 *   reload SOCKET              serve: a client sends a name and is greeted
 *   reload --set GREETING      publish another configuration
 *   reload --ask SOCKET NAME   be greeted
 */
#include <errno.h>
#include <gosync-user.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct config {
	char greeting[60];
};

static struct config config = { "Hello" };

static int failed(const char *what, int ret)
{
	fprintf(stderr, "reload: %s: %s\n", what, gosync_strerror(0, ret));
	return 1;
}

/*
 * What is loaded is of this version or later. If it is later, or becomes so
 * before we say what we have seen, the descriptor is readable again at once.
 */
static int reload(gosync_value_t *value)
{
	size_t len = sizeof(config);
	uint64_t version;
	int ret;

	ret = gosync_value_version(value, &version);
	if (!ret && version)
		ret = gosync_value_load(value, &config, &len, NULL);
	if (!ret)
		ret = gosync_watch(value, 0, version);
	return ret;
}

static int publish(gosync_value_t *value, const char *greeting)
{
	struct config new = {};

	snprintf(new.greeting, sizeof(new.greeting), "%s", greeting);
	return gosync_value_store(value, GOSYNC_TYPE_ID(struct config), &new,
				  sizeof(new));
}

static void answer(int client)
{
	char name[60];
	ssize_t len = read(client, name, sizeof(name));

	if (len > 0)
		dprintf(client, "%s, %.*s!\n", config.greeting, (int)len, name);
	close(client);
}

static int on_path(const char *path,
		   int (*fn)(int fd, const struct sockaddr *address,
			     socklen_t len))
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd < 0 || fn(fd, (void *)&address, sizeof(address)))
		return -1;
	return fd;
}

static int ask(const char *path, const char *name)
{
	int fd = on_path(path, connect);
	char text[200];
	ssize_t len;

	if (fd < 0 || write(fd, name, strlen(name)) < 0)
		return failed(path, -errno);
	while ((len = read(fd, text, sizeof(text))) > 0)
		fwrite(text, 1, len, stdout);
	return 0;
}

static void add(int loop, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event);
}

static int serve(gosync_value_t *value, const char *path)
{
	int listener = on_path(path, bind);
	int loop = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event;
	int ret;

	if (listener < 0 || listen(listener, 10) || loop < 0)
		return failed(path, -errno);
	add(loop, listener);
	add(loop, gosync_fd(value));
	for (;;) {
		if (epoll_wait(loop, &event, 1, -1) != 1)
			continue;
		if (event.data.fd == listener) {
			add(loop, accept(listener, NULL, NULL));
		} else if (event.data.fd == gosync_fd(value)) {
			ret = reload(value);
			if (ret)
				return failed("reload", ret);
			printf("reloaded: %s\n", config.greeting);
			fflush(stdout);
		} else {
			answer(event.data.fd);
		}
	}
}

int main(int argc, char **argv)
{
	gosync_value_t *value;
	int ret;

	if (argc == 4 && !strcmp(argv[1], "--ask"))
		return ask(argv[2], argv[3]);
	if (argc < 2 || argc > 3) {
		fprintf(stderr, "reload SOCKET | --set GREETING | --ask SOCKET NAME\n");
		return 2;
	}
	ret = gosync_value_open("reload.example", sizeof(config),
				GOSYNC_CREATE | GOSYNC_PERSIST, 0600, &value);
	if (ret)
		return failed("open", ret);
	if (argc == 2)
		return serve(value, argv[1]);
	ret = publish(value, argv[2]);
	return ret ? failed("set", ret) : 0;
}
