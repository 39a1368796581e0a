// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who waits for whom, and who is stuck.
 *
 * Only what a process can be waited for is looked at: the owner of a Mutex, the
 * writer and the readers of an RWMutex, the runner of a Once, who took permits
 * of a Semaphore that counts whose they are. Whoever waits for something else
 * (a Cond, a WaitGroup, a word) may be let go by anybody, and who waits for any
 * of several things by whoever lets go one of them.
 *
 * A wait ends when one of those who can release it does. A holder is a
 * descriptor, so these are all processes that have it, and all of their
 * threads. Hence a process is stuck if all its threads wait for something that
 * only stuck processes have; beginning with all who wait, those for whom that
 * is not so are taken out until nothing changes. What remains are knots, in
 * which processes wait for each other, and those who wait behind one.
 *
 * Objects are looked at one after the other, so what is seen may never have
 * been so at one moment. Therefore one looks twice. A thread whose wait has the
 * same number was asleep all the time in between, so a process of which this is
 * true of all threads has done nothing. If the lock has the same owner and the
 * same token as well, it was owned all the time.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "graph.h"

/* Room for more in an array that has @nr, which grows by doubling. */
static int grow(void *array, int nr, size_t size)
{
	void **at = array;
	void *more;

	if (nr & (nr - 1))
		return 0;
	more = realloc(*at, (nr ? 2 * nr : 1) * size);
	if (!more)
		return -ENOMEM;
	*at = more;
	return 0;
}

/* --- Looking at objects --------------------------------------------------- */

static bool holds(const struct gosync_party *party)
{
	return party->count || party->flags & GOSYNC_PARTY_OWNS;
}

static int get_holders(int fd, struct contended *object)
{
	struct gosync_party batch[64];
	struct gosync_parties args = {
		.size = sizeof(args),
		.entries = (uintptr_t)batch,
		.count = 64,
		.entry_size = sizeof(batch[0]),
	};
	int got, i;

	do {
		got = ioctl(fd, GOSYNC_IOC_HOLDERS, &args);
		for (i = 0; i < got; i++) {
			if (!holds(&batch[i]))
				continue;
			if (grow(&object->holders, object->nr_holders,
				 sizeof(batch[0])))
				return -ENOMEM;
			object->holders[object->nr_holders++] = batch[i];
		}
	} while (got > 0);
	return got ? -errno : 0;
}

static int get_waiters(int fd, struct contended *object)
{
	struct gosync_parties args = {
		.size = sizeof(args),
		.count = GOSYNC_WAITERS_LISTED,
		.entry_size = sizeof(struct gosync_party),
	};

	object->waiters = calloc(args.count, args.entry_size);
	if (!object->waiters)
		return -ENOMEM;
	args.entries = (uintptr_t)object->waiters;
	object->nr_waiters = ioctl(fd, GOSYNC_IOC_WAITERS, &args);
	return object->nr_waiters < 0 ? -errno : 0;
}

static void contended_free(struct contended *object)
{
	free(object->waiters);
	free(object->holders);
}

/*
 * Look at the object with this name.
 *
 * Return: 0; -ENOENT if it isn't there any more, or is another; or an error.
 */
static int contended_look(const struct gosync_info *info,
			  struct contended *object)
{
	int fd = object_open((const char *)info->name, info->type,
			     GOSYNC_RDONLY);
	int ret;

	*object = (struct contended) { };
	if (fd == -EPROTOTYPE || fd == -EACCES)
		return -ENOENT;
	if (fd < 0)
		return fd;
	object->info.size = sizeof(object->info);
	ret = get_waiters(fd, object);
	if (!ret)
		ret = get_holders(fd, object);
	/* Last, so that owner and token are not older than who holds. */
	if (!ret && ioctl(fd, GOSYNC_IOC_INFO, &object->info) < 0)
		ret = -errno;
	close(fd);
	if (!ret && object->info.id != info->id)
		ret = -ENOENT;
	if (ret)
		contended_free(object);
	return ret;
}

static bool has_holders(const struct gosync_info *info)
{
	switch (info->type) {
	case GOSYNC_MUTEX:
	case GOSYNC_RWMUTEX:
	case GOSYNC_ONCE:
		return true;
	case GOSYNC_SEMAPHORE:
		return info->flags & GOSYNC_GIVE_BACK;
	default:
		return false;
	}
}

static int add_object(const struct gosync_info *info, void *arg)
{
	struct graph *graph = arg;
	int ret;

	if (!info->waiters || !has_holders(info))
		return 0;
	if (grow(&graph->objects, graph->nr_objects, sizeof(*graph->objects)))
		return -ENOMEM;
	ret = contended_look(info, &graph->objects[graph->nr_objects]);
	if (!ret)
		graph->nr_objects++;
	return ret == -ENOENT ? 0 : ret;
}

