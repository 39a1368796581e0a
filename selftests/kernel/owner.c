// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whose an object is and who may open it can be changed: by whom, what that does
 * to its state, to those who share its page and to the accounts, and what others
 * see of it meanwhile. Needs root, to be all these users.
 */
#include "users.h"

#define SECOND	1005	/* group */
#define SAME	-1U

NAME_AND_LIMIT_OF_ROOT(owner)

/* The same as root, who lacks one capability */
#define WITHOUT(capability, call) AS(0, 0, 0, drop(capability) ?: (call))

static int create(uint32_t type, const char *name, uint32_t flags, uint32_t mode)
{
	return open_object(type, name, GOSYNC_CREATE | GOSYNC_EXCL |
			   GOSYNC_PERSIST | flags, mode);
}

static bool is(const char *name, uid_t uid, gid_t gid, uint32_t mode)
{
	int fd = open_object(0, name, GOSYNC_RDONLY, 0);
	struct gosync_info info = info_of(fd);

	close(fd);
	if (info.uid == uid && info.gid == gid && info.mode == mode)
		return true;
	printf("# %s: %u:%u %o\n", name, info.uid, info.gid, info.mode);
	return false;
}

static int change(const char *name, uint32_t flags, uid_t uid, gid_t gid,
		  uint32_t mode)
{
	struct gosync_change_args args = {
		.size = sizeof(args), .flags = flags, .name = to_u64(name),
		.name_len = strlen(name), .mode = mode, .uid = uid, .gid = gid,
	};
	int dev = open_device(), ret = call(dev, GOSYNC_IOC_CHANGE, &args);

	close(dev);
	return ret;
}

static int64_t atomic_op(int fd, unsigned int op, int64_t value)
{
	struct gosync_atomic_args args = { .size = sizeof(args), .value = value };
	int ret = call(fd, op, &args);

	return ret < 0 ? ret : (int64_t)args.result;
}

#define LOAD(fd)	atomic_op(fd, GOSYNC_IOC_ATOMIC_LOAD, 0)
#define ADD(fd, n)	atomic_op(fd, GOSYNC_IOC_ATOMIC_ADD, n)

/* --- who may ------------------------------------------------------------- */

/* The object is ALICE's, of GROUP, 0660. */
static const struct {
	uid_t uid;
	gid_t gid;
	uint32_t mode;
} changes[] = {
	{ SAME, SAME, 0600 }, { BOB, SAME, 0 }, { ALICE, SAME, 0 },
	{ SAME, GROUP, 0 }, { SAME, SECOND, 0 }, { SAME, CAROL, 0 },
	{ BOB, SECOND, 0 }, { ALICE, SECOND, 0 },
};

static int try_change(const char *name, unsigned int i)
{
	return changes[i].mode ? gosync_chmod(name, changes[i].mode) :
		gosync_chown(name, changes[i].uid, changes[i].gid);
}

TEST_F(owner, as_for_a_file_who_owns_it_may_and_who_may_chown)
{
	static const struct {
		uid_t uid;
		gid_t group;
		int lacks;
		char may[ARRAY_SIZE(changes) + 1];
	} rows[] = {
		{ 0, 0, -1, "yyyyyyyy" },
		{ 0, 0, CAP_CHOWN, "y-------" },
		{ 0, 0, CAP_SYS_ADMIN, "-yyyyyyy" },
		{ ALICE, 0, -1, "y-yy----" },
		{ ALICE, SECOND, -1, "y-yyy--y" },
		{ BOB, GROUP, -1, "--------" },
		{ BOB, SECOND, -1, "--------" },
		{ CAROL, 0, -1, "--------" },
	};
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		for (j = 0; j < ARRAY_SIZE(changes); j++) {
			bool may = rows[i].may[j] == 'y';

			ASSERT_EQ(0, AS(ALICE, GROUP, 0,
					create(GOSYNC_MUTEX, self->name, 0,
					       0660)));
			EXPECT_EQ(may ? 0 : -EPERM,
				  AS(rows[i].uid, rows[i].uid, rows[i].group,
				     (rows[i].lacks < 0 ? 0 :
				      drop(rows[i].lacks)) ?:
				     try_change(self->name, j)))
				TH_LOG("row %u, change %u", i, j);
			EXPECT_TRUE(is(self->name,
				       may && changes[j].uid != SAME ?
				       changes[j].uid : ALICE,
				       may && changes[j].gid != SAME ?
				       changes[j].gid : GROUP,
				       may && changes[j].mode ?
				       changes[j].mode : 0660));
			ASSERT_EQ(0, gosync_unlink(self->name));
		}
	}
}

