// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mapped state: who gets which page, what may be done with it, and what a
 * mapping does not do.
 */
#include "users.h"

FIXTURE(mapping)
{
	char *name;
};

FIXTURE_SETUP(mapping)
{
	self->name = unique_name();
}

NO_TEARDOWN(mapping);

static int create(uint32_t type, const char *name, uint32_t flags, uint32_t mode)
{
	return open_object(type, name, GOSYNC_CREATE | flags, mode);
}

static void *map_as(int fd, int prot, int flags)
{
	void *map = mmap(NULL, info_of(fd).map_len, prot, flags, fd, 0);

	return map == MAP_FAILED ? NULL : map;
}

static int map_error(int fd, size_t len, int prot, int flags, off_t offset)
{
	return mmap(NULL, len, prot, flags, fd, offset) == MAP_FAILED ?
		-errno : 0;
}

/* Changes a word of the object, and back or once more. */
static int change(int fd, bool back)
{
	struct gosync_atomic_args args = {
		.size = sizeof(args), .value = back ? -1 : 1,
	};
	struct gosync_value_args store = { .size = sizeof(store), .type = 1 };
	struct gosync_map_args entry = {
		.size = sizeof(entry), .key = to_u64("key"), .key_len = 3,
	};
	int ret;

	switch (info_of(fd).type) {
	case GOSYNC_VALUE:
		return call(fd, GOSYNC_IOC_VALUE_STORE, &store);
	case GOSYNC_MAP:
		ret = call(fd, back ? GOSYNC_IOC_MAP_DELETE :
				      GOSYNC_IOC_MAP_STORE, &entry);
		return ret < 0 ? ret : 0;
	case GOSYNC_MUTEX:
		return back ? unlock_fd(fd) : lock_fd(fd);
	case GOSYNC_RWMUTEX:
		return call(fd, back ? GOSYNC_IOC_RWMUTEX_UNLOCK :
				       GOSYNC_IOC_RWMUTEX_LOCK, NULL);
	default:
		return call(fd, GOSYNC_IOC_ATOMIC_ADD, &args);
	}
}

/* Where change() changes something */
static unsigned int where(int fd)
{
	struct gosync_info info = info_of(fd);

	switch (info.type) {
	case GOSYNC_INT64:
		return info.map_data;
	case GOSYNC_VALUE:
		return info.map_offset +
		       offsetof(struct gosync_value_page, version);
	case GOSYNC_MAP:
		return info.map_offset +
		       offsetof(struct gosync_map_page, count);
	default:
		return info.map_offset;
	}
}

/* Does the first page of @there show what happens to the object @here? */
static bool shows(int there, int here)
{
	char *map = map_as(there, PROT_READ, MAP_SHARED);
	uint64_t *word, changed, unchanged;

	if (!map)
		return false;
	word = (uint64_t *)(map + where(here));
	MUST(!change(here, false));
	changed = load(word);
	MUST(!change(here, true));
	unchanged = load(word);
	munmap(map, info_of(there).map_len);
	return changed != unchanged;
}

static bool same_number(int one, int two)
{
	uint64_t id = info_of(one).map_id;

	return id && id == info_of(two).map_id;
}

TEST_F(mapping, shows_the_object)
{
	int fd = create(GOSYNC_MUTEX, self->name, 0, 0600);
	struct gosync_info info = info_of(fd);
	struct gosync_mutex_slot *slot;
	char *map;

	EXPECT_EQ(0, info.map_len % getpagesize());
	EXPECT_EQ(0, info.map_offset % 64);
	map = map_as(fd, PROT_READ | PROT_WRITE, MAP_SHARED);
	ASSERT_NE(NULL, map);
	slot = (void *)(map + info.map_offset);
	EXPECT_EQ(0, load(&slot->word));
	EXPECT_EQ(0, lock_fd(fd));
	EXPECT_EQ(GOSYNC_MUTEX_LOCKED |
		  (uint64_t)info.holder << GOSYNC_MUTEX_OWNER_SHIFT,
		  load(&slot->word));
	EXPECT_EQ(info.token + 1, load(&slot->token));
	store(&slot->word, 0);
	EXPECT_EQ(0, trylock_fd(fd));
	EXPECT_EQ(0, unlock_fd(fd));
	EXPECT_TRUE(shows(fd, fd));
}

