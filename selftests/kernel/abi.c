// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctls as such: every structure, flag, pointer and descriptor that is
 * not as it should be is refused, and what is refused changes nothing. Each
 * ioctl with an argument is a variant, a row of one table.
 */
#include <stddef.h>
#include "gosync_test.h"

#define PAYLOAD_TYPE	7
#define WORD		5

enum {
	DEVICE, INT32, POINTER, VALUE, MUTEX,
	RWMUTEX, WAITGROUP, ONCE, COND, SEMAPHORE, MAP,
	KINDS
};

#define ON(kind)	(1U << (kind))
#define ON_ATOMICS	(ON(INT32) | ON(POINTER))
#define ON_OBJECTS	(ON_ATOMICS | ON(VALUE) | ON(MUTEX) | ON(RWMUTEX) | \
			 ON(WAITGROUP) | ON(ONCE) | ON(COND) | \
			 ON(SEMAPHORE) | ON(MAP))

/* Where it is not clear what to poll for */
#define ON_WATCHED	(ON_ATOMICS | ON(VALUE) | ON(COND) | ON(SEMAPHORE) | \
			 ON(MAP))

static const uint32_t type_of[KINDS] = {
	[INT32] = GOSYNC_INT32,
	[POINTER] = GOSYNC_POINTER,
	[VALUE] = GOSYNC_VALUE,
	[MAP] = GOSYNC_MAP,
	[MUTEX] = GOSYNC_MUTEX,
	[RWMUTEX] = GOSYNC_RWMUTEX,
	[WAITGROUP] = GOSYNC_WAITGROUP,
	[ONCE] = GOSYNC_ONCE,
	[COND] = GOSYNC_COND,
	[SEMAPHORE] = GOSYNC_SEMAPHORE,
};

/* A field in which only the bits of @allowed may be set */
struct field {
	size_t offset;
	size_t size;
	uint64_t allowed;
};