/* With all capabilities, over nothing of ours */
TEST_F(owner, root_of_a_user_namespace_may_not)
{
	pid_t pid;

	close(create(GOSYNC_MUTEX, self->name, 0, 0666));
	pid = spawn();
	if (!pid) {
		ASSERT_EQ(0, become(ALICE, ALICE, 0));
		if (unshare(CLONE_NEWUSER))
			_exit(KSFT_SKIP);
		EXPECT_EQ(-EPERM, gosync_chmod(self->name, 0600));
		/* Whom it does not know it cannot name. */
		EXPECT_EQ(-EINVAL, gosync_chown(self->name, BOB, SAME));
		EXPECT_EQ(-EINVAL, gosync_chown(self->name, SAME, BOB));
		_exit(0);
	}
	if (reap(pid) == KSFT_SKIP)
		SKIP(return, "no user namespace");
	EXPECT_TRUE(is(self->name, 0, 0, 0666));
}

TEST_F(owner, opens_are_judged_by_what_it_is_now)
{
	close(create(GOSYNC_MUTEX, self->name, 0, 0640));
	EXPECT_EQ(-EACCES, AS(BOB, GROUP, 0, open_object(0, self->name, 0, 0)));
	ASSERT_EQ(0, gosync_chown(self->name, SAME, GROUP));
	EXPECT_EQ(-EACCES, AS(BOB, GROUP, 0, open_object(0, self->name, 0, 0)));
	EXPECT_EQ(0, AS(BOB, GROUP, 0, open_object(0, self->name,
						   GOSYNC_RDONLY, 0)));
	ASSERT_EQ(0, gosync_chown(self->name, BOB, SAME));
	EXPECT_EQ(0, AS(BOB, GROUP, 0, open_object(0, self->name, 0, 0)));
	ASSERT_EQ(0, AS(BOB, GROUP, 0, gosync_chmod(self->name, 0060)));
	EXPECT_EQ(-EACCES, AS(BOB, GROUP, 0, open_object(0, self->name, 0, 0)));
	EXPECT_EQ(0, AS(CAROL, CAROL, GROUP, open_object(0, self->name, 0, 0)));
	EXPECT_EQ(0, AS(BOB, GROUP, 0, gosync_unlink(self->name)));
}

TEST_F(owner, nonsense_is_refused_and_changes_nothing)
{
	const uint32_t mode = GOSYNC_CHANGE_MODE, uid = GOSYNC_CHANGE_OWNER,
		       gid = GOSYNC_CHANGE_GROUP;
	char longer[GOSYNC_NAME_MAX + 2] = "";

	close(create(GOSYNC_MUTEX, self->name, 0, 0640));
	EXPECT_EQ(-EINVAL, change(self->name, 0, 0, 0, 0));
	EXPECT_EQ(-EINVAL, change(self->name, mode | 8, 0, 0, 0600));
	EXPECT_EQ(-EINVAL, change(self->name, mode, 0, 0, 01000));
	EXPECT_EQ(-EINVAL, change(self->name, mode, 1, 0, 0600));
	EXPECT_EQ(-EINVAL, change(self->name, mode, 0, 1, 0600));
	EXPECT_EQ(-EINVAL, change(self->name, uid | gid, 1, 1, 0600));
	EXPECT_EQ(-EINVAL, change(self->name, uid, -1, 0, 0));
	EXPECT_EQ(-EINVAL, change(self->name, gid | mode, 0, -1, 0600));
	EXPECT_EQ(-EINVAL, change("", mode, 0, 0, 0600));
	EXPECT_EQ(-EINVAL, gosync_chown(self->name, SAME, SAME));
	EXPECT_EQ(-EINVAL, gosync_chmod(self->name, 07777));
	memset(longer, 'x', sizeof(longer) - 1);
	EXPECT_EQ(-ENAMETOOLONG, gosync_chmod(longer, 0600));
	EXPECT_EQ(-ENOENT, gosync_chmod("not there", 0600));
	EXPECT_TRUE(is(self->name, 0, 0, 0640));
	EXPECT_EQ(0, change(self->name, mode | uid | gid, ALICE, BOB, 0604));
	EXPECT_TRUE(is(self->name, ALICE, BOB, 0604));
}

