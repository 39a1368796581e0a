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

enum { DEVICE, INT32, POINTER, VALUE, MUTEX, KINDS };

#define ON(kind)	(1U << (kind))
#define ON_ATOMICS	(ON(INT32) | ON(POINTER))
#define ON_OBJECTS	(ON_ATOMICS | ON(VALUE) | ON(MUTEX))

static const uint32_t type_of[KINDS] = {
	[INT32] = GOSYNC_INT32,
	[POINTER] = GOSYNC_POINTER,
	[VALUE] = GOSYNC_VALUE,
	[MUTEX] = GOSYNC_MUTEX,
};

/* A field in which only the bits of @allowed may be set */
struct field {
	size_t offset;
	size_t size;
	uint64_t allowed;
};

#define FIELD(type, member, mask)					\
	{ offsetof(struct type, member), sizeof(((struct type *)0)->member), mask }

FIXTURE(ioctl)
{
	int fds[KINDS];
	int read_only[KINDS];
	char *name;			/* of a persistent mutex */
	char *page;			/* for an argument; behind it is nothing */
	struct gosync_info entries[4];
	char payload[16];
	char old[16];
};

FIXTURE_VARIANT(ioctl)
{
	unsigned int cmd;
	unsigned int on;		/* kinds that have it */
	int target;			/* the one tested */
	bool writes;			/* not by a read-only descriptor */
	bool optional;			/* the argument may be 0 */
	bool results;			/* the argument is written to */
	size_t size;
	void (*fill)(FIXTURE_DATA(ioctl) *self, void *arg);
	struct field reserved[4];
	size_t pointers[2];
};

/* --- arguments that work ------------------------------------------------- */

static void fill_open(FIXTURE_DATA(ioctl) *self, void *arg)
{
	struct gosync_open *args = arg;

	args->type = GOSYNC_MUTEX;
	args->flags = GOSYNC_CREATE;
	args->mode = 0600;
	args->name = to_u64(self->name);
	args->name_len = strlen(self->name);
}

static void fill_unlink(FIXTURE_DATA(ioctl) *self, void *arg)
{
	struct gosync_unlink *args = arg;

	args->name = to_u64(self->name);
	args->name_len = strlen(self->name);
}

static void fill_list(FIXTURE_DATA(ioctl) *self, void *arg)
{
	struct gosync_list *args = arg;

	args->entries = to_u64(self->entries);
	args->count = ARRAY_SIZE(self->entries);
	args->entry_size = sizeof(self->entries[0]);
}

static void fill_nothing(FIXTURE_DATA(ioctl) *self, void *arg)
{
}

static void fill_atomic(FIXTURE_DATA(ioctl) *self, void *arg)
{
	((struct gosync_atomic *)arg)->value = 9;
}

static void fill_atomic_cas(FIXTURE_DATA(ioctl) *self, void *arg)
{
	fill_atomic(self, arg);
	((struct gosync_atomic *)arg)->expected = WORD;
}

static void fill_atomic_wait(FIXTURE_DATA(ioctl) *self, void *arg)
{
	((struct gosync_atomic_wait *)arg)->expected = WORD + 1;
}

static void fill_value_load(FIXTURE_DATA(ioctl) *self, void *arg)
{
	struct gosync_value *args = arg;

	args->buf = to_u64(self->old);
	args->len = sizeof(self->old);
}

static void fill_value_store(FIXTURE_DATA(ioctl) *self, void *arg)
{
	struct gosync_value *args = arg;

	args->type = PAYLOAD_TYPE;
	args->buf = to_u64(self->payload);
	args->len = sizeof(self->payload);
}

static void fill_value_swap(FIXTURE_DATA(ioctl) *self, void *arg)
{
	struct gosync_value *args = arg;

	fill_value_store(self, arg);
	args->old_buf = to_u64(self->old);
	args->old_len = sizeof(self->old);
}

static void fill_value_cas(FIXTURE_DATA(ioctl) *self, void *arg)
{
	struct gosync_value *args = arg;

	fill_value_swap(self, arg);
	args->old_type = PAYLOAD_TYPE;
	memcpy(self->old, self->payload, sizeof(self->old));
}

/* --- the table ----------------------------------------------------------- */