#define FIELD(type, member, mask)					\
	{ offsetof(struct type##_args, member),				\
	  sizeof(((struct type##_args *)0)->member), mask }

FIXTURE(ioctl)
{
	int fds[KINDS];
	int read_only[KINDS];
	char *name;			/* of a persistent mutex */
	char *page;			/* for an argument; behind it is nothing */
	struct gosync_info entries[4];
	struct gosync_party parties[4];
	struct gosync_wait_entry waits[2];
	struct gosync_map_store_item stores[2];
	char payload[16];
	char old[16];
};

FIXTURE_VARIANT(ioctl)
{
	unsigned int cmd;
	unsigned int on;		/* kinds that have it */
	unsigned int also;		/* kinds that it needs besides */
	int target;			/* the one tested */
	bool writes;			/* not by a read-only descriptor */
	bool optional;			/* the argument may be 0 */
	bool results;			/* the argument is written to */
	size_t size;
	void (*fill)(FIXTURE_DATA(ioctl) *self, void *arg);
	struct field reserved[7];
	size_t pointers[3];
	int result;			/* when all is right, if no success */
};

#include "abi_rows.h"

/* --- preparation, and what must not change ------------------------------- */

static void zero_waitgroup(int fd)
{
	struct gosync_waitgroup_add_args args = {
		.size = sizeof(args), .delta = -(int64_t)info_of(fd).word,
	};

	call(fd, GOSYNC_IOC_WAITGROUP_ADD, &args);
}

static void set_permits(int fd, uint32_t permits)
{
	struct gosync_semaphore_args args = {
		.size = sizeof(args), .count = info_of(fd).word,
	};

	call(fd, GOSYNC_IOC_SEMAPHORE_TRYACQUIRE, &args);
	args.count = permits;
	call(fd, GOSYNC_IOC_SEMAPHORE_RELEASE, &args);
}

static void open_kind(FIXTURE_DATA(ioctl) *self, int kind)
{
	self->fds[kind] = new_object(type_of[kind]);
	self->read_only[kind] = reopen_object(self->fds[kind], GOSYNC_RDONLY);
}

/* What is done or begun remains so: another takes its place. */
static void renew_once(FIXTURE_DATA(ioctl) *self)
{
	if (self->fds[ONCE] < 0)
		return;
	close(self->fds[ONCE]);
	close(self->read_only[ONCE]);
	open_kind(self, ONCE);
}

static void put_payload(int fd, const char *payload, size_t len)
{
	struct gosync_value_args args = {
		.size = sizeof(args), .type = PAYLOAD_TYPE,
		.buf = to_u64(payload), .len = len,
	};

	call(fd, GOSYNC_IOC_VALUE_STORE, &args);
}

static void put_entry(int fd, const char *payload, size_t len)
{
	struct gosync_map_args args = {
		.size = sizeof(args), .key = to_u64(payload), .key_len = len,
		.buf = to_u64(payload), .len = len,
	};

	call(fd, GOSYNC_IOC_MAP_CLEAR, NULL);
	call(fd, GOSYNC_IOC_MAP_STORE, &args);
}

/* The state in which an ioctl with fill()'s argument does what it is for */
static void prepare(FIXTURE_DATA(ioctl) *self)
{
	struct gosync_atomic_args word = { .size = sizeof(word), .value = WORD };

	close(open_object(GOSYNC_MUTEX, self->name,
			  GOSYNC_CREATE | GOSYNC_PERSIST, 0600));
	gosync_chmod(self->name, 0600);
	call(self->fds[INT32], GOSYNC_IOC_ATOMIC_STORE, &word);
	call(self->fds[POINTER], GOSYNC_IOC_ATOMIC_STORE, &word);
	put_payload(self->fds[VALUE], self->payload, sizeof(self->payload));
	put_entry(self->fds[MAP], self->payload, sizeof(self->payload));
	unlock_fd(self->fds[MUTEX]);
	call(self->fds[RWMUTEX], GOSYNC_IOC_RWMUTEX_UNLOCK, NULL);
	while (!call(self->fds[RWMUTEX], GOSYNC_IOC_RWMUTEX_RUNLOCK, NULL))
		;
	zero_waitgroup(self->fds[WAITGROUP]);
	set_permits(self->fds[SEMAPHORE], 5);
	renew_once(self);
}

struct state {
	uint64_t named;
	uint64_t mode;
	char payload[16];
	uint64_t payload_len;
	char entry[16];
	struct gosync_info infos[KINDS];
};

static struct state state_of(FIXTURE_DATA(ioctl) *self)
{
	struct state state = {};
	struct gosync_value_args args = {
		.size = sizeof(args), .buf = to_u64(state.payload),
		.len = sizeof(state.payload),
	};
	struct gosync_map_args entry = {
		.size = sizeof(entry), .key = to_u64(self->payload),
		.key_len = sizeof(self->payload), .buf = to_u64(state.entry),
		.len = sizeof(state.entry),
	};
	int kind, fd;

	fd = open_object(0, self->name, 0, 0);
	state.named = fd >= 0;
	state.mode = info_of(fd).mode;
	close(fd);
	call(self->fds[VALUE], GOSYNC_IOC_VALUE_LOAD, &args);
	state.payload_len = args.len;
	call(self->fds[MAP], GOSYNC_IOC_MAP_LOAD, &entry);
	for (kind = DEVICE + 1; kind < KINDS; kind++)
		state.infos[kind] = info_of(self->fds[kind]);
	return state;
}

static void *fill(FIXTURE_DATA(ioctl) *self, const FIXTURE_VARIANT(ioctl) *variant,
		  size_t size)
{
	char *arg = self->page + getpagesize() - size;

	memset(self->page, 0, getpagesize());
	prepare(self);
	variant->fill(self, arg);
	*(uint32_t *)arg = size;
	return arg;
}

static int run_on(int fd, const FIXTURE_VARIANT(ioctl) *variant, const void *arg)
{
	int ret = call(fd, variant->cmd, arg);

	if (ret >= 0 && (variant->cmd == GOSYNC_IOC_OPEN ||
			 variant->cmd == GOSYNC_IOC_REOPEN)) {
		close(ret);
		ret = 0;
	}
	return ret;
}

static int run(FIXTURE_DATA(ioctl) *self, const FIXTURE_VARIANT(ioctl) *variant,
	       const void *arg)
{
	return run_on(self->fds[variant->target], variant, arg);
}

static bool is_right(const FIXTURE_VARIANT(ioctl) *variant, int ret)
{
	return variant->result ? ret == variant->result : ret >= 0;
}

/* @where tells what was wrong, should it not be refused. */
#define EXPECT_REFUSED(error, arg, where)				\
do {									\
	struct state before = state_of(self), after;			\
	long long __where = (where);					\
									\
	EXPECT_EQ(error, run(self, variant, arg)) {			\
		TH_LOG("at %#llx", __where);				\
	}								\
	after = state_of(self);						\
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(before))) {		\
		TH_LOG("at %#llx", __where);				\
	}								\
} while (0)

FIXTURE_SETUP(ioctl)
{
	int kind;

	self->name = unique_name();
	strcpy(self->payload, "what is stored");
	self->fds[DEVICE] = open_device();
	ASSERT_LE(0, self->fds[DEVICE]);
	self->read_only[DEVICE] = self->fds[DEVICE];
	/* What this is an ioctl of, and the lock that Conds need */
	for (kind = DEVICE + 1; kind < KINDS; kind++) {
		self->fds[kind] = -1;
		self->read_only[kind] = -1;
		if (kind != MUTEX &&
		    !((variant->on | variant->also) & ON(kind)))
			continue;
		open_kind(self, kind);
		ASSERT_LE(0, self->fds[kind]);
		ASSERT_LE(0, self->read_only[kind]);
	}
	self->page = mmap(NULL, 2 * getpagesize(), PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->page);
	ASSERT_EQ(0, mprotect(self->page + getpagesize(), getpagesize(),
			      PROT_NONE));
	prepare(self);
}

FIXTURE_TEARDOWN(ioctl)
{
	gosync_unlink(self->name);
}

TEST_F(ioctl, works)
{
	void *arg = fill(self, variant, variant->size);

	EXPECT_TRUE(is_right(variant, run(self, variant, arg)));
}

TEST_F(ioctl, refuses_every_reserved_bit)
{
	const struct field *field;
	unsigned int bit;

	for (field = variant->reserved; field->size; field++) {
		char *arg = fill(self, variant, variant->size);
		struct state before = state_of(self), after;

		for (bit = 0; bit < 8 * field->size; bit++) {
			char *byte = arg + field->offset + bit / 8;

			if (field->allowed >> bit & 1)
				continue;
			*byte ^= 1 << bit % 8;
			EXPECT_EQ(-EINVAL, run(self, variant, arg))
				TH_LOG("bit %u at %zu", bit, field->offset);
			*byte ^= 1 << bit % 8;
		}
		after = state_of(self);
		EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)));
	}
}

