// SPDX-License-Identifier: GPL-2.0-only
/*
 * The graph of waits between processes, and its deadlocks.
 *
 * Only waits for a holder count: for the owner of a Mutex, the writer and the
 * readers of an RWMutex, the runner of a Once, and the holders of permits of a
 * Semaphore with GOSYNC_GIVE_BACK. Any process may end another wait (for a
 * Cond, a WaitGroup, a word). A wait for any of several objects ends when one of
 * them is released.
 *
 * A holder is a descriptor, so every thread of every process that has the
 * descriptor can release it. Hence a process is stuck if each of its threads
 * waits for something that only stuck processes hold. To find them, begin with
 * all processes that wait, and take out those for which this is false, until
 * nothing changes. The rest are knots, in which processes wait for each other,
 * and processes that wait behind a knot.
 *
 * A process that waits for its children is stuck if all of them are: gosync run
 * waits for its COMMAND, and shells for their children, with the descriptor open.
 *
 * The objects are read one after the other, so the graph may never have been
 * true at one moment. Therefore there are two looks. If a wait has the same
 * number in both, its thread slept all the time in between. If that is true of
 * all threads of a process, the process has done nothing. If a lock also has the
 * same owner and the same token, it was owned all the time.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "graph.h"

/* Make room for one more in an array of @nr; it doubles when it is full. */
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
	struct gosync_parties_args args = {
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
	struct gosync_parties_args args = {
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
 * Return: 0; -ENOENT if it is gone, or another object has the name; or an error.
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
	/* Read last, so that owner and token are not older than the holders. */
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

/* Return: the number of threads; -1 if it is hidden */
static int count_threads(uint32_t pid)
{
	char path[32];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%u/task", pid);
	/* Each thread is a directory, and there are two more links. */
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
			/* The thread is hidden, or runs a signal handler. */
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

static uint32_t parent_of(uint32_t pid)
{
	unsigned int parent = 0;
	char text[256], *at;

	process_read(pid, "stat", text, sizeof(text));
	/* After the name, which may have any bytes */
	at = strrchr(text, ')');
	if (!at || sscanf(at, ") %*c %u", &parent) != 1)
		return 0;
	return parent;
}

/*
 * Does the only thread of the process wait for children? Then *@which is the
 * number of that child in the process's own namespace, or 0 if it waits for any.
 */
static bool waits_for_children(uint32_t pid, uint32_t *which)
{
	long long first, second;
	char text[64];
	int number;

	if (count_threads(pid) != 1)
		return false;
	process_read(pid, "syscall", text, sizeof(text));
	if (sscanf(text, "%d %llx %llx", &number, &first, &second) != 3)
		return false;
	*which = 0;
	if (number == SYS_wait4 && (int)first > 0)
		*which = first;
	if (number == SYS_waitid && first == P_PID)
		*which = second;
	return number == SYS_wait4 || number == SYS_waitid;
}

/* Processes with hidden descriptors are assumed to have what they opened. */
static int look_at_one(struct sharers *sharers, uint32_t pid, bool seen,
		       void *arg)
{
	struct graph *graph = arg;
	int i, j;

	if (grow(&graph->family, graph->nr_family, sizeof(*graph->family)))
		return -ENOMEM;
	graph->family[graph->nr_family++] = (struct relative) {
		.pid = pid, .parent = parent_of(pid),
	};
	for (i = 0; !seen && i < graph->nr_objects; i++) {
		const struct contended *object = &graph->objects[i];

		for (j = 0; j < object->nr_holders; j++) {
			struct sharer sharer = {
				.id = object->info.id,
				.holder = object->holders[j].holder,
				.pid = pid,
			};

			if (object->holders[j].pid == pid &&
			    sharers_add(sharers, &sharer))
				return -ENOMEM;
		}
	}
	return 0;
}

const struct sharer *graph_sharers(const struct graph *graph,
				   const struct contended *object,
				   uint32_t holder, int *nr)
{
	return sharers_of(&graph->sharers, object->info.id, holder, nr);
}

static int by_parent(const void *a, const void *b)
{
	const struct relative *x = a, *y = b;

	if (x->parent != y->parent)
		return x->parent < y->parent ? -1 : 1;
	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

static int compare_processes(const void *a, const void *b)
{
	return compare_pid(&((const struct process *)a)->pid, b);
}

/* Is @pid, in this namespace, a child of @parent? */
static bool is_child(const struct graph *graph, uint32_t pid, uint32_t parent)
{
	const struct relative key = { .pid = pid, .parent = parent };

	return bsearch(&key, graph->family, graph->nr_family, sizeof(key),
		       by_parent);
}

const struct relative *graph_children(const struct graph *graph,
				      const struct process *process, int *nr)
{
	const struct relative *from = graph->family;
	const struct relative *end = from + graph->nr_family, *to;

	*nr = 0;
	if (!process->is_parent)
		return from;
	while (from < end && (from->parent != process->pid ||
			      (process->child && from->pid != process->child)))
		from++;
	for (to = from; to < end && to->parent == process->pid; to++)
		if (process->child && to->pid != process->child)
			break;
	*nr = to - from;
	return from;
}

/* Add the parents that wait for a process of the graph, and their parents ... */
static int add_parents(struct graph *graph)
{
	struct process parent;
	int i, j;

	qsort(graph->family, graph->nr_family, sizeof(*graph->family),
	      by_parent);
	for (i = 0; i < graph->nr_processes; i++) {
		parent = (struct process) {
			.pid = parent_of(graph->processes[i].pid),
			.nr_threads = 1,
			.is_parent = true,
		};
		for (j = 0; j < graph->nr_processes; j++)
			if (graph->processes[j].pid == parent.pid)
				break;
		if (j < graph->nr_processes || !parent.pid ||
		    !waits_for_children(parent.pid, &parent.child))
			continue;
		if (!is_child(graph, parent.child, parent.pid))
			parent.child = 0;
		if (grow(&graph->processes, graph->nr_processes,
			 sizeof(parent)))
			return -ENOMEM;
		graph->processes[graph->nr_processes++] = parent;
	}
	qsort(graph->processes, graph->nr_processes, sizeof(parent),
	      compare_processes);
	return 0;
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
		ret = sharers_look(&graph->sharers, look_at_one, graph);
	if (!ret && graph->nr_waits)
		ret = add_parents(graph);
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
	free(graph->sharers.all);
	free(graph->family);
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

/* A waiter that waits no longer loses its thread, a former holder its number. */
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
	/* A new holder may have got the permits of an old one. */
	if (new && new->nr_holders != old->nr_holders &&
	    old->info.type == GOSYNC_SEMAPHORE)
		for (i = 0; i < old->nr_holders; i++)
			old->holders[i].holder = 0;
}

int graph_confirm(struct graph *graph)
{
	struct contended again;
	uint32_t which;
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
		if (graph->processes[i].is_parent)
			graph->processes[i].is_parent =
				waits_for_children(graph->processes[i].pid,
						   &which);
		else if (count_threads(graph->processes[i].pid) !=
			 graph->processes[i].nr_threads)
			graph->processes[i].nr_threads = -1;
	return 0;
}

/* --- Stuck processes ------------------------------------------------------ */

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
	int stuck, free;		/* numbers of holders */
};

/* Are all processes stuck that can act for this holder? */
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

	/* The wait was over at the second look, or no thread sleeps for it. */
	if (!waits->party->tid)
		return false;
	/* Another of its objects may end the wait. */
	if (certainty != POSSIBLE && waits->party->flags & GOSYNC_PARTY_AMONG)
		return false;
	if (certainty == CERTAIN && waits->party->flags & GOSYNC_PARTY_TIMED)
		return false;
	graph_blockers(waits, ask_holder, &question);
	/* A writer needs all readers to leave; permits may come from any holder. */
	if (waits->object->info.type == GOSYNC_SEMAPHORE &&
	    certainty != POSSIBLE && question.free)
		return false;
	return question.stuck;
}

/* Return: whether the process has turned out not to be stuck */
static bool look_at_process(const struct graph *graph, struct process *process,
			    enum certainty certainty)
{
	const struct relative *children;
	const struct process *child;
	int i, nr, stuck = 0;

	children = graph_children(graph, process, &nr);
	for (i = 0; i < nr; i++) {
		child = graph_process(graph, children[i].pid);
		stuck += child && child->stuck;
	}
	if (process->is_parent && certainty != POSSIBLE) {
		process->stuck = nr && stuck == nr;
		return !process->stuck;
	}
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

static void step(struct search *search, struct process *from, uint32_t pid)
{
	struct process *to = graph_process(search->graph, pid);

	if (!to || !to->stuck)
		return;
	if (to == from)
		search->itself = true;
	if (!to->order) {
		visit(search, to);
		if (to->low < from->low)
			from->low = to->low;
	} else if (to->open && to->order < from->low) {
		from->low = to->order;
	}
}

static int follow(const struct gosync_party *party, void *arg)
{
	struct search *search = arg;
	struct process *from = search->process;
	const struct waits *waits = search->waits;
	const struct sharer *sharers;
	int nr, i;

	sharers = graph_sharers(search->graph, waits->object, party->holder,
				&nr);
	for (i = 0; i < nr; i++) {
		step(search, from, sharers[i].pid);
		search->process = from;
		search->waits = waits;
	}
	return 0;
}

static void visit(struct search *search, struct process *process)
{
	struct graph *graph = search->graph;
	const struct relative *children;
	struct process *member;
	bool itself;
	int nr, i;

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
	children = graph_children(graph, process, &nr);
	for (i = 0; i < nr; i++)
		step(search, process, children[i].pid);
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