FIXTURE_VARIANT_ADD(ioctl, open) {
	.cmd = GOSYNC_IOC_OPEN, .on = ON(DEVICE), .target = DEVICE,
	.size = sizeof(struct gosync_open), .fill = fill_open,
	.reserved = {
		FIELD(gosync_open, flags, 0x7f),
		FIELD(gosync_open, mode, 0777),
		FIELD(gosync_open, __reserved, 0),
	},
	.pointers = { offsetof(struct gosync_open, name) },
};

FIXTURE_VARIANT_ADD(ioctl, unlink) {
	.cmd = GOSYNC_IOC_UNLINK, .on = ON(DEVICE), .target = DEVICE,
	.size = sizeof(struct gosync_unlink), .fill = fill_unlink,
	.reserved = {
		FIELD(gosync_unlink, flags, 0),
		FIELD(gosync_unlink, __reserved, 0),
	},
	.pointers = { offsetof(struct gosync_unlink, name) },
};

FIXTURE_VARIANT_ADD(ioctl, list) {
	.cmd = GOSYNC_IOC_LIST, .on = ON(DEVICE), .target = DEVICE,
	.results = true,
	.size = sizeof(struct gosync_list), .fill = fill_list,
	.reserved = { FIELD(gosync_list, flags, 0) },
	.pointers = { offsetof(struct gosync_list, entries) },
};

FIXTURE_VARIANT_ADD(ioctl, reopen) {
	.cmd = GOSYNC_IOC_REOPEN, .on = ON_OBJECTS, .target = MUTEX,
	.optional = true,
	.size = sizeof(struct gosync_reopen), .fill = fill_nothing,
	.reserved = { FIELD(gosync_reopen, flags, GOSYNC_RDONLY) },
};

FIXTURE_VARIANT_ADD(ioctl, atomic_load) {
	.cmd = GOSYNC_IOC_ATOMIC_LOAD, .on = ON_ATOMICS, .target = INT32,
	.optional = true, .results = true,
	.size = sizeof(struct gosync_atomic), .fill = fill_nothing,
	.reserved = {
		FIELD(gosync_atomic, flags, 0),
		FIELD(gosync_atomic, __reserved, 0),
		FIELD(gosync_atomic, expected, 0),
	},
};

#define ATOMIC_WRITE(op, OP, kinds)					\
FIXTURE_VARIANT_ADD(ioctl, atomic_##op) {				\
	.cmd = GOSYNC_IOC_ATOMIC_##OP, .on = (kinds), .target = INT32,	\
	.writes = true, .results = true,				\
	.size = sizeof(struct gosync_atomic), .fill = fill_atomic,	\
	.reserved = {							\
		FIELD(gosync_atomic, flags, GOSYNC_ATOMIC_WAKE),	\
		FIELD(gosync_atomic, __reserved, 0),			\
		FIELD(gosync_atomic, expected, 0),			\
	},								\
}

ATOMIC_WRITE(store, STORE, ON_ATOMICS);
ATOMIC_WRITE(swap, SWAP, ON_ATOMICS);
ATOMIC_WRITE(add, ADD, ON(INT32));
ATOMIC_WRITE(and, AND, ON(INT32));
ATOMIC_WRITE(or, OR, ON(INT32));

FIXTURE_VARIANT_ADD(ioctl, atomic_cas) {
	.cmd = GOSYNC_IOC_ATOMIC_CAS, .on = ON_ATOMICS, .target = INT32,
	.writes = true, .results = true,
	.size = sizeof(struct gosync_atomic), .fill = fill_atomic_cas,
	.reserved = {
		FIELD(gosync_atomic, flags, GOSYNC_ATOMIC_WAKE),
		FIELD(gosync_atomic, __reserved, 0),
	},
};

FIXTURE_VARIANT_ADD(ioctl, atomic_wait) {
	.cmd = GOSYNC_IOC_ATOMIC_WAIT, .on = ON_ATOMICS, .target = INT32,
	.results = true,
	.size = sizeof(struct gosync_atomic_wait), .fill = fill_atomic_wait,
	.reserved = {
		FIELD(gosync_atomic_wait, flags, GOSYNC_CLOCK_REALTIME),
		FIELD(gosync_atomic_wait, __reserved, 0),
	},
};