TEST_F(ioctl, takes_a_short_structure_for_one_with_zeros)
{
	size_t size;

	for (size = 8; size < variant->size; size += 4) {
		char rest[64];
		char *arg;
		int full;

		arg = fill(self, variant, variant->size);
		memset(arg + size, 0, variant->size - size);
		full = run(self, variant, arg);

		arg = fill(self, variant, variant->size);
		*(uint32_t *)arg = size;
		memset(arg + size, 0xa5, variant->size - size);
		memset(rest, 0xa5, sizeof(rest));
		EXPECT_EQ(full, run(self, variant, arg))
			TH_LOG("size %zu", size);
		EXPECT_EQ(0, memcmp(arg + size, rest, variant->size - size));
	}
}

TEST_F(ioctl, takes_a_longer_structure_when_the_rest_is_zero)
{
	static const size_t more[] = { 4, 8, 100 };
	size_t size = variant->size;
	unsigned int i;
	void *arg;

	for (i = 0; i < ARRAY_SIZE(more); i++) {
		arg = fill(self, variant, size + more[i]);
		EXPECT_TRUE(is_right(variant, run(self, variant, arg)));
	}
	arg = fill(self, variant, getpagesize());
	EXPECT_TRUE(is_right(variant, run(self, variant, arg)));
}

TEST_F(ioctl, refuses_bits_it_does_not_know)
{
	size_t more;

	for (more = 4; more <= 64; more += 20) {
		char *arg = fill(self, variant, variant->size + more);

		arg[variant->size + more - 1] = 1;
		EXPECT_REFUSED(-E2BIG, arg, more);
		arg[variant->size + more - 1] = 0;
		arg[variant->size] = 0x80;
		EXPECT_REFUSED(-E2BIG, arg, more);
	}
}

