// SPDX-License-Identifier: GPL-2.0-only
/*
 * Program, library and module of different versions: who mistakes the layout of
 * the mapped state is refused before it has done anything, and
 * told which of the three is too old. And structures of other sizes than ours:
 * nobody writes beyond what the caller has, or leaves what it has unwritten.
 *
 * The other version is the next one, with the mutex word in another layout; see
 * library/other.sh. gosync-speaks-A-B is a program compiled for A and linked with the
 * library of B.
 */
#include "gosync_test.h"

#define MODULE	"/gosync/gosync.ko"
#define OTHER	"/gosync/other.ko"

static int load_module(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int ret = syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;

	close(fd);
	return ret;
}

static bool unload_module(void)
{
	return eventually(!syscall(SYS_delete_module, "gosync", O_NONBLOCK));
}

FIXTURE(compat)
{
	bool unused;
};

FIXTURE_VARIANT(compat)
{
	const char *program;
	const char *module;
	const char *told;
};

#define VARIANT(p, l, m, sentence)					\
FIXTURE_VARIANT_ADD(compat, program_##p##_library_##l##_module_##m) {	\
	.program = "gosync-speaks-" #p "-" #l, .module = #m,		\
	.told = sentence "\n",						\
}

VARIANT(own, own, own, "works");
VARIANT(other, other, other, "works");
VARIANT(own, own, other, "libgosync-user is older than the gosync module");
VARIANT(other, other, own, "the gosync module is older than libgosync-user");
VARIANT(other, own, own, "libgosync-user is older than the program");
VARIANT(other, own, other, "libgosync-user is older than the program");
VARIANT(own, other, own,
	"the program is older than libgosync-user: compile it anew");
VARIANT(own, other, other,
	"the program is older than libgosync-user: compile it anew");

FIXTURE_SETUP(compat)
{
	bool other = !strcmp(variant->module, "other");

	if (geteuid() || access(MODULE, R_OK) || access(OTHER, R_OK))
		SKIP(return, "no " MODULE " and " OTHER " to load");
	ASSERT_TRUE(unload_module());
	ASSERT_EQ(0, load_module(other ? OTHER : MODULE));
}

FIXTURE_TEARDOWN_PARENT(compat)
{
	if (!access(MODULE, R_OK) && !access(OTHER, R_OK) && !geteuid()) {
		unload_module();
		load_module(MODULE);
	}
}

TEST_F(compat, who_takes_the_state_for_another_is_told_who_is_too_old)
{
	char told[256] = "";
	FILE *program = popen(variant->program, "r");

	ASSERT_NE(NULL, program);
	ASSERT_NE(NULL, fgets(told, sizeof(told), program));
	EXPECT_EQ(0, pclose(program));
	EXPECT_STREQ(variant->told, told);
}

/* --- what the kernel is told ---------------------------------------------- */

FIXTURE(abi)
{
	int dev;
	char *name;
};

FIXTURE_SETUP(abi)
{
	self->dev = open_device();
	ASSERT_LE(0, self->dev);
	self->name = unique_name();
}

FIXTURE_TEARDOWN(abi)
{
	gosync_unlink(self->name);
}

static int open_as(FIXTURE_DATA(abi) *self, uint32_t abi)
{
	struct gosync_open_args args = {
		.size = sizeof(args), .type = GOSYNC_MUTEX,
		.flags = GOSYNC_CREATE | GOSYNC_PERSIST, .mode = 0600,
		.name = to_u64(self->name), .name_len = strlen(self->name),
		.abi = abi,
	};

	return call(self->dev, GOSYNC_IOC_OPEN, &args);
}

static const uint32_t others[] = {
	1, GOSYNC_ABI_VERSION - 1, GOSYNC_ABI_VERSION + 1, 0x7fffffff,
	0x80000000, UINT32_MAX,
};

TEST_F(abi, another_version_makes_no_object_and_learns_nothing)
{
	unsigned int i;
	int fd;

	for (i = 0; i < ARRAY_SIZE(others); i++) {
		EXPECT_EQ(-EPROTO, open_as(self, others[i]));
		EXPECT_EQ(-ENOENT, open_object(0, self->name, 0, 0));
	}
	fd = open_as(self, GOSYNC_ABI_VERSION);
	ASSERT_LE(0, fd);
	for (i = 0; i < ARRAY_SIZE(others); i++) {
		struct gosync_info info = {
			.size = sizeof(info), .abi = others[i],
		}, before = info;

		EXPECT_EQ(-EPROTO, call(fd, GOSYNC_IOC_INFO, &info));
		EXPECT_EQ(0, memcmp(&before, &info, sizeof(info)));
	}
}