FIXTURE_VARIANT_ADD(ioctl, atomic_wake) {
	.cmd = GOSYNC_IOC_ATOMIC_WAKE, .on = ON_ATOMICS, .target = INT32,
	.writes = true,
	.size = sizeof(struct gosync_atomic_wake), .fill = fill_nothing,
	.reserved = { FIELD(gosync_atomic_wake, flags, 0) },
};

FIXTURE_VARIANT_ADD(ioctl, value_load) {
	.cmd = GOSYNC_IOC_VALUE_LOAD, .on = ON(VALUE), .target = VALUE,
	.results = true,
	.size = sizeof(struct gosync_value), .fill = fill_value_load,
	.reserved = {
		FIELD(gosync_value, flags, 0),
		FIELD(gosync_value, old_type, 0),
		FIELD(gosync_value, old_buf, 0),
		FIELD(gosync_value, old_len, 0),
	},
	.pointers = { offsetof(struct gosync_value, buf) },
};

FIXTURE_VARIANT_ADD(ioctl, value_store) {
	.cmd = GOSYNC_IOC_VALUE_STORE, .on = ON(VALUE), .target = VALUE,
	.writes = true, .results = true,
	.size = sizeof(struct gosync_value), .fill = fill_value_store,
	.reserved = {
		FIELD(gosync_value, flags, 0),
		FIELD(gosync_value, old_type, 0),
		FIELD(gosync_value, old_buf, 0),
		FIELD(gosync_value, old_len, 0),
	},
	.pointers = { offsetof(struct gosync_value, buf) },
};

FIXTURE_VARIANT_ADD(ioctl, value_swap) {
	.cmd = GOSYNC_IOC_VALUE_SWAP, .on = ON(VALUE), .target = VALUE,
	.writes = true, .results = true,
	.size = sizeof(struct gosync_value), .fill = fill_value_swap,
	.reserved = {
		FIELD(gosync_value, flags, 0),
		FIELD(gosync_value, old_type, 0),
	},
	.pointers = {
		offsetof(struct gosync_value, buf),
		offsetof(struct gosync_value, old_buf),
	},
};

FIXTURE_VARIANT_ADD(ioctl, value_cas) {
	.cmd = GOSYNC_IOC_VALUE_CAS, .on = ON(VALUE), .target = VALUE,
	.writes = true, .results = true,
	.size = sizeof(struct gosync_value), .fill = fill_value_cas,
	.reserved = { FIELD(gosync_value, flags, 0) },
	.pointers = {
		offsetof(struct gosync_value, buf),
		offsetof(struct gosync_value, old_buf),
	},
};

FIXTURE_VARIANT_ADD(ioctl, mutex_lock) {
	.cmd = GOSYNC_IOC_MUTEX_LOCK, .on = ON(MUTEX), .target = MUTEX,
	.writes = true, .optional = true,
	.size = sizeof(struct gosync_wait), .fill = fill_nothing,
	.reserved = { FIELD(gosync_wait, flags, GOSYNC_CLOCK_REALTIME) },
};

/* --- preparation, and what must not change ------------------------------- */

static void put_payload(int fd, const char *payload, size_t len)
{
	struct gosync_value args = {
		.size = sizeof(args), .type = PAYLOAD_TYPE,
		.buf = to_u64(payload), .len = len,
	};

	call(fd, GOSYNC_IOC_VALUE_STORE, &args);
}

/* The state in which an ioctl with fill()'s argument does what it is for */
static void prepare(FIXTURE_DATA(ioctl) *self)
{
	struct gosync_atomic word = { .size = sizeof(word), .value = WORD };

	close(open_object(GOSYNC_MUTEX, self->name,
			  GOSYNC_CREATE | GOSYNC_PERSIST, 0600));
	call(self->fds[INT32], GOSYNC_IOC_ATOMIC_STORE, &word);
	call(self->fds[POINTER], GOSYNC_IOC_ATOMIC_STORE, &word);
	put_payload(self->fds[VALUE], self->payload, sizeof(self->payload));
	unlock_fd(self->fds[MUTEX]);
}

struct state {
	uint64_t named;
	char payload[16];
	uint64_t payload_len;
	struct gosync_info infos[KINDS];
};