TEST_F(ioctl, refuses_a_size_that_cannot_be)
{
	static const uint32_t sizes[] = { 0, 1, 3, 7 };
	uint32_t *arg;
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		arg = fill(self, variant, variant->size);
		*arg = sizes[i];
		EXPECT_REFUSED(-EINVAL, arg, sizes[i]);
	}
	for (i = 0; i < 2; i++) {
		arg = fill(self, variant, variant->size);
		*arg = i ? UINT32_MAX : getpagesize() + 1;
		ret = run(self, variant, arg);
		EXPECT_TRUE(ret == -EINVAL || ret == -E2BIG);
	}
}

TEST_F(ioctl, refuses_bad_pointers)
{
	char *hole = self->page + getpagesize();
	void *const bad[] = {
		hole, hole - 2, hole - 4, hole - variant->size + 4,
		(void *)8, (void *)-4096l, (void *)-variant->size,
	};
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		/* The part that is there is as it should be. */
		fill(self, variant, variant->size);
		memset(self->page, 0, getpagesize());
		*(uint32_t *)(hole - 4) = variant->size;
		if (i == 3)
			*(uint32_t *)bad[i] = variant->size;
		EXPECT_REFUSED(-EFAULT, bad[i], to_u64(bad[i]));

		for (j = 0; j < 3 && variant->pointers[j]; j++) {
			char *arg = fill(self, variant, variant->size);
			uint64_t pointer = to_u64(bad[i]);

			if (i == 3)
				continue;
			memcpy(arg + variant->pointers[j], &pointer, 8);
			EXPECT_REFUSED(-EFAULT, arg, pointer);
		}
	}
	/* Beyond what a 32-bit caller can mean, and no pointer on 64 bits */
	for (j = 0; j < 3 && variant->pointers[j]; j++) {
		char *arg = fill(self, variant, variant->size);
		uint64_t pointer = 1ULL << 63 | to_u64(self->payload);

		memcpy(arg + variant->pointers[j], &pointer, 8);
		EXPECT_REFUSED(-EFAULT, arg, pointer);
	}
	fill(self, variant, variant->size);
	if (variant->optional) {
		EXPECT_LE(0, run(self, variant, NULL));
		return;
	}
	EXPECT_REFUSED(-EFAULT, NULL, 0);
}

TEST_F(ioctl, has_not_happened_when_the_result_cannot_be_written)
{
	void *arg = fill(self, variant, variant->size);
	int ret;

	ASSERT_EQ(0, mprotect(self->page, getpagesize(), PROT_READ));
	if (!variant->results) {
		ret = run(self, variant, arg);
		EXPECT_TRUE(ret >= 0 || ret == variant->result);
		return;
	}
	EXPECT_REFUSED(-EFAULT, arg, 0);
}

TEST_F(ioctl, is_unknown_to_other_types_and_files)
{
	void *arg = fill(self, variant, variant->size);
	struct state before, after;
	int null = open("/dev/null", O_RDWR);
	int pipes[2];
	int kind;

	for (kind = DEVICE + 1; kind < KINDS; kind++)
		if (self->fds[kind] < 0)
			open_kind(self, kind);
	before = state_of(self);
	for (kind = 0; kind < KINDS; kind++)
		if (!(variant->on & ON(kind)))
			EXPECT_EQ(-ENOTTY, run_on(self->fds[kind], variant, arg));
	ASSERT_EQ(0, pipe(pipes));
	EXPECT_EQ(-ENOTTY, run_on(null, variant, arg));
	EXPECT_EQ(-ENOTTY, run_on(pipes[0], variant, arg));
	close(null);
	EXPECT_EQ(-EBADF, run_on(null, variant, arg));
	after = state_of(self);
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)));
}

TEST_F(ioctl, writes_only_through_a_writable_descriptor)
{
	void *arg = fill(self, variant, variant->size);
	struct state before = state_of(self), after;
	int ret = run_on(self->read_only[variant->target], variant, arg);

	if (!variant->writes) {
		EXPECT_LE(0, ret);
		return;
	}
	EXPECT_EQ(-EBADF, ret);
	after = state_of(self);
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)));
}

/* --- the others ---------------------------------------------------------- */