TEST_F(mapping, can_be_ruled_out)
{
	int fd = create(GOSYNC_MUTEX, self->name, GOSYNC_NO_MMAP, 0600);

	EXPECT_EQ(0, info_of(fd).map_len);
	EXPECT_EQ(0, info_of(fd).map_id);
	EXPECT_EQ(-EACCES, map_error(fd, getpagesize(), PROT_READ, MAP_SHARED, 0));
	EXPECT_EQ(0, lock_fd(fd));
	EXPECT_EQ(0, unlock_fd(fd));
	/* Those that are mapped are elsewhere. */
	EXPECT_TRUE(info_of(create(GOSYNC_MUTEX, unique_name(), 0, 0600)).map_len);
}

TEST_F(mapping, is_read_only_for_readers)
{
	int fd = create(GOSYNC_MUTEX, self->name, 0, 0600);
	const int readers[] = {
		open_object(0, self->name, GOSYNC_RDONLY, 0),
		reopen_object(fd, GOSYNC_RDONLY),
		create(GOSYNC_VALUE, unique_name(), 0, 0600),
		create(GOSYNC_VALUE, NULL, GOSYNC_OWN_PAGE, 0600),
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(readers); i++) {
		size_t len = info_of(readers[i]).map_len;
		void *map;

		EXPECT_EQ(-EACCES, map_error(readers[i], len,
					     PROT_READ | PROT_WRITE, MAP_SHARED,
					     0));
		EXPECT_EQ(-EACCES, map_error(readers[i], len, PROT_WRITE,
					     MAP_SHARED, 0));
		map = map_as(readers[i], PROT_READ, MAP_SHARED);
		ASSERT_NE(NULL, map);
		EXPECT_EQ(-1, mprotect(map, len, PROT_READ | PROT_WRITE));
		EXPECT_EQ(EACCES, errno);
	}
}

TEST_F(mapping, is_whole_and_shared)
{
	const int fds[] = {
		create(GOSYNC_MUTEX, self->name, 0, 0600),
		create(GOSYNC_VALUE, unique_name(), 0, 0600),
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fds); i++) {
		size_t len = info_of(fds[i]).map_len;
		size_t page = getpagesize();

		EXPECT_EQ(-EINVAL, map_error(fds[i], len, PROT_READ, MAP_PRIVATE,
					     0));
		EXPECT_EQ(-EINVAL, map_error(fds[i], len + page, PROT_READ,
					     MAP_SHARED, 0));
		EXPECT_EQ(-EINVAL, map_error(fds[i], len, PROT_READ, MAP_SHARED,
					     page));
		if (len > page)
			EXPECT_EQ(-EINVAL, map_error(fds[i], len - page,
						     PROT_READ, MAP_SHARED, 0));
	}
}

TEST_F(mapping, does_not_grow)
{
	int fd = create(GOSYNC_MUTEX, self->name, 0, 0600);
	void *map = map_as(fd, PROT_READ, MAP_SHARED);

	EXPECT_EQ(MAP_FAILED, mremap(map, getpagesize(), 2 * getpagesize(),
				     MREMAP_MAYMOVE));
}

TEST_F(mapping, has_a_number_that_no_other_has_later)
{
	uint64_t last = 0;
	int i;

	for (i = 0; i < 10; i++) {
		int fd = create(GOSYNC_MUTEX, NULL, 0, 0600);

		EXPECT_LT(last, info_of(fd).map_id);
		last = info_of(fd).map_id;
		close(fd);
	}
}