/* --- its state ----------------------------------------------------------- */

NAME_OF_ROOT(state)

FIXTURE_VARIANT(state) { uint32_t flags; };
FIXTURE_VARIANT_ADD(state, shared_page) { .flags = 0 };
FIXTURE_VARIANT_ADD(state, own_page) { .flags = GOSYNC_OWN_PAGE };
FIXTURE_VARIANT_ADD(state, no_mmap) { .flags = GOSYNC_NO_MMAP };

static const char payload[] = "payload";

/* Whatever can be known of an object's state */
struct state {
	struct gosync_info info;
	char mapped[64];
	char payload[sizeof(payload)];
};

static struct state state_of(int fd)
{
	struct state state = { .info = info_of(fd) };
	struct gosync_value_args value = {
		.size = sizeof(value), .buf = to_u64(state.payload),
		.len = sizeof(payload),
	};
	struct gosync_map_args map = {
		.size = sizeof(map), .key = to_u64(payload),
		.key_len = sizeof(payload), .buf = to_u64(state.payload),
		.len = sizeof(payload),
	};
	char *page = MAP_FAILED;

	if (state.info.type == GOSYNC_VALUE)
		call(fd, GOSYNC_IOC_VALUE_LOAD, &value);
	if (state.info.type == GOSYNC_MAP)
		call(fd, GOSYNC_IOC_MAP_LOAD, &map);
	if (state.info.map_len)
		page = mmap(NULL, state.info.map_len, PROT_READ, MAP_SHARED, fd, 0);
	if (page != MAP_FAILED) {
		memcpy(state.mapped, page + state.info.map_offset, 64);
		munmap(page, state.info.map_len);
	}
	/* Of who looks, and when; and what is to change. */
	state.info.holder = state.info.idle_ns = 0;
	/* And of where it is; the words of atomics are there. */
	state.info.map_offset = state.info.map_data = 0;
	state.info.map_id = 0;
	state.info.uid = state.info.gid = state.info.mode = 0;
	return state;
}

/* Something that a new object does not have; the last holder may die with it. */
static int use(int fd)
{
	struct gosync_waitgroup_add_args wg = { .size = sizeof(wg), .delta = 3 };
	struct gosync_semaphore_args semaphore = { .size = sizeof(semaphore), .count = 1 };
	struct gosync_value_args value = {
		.size = sizeof(value), .type = 7, .buf = to_u64(payload),
		.len = sizeof(payload),
	};
	struct gosync_map_args map = {
		.size = sizeof(map), .key = to_u64(payload),
		.key_len = sizeof(payload), .buf = to_u64(payload),
		.len = sizeof(payload),
	};

	switch (info_of(fd).type) {
	case GOSYNC_INT32:
	case GOSYNC_INT64:
		return ADD(fd, 0x12345678) < 0;
	case GOSYNC_VALUE:
		return call(fd, GOSYNC_IOC_VALUE_STORE, &value);
	case GOSYNC_MUTEX:
		return lock_fd(fd);
	case GOSYNC_RWMUTEX:
		return call(fd, GOSYNC_IOC_RWMUTEX_LOCK, NULL);
	case GOSYNC_WAITGROUP:
		return call(fd, GOSYNC_IOC_WAITGROUP_ADD, &wg);
	case GOSYNC_ONCE:
		return call(fd, GOSYNC_IOC_ONCE_BEGIN, NULL) < 0 ||
		       call(fd, GOSYNC_IOC_ONCE_DONE, NULL);
	case GOSYNC_SEMAPHORE:
		return call(fd, GOSYNC_IOC_SEMAPHORE_ACQUIRE, &semaphore);
	case GOSYNC_MAP:
		return call(fd, GOSYNC_IOC_MAP_STORE, &map);
	}
	return 0;
}