static struct state state_of(FIXTURE_DATA(ioctl) *self)
{
	struct state state = {};
	struct gosync_value args = {
		.size = sizeof(args), .buf = to_u64(state.payload),
		.len = sizeof(state.payload),
	};
	int kind, fd;

	fd = open_object(0, self->name, 0, 0);
	state.named = fd >= 0;
	close(fd);
	call(self->fds[VALUE], GOSYNC_IOC_VALUE_LOAD, &args);
	state.payload_len = args.len;
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
	for (kind = DEVICE + 1; kind < KINDS; kind++) {
		self->fds[kind] = open_object(type_of[kind], NULL, GOSYNC_CREATE,
					      0600);
		ASSERT_LE(0, self->fds[kind]);
		self->read_only[kind] = reopen_object(self->fds[kind],
						      GOSYNC_RDONLY);
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
	EXPECT_LE(0, run(self, variant, fill(self, variant, variant->size)));
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
			EXPECT_EQ(-EINVAL, run(self, variant, arg)) {
				TH_LOG("bit %u at %zu", bit, field->offset);
			}
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
		EXPECT_EQ(full, run(self, variant, arg)) {
			TH_LOG("size %zu", size);
		}
		EXPECT_EQ(0, memcmp(arg + size, rest, variant->size - size));
	}
}

TEST_F(ioctl, takes_a_longer_structure_when_the_rest_is_zero)
{
	static const size_t more[] = { 4, 8, 100 };
	size_t size = variant->size;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(more); i++)
		EXPECT_LE(0, run(self, variant,
				 fill(self, variant, size + more[i])));
	EXPECT_LE(0, run(self, variant, fill(self, variant, getpagesize())));
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

		for (j = 0; j < 2 && variant->pointers[j]; j++) {
			char *arg = fill(self, variant, variant->size);
			uint64_t pointer = to_u64(bad[i]);

			if (i == 3)
				continue;
			memcpy(arg + variant->pointers[j], &pointer, 8);
			EXPECT_REFUSED(-EFAULT, arg, pointer);
		}
	}
	/* Beyond what a 32-bit caller can mean, and no pointer on 64 bits */
	for (j = 0; j < 2 && variant->pointers[j]; j++) {
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

	ASSERT_EQ(0, mprotect(self->page, getpagesize(), PROT_READ));
	if (!variant->results) {
		EXPECT_LE(0, run(self, variant, arg));
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
	self->mutex = open_object(GOSYNC_MUTEX, NULL, GOSYNC_CREATE, 0600);
	self->word = open_object(GOSYNC_INT32, NULL, GOSYNC_CREATE, 0600);
	ASSERT_LE(0, self->dev);
	ASSERT_LE(0, self->mutex);
	ASSERT_LE(0, self->word);
	self->read_only = reopen_object(self->mutex, GOSYNC_RDONLY);
	ASSERT_LE(0, self->read_only);
}

FIXTURE_TEARDOWN(bare)
{
}

TEST_F(bare, version_is_told_by_device_and_objects)
{
	EXPECT_EQ(GOSYNC_ABI_VERSION, call(self->dev, GOSYNC_IOC_VERSION, NULL));
	EXPECT_EQ(GOSYNC_ABI_VERSION, call(self->word, GOSYNC_IOC_VERSION, NULL));
	EXPECT_EQ(GOSYNC_ABI_VERSION,
		  call(self->read_only, GOSYNC_IOC_VERSION, NULL));
}

TEST_F(bare, ioctls_without_argument_take_none)
{
	uint64_t arg = sizeof(arg);

	EXPECT_EQ(-EINVAL, call(self->dev, GOSYNC_IOC_VERSION, &arg));
	EXPECT_EQ(-EINVAL, call(self->mutex, GOSYNC_IOC_MUTEX_TRYLOCK, &arg));
	EXPECT_EQ(0, info_of(self->mutex).owner);
	EXPECT_EQ(0, lock_fd(self->mutex));
	EXPECT_EQ(-EINVAL, call(self->mutex, GOSYNC_IOC_MUTEX_RECOVER, &arg));
	EXPECT_EQ(-EINVAL, call(self->mutex, GOSYNC_IOC_MUTEX_UNLOCK, &arg));
	EXPECT_EQ(info_of(self->mutex).holder, info_of(self->mutex).owner);
}

TEST_F(bare, mutex_ioctls_are_unknown_to_others_and_need_write)
{
	static const unsigned int cmds[] = {
		GOSYNC_IOC_MUTEX_TRYLOCK, GOSYNC_IOC_MUTEX_UNLOCK,
		GOSYNC_IOC_MUTEX_RECOVER,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cmds); i++) {
		EXPECT_EQ(-ENOTTY, call(self->dev, cmds[i], NULL));
		EXPECT_EQ(-ENOTTY, call(self->word, cmds[i], NULL));
		EXPECT_EQ(-EBADF, call(self->read_only, cmds[i], NULL));
	}
	EXPECT_EQ(0, info_of(self->mutex).owner);
}