TEST_F(mapping, does_not_keep_a_holder_alive)
{
	int fd = create(GOSYNC_MUTEX, self->name, GOSYNC_OWN_PAGE, 0600);
	int other = open_object(0, self->name, 0, 0);
	struct gosync_info info = info_of(fd);
	char *map = map_as(fd, PROT_READ | PROT_WRITE, MAP_SHARED);

	ASSERT_NE(NULL, map);
	/* Locked as user space does it */
	store((uint64_t *)(map + info.map_offset), GOSYNC_MUTEX_LOCKED |
	      (uint64_t)info.holder << GOSYNC_MUTEX_OWNER_SHIFT);
	EXPECT_EQ(-EBUSY, trylock_fd(other));
	EXPECT_EQ(2, info_of(other).holders);
	close(fd);
	EXPECT_EQ(1, info_of(other).holders);
	EXPECT_EQ(1, trylock_fd(other));
}

/* --- shared pages --------------------------------------------------------- */

FIXTURE(shared)
{
	char *name;
	unsigned int slots;
};

FIXTURE_VARIANT(shared)
{
	uint32_t type;
	unsigned int capacity;
	unsigned int size;	/* of a slot */
};

FIXTURE_VARIANT_ADD(shared, mutex) { .type = GOSYNC_MUTEX, .size = 64 };
FIXTURE_VARIANT_ADD(shared, rwmutex) { .type = GOSYNC_RWMUTEX, .size = 1024 };
FIXTURE_VARIANT_ADD(shared, word) {
	.type = GOSYNC_INT64, .capacity = 1, .size = 64,
};
FIXTURE_VARIANT_ADD(shared, array) {
	.type = GOSYNC_INT64, .capacity = 9, .size = 192,
};
FIXTURE_VARIANT_ADD(shared, map) {
	.type = GOSYNC_MAP, .size = 1280,
};

FIXTURE_SETUP(shared)
{
	self->name = unique_name();
	self->slots = getpagesize() / variant->size;
	if (self->slots > 64)
		self->slots = 64;
}

NO_TEARDOWN(shared);

static int create_one(const FIXTURE_VARIANT(shared) *variant, const char *name,
		      uint32_t flags, uint32_t mode)
{
	return open_bytes(variant->type, name, name ? strlen(name) : 0,
			  GOSYNC_CREATE | flags, mode, variant->capacity);
}

TEST_F(shared, by_like_objects)
{
	int one = create_one(variant, self->name, 0, 0600);
	int two = create_one(variant, unique_name(), 0, 0600);

	EXPECT_NE(info_of(one).map_offset, info_of(two).map_offset);
	EXPECT_TRUE(shows(one, two));
	EXPECT_TRUE(shows(two, one));
	/* A Map's mapping shows its own entries, too. */
	EXPECT_EQ(variant->type != GOSYNC_MAP, same_number(one, two));
}

/* As many as there is room for, each in a place of its own */
TEST_F(shared, until_a_page_is_full)
{
	int fds[64 + 1];
	unsigned int i, at;
	uint64_t seen = 0;

	for (i = 0; i <= self->slots; i++) {
		fds[i] = create_one(variant, unique_name(), 0, 0600);
		ASSERT_LE(0, fds[i]);
		at = info_of(fds[i]).map_offset;
		EXPECT_EQ(0, at % variant->size);
		EXPECT_EQ(i < self->slots, shows(fds[0], fds[i]));
		if (i == self->slots)
			break;
		EXPECT_FALSE(seen >> at / variant->size & 1);
		seen |= 1ULL << at / variant->size;
	}
	/* The place of one that has gone is used again. */
	at = info_of(fds[1]).map_offset;
	close(fds[1]);
	close(fds[self->slots]);
	fds[1] = create_one(variant, unique_name(), 0, 0600);
	EXPECT_TRUE(shows(fds[0], fds[1]));
	EXPECT_EQ(at, info_of(fds[1]).map_offset);
	/* Then the page is full again. */
	EXPECT_FALSE(shows(fds[0], create_one(variant, unique_name(), 0, 0600)));
}

TEST_F(shared, by_no_others)
{
	int one = create_one(variant, self->name, 0, 0600);
	const int others[] = {
		create_one(variant, unique_name(), 0, 0660),
		create_one(variant, unique_name(), GOSYNC_OWN_PAGE, 0600),
		create_one(variant, NULL, 0, 0600),
		create(variant->size == 64 ? GOSYNC_RWMUTEX : GOSYNC_MUTEX,
		       unique_name(), 0, 0600),
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(others); i++) {
		EXPECT_FALSE(shows(others[i], one));
		EXPECT_FALSE(shows(one, others[i]));
		EXPECT_FALSE(same_number(others[i], one));
	}
}