static const uint32_t types[] = {
	GOSYNC_INT32, GOSYNC_INT64, GOSYNC_VALUE, GOSYNC_MUTEX, GOSYNC_RWMUTEX,
	GOSYNC_WAITGROUP, GOSYNC_ONCE, GOSYNC_COND, GOSYNC_SEMAPHORE, GOSYNC_MAP,
};

TEST_F(state, is_as_it_was)
{
	struct state before, after;
	unsigned int i;
	int fd;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		fd = open_bytes(types[i], self->name, strlen(self->name),
				GOSYNC_CREATE | GOSYNC_PERSIST | variant->flags,
				0600, types[i] == GOSYNC_SEMAPHORE ? 5 : 0);
		ASSERT_LE(0, fd);
		EXPECT_EQ(0, use(fd));
		close(fd);
		fd = open_object(0, self->name, 0, 0);
		before = state_of(fd);
		close(fd);
		ASSERT_EQ(0, change(self->name, GOSYNC_CHANGE_MODE |
				    GOSYNC_CHANGE_OWNER | GOSYNC_CHANGE_GROUP,
				    ALICE, BOB, 0604))
			TH_LOG("type %u", types[i]);
		fd = open_object(0, self->name, 0, 0);
		after = state_of(fd);
		EXPECT_EQ(0, memcmp(&before, &after, sizeof(after)))
			TH_LOG("type %u", types[i]);
		EXPECT_EQ(ALICE, info_of(fd).uid);
		EXPECT_EQ(BOB, info_of(fd).gid);
		EXPECT_EQ(0604, info_of(fd).mode);
		if (types[i] == GOSYNC_MUTEX) {
			EXPECT_EQ(1, trylock_fd(fd));
		}
		close(fd);
		ASSERT_EQ(0, gosync_unlink(self->name));
	}
}

/* What shares its page changes only while nobody has it open. */
TEST_F(state, changes_while_held_if_it_shares_nothing)
{
	struct gosync_info before, after;
	unsigned int i;
	int fd, want;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		fd = create(types[i], self->name, variant->flags, 0640);
		ASSERT_LE(0, fd);
		want = variant->flags || types[i] == GOSYNC_VALUE ? 0 : -EBUSY;
		before = info_of(fd);
		EXPECT_EQ(want, gosync_chown(self->name, ALICE, SAME));
		EXPECT_EQ(want, gosync_chown(self->name, SAME, BOB));
		EXPECT_EQ(want, gosync_chmod(self->name, 0600));
		after = info_of(fd);
		EXPECT_EQ(want ? 0 : ALICE, after.uid);
		EXPECT_EQ(want ? 0 : BOB, after.gid);
		EXPECT_EQ(want ? 0640 : 0600, after.mode);
		EXPECT_EQ(before.map_offset, after.map_offset);
		close(fd);
		ASSERT_EQ(0, gosync_unlink(self->name));
	}
}

/* --- those who share its page -------------------------------------------- */

static char *map_of(int fd, int prot)
{
	char *page = mmap(NULL, getpagesize(), prot, MAP_SHARED, fd, 0);

	return page == MAP_FAILED ? NULL : page;
}