/* --- Looking at processes ------------------------------------------------- */

/* How many threads it has; -1 if that cannot be seen */
static int count_threads(uint32_t pid)
{
	char path[32];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%u/task", pid);
	/* Each is a directory, and there are two more links. */
	return stat(path, &st) ? -1 : (int)st.st_nlink - 2;
}

static int by_process(const void *a, const void *b)
{
	const struct gosync_party *x = ((const struct waits *)a)->party;
	const struct gosync_party *y = ((const struct waits *)b)->party;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return x->tid < y->tid ? -1 : x->tid > y->tid;
}

static int add_waits(struct graph *graph)
{
	const struct contended *object;
	int i, j;

	for (i = 0; i < graph->nr_objects; i++) {
		object = &graph->objects[i];
		for (j = 0; j < object->nr_waiters; j++) {
			/* Not to be seen from here, or in a signal handler */
			if (!object->waiters[j].pid || !object->waiters[j].tid)
				continue;
			if (grow(&graph->waits, graph->nr_waits,
				 sizeof(*graph->waits)))
				return -ENOMEM;
			graph->waits[graph->nr_waits++] = (struct waits) {
				.object = object,
				.party = &object->waiters[j],
			};
		}
	}
	if (graph->nr_waits)
		qsort(graph->waits, graph->nr_waits, sizeof(*graph->waits),
		      by_process);
	return 0;
}

static int add_processes(struct graph *graph)
{
	struct process *process;
	int i, j;

	for (i = 0; i < graph->nr_waits; i = j) {
		uint32_t pid = graph->waits[i].party->pid;

		if (grow(&graph->processes, graph->nr_processes,
			 sizeof(*process)))
			return -ENOMEM;
		process = &graph->processes[graph->nr_processes++];
		*process = (struct process) {
			.pid = pid,
			.waits = &graph->waits[i],
			.nr_threads = count_threads(pid),
		};
		for (j = i; j < graph->nr_waits; j++)
			if (graph->waits[j].party->pid != pid)
				break;
		process->nr_waits = j - i;
	}
	return 0;
}

static int compare_pid(const void *a, const void *b)
{
	uint32_t pid = *(const uint32_t *)a;
	const struct process *process = b;

	return pid < process->pid ? -1 : pid > process->pid;
}

struct process *graph_process(const struct graph *graph, uint32_t pid)
{
	if (!graph->nr_processes)
		return NULL;
	return bsearch(&pid, graph->processes, graph->nr_processes,
		       sizeof(*graph->processes), compare_pid);
}

static int by_holder(const void *a, const void *b)
{
	const struct sharer *x = a, *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	if (x->holder != y->holder)
		return x->holder < y->holder ? -1 : 1;
	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

static int add_sharer(struct graph *graph, const struct sharer *sharer)
{
	if (grow(&graph->sharers, graph->nr_sharers, sizeof(*sharer)))
		return -ENOMEM;
	graph->sharers[graph->nr_sharers++] = *sharer;
	return 0;
}

/* What holder is that descriptor? */
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
 * Return: 1 if its descriptors could be seen, 0 if not, or -ENOMEM.
 */
static int add_descriptors(struct graph *graph, const char *pid)
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
		    add_sharer(graph, &sharer))
			ret = -ENOMEM;
	}
	closedir(dir);
	return ret;
}

/* Of whom that can't be seen, it is believed that they have what they opened. */
static int believe_openers(struct graph *graph, uint32_t pid)
{
	int i, j;

	for (i = 0; i < graph->nr_objects; i++) {
		const struct contended *object = &graph->objects[i];

		for (j = 0; j < object->nr_holders; j++) {
			struct sharer sharer = {
				.id = object->info.id,
				.holder = object->holders[j].holder,
				.pid = pid,
			};

			if (object->holders[j].pid == pid &&
			    add_sharer(graph, &sharer))
				return -ENOMEM;
		}
	}
	return 0;
}

static int add_sharers(struct graph *graph)
{
	struct dirent *entry;
	int ret = 0;
	DIR *dir;

	dir = opendir("/proc");
	if (!dir)
		return -errno;
	while (ret >= 0 && (entry = readdir(dir))) {
		if (!isdigit((unsigned char)*entry->d_name))
			continue;
		ret = add_descriptors(graph, entry->d_name);
		if (!ret)
			ret = believe_openers(graph, strtoul(entry->d_name,
							     NULL, 10));
	}
	closedir(dir);
	if (ret < 0)
		return ret;
	if (graph->nr_sharers)
		qsort(graph->sharers, graph->nr_sharers,
		      sizeof(*graph->sharers), by_holder);
	return 0;
}

