// SPDX-License-Identifier: GPL-2.0-only
/*
 * A configuration that every process can read, and one process can replace.
 *
 *   config HOST PORT   publish
 *   config             show
 *   config --watch N   show it whenever it changes, N times
 *   config --remove    remove it
 *
 * The Value is GOSYNC_PERSIST: it stays when no process has it open. A reader
 * gets either the old or the new configuration, never a mixture.
 */
#include <errno.h>
#include <gosync-user.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME	"config.example"

struct config {
	char host[60];
	uint32_t port;
};

static int failed(const char *what, unsigned int op, int ret)
{
	fprintf(stderr, "config: %s: %s\n", what, gosync_strerror(op, ret));
	return 1;
}

static int publish(const char *host, const char *port)
{
	struct config config = { .port = strtoul(port, NULL, 0) };
	gosync_value_t *value;
	int ret;

	snprintf(config.host, sizeof(config.host), "%s", host);
	ret = gosync_value_open(NAME, sizeof(config),
				GOSYNC_CREATE | GOSYNC_PERSIST, 0644, &value);
	if (ret)
		return failed("open", GOSYNC_IOC_OPEN, ret);
	ret = gosync_value_store(value, GOSYNC_TYPE_ID(struct config),
				 &config, sizeof(config));
	gosync_close(value);
	return ret ? failed("store", GOSYNC_IOC_VALUE_STORE, ret) : 0;
}

static int show(gosync_value_t *value)
{
	struct config config;
	size_t len = sizeof(config);
	uint64_t type;
	int ret;

	ret = gosync_value_load(value, &config, &len, &type);
	if (!ret && type != GOSYNC_TYPE_ID(struct config))
		ret = -EPROTOTYPE;
	if (ret)
		return failed("load", GOSYNC_IOC_VALUE_LOAD, ret);
	printf("%s port %u\n", config.host, config.port);
	return fflush(stdout) ? 1 : 0;
}

static int watch(gosync_value_t *value, int times)
{
	uint64_t version = 0;
	int ret = 0;

	while (times-- > 0 && !ret) {
		ret = gosync_value_wait(value, &version);
		if (ret)
			return failed("wait", GOSYNC_IOC_VALUE_WAIT, ret);
		ret = show(value);
	}
	return ret;
}

int main(int argc, char **argv)
{
	gosync_value_t *value;
	int ret;

	if (argc == 2 && !strcmp(argv[1], "--remove")) {
		ret = gosync_unlink(NAME);
		return ret ? failed("remove", GOSYNC_IOC_UNLINK, ret) : 0;
	}
	if (argc == 3 && strcmp(argv[1], "--watch"))
		return publish(argv[1], argv[2]);

	ret = gosync_value_open(NAME, 0, GOSYNC_RDONLY, 0, &value);
	if (ret)
		return failed("open", GOSYNC_IOC_OPEN, ret);
	ret = argc == 3 ? watch(value, atoi(argv[2])) : show(value);
	gosync_close(value);
	return ret;
}
