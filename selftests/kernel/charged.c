// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an operation on a Value or a Map costs: memory for the payload, charged
 * to the memory cgroup of who calls, and none for the room that it has; and
 * nobody has to wait for the memory that somebody else copies to.
 *
 * Memory that faults are waited for in (userfaultfd) holds an operation where
 * it copies a payload, as long as the test likes.
 */
#include <linux/userfaultfd.h>
#include <poll.h>
#include "users.h"

#define MEBIBYTE	(1UL << 20)

enum { TYPE = 1 };

struct object {
	gosync_value_t *value;
	gosync_map_t *map;
	size_t max;			/* of a payload */
};

static const struct gosync_map_limits limits = {
	.entries = 4096, .key_size = 8, .value_size = 65536,
};

static int open_both(struct object *object, bool is_map, unsigned int how)
{
	memset(object, 0, sizeof(*object));
	object->max = is_map ? limits.value_size : 4 * MEBIBYTE;
	if (is_map)
		return gosync_map_open(NULL, &limits, GOSYNC_CREATE | how, 0600,
				       &object->map);
	return gosync_value_open(NULL, object->max, GOSYNC_CREATE | how, 0600,
				 &object->value);
}

/* --- one operation each, on a payload and into a buffer with room ---------- */

typedef int op_t(struct object *object, void *buf, size_t len, void *old,
		 size_t room);

static int value_store(struct object *object, void *buf, size_t len, void *old,
		       size_t room)
{
	return gosync_value_store(object->value, TYPE, buf, len);
}

static int value_load(struct object *object, void *buf, size_t len, void *old,
		      size_t room)
{
	return gosync_value_load(object->value, old, &room, NULL);
}

static int value_swap(struct object *object, void *buf, size_t len, void *old,
		      size_t room)
{
	return gosync_value_swap(object->value, TYPE, buf, len, old, &room);
}

static int value_cas_new(struct object *object, void *buf, size_t len,
			 void *old, size_t room)
{
	return gosync_value_cas(object->value, TYPE, "", 0, TYPE, buf, len);
}

static int value_cas_old(struct object *object, void *buf, size_t len,
			 void *old, size_t room)
{
	return gosync_value_cas(object->value, TYPE, buf, len, TYPE, "", 0);
}

static int map_store(struct object *object, void *buf, size_t len, void *old,
		     size_t room)
{
	return gosync_map_store(object->map, "k", 1, buf, len);
}

static int map_store_many(struct object *object, void *buf, size_t len,
			  void *old, size_t room)
{
	const struct gosync_map_pair pair = { "k", 1, buf, len };

	return gosync_map_store_many(object->map, &pair, 1);
}

static int map_load(struct object *object, void *buf, size_t len, void *old,
		    size_t room)
{
	return gosync_map_load(object->map, "k", 1, old, &room);
}

static int map_swap(struct object *object, void *buf, size_t len, void *old,
		    size_t room)
{
	return gosync_map_swap(object->map, "k", 1, buf, len, old, &room);
}

static int map_load_or_store(struct object *object, void *buf, size_t len,
			     void *old, size_t room)
{
	return gosync_map_load_or_store(object->map, "k", 1, buf, len, old,
					&room);
}

static int map_load_and_delete(struct object *object, void *buf, size_t len,
			       void *old, size_t room)
{
	int ret = gosync_map_store(object->map, "k", 1, buf, len);

	return ret ?: gosync_map_load_and_delete(object->map, "k", 1, old, &room);
}

static int map_cas_new(struct object *object, void *buf, size_t len, void *old,
		       size_t room)
{
	return gosync_map_cas(object->map, "k", 1, "", 0, buf, len);
}

static int map_cas_old(struct object *object, void *buf, size_t len, void *old,
		       size_t room)
{
	return gosync_map_cas(object->map, "k", 1, buf, len, "", 0);
}

static int map_compare_and_delete(struct object *object, void *buf, size_t len,
				  void *old, size_t room)
{
	return gosync_map_compare_and_delete(object->map, "k", 1, buf, len);
}

static int nothing(const void *key, size_t key_len, const void *value,
		   size_t len, void *arg)
{
	return 0;
}

static int map_range(struct object *object, void *buf, size_t len, void *old,
		     size_t room)
{
	return gosync_map_range(object->map, nothing, NULL);
}

/* --- memory that is waited for --------------------------------------------- */

struct held {
	int fd;
	char *memory;
	size_t len;
};

static size_t page(void)
{
	return getpagesize();
}