TEST_F(owner, what_was_given_away_is_not_in_the_page_any_more)
{
	char *given = unique_name(), *his = unique_name();
	char *page, *before = malloc(getpagesize());
	int fd;

	ASSERT_EQ(0, AS(ALICE, ALICE, 0,
			create(GOSYNC_INT64, self->name, 0, 0600)));
	ASSERT_EQ(0, AS(ALICE, ALICE, 0, create(GOSYNC_INT64, given, 0, 0600)));
	ASSERT_EQ(0, AS(BOB, BOB, 0, create(GOSYNC_INT64, his, 0, 0600)));
	fd = open_object(0, given, 0, 0);
	ADD(fd, 41);
	page = map_of(open_object(0, self->name, 0, 0), PROT_READ | PROT_WRITE);
	ASSERT_NE(NULL, page);
	/* It is, up to now. */
	EXPECT_EQ(41, *(int64_t *)(page + info_of(fd).map_offset));
	close(fd);
	ASSERT_EQ(0, gosync_chown(given, BOB, BOB));
	memcpy(before, page, getpagesize());
	EXPECT_EQ(0, AS(BOB, BOB, 0, ({
		int object = open_object(0, given, 0, 0);
		int other = open_object(0, his, 0, 0);
		char *map = map_of(object, PROT_READ | PROT_WRITE);
		int64_t *word = (void *)(map + info_of(object).map_offset);
		int64_t *second = (void *)(map + info_of(other).map_offset);
		int i, ret = map && LOAD(object) == 41 && *word == 41 ? 0 : -1;

		for (i = 0; i < 1000; i++) {
			ADD(object, 1);
			add(word, 1);
			add(second, 1);
		}
		ret ?: LOAD(object) != 2041 ? -2 : LOAD(other) != 1000 ? -3 : 0;
	})));
	EXPECT_EQ(0, memcmp(before, page, getpagesize()));
	/* Nor does what she writes there reach him. */
	memset(page, 0xaa, getpagesize());
	EXPECT_EQ(2041, LOAD(open_object(0, given, 0, 0)));
	EXPECT_EQ(1000, LOAD(open_object(0, his, 0, 0)));
	EXPECT_EQ(0, gosync_unlink(given));
	EXPECT_EQ(0, gosync_unlink(his));
}

/* Store so many entries, or more of them; and look whether all are there. */
static int fill(gosync_map_t *map, uint32_t n)
{
	uint32_t i, value;
	size_t len;
	int ret = 0;

	for (i = 0; i < n && !ret; i++)
		ret = gosync_map_store(map, &i, 4, &i, 4);
	for (i = 0; i < n && !ret; i++) {
		len = sizeof(value);
		ret = gosync_map_load(map, &i, 4, &value, &len);
		if (!ret && value != i)
			ret = -EPROTO;
	}
	return ret ?: gosync_map_len(map) == (int)n ? 0 : -ERANGE;
}

/* Its first page moves, and what was added stays where it is. */
TEST_F(owner, a_map_moves_when_nobody_has_it_mapped)
{
	const uint32_t sizes[] = { 10, 1000, 5000 };
	struct gosync_map_limits limits = { .entries = 5000 };
	gosync_map_t *map;
	unsigned int i;
	char *page;
	size_t len;
	int fd;

	ASSERT_EQ(0, gosync_map_open(self->name, &limits, GOSYNC_CREATE |
				     GOSYNC_PERSIST, 0600, &map));
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		ASSERT_EQ(0, fill(map, sizes[i]));
		gosync_close(map);
		fd = open_object(0, self->name, GOSYNC_RDONLY, 0);
		len = info_of(fd).map_len;
		page = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);
		ASSERT_NE(MAP_FAILED, page);
		close(fd);
		EXPECT_EQ(-EBUSY, gosync_chown(self->name, i % 2 ? 0 : ALICE,
						SAME));
		/* Who may map the page may open the Map: it can stay there. */
		EXPECT_EQ(0, gosync_chmod(self->name, 0604));
		EXPECT_EQ(-EBUSY, gosync_chmod(self->name, 0000));
		munmap(page, len);
		EXPECT_EQ(0, gosync_chown(self->name, i % 2 ? 0 : ALICE, SAME));
		EXPECT_EQ(0, gosync_chmod(self->name, 0600));
		ASSERT_EQ(0, gosync_map_open(self->name, NULL, 0, 0, &map));
		EXPECT_EQ(1, gosync_is_mapped(map));
		EXPECT_EQ(0, fill(map, sizes[i]));
	}
	gosync_close(map);
}