TEST_F(shared, by_no_other_owners_and_groups)
{
	int one = create_one(variant, self->name, 0, 0666);
	int i, two;

	NEED_ROOT();
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, setegid(i ? 0 : ALICE));
		ASSERT_EQ(0, seteuid(i ? ALICE : 0));
		two = create_one(variant, unique_name(), 0, 0666);
		ASSERT_EQ(0, seteuid(0));
		ASSERT_EQ(0, setegid(0));
		EXPECT_FALSE(shows(two, one));
		EXPECT_FALSE(shows(one, two));
		EXPECT_FALSE(same_number(one, two));
	}
}

TEST_F(shared, by_no_other_namespaces)
{
	int one = create_one(variant, self->name, 0, 0600);

	NEED_ROOT();
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	EXPECT_FALSE(shows(create_one(variant, self->name, 0, 0600), one));
}

TEST_F(shared, pages_survive_the_object)
{
	int keeper = create_one(variant, unique_name(), 0, 0600);
	int fd = create_one(variant, self->name, 0, 0600);
	struct gosync_info info = info_of(fd);
	unsigned char *slot = NULL, *gone;
	unsigned int i, j;

	ASSERT_TRUE(shows(keeper, fd));
	ASSERT_EQ(0, change(fd, false));
	if (variant->type != GOSYNC_MAP)
		slot = map_state(fd);
	close(fd);
	/* Who maps the page later sees nothing of it. */
	gone = map_as(keeper, PROT_READ, MAP_SHARED);
	ASSERT_NE(NULL, gone);
	for (j = 0; j < variant->size; j++)
		EXPECT_EQ(0, gone[info.map_offset + j]);
	if (slot) {
		memset(slot, 0x55, variant->size);
		EXPECT_EQ(0x55, slot[variant->size - 1]);
	}
	/* Whoever gets the place next finds it as new. */
	for (i = 0; i < self->slots; i++) {
		fd = create_one(variant, unique_name(), 0, 0600);
		EXPECT_EQ(0, info_of(fd).word);
		EXPECT_NE(0x5555555555555555, info_of(fd).token);
		if (info_of(fd).map_offset != info.map_offset ||
		    !shows(keeper, fd))
			continue;
		/* Behind the first cache line all is zero. */
		for (j = 64; slot && j < variant->size; j++)
			EXPECT_EQ(0, slot[j]);
		EXPECT_EQ(0, change(fd, false));
		EXPECT_EQ(0, change(fd, true));
		break;
	}
	EXPECT_GT(self->slots, i);
}

/* The kernel trusts what nobody may write. */
TEST_F(mapping, shows_nothing_read_only_beside_what_may_be_written)
{
	enum { MOST = 1344 };
	const char *name = unique_name();
	const int read_only[] = {
		create(GOSYNC_MAP, self->name, 0, 0600),
		open_bytes(GOSYNC_VALUE, name, strlen(name), GOSYNC_CREATE,
			   0600, 8),
	};
	unsigned int size, i;

	EXPECT_EQ(0, info_of(read_only[1]).map_offset);
	/* Whatever size these have, one of the arrays has the same. */
	for (size = 64; size <= MOST; size += 64) {
		unsigned int words = size == 64 ? 1 : (size - 64) / 8;
		int array;

		name = unique_name();
		array = open_bytes(GOSYNC_INT64, name, strlen(name),
				   GOSYNC_CREATE, 0600, words);
		ASSERT_LE(0, array);
		for (i = 0; i < ARRAY_SIZE(read_only); i++) {
			EXPECT_FALSE(shows(array, read_only[i]));
			EXPECT_FALSE(shows(read_only[i], array));
		}
		close(array);
	}
}

