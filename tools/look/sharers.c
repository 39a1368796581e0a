// SPDX-License-Identifier: GPL-2.0-only
/*
 * The processes that have a holder's descriptor now.
 *
 * The kernel remembers the process that opened it. This process may have ended;
 * its children, or receivers of the descriptor, may still have it.
 * /proc/PID/fdinfo shows the holder of each descriptor to users with permission.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sharers.h"

static int by_holder(const void *a, const void *b)
{
	const struct sharer *x = a, *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	if (x->holder != y->holder)
		return x->holder < y->holder ? -1 : 1;
	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

int sharers_add(struct sharers *sharers, const struct sharer *sharer)
{
	struct sharer *more;

	/* The array doubles when it is full, at powers of two. */
	if (!(sharers->nr & (sharers->nr - 1))) {
		more = reallocarray(sharers->all, 2 * sharers->nr + 1,
				    sizeof(*more));
		if (!more)
			return -ENOMEM;
		sharers->all = more;
	}
	sharers->all[sharers->nr++] = *sharer;
	return 0;
}

/* Read the holder of a descriptor. */
static bool read_fdinfo(const char *pid, const char *fd, struct sharer *sharer)
{
	unsigned long long id = 0;
	char path[64], line[1200];
	unsigned int holder = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%.10s/fdinfo/%.10s", pid, fd);
	f = fopen(path, "re");
	if (!f)
		return false;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "gosync-id: %llu", &id) != 1 &&
		    sscanf(line, "gosync-holder: %u", &holder) == 1)
			break;
	}
	fclose(f);
	sharer->id = id;
	sharer->holder = holder;
	return id && holder;
}

/*
 * Return: 1 if the descriptors of the process can be seen, 0 if not, or -ENOMEM.
 */
static int add_descriptors(struct sharers *sharers, const char *pid)
{
	struct sharer sharer = { .pid = strtoul(pid, NULL, 10) };
	char path[32], target[32];
	struct dirent *entry;
	int ret = 1;
	ssize_t len;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%.10s/fd", pid);
	dir = opendir(path);
	if (!dir)
		return 0;
	while (ret > 0 && (entry = readdir(dir))) {
		len = readlinkat(dirfd(dir), entry->d_name, target,
				 sizeof(target) - 1);
		if (len < 0)
			continue;
		target[len] = 0;
		if (!strcmp(target, "anon_inode:[gosync]") &&
		    read_fdinfo(pid, entry->d_name, &sharer) &&
		    sharers_add(sharers, &sharer))
			ret = -ENOMEM;
	}
	closedir(dir);
	return ret;
}

int sharers_look(struct sharers *sharers,
		 int (*each)(struct sharers *sharers, uint32_t pid, bool seen,
			     void *arg),
		 void *arg)
{
	struct dirent *entry;
	int ret = 0, nr = 0, i;
	DIR *dir;

	*sharers = (struct sharers) { };
	dir = opendir("/proc");
	if (!dir)
		return -errno;
	while (ret >= 0 && (entry = readdir(dir))) {
		if (!isdigit((unsigned char)*entry->d_name))
			continue;
		ret = add_descriptors(sharers, entry->d_name);
		if (ret >= 0 && each)
			ret = each(sharers, strtoul(entry->d_name, NULL, 10),
				   ret, arg);
	}
	closedir(dir);
	if (ret < 0)
		return ret;
	if (!sharers->nr)
		return 0;
	qsort(sharers->all, sharers->nr, sizeof(*sharers->all), by_holder);
	/* A process may have the descriptor more than once. */
	for (i = 1; i < sharers->nr; i++)
		if (by_holder(&sharers->all[nr], &sharers->all[i]))
			sharers->all[++nr] = sharers->all[i];
	sharers->nr = nr + 1;
	return 0;
}

const struct sharer *sharers_of(const struct sharers *sharers, uint64_t id,
				uint32_t holder, int *nr)
{
	struct sharer key = { .id = id, .holder = holder };
	int low = 0, high = sharers->nr, first;

	while (low < high) {
		int middle = (low + high) / 2;

		if (by_holder(&sharers->all[middle], &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	first = low;
	while (low < sharers->nr && sharers->all[low].id == id &&
	       sharers->all[low].holder == holder)
		low++;
	*nr = low - first;
	return sharers->all + first;
}

/* --- The processes of the last look --------------------------------------- */

static struct sharers now;
static bool looked;

void sharers_forget(void)
{
	free(now.all);
	now = (struct sharers) { };
	looked = false;
}

/* Does the process have the descriptor? If its descriptors are hidden, yes. */
static bool still_has(uint32_t pid, uint64_t id, uint32_t holder)
{
	struct sharers its = { };
	char number[16];
	int ret, i;

	snprintf(number, sizeof(number), "%u", pid);
	ret = add_descriptors(&its, number);
	for (i = 0; i < its.nr; i++)
		if (its.all[i].id == id && its.all[i].holder == holder)
			break;
	free(its.all);
	return ret <= 0 || i < its.nr;
}

const struct sharer *sharers_now(uint64_t id, uint32_t holder, uint32_t opener,
				 int *nr)
{
	static struct sharer one;
	const struct sharer *found;

	if (!looked)
		sharers_look(&now, NULL, NULL);
	looked = true;
	found = sharers_of(&now, id, holder, nr);
	/* The opener may have opened it after that look. */
	if (*nr || !opener || !still_has(opener, id, holder))
		return found;
	one = (struct sharer) { id, holder, opener };
	*nr = 1;
	return &one;
}

uint32_t owner_now(const struct gosync_info *info)
{
	const struct sharer *sharers;
	int nr;

	if (info->owner_pid && still_has(info->owner_pid, info->id, info->owner))
		return info->owner_pid;
	if (!info->owner)
		return 0;
	sharers = sharers_now(info->id, info->owner, 0, &nr);
	return nr ? sharers->pid : 0;
}

size_t process_read(uint32_t pid, const char *file, char *text, size_t size)
{
	size_t len = 0;
	char path[32];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%u/%s", pid, file);
	f = fopen(path, "re");
	if (f) {
		len = fread(text, 1, size - 1, f);
		fclose(f);
	}
	text[len] = 0;
	return len;
}

const char *process_comm(uint32_t pid)
{
	static char comm[17];
	size_t len = process_read(pid, "comm", comm, sizeof(comm));

	if (!len)
		return "?";
	/* The kernel ends it with a newline. */
	comm[len - (comm[len - 1] == '\n')] = 0;
	return comm;
}