FIXTURE(bare)
{
	int dev;
	int mutex;
	int read_only;
	int word;
};

FIXTURE_SETUP(bare)
{
	self->dev = open_device();
	self->mutex = new_object(GOSYNC_MUTEX);
	self->word = new_object(GOSYNC_INT32);
	ASSERT_LE(0, self->dev);
	self->read_only = reopen_object(self->mutex, GOSYNC_RDONLY);
	ASSERT_LE(0, self->read_only);
}

NO_TEARDOWN(bare);

TEST_F(bare, version_is_told_by_device_and_objects)
{
	EXPECT_EQ(GOSYNC_ABI_VERSION, call(self->dev, GOSYNC_IOC_VERSION, NULL));
	EXPECT_EQ(GOSYNC_ABI_VERSION, call(self->word, GOSYNC_IOC_VERSION, NULL));
	EXPECT_EQ(GOSYNC_ABI_VERSION,
		  call(self->read_only, GOSYNC_IOC_VERSION, NULL));
}

TEST_F(bare, map_range_returns_as_many_as_fit)
{
	int map = new_object(GOSYNC_MAP);
	struct gosync_map_args entry = { .size = sizeof(entry), .key_len = 4 };
	struct gosync_map_range_args args = { .size = sizeof(args) };
	struct gosync_map_item items[8];
	uint32_t key;

	entry.key = to_u64(&key);
	entry.buf = to_u64("sixteen bytes...");
	for (key = 0; key < 3; key++) {
		entry.len = 4 * key;
		EXPECT_EQ(0, call(map, GOSYNC_IOC_MAP_STORE, &entry));
	}
	args.buf = to_u64(items);
	args.len = 15;
	EXPECT_EQ(-EMSGSIZE, call(map, GOSYNC_IOC_MAP_RANGE, &args));
	EXPECT_EQ(16, args.len);
	/* The first is 16 bytes, the others are 24. */
	args.len = 63;
	EXPECT_EQ(2, call(map, GOSYNC_IOC_MAP_RANGE, &args));
	EXPECT_EQ(4, items[0].key_len);
	EXPECT_EQ(0, items[0].value_len);
	EXPECT_EQ(4, items[2].value_len);
	EXPECT_EQ(0, memcmp(&items[4], "sixt\0\0\0\0", 8));
	EXPECT_EQ(1, call(map, GOSYNC_IOC_MAP_RANGE, &args));
	EXPECT_EQ(0, memcmp(&items[1], "\2\0\0\0\0\0\0\0", 8));
	EXPECT_EQ(0, call(map, GOSYNC_IOC_MAP_RANGE, &args));
	EXPECT_EQ(0, call(map, GOSYNC_IOC_MAP_RANGE, &args));
	args.cursor = UINT64_MAX;
	EXPECT_EQ(0, call(map, GOSYNC_IOC_MAP_RANGE, &args));
	args.cursor = 0;
	args.len = 64;
	EXPECT_EQ(3, call(map, GOSYNC_IOC_MAP_RANGE, &args));
}

/*
 * Each is called wrongly in a state in which it would do something, and does
 * nothing. If there is a @before, it brings that state about.
 */