/* A Map that is gone stays as it was for who has it mapped. */
TEST_F(mapping, keeps_the_place_of_a_map)
{
	int neighbour = create(GOSYNC_MAP, unique_name(), 0, 0600);
	int fd = create(GOSYNC_MAP, self->name, 0, 0600);
	unsigned int at = info_of(fd).map_offset, i;
	size_t len = info_of(fd).map_len;
	uint64_t *count;
	char *map;

	ASSERT_TRUE(shows(neighbour, fd));
	ASSERT_EQ(0, change(fd, false));
	map = map_as(fd, PROT_READ, MAP_SHARED);
	ASSERT_NE(NULL, map);
	count = (uint64_t *)(map + where(fd));
	close(fd);
	for (i = 0; i < 10; i++) {
		fd = create(GOSYNC_MAP, unique_name(), 0, 0600);
		if (shows(neighbour, fd))
			EXPECT_NE(at, info_of(fd).map_offset);
		EXPECT_EQ(1, load(count));
	}
	/* Then it is used again. */
	munmap(map, len);
	for (i = 0; i < 10; i++) {
		fd = create(GOSYNC_MAP, unique_name(), 0, 0600);
		if (info_of(fd).map_offset == at && shows(neighbour, fd))
			break;
	}
	EXPECT_GT(10, i);
}

/* --- passed on ------------------------------------------------------------- */

/*
 * A page shared by objects that somebody may not open is not for him, even
 * when he is given the descriptor of one; the descriptor works nevertheless.
 */
TEST_F(mapping, is_not_passed_on_with_a_descriptor)
{
	int fd = create(GOSYNC_MUTEX, self->name, 0, 0600);
	int own = create(GOSYNC_MUTEX, unique_name(), GOSYNC_OWN_PAGE, 0600);
	int pair[2];
	pid_t pid;

	NEED_ROOT();
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	pid = spawn();
	if (!pid) {
		gosync_mutex_t *mutex;
		int given, given_own;

		close(fd);
		close(own);
		ASSERT_EQ(0, become(BOB, BOB, 0));
		given = receive_fd(pair[1]);
		given_own = receive_fd(pair[1]);
		EXPECT_EQ(-EACCES, open_object(0, self->name, 0, 0));
		EXPECT_EQ(-EACCES, map_error(given, getpagesize(), PROT_READ,
					     MAP_SHARED, 0));
		EXPECT_EQ(-EACCES, map_error(given, getpagesize(), PROT_READ |
					     PROT_WRITE, MAP_SHARED, 0));
		EXPECT_EQ(0, map_error(given_own, getpagesize(), PROT_READ |
				       PROT_WRITE, MAP_SHARED, 0));

		mutex = HANDLE(gosync_mutex, given, 0);
		EXPECT_EQ(0, gosync_is_mapped(mutex));
		EXPECT_EQ(0, gosync_mutex_lock(mutex));
		EXPECT_EQ(-EBUSY, gosync_mutex_trylock(mutex));
		EXPECT_EQ(0, gosync_mutex_unlock(mutex));
		EXPECT_EQ(0, gosync_mutex_lock(mutex));
		_exit(0);
	}
	ASSERT_EQ(0, send_fd(pair[0], fd));
	ASSERT_EQ(0, send_fd(pair[0], own));
	EXPECT_EQ(0, reap(pid));
	/* The holder is still there, with us. */
	EXPECT_EQ(info_of(fd).holder, info_of(fd).owner);
}

/* What a process that got it passed may do with an object of ALICE's */
struct passed {
	int fd;
	bool shared;
	bool read_only;
	bool never;
};

static int expected(const struct passed *passed, uid_t uid, gid_t group,
		    bool other_ns, bool write)
{
	if (passed->never || (write && passed->read_only))
		return -EACCES;
	/* The descriptor is the right to what is on no shared page. */
	if (!passed->shared)
		return 0;
	if (other_ns)
		return -EACCES;
	/* The mode is 0640. */
	if (uid == ALICE)
		return 0;
	return group == GROUP && !write ? 0 : -EACCES;
}