/* Memory whose last page never comes. Return: 0 or -errno */
static int hold(struct held *held, size_t len)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = {
		.range.len = page(), .mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	held->len = len;
	held->memory = mmap(NULL, len, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (held->memory == MAP_FAILED)
		return -ENOMEM;
	madvise(held->memory, len, MADV_NOHUGEPAGE);
	memset(held->memory, 1, len - page());
	range.range.start = to_u64(held->memory + len - page());
	held->fd = syscall(__NR_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (held->fd < 0 || ioctl(held->fd, UFFDIO_API, &api) ||
	    ioctl(held->fd, UFFDIO_REGISTER, &range))
		return -errno;
	return 0;
}

/* Somebody waits for it. */
static bool is_waited_for(const struct held *held)
{
	struct pollfd poll_fd = { held->fd, POLLIN };

	/* Without O_NONBLOCK it would be an error at any time. */
	return poll(&poll_fd, 1, 0) == 1 && poll_fd.revents == POLLIN;
}

static void let_go(const struct held *held)
{
	struct uffdio_zeropage range = {
		.range = { to_u64(held->memory + held->len - page()), page() },
	};

	ioctl(held->fd, UFFDIO_ZEROPAGE, &range);
}

/* --- whose memory ----------------------------------------------------------- */

FIXTURE(charged)
{
};

FIXTURE_VARIANT(charged)
{
	op_t *op;
	bool is_map;
};

#define CHARGED(name, map)						\
	FIXTURE_VARIANT_ADD(charged, name) { .op = name, .is_map = map }

CHARGED(value_store, false);
CHARGED(value_swap, false);
CHARGED(value_cas_new, false);
CHARGED(value_cas_old, false);
CHARGED(map_store, true);
CHARGED(map_store_many, true);
CHARGED(map_swap, true);
CHARGED(map_load_or_store, true);
CHARGED(map_cas_new, true);
CHARGED(map_cas_old, true);
CHARGED(map_compare_and_delete, true);

FIXTURE_SETUP(charged)
{
	if (!make_cgroup())
		SKIP(return, "needs root and a memory cgroup");
}

FIXTURE_TEARDOWN(charged)
{
	remove_cgroup();
}

struct crowd {
	struct object object;
	struct held held;
	op_t *op;
	unsigned int threads, ready, go;
};

static void *take_part(void *arg)
{
	struct crowd *crowd = arg;

	add(&crowd->ready, 1);
	while (!load(&crowd->go))
		sleep_ns(NSEC_PER_MSEC);
	/* Where the old payload goes is there. */
	crowd->op(&crowd->object, crowd->held.memory, crowd->held.len,
		  crowd->held.memory, 1);
	return NULL;
}

/* A process in the cgroup, whose threads are held where they copy payloads */
static int be_crowd(struct crowd *crowd, bool is_map)
{
	pthread_t thread;
	unsigned int i;

	if (write_file(CGROUP "/cgroup.procs", "0") ||
	    open_both(&crowd->object, is_map, 0) ||
	    hold(&crowd->held, crowd->object.max))
		return 1;
	for (i = 0; i < crowd->threads; i++)
		if (pthread_create(&thread, NULL, take_part, crowd))
			return 1;
	pause();
	return 1;
}

TEST_F(charged, to_who_calls)
{
	struct crowd *crowd = shared_memory(sizeof(*crowd));
	long long payloads, before;
	pid_t pid;

	if (hold(&crowd->held, page()))
		SKIP(return, "needs userfaultfd");
	close(crowd->held.fd);
	crowd->op = variant->op;
	crowd->threads = variant->is_map ? 64 : 2;
	payloads = crowd->threads * (variant->is_map ? 65536 : 4 * MEBIBYTE);
	pid = CHILD(be_crowd(crowd, variant->is_map));
	ASSERT_TRUE(eventually(load(&crowd->ready) == crowd->threads));
	before = charged();
	store(&crowd->go, 1);
	/* Charges are made in advance, some for each processor. */
	EXPECT_TRUE(eventually(charged() >= before + payloads - payloads / 4));
	TH_LOG("%lld KiB, of %lld KiB of payloads",
	       (charged() - before) >> 10, payloads >> 10);
	EXPECT_EQ(128 + SIGKILL, kill_and_reap(pid));
}

static int grow(gosync_map_t *map)
{
	static char value[65536];
	long long before;
	uint32_t i;

	if (write_file(CGROUP "/cgroup.procs", "0"))
		return 1;
	before = charged();
	for (i = 0; i < 64; i++)
		if (gosync_map_store(map, &i, 4, value, sizeof(value)))
			return 2;
	return charged() - before >= 3 * MEBIBYTE ? 0 : 3;
}

TEST(growth_of_a_map_is_charged_to_who_stores)
{
	gosync_map_t *map = NEW(gosync_map, 0, &limits);

	if (!make_cgroup())
		SKIP(return, "needs root and a memory cgroup");
	EXPECT_EQ(0, reap(CHILD(grow(map))));
	gosync_close(map);
	remove_cgroup();
}

FIXTURE(room)
{
	struct object object;
	char *old;
};

FIXTURE_VARIANT(room)
{
	op_t *op;
	bool is_map;
};

#define ROOM(name, map)							\
	FIXTURE_VARIANT_ADD(room, name) { .op = name, .is_map = map }

ROOM(value_load, false);
ROOM(value_swap, false);
ROOM(map_load, true);
ROOM(map_swap, true);
ROOM(map_load_or_store, true);
ROOM(map_load_and_delete, true);

FIXTURE_SETUP(room)
{
	ASSERT_EQ(0, open_both(&self->object, variant->is_map, GOSYNC_IOCTL_ONLY));
	self->old = calloc(1, self->object.max);
	ASSERT_NE(NULL, self->old);
	memset(self->old, 1, self->object.max);
}

NO_TEARDOWN(room);

/* Pages that the machine has ever allocated */
static unsigned long allocated(void)
{
	unsigned long sum = 0, n;
	char line[128];
	FILE *file = fopen("/proc/vmstat", "re");

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "pgalloc_%*s %lu", &n) == 1)
			sum += n;
	fclose(file);
	return sum;
}