TEST_F(bare, ioctls_without_argument_take_none_and_need_type_and_write)
{
	static const struct {
		int kind;
		unsigned int cmd, before;
	} rows[] = {
		{ MUTEX, GOSYNC_IOC_MUTEX_TRYLOCK },
		{ MUTEX, GOSYNC_IOC_MUTEX_RECOVER, GOSYNC_IOC_MUTEX_LOCK },
		{ MUTEX, GOSYNC_IOC_MUTEX_UNLOCK, GOSYNC_IOC_MUTEX_LOCK },
		{ RWMUTEX, GOSYNC_IOC_RWMUTEX_TRYLOCK },
		{ RWMUTEX, GOSYNC_IOC_RWMUTEX_TRYRLOCK },
		{ RWMUTEX, GOSYNC_IOC_RWMUTEX_DRAINED },
		{ RWMUTEX, GOSYNC_IOC_RWMUTEX_RUNLOCK, GOSYNC_IOC_RWMUTEX_RLOCK },
		{ RWMUTEX, GOSYNC_IOC_RWMUTEX_RECOVER, GOSYNC_IOC_RWMUTEX_LOCK },
		{ RWMUTEX, GOSYNC_IOC_RWMUTEX_UNLOCK, GOSYNC_IOC_RWMUTEX_LOCK },
		{ ONCE, GOSYNC_IOC_ONCE_ABANDON, GOSYNC_IOC_ONCE_BEGIN },
		{ ONCE, GOSYNC_IOC_ONCE_DONE, GOSYNC_IOC_ONCE_BEGIN },
		{ COND, GOSYNC_IOC_COND_SIGNAL },
		{ COND, GOSYNC_IOC_COND_BROADCAST },
		{ MAP, GOSYNC_IOC_MAP_CLEAR },
	};
	uint64_t arg = sizeof(arg);
	unsigned int i;
	int kind;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		const unsigned int cmd = rows[i].cmd;
		int fd = new_object(type_of[rows[i].kind]);
		struct gosync_info before, after;

		if (rows[i].before)
			EXPECT_LE(0, call(fd, rows[i].before, NULL));
		if (rows[i].kind == MAP)
			put_entry(fd, "key", 3);
		before = info_of(fd);
		EXPECT_EQ(-EINVAL, call(fd, cmd, &arg));
		EXPECT_EQ(-EBADF, call(reopen_object(fd, GOSYNC_RDONLY), cmd,
				       NULL));
		EXPECT_EQ(-ENOTTY, call(self->dev, cmd, NULL));
		for (kind = DEVICE + 1; kind < KINDS; kind++) {
			int other = new_object(type_of[kind]);

			if (kind != rows[i].kind)
				EXPECT_EQ(-ENOTTY, call(other, cmd, NULL));
			close(other);
		}
		after = info_of(fd);
		after.holders = before.holders;
		EXPECT_EQ(0, memcmp(&before, &after, sizeof(after)))
			TH_LOG("row %u", i);
		if (cmd != GOSYNC_IOC_RWMUTEX_DRAINED)
			EXPECT_EQ(0, call(fd, cmd, NULL))
				TH_LOG("row %u", i);
	}
	EXPECT_EQ(-EINVAL, call(self->dev, GOSYNC_IOC_VERSION, &arg));
}

/* What INFO reads besides the size, if it is there */
static void say_no_version(void *arg, unsigned int cmd)
{
	struct gosync_info *info = arg;

	if (cmd == GOSYNC_IOC_INFO &&
	    info->size >= offsetof(struct gosync_info, abi) + sizeof(info->abi))
		info->abi = 0;
}

/*
 * Of INFO and STAT, whose structures are only written: what a caller has no
 * room for it does not get, and what this kernel does not know is 0.
 */
static void gives_as_much_as_fits(struct __test_metadata *_metadata, int fd,
				  unsigned int cmd, size_t whole, size_t least)
{
	unsigned char full[1024] = {}, arg[1024];
	size_t size, i;

	*(uint32_t *)full = whole;
	ASSERT_EQ(0, call(fd, cmd, full));
	ASSERT_EQ(whole, *(uint32_t *)full);
	for (size = least; size < whole; size += 4) {
		memset(arg, 0xa5, sizeof(arg));
		*(uint32_t *)arg = size;
		say_no_version(arg, cmd);
		ASSERT_EQ(0, call(fd, cmd, arg));
		ASSERT_EQ(0, memcmp(arg + 4, full + 4, size - 4));
		ASSERT_EQ(0xa5, arg[size]);
	}
	memset(arg, 0xa5, sizeof(arg));
	*(uint32_t *)arg = whole + 64;
	say_no_version(arg, cmd);
	ASSERT_EQ(0, call(fd, cmd, arg));
	EXPECT_EQ(0, memcmp(arg + 4, full + 4, whole - 4));
	for (i = whole; i < whole + 64; i++)
		ASSERT_EQ(0, arg[i]);
	ASSERT_EQ(0xa5, arg[i]);
}