static void try_to_map(struct __test_metadata *_metadata,
		       const struct passed *passed, uid_t uid, gid_t group,
		       bool other_ns)
{
	gosync_mutex_t *mutex;
	int write;

	for (write = 0; write < 2; write++) {
		int prot = PROT_READ | (write ? PROT_WRITE : 0);
		int want = expected(passed, uid, group, other_ns, write);

		EXPECT_EQ(want, map_error(passed->fd, getpagesize(), prot,
					  MAP_SHARED, 0))
			TH_LOG("uid %u, group %u, %s namespace, object %d, %s",
			       uid, group, other_ns ? "other" : "same",
			       passed->fd, write ? "write" : "read");
		if (passed->read_only || !write)
			continue;
		/* With ioctls it can be used anyway. */
		mutex = HANDLE(gosync_mutex, passed->fd, 0);
		EXPECT_EQ(!want, gosync_is_mapped(mutex));
		EXPECT_EQ(0, gosync_mutex_lock(mutex));
		EXPECT_EQ(0, gosync_mutex_unlock(mutex));
	}
}

TEST_F(mapping, is_for_whoever_could_open_what_it_shows)
{
	static const struct {
		uid_t uid;
		gid_t group;
	} users[] = { { ALICE, 0 }, { BOB, GROUP }, { BOB, 0 }, };
	unsigned int i, j;
	int fd;

	NEED_ROOT();
	ASSERT_EQ(0, setegid(GROUP));
	ASSERT_EQ(0, seteuid(ALICE));
	fd = create(GOSYNC_MUTEX, self->name, 0, 0640);

	const struct passed passed[] = {
		{ .fd = fd, .shared = true },
		{ .fd = reopen_object(fd, GOSYNC_RDONLY), .shared = true,
		  .read_only = true },
		{ .fd = create(GOSYNC_MUTEX, unique_name(), GOSYNC_OWN_PAGE,
			       0640) },
		{ .fd = create(GOSYNC_MUTEX, NULL, 0, 0640) },
		{ .fd = create(GOSYNC_MUTEX, unique_name(), GOSYNC_NO_MMAP,
			       0640), .never = true },
	};

	ASSERT_EQ(0, seteuid(0));
	ASSERT_EQ(0, setegid(0));
	for (i = 0; i < 2 * ARRAY_SIZE(users); i++) {
		bool other_ns = i % 2;
		uid_t uid = users[i / 2].uid;
		gid_t group = users[i / 2].group;
		pid_t pid = spawn();

		if (pid) {
			EXPECT_EQ(0, reap(pid));
			continue;
		}
		if (other_ns)
			ASSERT_EQ(0, unshare(CLONE_NEWIPC));
		ASSERT_EQ(0, become(uid, uid, group));
		for (j = 0; j < ARRAY_SIZE(passed); j++)
			try_to_map(_metadata, &passed[j], uid, group, other_ns);
		_exit(_metadata->exit_code != KSFT_PASS);
	}
}

/* Not even if the kernel has another namespace at its address */
TEST_F(mapping, of_a_namespace_that_is_gone_shows_no_other)
{
	char *before = malloc(getpagesize()), *map = NULL;
	int i, fd;

	NEED_ROOT();
	for (i = 0; i < 200; i++) {
		ASSERT_EQ(0, unshare(CLONE_NEWIPC));
		fd = create(GOSYNC_MAP, self->name, 0, 0600);
		ASSERT_LE(0, fd);
		if (!map)
			map = map_as(fd, PROT_READ, MAP_SHARED);
		ASSERT_NE(NULL, map);
		memcpy(before, map, getpagesize());
		EXPECT_EQ(0, change(fd, false));
		EXPECT_EQ(!i, !!memcmp(before, map, getpagesize()));
		close(fd);
		sleep_ns(20 * NSEC_PER_MSEC);
	}
}

/* That a process cannot come by the device says nothing of who it is. */
TEST_F(mapping, does_not_depend_on_reaching_the_device)
{
	int fd = create(GOSYNC_MUTEX, self->name, 0, 0600);

	NEED_ROOT();
	ASSERT_EQ(0, chroot("/sys"));
	EXPECT_GT(0, open_device());
	EXPECT_EQ(0, map_error(fd, getpagesize(), PROT_READ | PROT_WRITE,
			       MAP_SHARED, 0));
}

TEST_HARNESS_MAIN