TEST_F(room, takes_no_memory)
{
	unsigned long pages = self->object.max / page(), before, n, i;
	char payload[64] = {};

	(variant->is_map ? map_store : value_store)(&self->object, payload,
						    sizeof(payload), NULL, 0);
	/* Others allocate, too, but not so much. */
	n = 65536 / pages;
	before = allocated();
	for (i = 0; i < n; i++)
		ASSERT_LE(0, variant->op(&self->object, payload, sizeof(payload),
					 self->old, self->object.max));
	EXPECT_GT(n * pages / 4, allocated() - before)
		TH_LOG("%lu pages in %lu operations", allocated() - before, n);
}

FIXTURE(fault)
{
	struct object object;
	struct held held;
	op_t *op;
	int ret;
};

FIXTURE_VARIANT(fault)
{
	op_t *op;
	bool is_map;
	int ret;
};

#define FAULT(name, map, result)					\
	FIXTURE_VARIANT_ADD(fault, name) {				\
		.op = name, .is_map = map, .ret = result,		\
	}

FAULT(value_load, false, 0);
FAULT(value_swap, false, 1);
FAULT(map_load, true, 0);
FAULT(map_swap, true, 1);
FAULT(map_load_or_store, true, 1);
FAULT(map_load_and_delete, true, 0);
FAULT(map_range, true, 0);

FIXTURE_SETUP(fault)
{
	ASSERT_EQ(0, open_both(&self->object, variant->is_map, GOSYNC_IOCTL_ONLY));
	if (hold(&self->held, 2 * page()))
		SKIP(return, "needs userfaultfd");
	self->op = variant->op;
}

NO_TEARDOWN(fault);

/* The room begins on a page that is there and ends on one that is not. */
static void *run_op(void *arg)
{
	FIXTURE_DATA(fault) *self = arg;
	char *room = self->held.memory + page() - 8;
	struct gosync_map_range_args range = {
		.size = sizeof(range), .buf = to_u64(room), .len = page(),
	};

	self->ret = self->op == map_range ?
		call(gosync_fd(self->object.map), GOSYNC_IOC_MAP_RANGE, &range) :
		self->op(&self->object, "new payload, longer", 19, room, page());
	return NULL;
}

TEST_F(fault, of_one_stops_nobody_else)
{
	op_t *put = variant->is_map ? map_store : value_store;
	char last[32] = {};
	pthread_t thread;
	unsigned int i;

	ASSERT_EQ(0, put(&self->object, "payload of some bytes", 21, NULL, 0));
	ASSERT_EQ(0, pthread_create(&thread, NULL, run_op, self));
	ASSERT_TRUE(eventually(is_waited_for(&self->held)));
	for (i = 0; i < 100; i++) {
		sprintf(last, "payload of this number: %u", i);
		ASSERT_EQ(0, put(&self->object, last, strlen(last), NULL, 0));
		if (!variant->is_map)
			continue;
		ASSERT_EQ(0, gosync_map_store(self->object.map, &i, 4, "x", 1));
		ASSERT_EQ(1, gosync_map_delete(self->object.map, &i, 4));
	}
	let_go(&self->held);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	if (variant->op == map_range) {
		EXPECT_EQ(1, self->ret);
		return;
	}
	/* What it gets is what was there last. */
	EXPECT_EQ(variant->ret, self->ret);
	EXPECT_EQ(0, memcmp(last, self->held.memory + page() - 8, strlen(last)));
}

TEST_HARNESS_MAIN