const struct sharer *graph_sharers(const struct graph *graph,
				   const struct contended *object,
				   uint32_t holder, int *nr)
{
	struct sharer key = { .id = object->info.id, .holder = holder };
	int low = 0, high = graph->nr_sharers, first;

	while (low < high) {
		int middle = (low + high) / 2;

		if (by_holder(&graph->sharers[middle], &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	first = low;
	while (low < graph->nr_sharers &&
	       graph->sharers[low].id == key.id &&
	       graph->sharers[low].holder == holder)
		low++;
	*nr = low - first;
	return graph->sharers + first;
}

int graph_look(struct graph *graph)
{
	int ret;

	*graph = (struct graph) { };
	ret = gosync_list(add_object, graph);
	if (!ret)
		ret = add_waits(graph);
	if (!ret && graph->nr_waits)
		ret = add_processes(graph);
	if (!ret && graph->nr_waits)
		ret = add_sharers(graph);
	return ret;
}

void graph_free(struct graph *graph)
{
	int i;

	for (i = 0; i < graph->nr_objects; i++)
		contended_free(&graph->objects[i]);
	free(graph->objects);
	free(graph->waits);
	free(graph->processes);
	free(graph->sharers);
}

/* --- Looking again -------------------------------------------------------- */

static const struct gosync_party *
find_wait(const struct contended *object, const struct gosync_party *wait)
{
	int i;

	for (i = 0; i < object->nr_waiters; i++)
		if (object->waiters[i].wait == wait->wait &&
		    object->waiters[i].tid == wait->tid)
			return &object->waiters[i];
	return NULL;
}

static bool still_holds(const struct contended *old,
			const struct contended *new,
			const struct gosync_party *party)
{
	int i;

	for (i = 0; i < new->nr_holders; i++)
		if (new->holders[i].holder == party->holder)
			break;
	if (i == new->nr_holders)
		return false;
	if (!(party->flags & GOSYNC_PARTY_OWNS))
		return new->holders[i].count;
	return new->holders[i].flags & GOSYNC_PARTY_OWNS &&
	       old->info.owner == party->holder &&
	       new->info.owner == party->holder &&
	       old->info.token == new->info.token;
}

/* Who waits no longer gets no thread, who has it no longer becomes unknown. */
static void keep_the_same(struct contended *old, const struct contended *new)
{
	int i;

	for (i = 0; i < old->nr_waiters; i++) {
		const struct gosync_party *now = NULL;

		if (new)
			now = find_wait(new, &old->waiters[i]);
		if (now)
			old->waiters[i].ns = now->ns;
		else
			old->waiters[i].tid = 0;
	}
	for (i = 0; i < old->nr_holders; i++)
		if (!new || !still_holds(old, new, &old->holders[i]))
			old->holders[i].holder = 0;
	/* Permits that somebody else has now may come from there. */
	if (new && new->nr_holders != old->nr_holders &&
	    old->info.type == GOSYNC_SEMAPHORE)
		for (i = 0; i < old->nr_holders; i++)
			old->holders[i].holder = 0;
}

int graph_confirm(struct graph *graph)
{
	struct contended again;
	int i, ret;

	for (i = 0; i < graph->nr_objects; i++) {
		ret = contended_look(&graph->objects[i].info, &again);
		if (ret && ret != -ENOENT)
			return ret;
		keep_the_same(&graph->objects[i], ret ? NULL : &again);
		if (!ret)
			contended_free(&again);
	}
	for (i = 0; i < graph->nr_processes; i++)
		if (count_threads(graph->processes[i].pid) !=
		    graph->processes[i].nr_threads)
			graph->processes[i].nr_threads = -1;
	return 0;
}

/* --- Who is stuck --------------------------------------------------------- */

int graph_blockers(const struct waits *waits,
		   int (*fn)(const struct gosync_party *holder, void *arg),
		   void *arg)
{
	const struct contended *object = waits->object;
	bool shared = object->info.type == GOSYNC_SEMAPHORE ||
		      waits->party->wants == GOSYNC_WANTS_TO_DRAIN;
	int i, ret = 0;

	for (i = 0; i < object->nr_holders && !ret; i++) {
		const struct gosync_party *party = &object->holders[i];

		if (shared ? party->count : party->flags & GOSYNC_PARTY_OWNS)
			ret = fn(party, arg);
	}
	return ret;
}

struct question {
	const struct graph *graph;
	const struct contended *object;
	enum certainty certainty;
	int stuck, free;		/* of the holders */
};

/* Can nobody act for this holder? */
static int ask_holder(const struct gosync_party *party, void *arg)
{
	struct question *question = arg;
	const struct process *process;
	const struct sharer *sharers;
	int nr, i, stuck = 0;

	sharers = graph_sharers(question->graph, question->object,
				party->holder, &nr);
	for (i = 0; i < nr; i++) {
		process = graph_process(question->graph, sharers[i].pid);
		stuck += process && process->stuck;
	}
	if (question->certainty == POSSIBLE ? stuck : nr && stuck == nr)
		question->stuck++;
	else
		question->free++;
	return 0;
}

static bool is_stuck(const struct graph *graph, const struct waits *waits,
		     enum certainty certainty)
{
	struct question question = {
		.graph = graph,
		.object = waits->object,
		.certainty = certainty,
	};

	/* It has ended, when one looked again; or no thread sleeps for it. */
	if (!waits->party->tid)
		return false;
	/* Something else may come, of which nothing need be known here. */
	if (certainty != POSSIBLE && waits->party->flags & GOSYNC_PARTY_AMONG)
		return false;
	if (certainty == CERTAIN && waits->party->flags & GOSYNC_PARTY_TIMED)
		return false;
	graph_blockers(waits, ask_holder, &question);
	/* All readers have to go, but permits may come from anybody. */
	if (waits->object->info.type == GOSYNC_SEMAPHORE &&
	    certainty != POSSIBLE && question.free)
		return false;
	return question.stuck;
}

/* Return: whether that has changed */
static bool look_at_process(const struct graph *graph, struct process *process,
			    enum certainty certainty)
{
	int i, stuck = 0;

	for (i = 0; i < process->nr_waits; i++) {
		process->waits[i].stuck = is_stuck(graph, &process->waits[i],
						   certainty);
		stuck += process->waits[i].stuck;
	}
	if (certainty == POSSIBLE)
		process->stuck = stuck;
	else
		process->stuck = stuck == process->nr_threads;
	return !process->stuck;
}

/* Tarjan's strongly connected components */
struct search {
	struct graph *graph;
	struct process **stack;
	int depth, visited;
	struct process *process;
	const struct waits *waits;
	bool itself;
};

static void visit(struct search *search, struct process *process);

static int follow(const struct gosync_party *party, void *arg)
{
	struct search *search = arg;
	struct process *from = search->process, *to;
	const struct waits *waits = search->waits;
	const struct sharer *sharers;
	int nr, i;

	sharers = graph_sharers(search->graph, waits->object, party->holder,
				&nr);
	for (i = 0; i < nr; i++) {
		to = graph_process(search->graph, sharers[i].pid);
		if (!to || !to->stuck)
			continue;
		if (to == from)
			search->itself = true;
		if (!to->order) {
			visit(search, to);
			search->process = from;
			search->waits = waits;
			if (to->low < from->low)
				from->low = to->low;
		} else if (to->open && to->order < from->low) {
			from->low = to->order;
		}
	}
	return 0;
}

static void visit(struct search *search, struct process *process)
{
	struct graph *graph = search->graph;
	struct process *member;
	bool itself;
	int i;

	process->order = ++search->visited;
	process->low = process->order;
	process->open = true;
	search->stack[search->depth++] = process;
	itself = search->itself;
	search->itself = false;
	for (i = 0; i < process->nr_waits; i++) {
		search->process = process;
		search->waits = &process->waits[i];
		if (process->waits[i].stuck)
			graph_blockers(&process->waits[i], follow, search);
	}
	if (process->low == process->order) {
		bool knot = search->itself ||
			    search->stack[search->depth - 1] != process;

		if (knot)
			graph->nr_knots++;
		do {
			member = search->stack[--search->depth];
			member->open = false;
			member->knot = knot ? graph->nr_knots : 0;
		} while (member != process);
	}
	search->itself = itself;
}

int graph_solve(struct graph *graph, enum certainty certainty)
{
	struct search search = { .graph = graph };
	bool changed;
	int i;

	for (i = 0; i < graph->nr_processes; i++) {
		graph->processes[i].stuck = true;
		graph->processes[i].order = 0;
		graph->processes[i].knot = 0;
	}
	do {
		changed = false;
		for (i = 0; i < graph->nr_processes; i++)
			if (graph->processes[i].stuck &&
			    look_at_process(graph, &graph->processes[i],
					    certainty))
				changed = true;
	} while (changed);

	graph->nr_knots = 0;
	search.stack = calloc(graph->nr_processes + 1, sizeof(*search.stack));
	if (!search.stack)
		return -ENOMEM;
	for (i = 0; i < graph->nr_processes; i++)
		if (graph->processes[i].stuck && !graph->processes[i].order)
			visit(&search, &graph->processes[i]);
	free(search.stack);
	return graph->nr_knots;
}