TEST_F(abi, who_says_its_version_is_told_where_the_state_is)
{
	int fd = open_as(self, GOSYNC_ABI_VERSION);
	struct gosync_info info = {
		.size = sizeof(info), .abi = GOSYNC_ABI_VERSION,
	};

	ASSERT_EQ(0, call(fd, GOSYNC_IOC_INFO, &info));
	EXPECT_EQ(GOSYNC_ABI_VERSION, info.abi);
	EXPECT_NE(0, info.map_len);
}

/* So do programs of version 1, whose structures end before the version. */
TEST_F(abi, who_says_none_has_ioctls_alone)
{
	struct gosync_info info = { .size = sizeof(info) }, old = {
		.size = offsetof(struct gosync_info, abi),
	};
	int fd = open_as(self, 0);

	ASSERT_LE(0, fd);
	EXPECT_EQ(0, lock_fd(fd));
	ASSERT_EQ(0, call(fd, GOSYNC_IOC_INFO, &info));
	ASSERT_EQ(0, call(fd, GOSYNC_IOC_INFO, &old));
	EXPECT_EQ(GOSYNC_ABI_VERSION, info.abi);
	EXPECT_EQ(info.holder, info.owner);
	EXPECT_EQ(0, info.map_len);
	EXPECT_EQ(0, info.map_offset);
	EXPECT_EQ(0, info.map_id);
	EXPECT_EQ(info.holder, old.owner);
	EXPECT_EQ(0, old.map_len);
	EXPECT_EQ(0, old.abi);
	EXPECT_EQ(0, unlock_fd(fd));
}

/* --- sizes ---------------------------------------------------------------- */

enum { MORE = 64, MARK = 0xa5 };

FIXTURE(sizes)
{
	char *name;
	gosync_rwmutex_t *object;
	unsigned char *room;		/* for four of them */
};

FIXTURE_SETUP(sizes)
{
	self->name = unique_name();
	self->object = NEW_NAMED(gosync_rwmutex, self->name, 0);
	self->room = malloc(4 * (sizeof(struct gosync_info) + MORE));
	ASSERT_NE(NULL, self->room);
}

FIXTURE_TEARDOWN(sizes)
{
	gosync_close(self->object);
}

static bool is_all(const unsigned char *bytes, unsigned char value, size_t n)
{
	while (n--)
		if (bytes[n] != value)
			return false;
	return true;
}

/* Of one structure: as much as fits is as in @whole, the rest is 0 or not ours. */
static bool is_part(const unsigned char *part, size_t room, const void *whole,
		    size_t size)
{
	size_t known = room < size ? room : size;

	/* The size at the beginning is of the caller. */
	return !memcmp(part + 4, (const char *)whole + 4, known - 4) &&
	       is_all(part + known, 0, room - known);
}

#define FOR_EACH_SIZE(size, type)					\
	for (size = 16; size <= sizeof(type) + MORE; size += 8)

TEST_F(sizes, info_and_stat_are_as_large_as_the_caller_has_them)
{
	struct gosync_info info;
	struct gosync_stat stat;
	size_t size;

	ASSERT_EQ(0, gosync_info(self->object, &info));
	ASSERT_EQ(0, gosync_stat(self->object, &stat));
	FOR_EACH_SIZE(size, info) {
		memset(self->room, MARK, size + 8);
		ASSERT_EQ(0, gosync_info_sized(self->object,
					       (void *)self->room, size));
		/* Who has no room for the version is not to map anything. */
		if (size < offsetof(struct gosync_info, abi) +
			   sizeof(info.abi)) {
			struct gosync_info unmapped = info;

			unmapped.map_len = 0;
			unmapped.map_offset = 0;
			unmapped.map_data = 0;
			unmapped.map_id = 0;
			EXPECT_TRUE(is_part(self->room, size, &unmapped,
					    sizeof(info)));
		} else {
			EXPECT_TRUE(is_part(self->room, size, &info,
					    sizeof(info)));
		}
		EXPECT_TRUE(is_all(self->room + size, MARK, 8));
	}
	FOR_EACH_SIZE(size, stat) {
		memset(self->room, MARK, size + 8);
		ASSERT_EQ(0, gosync_stat_sized(self->object,
					       (void *)self->room, size));
		EXPECT_TRUE(is_part(self->room, size, &stat, sizeof(stat)));
		EXPECT_TRUE(is_all(self->room + size, MARK, 8));
	}
}

struct seen {
	const void *whole;
	size_t whole_size;
	size_t size;
	unsigned int good;
	const char *name;
};

static int see_party(const struct gosync_party *party, void *arg)
{
	struct seen *seen = arg;

	seen->good += party->holder == ((const struct gosync_party *)
					seen->whole)->holder &&
		      is_part((const void *)party, seen->size, seen->whole,
			      seen->whole_size);
	return 0;
}