TEST_F(owner, more_may_open_it_while_it_is_held)
{
	int fd = create(GOSYNC_INT64, self->name, 0, 0600);
	struct gosync_info before = info_of(fd);

	EXPECT_EQ(-EBUSY, gosync_chmod(self->name, 0500));
	EXPECT_EQ(-EBUSY, gosync_chmod(self->name, 0466));
	EXPECT_TRUE(is(self->name, 0, 0, 0600));
	EXPECT_EQ(0, gosync_chmod(self->name, 0666));
	EXPECT_EQ(before.map_offset, info_of(fd).map_offset);
	/* But the page is not for who may open it only since then. */
	EXPECT_EQ(0, AS(BOB, BOB, 0, ({
		int object = open_object(0, self->name, 0, 0);
		gosync_int64_t *handle;
		int64_t value = 0;

		map_of(object, PROT_READ) ? -1 : errno != EACCES ? -2 :
		gosync_int64_open(self->name, 1, 0, 0, &handle) ?:
		gosync_is_mapped(handle) ? -3 :
		gosync_int64_add(handle, 0, 5, &value) ?: value == 5 ? 0 : -4;
	})));
	EXPECT_EQ(5, LOAD(fd));
	/* Back to what it shares the page with */
	EXPECT_EQ(0, gosync_chmod(self->name, 0640));
	EXPECT_EQ(0, gosync_chmod(self->name, 0600));
	EXPECT_EQ(0, gosync_chmod(self->name, 0666));
	close(fd);
	EXPECT_EQ(0, gosync_chmod(self->name, 0666));
	EXPECT_EQ(0, AS(BOB, BOB, 0, ({
		int object = open_object(0, self->name, 0, 0);

		map_of(object, PROT_READ) && LOAD(object) == 5 ? 0 : -1;
	})));
}

TEST_F(owner, what_goes_with_its_last_holder_is_always_held)
{
	int fd = open_object(GOSYNC_MUTEX, self->name, GOSYNC_CREATE, 0600);

	EXPECT_EQ(-EBUSY, gosync_chown(self->name, ALICE, SAME));
	EXPECT_EQ(0, gosync_chmod(self->name, 0666));
	EXPECT_EQ(0666, info_of(fd).mode);
	close(fd);
	EXPECT_EQ(-ENOENT, gosync_chmod(self->name, 0666));
}

/* Can as many be created, and not one more? */
static int room(int count)
{
	int i, fd;

	for (i = 0; i <= count; i++) {
		fd = open_object(GOSYNC_MUTEX, NULL, GOSYNC_CREATE, 0600);
		if (i < count ? fd < 0 : fd != -EDQUOT)
			return fd < 0 ? fd : -1;
	}
	return 0;
}