TEST_F(bare, info_gives_as_much_as_fits)
{
	struct gosync_info whole = info_of(self->mutex);
	struct {
		struct gosync_info info;
		char more[64];
	} arg;
	size_t size, i;

	ASSERT_EQ(sizeof(whole), whole.size);
	for (size = 16; size < sizeof(whole); size += 4) {
		memset(&arg, 0xa5, sizeof(arg));
		arg.info.size = size;
		ASSERT_EQ(0, call(self->mutex, GOSYNC_IOC_INFO, &arg));
		ASSERT_EQ(0, memcmp((char *)&arg + 4, (char *)&whole + 4,
				    size - 4));
		ASSERT_EQ(0xa5, ((unsigned char *)&arg)[size]);
	}
	memset(&arg, 0xa5, sizeof(arg));
	arg.info.size = sizeof(arg);
	ASSERT_EQ(0, call(self->mutex, GOSYNC_IOC_INFO, &arg));
	EXPECT_EQ(0, memcmp((char *)&arg + 4, (char *)&whole + 4,
			    sizeof(whole) - 4));
	for (i = 0; i < sizeof(arg.more); i++)
		ASSERT_EQ(0, arg.more[i]);
}

TEST_F(bare, info_refuses_bad_arguments)
{
	struct gosync_info info = { .size = 0 };
	int size = getpagesize();
	char *page = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, page);
	ASSERT_EQ(0, mprotect(page + size, size, PROT_NONE));
	EXPECT_EQ(-EINVAL, call(self->mutex, GOSYNC_IOC_INFO, &info));
	info.size = 4;
	EXPECT_EQ(-EINVAL, call(self->mutex, GOSYNC_IOC_INFO, &info));
	EXPECT_EQ(-EFAULT, call(self->mutex, GOSYNC_IOC_INFO, NULL));
	EXPECT_EQ(-EFAULT, call(self->mutex, GOSYNC_IOC_INFO, page + size));
	*(uint32_t *)(page + size - 64) = sizeof(info);
	EXPECT_EQ(-EFAULT, call(self->mutex, GOSYNC_IOC_INFO, page + size - 64));
	info.size = sizeof(info);
	EXPECT_EQ(-ENOTTY, call(self->dev, GOSYNC_IOC_INFO, &info));
}

TEST_F(bare, other_numbers_are_no_ioctls)
{
	static const unsigned int known[] = {
		0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x90, 0x91, 0x92, 0x93, 0x94,
		0x95, 0x96, 0x97, 0x98, 0xa0, 0xa1, 0xa2, 0xa3, 0xa8, 0xa9, 0xaa,
		0xab,
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
	EXPECT_EQ(40, sizeof(struct gosync_open));
	EXPECT_EQ(24, sizeof(struct gosync_unlink));
	EXPECT_EQ(32, sizeof(struct gosync_list));
	EXPECT_EQ(8, sizeof(struct gosync_reopen));
	EXPECT_EQ(40, sizeof(struct gosync_atomic));
	EXPECT_EQ(40, sizeof(struct gosync_atomic_wait));
	EXPECT_EQ(16, sizeof(struct gosync_atomic_wake));
	EXPECT_EQ(64, sizeof(struct gosync_value));
	EXPECT_EQ(16, sizeof(struct gosync_wait));
	EXPECT_EQ(16, sizeof(struct gosync_mutex_slot));
	EXPECT_EQ(64, sizeof(struct gosync_atomic_slot));
	EXPECT_EQ(64, sizeof(struct gosync_value_page));
	EXPECT_EQ(376, sizeof(struct gosync_info));
}

TEST_HARNESS_MAIN