static int see_info(const struct gosync_info *info, void *arg)
{
	struct seen *seen = arg;

	if (info->id == ((const struct gosync_info *)seen->whole)->id)
		seen->good += is_part((const void *)info, seen->size,
				      seen->whole, seen->whole_size);
	return 0;
}

static int keep_party(const struct gosync_party *party, void *arg)
{
	*(struct gosync_party *)arg = *party;
	return 0;
}

struct listed {
	uint64_t id;
	struct gosync_info info;
};

static int keep_info(const struct gosync_info *info, void *arg)
{
	struct listed *listed = arg;

	if (info->id == listed->id)
		listed->info = *info;
	return 0;
}

TEST_F(sizes, lists_have_entries_as_large_as_the_caller_has_them)
{
	struct listed listed = {};
	struct gosync_party party;
	struct gosync_info info;
	struct seen seen;

	ASSERT_EQ(0, gosync_info(self->object, &info));
	listed.id = info.id;
	ASSERT_EQ(0, gosync_list(keep_info, &listed));
	ASSERT_EQ(info.id, listed.info.id);
	ASSERT_EQ(0, gosync_holders(self->object, keep_party, &party));
	seen = (struct seen){ &party, sizeof(party) };
	FOR_EACH_SIZE(seen.size, party) {
		seen.good = 0;
		EXPECT_EQ(0, gosync_holders_sized(self->object, see_party,
						  &seen, seen.size));
		EXPECT_EQ(1, seen.good);
	}
	seen = (struct seen){ &listed.info, sizeof(info) };
	FOR_EACH_SIZE(seen.size, info) {
		seen.good = 0;
		EXPECT_EQ(0, gosync_list_sized(see_info, &seen, seen.size));
		EXPECT_EQ(1, seen.good);
	}
}

TEST_F(sizes, waiters_stand_where_the_caller_has_them)
{
	struct gosync_party parties[3];
	size_t size;
	int i;

	ASSERT_EQ(0, gosync_rwmutex_lock(self->object));
	for (i = 0; i < 3; i++) {
		if (!spawn())
			_exit(gosync_rwmutex_lock(self->object));
		ASSERT_TRUE(eventually(gosync_waiters(self->object, parties,
						      3) == i + 1));
	}
	FOR_EACH_SIZE(size, parties[0]) {
		memset(self->room, MARK, 3 * size + 8);
		ASSERT_EQ(3, gosync_waiters_sized(self->object,
						  (void *)self->room, 3, size));
		for (i = 0; i < 3; i++) {
			const struct gosync_party *party =
				(void *)(self->room + i * size);

			EXPECT_EQ(parties[i].holder, party->holder);
			EXPECT_EQ(parties[i].pid, party->pid);
			if (size > sizeof(*party))
				EXPECT_TRUE(is_all((void *)(party + 1), 0,
						   size - sizeof(*party)));
		}
		EXPECT_TRUE(is_all(self->room + 3 * size, MARK, 8));
	}
}

TEST_F(sizes, that_cannot_be_are_refused)
{
	static const size_t sizes[] = { 0, 1, 15, 4097 };
	struct seen seen = {};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		size_t size = sizes[i];

		EXPECT_EQ(-EINVAL, gosync_info_sized(self->object,
						     (void *)self->room, size));
		EXPECT_EQ(-EINVAL, gosync_stat_sized(self->object,
						     (void *)self->room, size));
		EXPECT_EQ(-EINVAL, gosync_waiters_sized(self->object,
							(void *)self->room, 1,
							size));
		EXPECT_EQ(-EINVAL, gosync_holders_sized(self->object, see_party,
							&seen, size));
		EXPECT_EQ(-EINVAL, gosync_list_sized(see_info, &seen, size));
	}
	EXPECT_EQ(0, seen.good);
}

TEST_F(sizes, of_limits_may_be_others)
{
	struct {
		struct gosync_map_limits limits;
		unsigned int more;
	} said = { { 3, 4, 5 }, 0 };
	struct gosync_info info;
	gosync_map_t *map;
	size_t size;

	for (size = 0; size <= sizeof(said); size += 4) {
		ASSERT_EQ(0, gosync_map_open_abi(GOSYNC_ABI_VERSION, NULL,
						 &said.limits, size,
						 GOSYNC_CREATE, 0600, &map));
		ASSERT_EQ(0, gosync_info(map, &info));
		EXPECT_EQ(size < 4 ? 4096 : 3, info.capacity);
		EXPECT_EQ(size < 8 ? 64 : 4, info.key_size);
		EXPECT_EQ(size < 12 ? 256 : 5, info.value_size);
		gosync_close(map);
	}
	said.more = 1;
	EXPECT_EQ(-E2BIG, gosync_map_open_abi(GOSYNC_ABI_VERSION, NULL,
					      &said.limits, sizeof(said),
					      GOSYNC_CREATE, 0600, &map));
}

TEST_HARNESS_MAIN