TEST_F(owner, counts_for_its_owner)
{
	char *names[3];
	unsigned int i;
	int fd;

	ASSERT_EQ(0, write_file(PER_USER, "3"));
	for (i = 0; i < 3; i++) {
		names[i] = unique_name();
		ASSERT_EQ(0, AS(ALICE, ALICE, 0,
				create(GOSYNC_MUTEX, names[i], 0, 0600)));
	}
	EXPECT_EQ(0, AS(ALICE, ALICE, 0, room(0)));
	/* Refused, it counts where it did. */
	fd = open_object(0, names[0], 0, 0);
	for (i = 0; i < 5; i++)
		EXPECT_EQ(-EBUSY, gosync_chown(names[0], BOB, SAME));
	close(fd);
	EXPECT_EQ(0, AS(ALICE, ALICE, 0, room(0)));
	EXPECT_EQ(0, AS(BOB, BOB, 0, room(3)));
	ASSERT_EQ(0, gosync_chown(names[0], BOB, SAME));
	EXPECT_EQ(0, AS(ALICE, ALICE, 0, room(1)));
	EXPECT_EQ(0, AS(BOB, BOB, 0, room(2)));
	/* Full is full, but not for what counts there already. */
	ASSERT_EQ(0, write_file(PER_USER, "1"));
	EXPECT_EQ(-EDQUOT, WITHOUT(CAP_SYS_RESOURCE,
				   gosync_chown(names[1], BOB, BOB)));
	EXPECT_TRUE(is(names[1], ALICE, ALICE, 0600));
	EXPECT_EQ(0, WITHOUT(CAP_SYS_RESOURCE, gosync_chown(names[0], BOB, BOB)));
	EXPECT_EQ(0, gosync_chown(names[1], BOB, BOB));
	ASSERT_EQ(0, write_file(PER_USER, "3"));
	EXPECT_EQ(0, AS(ALICE, ALICE, 0, room(2)));
	EXPECT_EQ(0, AS(BOB, BOB, 0, room(1)));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, gosync_unlink(names[i]));
	EXPECT_EQ(0, AS(ALICE, ALICE, 0, room(3)));
	EXPECT_EQ(0, AS(BOB, BOB, 0, room(3)));
}

#define OPENERS	3

struct hammer {
	bool stop;
	int64_t adds;
	unsigned int flips;
	unsigned int wrong;
	int error;
};

static void count_by_opening(const char *name, struct hammer *hammer, bool creates)
{
	uint32_t flags = creates ? GOSYNC_CREATE | GOSYNC_PERSIST : 0;
	struct gosync_info info;
	unsigned int i;
	int fd;

	for (i = 0; !load(&hammer->stop); i++) {
		fd = open_object(GOSYNC_INT64, name, flags, creates ? 0600 : 0);
		if (fd < 0) {
			store(&hammer->error, fd);
			continue;
		}
		if (ADD(fd, 1) > 0)
			add(&hammer->adds, 1);
		info = info_of(fd);
		if (info.uid == ALICE ? info.gid != ALICE || info.mode != 0600 :
		    info.uid != BOB || info.gid != BOB || info.mode != 0644)
			add(&hammer->wrong, 1);
		close(fd);
		/* That nobody has it open has to happen, too. */
		if (i % 4 == 0)
			sleep_ns(5 * NSEC_PER_MSEC);
	}
}

TEST_F(owner, changes_at_one_moment_for_those_who_open_it)
{
	const uint32_t all = GOSYNC_CHANGE_MODE | GOSYNC_CHANGE_OWNER |
			     GOSYNC_CHANGE_GROUP;
	struct hammer *hammer = shared_memory(sizeof(*hammer));
	uint64_t end = end_of_budget();
	pid_t pids[OPENERS];
	int i, ret;

	close(create(GOSYNC_INT64, self->name, 0, 0600));
	ASSERT_EQ(0, change(self->name, all, ALICE, ALICE, 0600));
	for (i = 0; i < OPENERS; i++) {
		pids[i] = spawn();
		if (!pids[i]) {
			count_by_opening(self->name, hammer, i == 0);
			_exit(0);
		}
	}
	do {
		if (hammer->flips % 2)
			ret = change(self->name, all, ALICE, ALICE, 0600);
		else
			ret = change(self->name, all, BOB, BOB, 0644);
		if (!ret)
			hammer->flips++;
		else if (ret != -EBUSY)
			store(&hammer->error, ret);
	} while (budget_left(end) || !load(&hammer->adds));
	store(&hammer->stop, true);
	EXPECT_EQ(0, reap_all(pids, OPENERS));
	EXPECT_EQ(0, hammer->error);
	EXPECT_EQ(0, hammer->wrong);
	EXPECT_EQ(hammer->adds, LOAD(open_object(0, self->name, 0, 0)));
	TH_LOG("%u changes, %lld adds", hammer->flips, (long long)hammer->adds);
}

TEST_HARNESS_MAIN