static void refuses_bad_room(struct __test_metadata *_metadata,
			     FIXTURE_DATA(bare) *self, unsigned int cmd,
			     size_t whole, size_t least)
{
	unsigned char arg[1024] = {};
	uint32_t *size = (uint32_t *)arg;
	int page_size = getpagesize();
	char *page = mmap(NULL, 2 * page_size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *hole = page + page_size;

	ASSERT_NE(MAP_FAILED, page);
	ASSERT_EQ(0, mprotect(hole, page_size, PROT_NONE));
	for (*size = 0; *size < least; ++*size)
		EXPECT_EQ(-EINVAL, call(self->mutex, cmd, arg));
	*size = page_size + 1;
	EXPECT_EQ(-EINVAL, call(self->mutex, cmd, arg));
	EXPECT_EQ(-EFAULT, call(self->mutex, cmd, NULL));
	EXPECT_EQ(-EFAULT, call(self->mutex, cmd, hole));
	*(uint32_t *)(hole - 12) = whole;
	EXPECT_EQ(-EFAULT, call(self->mutex, cmd, hole - 12));
	*size = whole;
	EXPECT_EQ(-ENOTTY, call(self->dev, cmd, arg));
	EXPECT_EQ(0, call(self->read_only, cmd, arg));
}

#define INFO_LEAST	16
#define STAT_LEAST	16

TEST_F(bare, info_gives_as_much_as_fits)
{
	gives_as_much_as_fits(_metadata, self->mutex, GOSYNC_IOC_INFO,
			      sizeof(struct gosync_info), INFO_LEAST);
}

TEST_F(bare, info_refuses_bad_arguments)
{
	refuses_bad_room(_metadata, self, GOSYNC_IOC_INFO,
			 sizeof(struct gosync_info), INFO_LEAST);
}

TEST_F(bare, stat_gives_as_much_as_fits)
{
	struct gosync_wait_args wait = { .size = sizeof(wait), .deadline = 1 };

	ASSERT_EQ(0, lock_fd(self->mutex));
	ASSERT_EQ(-ETIMEDOUT, call(self->mutex, GOSYNC_IOC_MUTEX_LOCK, &wait));
	gives_as_much_as_fits(_metadata, self->mutex, GOSYNC_IOC_STAT,
			      sizeof(struct gosync_stat), STAT_LEAST);
}

TEST_F(bare, stat_refuses_bad_arguments)
{
	refuses_bad_room(_metadata, self, GOSYNC_IOC_STAT,
			 sizeof(struct gosync_stat), STAT_LEAST);
}

TEST_F(bare, stat_and_parties_are_told_of_all_types)
{
	struct gosync_party party;
	struct gosync_parties_args parties = PARTIES_OF(&party, 1);
	struct gosync_stat stat = { .size = sizeof(stat) };
	int kind, fd;

	for (kind = DEVICE + 1; kind < KINDS; kind++) {
		fd = new_object(type_of[kind]);
		EXPECT_EQ(0, call(fd, GOSYNC_IOC_STAT, &stat));
		EXPECT_EQ(0, stat.contended);
		EXPECT_EQ(0, call(fd, GOSYNC_IOC_WAITERS, &parties));
		parties.cursor = 0;
		EXPECT_EQ(1, call(fd, GOSYNC_IOC_HOLDERS, &parties));
		EXPECT_EQ(info_of(fd).holder, party.holder);
		EXPECT_EQ(0, call(fd, GOSYNC_IOC_HOLDERS, &parties));
		/* Behind the last there is nobody. */
		parties.cursor = ~0ULL;
		EXPECT_EQ(0, call(fd, GOSYNC_IOC_HOLDERS, &parties));
		parties.cursor = 0;
		close(fd);
	}
}

TEST_F(bare, other_numbers_are_no_ioctls)
{
	static const unsigned int known[] = {
		0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a,
		0x8c, 0x8d, 0x8f, 0x90, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0xa0, 0xa1,
		0xa2, 0xa3, 0xa4, 0xa8, 0xa9, 0xaa, 0xab, 0xb0, 0xb1, 0xb2, 0xb3, 0xb4,
		0xb5, 0xb6, 0xb7, 0xb8, 0xc0, 0xc1, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9,
		0xca, 0xd0, 0xd1, 0xd2, 0xd3, 0xd8, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde,
		0xdf, 0xe0, 0xe1, 0xe2,
	};
	unsigned int nr, i = 0;

	for (nr = 0; nr < 256; nr++) {
		bool is_known = i < ARRAY_SIZE(known) && known[i] == nr;
		unsigned int cmd = _IO(GOSYNC_IOC_TYPE, nr);

		i += is_known;
		if (!is_known) {
			EXPECT_EQ(-ENOTTY, call(self->dev, cmd, NULL));
			EXPECT_EQ(-ENOTTY, call(self->mutex, cmd, NULL));
		}
		/* With a size and a direction it is another number. */
		cmd = _IOWR(GOSYNC_IOC_TYPE, nr, uint64_t);
		EXPECT_EQ(-ENOTTY, call(self->dev, cmd, NULL));
		EXPECT_EQ(-ENOTTY, call(self->mutex, cmd, NULL));
		cmd = _IO('h', nr);
		EXPECT_EQ(-ENOTTY, call(self->dev, cmd, NULL));
		EXPECT_EQ(-ENOTTY, call(self->mutex, cmd, NULL));
	}
	EXPECT_EQ(ARRAY_SIZE(known), i);
}

TEST_F(bare, structures_are_the_same_for_all_callers)
{
	EXPECT_EQ(56, sizeof(struct gosync_open_args));
	EXPECT_EQ(24, sizeof(struct gosync_unlink_args));
	EXPECT_EQ(32, sizeof(struct gosync_change_args));
	EXPECT_EQ(32, sizeof(struct gosync_list_args));
	EXPECT_EQ(8, sizeof(struct gosync_reopen_args));
	EXPECT_EQ(16, sizeof(struct gosync_break_args));
	EXPECT_EQ(40, sizeof(struct gosync_atomic_args));
	EXPECT_EQ(40, sizeof(struct gosync_atomic_wait_args));
	EXPECT_EQ(16, sizeof(struct gosync_atomic_wake_args));
	EXPECT_EQ(64, sizeof(struct gosync_value_args));
	EXPECT_EQ(24, sizeof(struct gosync_version_wait_args));
	EXPECT_EQ(24, sizeof(struct gosync_watch_args));
	EXPECT_EQ(16, sizeof(struct gosync_wait_args));
	EXPECT_EQ(16, sizeof(struct gosync_mutex_slot));
	EXPECT_EQ(64, sizeof(struct gosync_atomic_slot));
	EXPECT_EQ(64, sizeof(struct gosync_value_page));
	EXPECT_EQ(64, sizeof(struct gosync_rwmutex_slot));
	EXPECT_EQ(4, sizeof(struct gosync_rwmutex_reader));
	EXPECT_EQ(24, sizeof(struct gosync_waitgroup_add_args));
	EXPECT_EQ(24, sizeof(struct gosync_waitgroup_wait_args));
	EXPECT_EQ(8, sizeof(struct gosync_waitgroup_slot));
	EXPECT_EQ(24, sizeof(struct gosync_once_begin_args));
	EXPECT_EQ(8, sizeof(struct gosync_once_slot));
	EXPECT_EQ(32, sizeof(struct gosync_cond_wait_args));
	EXPECT_EQ(8, sizeof(struct gosync_cond_slot));
	EXPECT_EQ(24, sizeof(struct gosync_semaphore_args));
	EXPECT_EQ(8, sizeof(struct gosync_semaphore_slot));
	EXPECT_EQ(56, sizeof(struct gosync_map_args));
	EXPECT_EQ(48, sizeof(struct gosync_map_range_args));
	EXPECT_EQ(24, sizeof(struct gosync_map_store_many_args));
	EXPECT_EQ(32, sizeof(struct gosync_map_store_item));
	EXPECT_EQ(8, sizeof(struct gosync_map_item));
	EXPECT_EQ(24, sizeof(struct gosync_map_record));
	EXPECT_EQ(64, sizeof(struct gosync_map_rules));
	EXPECT_EQ(1280, sizeof(struct gosync_map_page));
	EXPECT_EQ(408, sizeof(struct gosync_info));
	EXPECT_EQ(320, sizeof(struct gosync_stat));
	EXPECT_EQ(32, sizeof(struct gosync_parties_args));
	EXPECT_EQ(64, sizeof(struct gosync_party));
	EXPECT_EQ(24, sizeof(struct gosync_wait_entry));
	EXPECT_EQ(32, sizeof(struct gosync_wait_many_args));
}

TEST_HARNESS_MAIN
