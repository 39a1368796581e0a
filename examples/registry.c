// SPDX-License-Identifier: GPL-2.0-only
/*
 * A registry of the addresses of services.
 *
 *   registry                  list them
 *   registry NAME             find one
 *   registry NAME ADDRESS     add one, unless the name is taken
 *   registry --drop NAME      remove one
 */
#include <errno.h>
#include <gosync-user.h>
#include <stdio.h>
#include <string.h>

static int show(const void *key, size_t key_len, const void *value, size_t len,
		void *arg)
{
	(void)arg;
	printf("%.*s %.*s\n", (int)key_len, (const char *)key,
	       (int)len, (const char *)value);
	return 0;
}

static int find(gosync_map_t *map, const char *name)
{
	char address[256];
	size_t len = sizeof(address);
	int ret;

	ret = gosync_map_load(map, name, strlen(name), address, &len);
	if (!ret)
		printf("%.*s\n", (int)len, address);
	return ret;
}

static int add(gosync_map_t *map, const char *name, const char *address)
{
	char other[256];
	size_t len = sizeof(other);
	int ret;

	ret = gosync_map_load_or_store(map, name, strlen(name),
				       address, strlen(address), other, &len);
	if (ret != 1)
		return ret;
	fprintf(stderr, "registry: %s is at %.*s\n", name, (int)len, other);
	return -EEXIST;
}

static int drop(gosync_map_t *map, const char *name)
{
	int ret = gosync_map_delete(map, name, strlen(name));

	return ret == 0 ? -ENODATA : ret < 0 ? ret : 0;
}

int main(int argc, char **argv)
{
	gosync_map_t *map;
	int ret;

	ret = gosync_map_open("registry.example", NULL,
			      GOSYNC_CREATE | GOSYNC_PERSIST, 0644, &map);
	if (ret)
		;
	else if (argc == 3 && !strcmp(argv[1], "--drop"))
		ret = drop(map, argv[2]);
	else if (argc == 3)
		ret = add(map, argv[1], argv[2]);
	else if (argc == 2)
		ret = find(map, argv[1]);
	else
		ret = gosync_map_range(map, show, NULL);
	if (ret)
		fprintf(stderr, "registry: %s\n",
			gosync_strerror(GOSYNC_IOC_MAP_LOAD, ret));
	return ret != 0;
}
