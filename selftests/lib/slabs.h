/* SPDX-License-Identifier: GPL-2.0-only */
/* How many objects the kernel's caches have in use */
#ifndef SLABS_H
#define SLABS_H

#include <stdio.h>
#include <string.h>

enum { CACHES = 512 };

struct cache {
	char name[64];
	long active;
};

static inline int read_caches(struct cache *caches)
{
	FILE *file = fopen("/proc/slabinfo", "r");
	char line[512];
	int n = 0;

	while (file && n < CACHES && fgets(line, sizeof(line), file))
		if (sscanf(line, "%63s %ld", caches[n].name,
			   &caches[n].active) == 2)
			n++;
	if (file)
		fclose(file);
	return n;
}

/* Has any cache grown by more than @most, or, if @new counts, come to be? */
static inline bool has_grown(const struct cache *before, int n, long most,
			     bool new)
{
	static struct cache now[CACHES];
	int m = read_caches(now), i, j;

	for (i = 0; i < m; i++) {
		for (j = 0; j < n; j++)
			if (!strcmp(now[i].name, before[j].name))
				break;
		if (j == n ? new : now[i].active - before[j].active > most)
			return true;
	}
	return false;
}

#endif /* SLABS_H */
