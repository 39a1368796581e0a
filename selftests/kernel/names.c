// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names: what is a name, who gets it when several want it, how long it lasts,
 * and what is told about the object behind it.
 */
#include <sys/time.h>
#include "gosync_test.h"

#define RACERS	16

FIXTURE(names)
{
	char *name;
};

FIXTURE_SETUP(names)
{
	self->name = unique_name();
}

FIXTURE_TEARDOWN(names)
{
	gosync_unlink(self->name);
}

static int open_mutex(const char *name, uint32_t flags)
{
	return open_object(GOSYNC_MUTEX, name, flags,
			   flags & GOSYNC_CREATE ? 0600 : 0);
}

static int unlink_bytes(const void *name, uint32_t name_len)
{
	struct gosync_unlink_args args = {
		.size = sizeof(args), .name = to_u64(name), .name_len = name_len,
	};
	int dev = open_device();
	int ret = call(dev, GOSYNC_IOC_UNLINK, &args);

	close(dev);
	return ret;
}

TEST_F(names, are_1_to_255_bytes_long)
{
	char name[256];
	int fd;

	memset(name, 'n', sizeof(name));
	EXPECT_EQ(-ENAMETOOLONG, open_bytes(GOSYNC_MUTEX, name, 256,
					    GOSYNC_CREATE, 0600, 0));
	EXPECT_EQ(-ENAMETOOLONG, open_bytes(GOSYNC_MUTEX, name, UINT32_MAX,
					    GOSYNC_CREATE, 0600, 0));
	EXPECT_EQ(-ENAMETOOLONG, unlink_bytes(name, 256));
	EXPECT_EQ(-EINVAL, unlink_bytes(name, 0));

	fd = open_bytes(GOSYNC_MUTEX, name, 255, GOSYNC_CREATE, 0600, 0);
	ASSERT_LE(0, fd);
	EXPECT_EQ(255, info_of(fd).name_len);
	EXPECT_EQ(0, memcmp(name, info_of(fd).name, 255));
	EXPECT_EQ(-ENOENT, open_bytes(GOSYNC_MUTEX, name, 254, 0, 0, 0));
	EXPECT_EQ(0, unlink_bytes(name, 255));

	fd = open_bytes(GOSYNC_MUTEX, "\1", 1, GOSYNC_CREATE, 0600, 0);
	ASSERT_LE(0, fd);
	EXPECT_EQ(1, info_of(fd).name_len);
}

TEST_F(names, are_any_bytes_but_zero)
{
	unsigned char name[255], other[255];
	unsigned int i;
	int fd, fd2;

	for (i = 0; i < sizeof(name); i++)
		name[i] = i + 1;
	memcpy(other, name, sizeof(other));
	other[254] = 1;
	fd = open_bytes(GOSYNC_MUTEX, name, 255, GOSYNC_CREATE, 0600, 0);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, memcmp(name, info_of(fd).name, 255));
	EXPECT_EQ(-ENOENT, open_bytes(GOSYNC_MUTEX, other, 255, 0, 0, 0));
	fd2 = open_bytes(GOSYNC_MUTEX, name, 255, 0, 0, 0);
	EXPECT_EQ(info_of(fd).id, info_of(fd2).id);

	for (i = 0; i < sizeof(name); i += 127) {
		unsigned char byte = name[i];

		name[i] = 0;
		EXPECT_EQ(-EINVAL, open_bytes(GOSYNC_MUTEX, name, 255,
					      GOSYNC_CREATE, 0600, 0));
		EXPECT_EQ(-EINVAL, unlink_bytes(name, 255));
		name[i] = byte;
	}
}

TEST_F(names, without_one_an_object_is_anonymous)
{
	int one = open_mutex(NULL, GOSYNC_CREATE);
	int two = open_mutex(NULL, GOSYNC_CREATE);

	ASSERT_LE(0, one);
	ASSERT_LE(0, two);
	EXPECT_NE(info_of(one).id, info_of(two).id);
	EXPECT_EQ(0, info_of(one).name_len);
	EXPECT_EQ(-EINVAL, open_mutex(NULL, 0));
	EXPECT_EQ(-EINVAL, open_mutex(NULL, GOSYNC_CREATE | GOSYNC_PERSIST));
}

TEST_F(names, lead_to_one_object_whatever_its_type)
{
	int fd, fd2;

	EXPECT_EQ(-ENOENT, open_mutex(self->name, 0));
	EXPECT_EQ(-EINVAL, open_object(0, self->name, GOSYNC_CREATE, 0600));
	EXPECT_EQ(-EINVAL, open_object(GOSYNC_TYPE_MAX, self->name,
				       GOSYNC_CREATE, 0600));
	fd = open_mutex(self->name, GOSYNC_CREATE);
	ASSERT_LE(0, fd);

	EXPECT_EQ(-EEXIST, open_mutex(self->name, GOSYNC_CREATE | GOSYNC_EXCL));
	EXPECT_EQ(-EPROTOTYPE, open_object(GOSYNC_VALUE, self->name, 0, 0));
	EXPECT_EQ(-EPROTOTYPE, open_object(GOSYNC_INT32, self->name,
					   GOSYNC_CREATE, 0600));
	fd2 = open_object(0, self->name, 0, 0);
	ASSERT_LE(0, fd2);
	EXPECT_EQ(info_of(fd).id, info_of(fd2).id);
	EXPECT_EQ(GOSYNC_MUTEX, info_of(fd2).type);
}

TEST_F(names, capacity_is_what_it_was_created_with)
{
	size_t len = strlen(self->name);
	int fd;

	fd = open_bytes(GOSYNC_VALUE, self->name, len, GOSYNC_CREATE, 0600, 100);
	ASSERT_LE(0, fd);
	EXPECT_EQ(100, info_of(fd).capacity);
	EXPECT_EQ(-EPROTOTYPE, open_bytes(GOSYNC_VALUE, self->name, len, 0, 0,
					  101));
	EXPECT_EQ(-EPROTOTYPE, open_bytes(GOSYNC_VALUE, self->name, len,
					  GOSYNC_CREATE, 0600, 4096));
	EXPECT_LE(0, open_bytes(GOSYNC_VALUE, self->name, len, 0, 0, 100));
	EXPECT_LE(0, open_bytes(GOSYNC_VALUE, self->name, len, 0, 0, 0));
}

TEST_F(names, capacity_has_bounds)
{
	static const struct {
		uint32_t type;
		uint64_t capacity;
		uint64_t result;
	} rows[] = {
		{ GOSYNC_INT32, 0, 1 },
		{ GOSYNC_BOOL, 65536, 65536 },
		{ GOSYNC_UINT64, 65536, 65536 },
		{ GOSYNC_UINT64, 65537, 0 },
		{ GOSYNC_UINT64, 1ULL << 32, 0 },
		{ GOSYNC_INT32, UINT64_MAX, 0 },
		{ GOSYNC_VALUE, 0, 4096 },
		{ GOSYNC_VALUE, 1, 1 },
		{ GOSYNC_VALUE, 4 << 20, 4 << 20 },
		{ GOSYNC_VALUE, (4 << 20) + 1, 0 },
		{ GOSYNC_VALUE, 1ULL << 32 | 16, 0 },
	};
	unsigned int i;
	int fd;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		fd = open_bytes(rows[i].type, NULL, 0, GOSYNC_CREATE, 0600,
				rows[i].capacity);
		if (!rows[i].result) {
			EXPECT_EQ(-EINVAL, fd);
			continue;
		}
		EXPECT_LE(0, fd);
		EXPECT_EQ(rows[i].result, info_of(fd).capacity);
		close(fd);
	}
}

TEST_F(names, an_object_that_exists_is_described_already)
{
	int fd = open_object(GOSYNC_MUTEX, self->name, GOSYNC_CREATE, 0640);
	int fd2;

	ASSERT_LE(0, fd);
	fd2 = open_object(GOSYNC_MUTEX, self->name, GOSYNC_CREATE |
			  GOSYNC_PERSIST | GOSYNC_NO_MMAP | GOSYNC_OWN_PAGE |
			  GOSYNC_ERRORCHECK, 0777);
	ASSERT_LE(0, fd2);
	EXPECT_EQ(0640, info_of(fd2).mode);
	EXPECT_EQ(0, info_of(fd2).flags);
	EXPECT_NE(0, info_of(fd2).map_len);
	close(fd2);
	close(fd);
	EXPECT_EQ(-ENOENT, open_mutex(self->name, 0));
}

TEST_F(names, describing_needs_create)
{
	static const uint32_t flags[] = {
		GOSYNC_PERSIST, GOSYNC_OWN_PAGE, GOSYNC_NO_MMAP,
		GOSYNC_ERRORCHECK,
	};
	unsigned int i;
	int fd = open_mutex(self->name, GOSYNC_CREATE);

	ASSERT_LE(0, fd);
	for (i = 0; i < ARRAY_SIZE(flags); i++)
		EXPECT_EQ(-EINVAL, open_object(GOSYNC_MUTEX, self->name,
					       flags[i], 0));
	EXPECT_EQ(-EINVAL, open_object(GOSYNC_MUTEX, self->name, 0, 0600));
}

TEST_F(names, flags_and_capacity_are_those_of_the_type)
{
	/* May its creator ask for checks of errors, to give back, a capacity? */
	static const char may[GOSYNC_TYPE_MAX][4] = {
		[GOSYNC_INT32 ... GOSYNC_VALUE] = "--c",
		[GOSYNC_MUTEX] = "e--", [GOSYNC_RWMUTEX] = "e--",
		[GOSYNC_WAITGROUP] = "--c", [GOSYNC_ONCE] = "---",
		[GOSYNC_COND] = "---", [GOSYNC_SEMAPHORE] = "-gc",
		[GOSYNC_MAP] = "--c",
	};
	uint32_t type;
	int fds[3], i;

	for (type = GOSYNC_INT32; type < GOSYNC_TYPE_MAX; type++) {
		fds[0] = open_object(type, NULL, GOSYNC_CREATE |
				     GOSYNC_ERRORCHECK, 0600);
		fds[1] = open_object(type, NULL, GOSYNC_CREATE |
				     GOSYNC_GIVE_BACK, 0600);
		fds[2] = open_bytes(type, NULL, 0, GOSYNC_CREATE, 0600, 1);
		for (i = 0; i < 3; i++) {
			EXPECT_EQ(may[type][i] == '-' ? -EINVAL : 0,
				  fds[i] < 0 ? fds[i] : 0)
				TH_LOG("type %u: %d", type, i);
			close(fds[i]);
		}
	}
}

/* RACERS processes want one name at the same time, again and again. */
static void race(struct __test_metadata *_metadata, const char *name,
		 uint32_t flags, unsigned int winners)
{
	enum { ROUNDS = 60 };
	struct {
		unsigned int arrived;
		unsigned int won[ROUNDS];
		uint64_t ids[ROUNDS][RACERS];
	} *shared = shared_memory(sizeof(*shared));
	pid_t pids[RACERS];
	unsigned int i, j, meeting;

	for (i = 0; i < RACERS; i++) {
		pids[i] = spawn();
		if (pids[i])
			continue;
		for (j = 0, meeting = 0; j < ROUNDS; j++) {
			int fd;

			meet(&shared->arrived, RACERS, ++meeting);
			fd = open_mutex(name, flags);
			if (fd >= 0) {
				add(&shared->won[j], 1);
				shared->ids[j][i] = info_of(fd).id;
			} else if (fd != -EEXIST) {
				_exit(1);
			}
			/* Everybody has tried before it goes again. */
			meet(&shared->arrived, RACERS, ++meeting);
			close(fd);
		}
		_exit(0);
	}
	EXPECT_EQ(0, reap_all(pids, RACERS));
	for (j = 0; j < ROUNDS; j++) {
		uint64_t id = 0;

		EXPECT_EQ(winners, shared->won[j]);
		for (i = 0; i < RACERS; i++) {
			if (!shared->ids[j][i])
				continue;
			EXPECT_TRUE(!id || id == shared->ids[j][i]);
			id = shared->ids[j][i];
		}
	}
}

TEST_F(names, of_many_that_create_exclusively_one_wins)
{
	race(_metadata, self->name, GOSYNC_CREATE | GOSYNC_EXCL, 1);
}

TEST_F(names, all_that_create_at_once_get_the_same_object)
{
	race(_metadata, self->name, GOSYNC_CREATE, RACERS);
}

TEST_F(names, of_many_that_unlink_one_wins)
{
	struct {
		unsigned int arrived;
		unsigned int won;
		unsigned int over;
	} *shared = shared_memory(sizeof(*shared));
	uint64_t end = end_of_budget();
	pid_t pids[4];
	unsigned int i, rounds = 0, meeting = 0;

	for (i = 0; i < ARRAY_SIZE(pids); i++) {
		pids[i] = spawn();
		if (pids[i])
			continue;
		for (;;) {
			int ret;

			meet(&shared->arrived, ARRAY_SIZE(pids) + 1, ++meeting);
			if (load(&shared->over))
				_exit(0);
			ret = gosync_unlink(self->name);
			if (!ret)
				add(&shared->won, 1);
			else if (ret != -ENOENT)
				_exit(1);
			meet(&shared->arrived, ARRAY_SIZE(pids) + 1, ++meeting);
		}
	}
	do {
		int fd = open_mutex(self->name, GOSYNC_CREATE | GOSYNC_EXCL |
				    (rounds & 1 ? GOSYNC_PERSIST : 0));

		ASSERT_LE(0, fd);
		meet(&shared->arrived, ARRAY_SIZE(pids) + 1, ++meeting);
		meet(&shared->arrived, ARRAY_SIZE(pids) + 1, ++meeting);
		ASSERT_EQ(++rounds, load(&shared->won));
		close(fd);
	} while (budget_left(end));
	store(&shared->over, 1);
	meet(&shared->arrived, ARRAY_SIZE(pids) + 1, ++meeting);
	EXPECT_EQ(0, reap_all(pids, ARRAY_SIZE(pids)));
}

TEST_F(names, creating_and_last_closes_may_cross)
{
	uint64_t end = end_of_budget();
	pid_t pids[4];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pids); i++) {
		pids[i] = spawn();
		if (pids[i])
			continue;
		while (budget_left(end)) {
			int fd = open_mutex(self->name, GOSYNC_CREATE |
					    (i ? 0 : GOSYNC_PERSIST));
			struct gosync_info info = info_of(fd);

			if (fd < 0 || !info.id)
				_exit(1);
			if (lock_fd(fd) < 0 || unlock_fd(fd))
				_exit(2);
			if (i == 1)
				gosync_unlink(self->name);
			close(fd);
		}
		_exit(0);
	}
	EXPECT_EQ(0, reap_all(pids, ARRAY_SIZE(pids)));
}

TEST_F(names, last_until_the_last_descriptor_is_closed)
{
	int fd = open_mutex(self->name, GOSYNC_CREATE);
	int copy = dup(fd), other = open_mutex(self->name, 0);
	int again = reopen_object(fd, 0);
	uint64_t id = info_of(fd).id;

	ASSERT_LE(0, again);
	EXPECT_EQ(3, info_of(fd).holders);
	close(fd);
	EXPECT_EQ(3, info_of(copy).holders);
	close(copy);
	EXPECT_EQ(2, info_of(other).holders);
	close(other);
	other = open_mutex(self->name, 0);
	EXPECT_EQ(id, info_of(other).id);
	close(other);
	close(again);
	EXPECT_EQ(-ENOENT, open_mutex(self->name, 0));
	fd = open_mutex(self->name, GOSYNC_CREATE | GOSYNC_EXCL);
	EXPECT_LT(id, info_of(fd).id);
}

TEST_F(names, that_persist_stay_until_unlinked)
{
	int fd = open_mutex(self->name, GOSYNC_CREATE | GOSYNC_PERSIST);
	uint64_t id = info_of(fd).id;

	ASSERT_LE(0, fd);
	EXPECT_EQ(GOSYNC_PERSIST, info_of(fd).flags);
	close(fd);
	fd = open_mutex(self->name, 0);
	ASSERT_LE(0, fd);
	EXPECT_EQ(id, info_of(fd).id);

	EXPECT_EQ(0, gosync_unlink(self->name));
	EXPECT_EQ(-ENOENT, gosync_unlink(self->name));
	EXPECT_EQ(-ENOENT, open_mutex(self->name, 0));
	EXPECT_EQ(0, info_of(fd).name_len);
	EXPECT_EQ(id, info_of(fd).id);
	EXPECT_EQ(0, lock_fd(fd));
	EXPECT_EQ(0, unlock_fd(fd));
}

TEST_F(names, are_free_for_another_once_unlinked)
{
	int fd = open_mutex(self->name, GOSYNC_CREATE);
	int other;

	ASSERT_LE(0, fd);
	EXPECT_EQ(0, gosync_unlink(self->name));
	other = open_object(GOSYNC_VALUE, self->name,
			    GOSYNC_CREATE | GOSYNC_EXCL, 0600);
	ASSERT_LE(0, other);
	EXPECT_EQ(0, lock_fd(fd));
	/* The end of the old one does not take the new one's name. */
	close(fd);
	fd = open_object(GOSYNC_VALUE, self->name, 0, 0);
	EXPECT_EQ(info_of(other).id, info_of(fd).id);
}

TEST_F(names, reopening_makes_another_holder)
{
	int fd = open_mutex(self->name, GOSYNC_CREATE);
	int other = reopen_object(fd, 0);
	int watcher = reopen_object(fd, GOSYNC_RDONLY);
	int more;

	ASSERT_LE(0, other);
	ASSERT_LE(0, watcher);
	EXPECT_EQ(info_of(fd).id, info_of(other).id);
	EXPECT_NE(info_of(fd).holder, info_of(other).holder);
	EXPECT_NE(info_of(watcher).holder, info_of(other).holder);
	EXPECT_NE(0, info_of(other).holder);
	EXPECT_EQ(GOSYNC_RDONLY, info_of(watcher).flags);
	/* ... with no more rights. */
	more = reopen_object(watcher, 0);
	ASSERT_LE(0, more);
	EXPECT_EQ(-EBADF, trylock_fd(more));
	EXPECT_EQ(GOSYNC_RDONLY, info_of(more).flags);
}

TEST_F(names, descriptors_are_closed_by_exec)
{
	int fd = open_mutex(self->name, GOSYNC_CREATE);

	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	EXPECT_EQ(FD_CLOEXEC, fcntl(reopen_object(fd, 0), F_GETFD));
}

TEST_F(names, info_tells_all)
{
	int fd = open_object(GOSYNC_MUTEX, self->name, GOSYNC_CREATE |
			     GOSYNC_PERSIST | GOSYNC_ERRORCHECK, 0604);
	int watcher = open_mutex(self->name, GOSYNC_RDONLY);
	uint64_t token;
	struct gosync_info info = info_of(watcher);

	EXPECT_EQ(sizeof(info), info.size);
	EXPECT_EQ(GOSYNC_MUTEX, info.type);
	EXPECT_NE(0, info.id);
	EXPECT_EQ(GOSYNC_PERSIST | GOSYNC_ERRORCHECK | GOSYNC_RDONLY, info.flags);
	EXPECT_EQ(0604, info.mode);
	EXPECT_EQ(geteuid(), info.uid);
	EXPECT_EQ(getegid(), info.gid);
	EXPECT_NE(0, info.holder);
	EXPECT_EQ(2, info.holders);
	EXPECT_EQ(0, info.waiters);
	EXPECT_EQ(0, info.owner);
	EXPECT_EQ(0, info.owner_pid);
	EXPECT_EQ(strlen(self->name), info.name_len);
	EXPECT_STREQ(self->name, (char *)info.name);
	EXPECT_EQ(0, info.deaths);

	token = info.token;
	EXPECT_EQ(0, lock_fd(fd));
	info = info_of(watcher);
	EXPECT_EQ(info_of(fd).holder, info.owner);
	EXPECT_EQ(getpid(), info.owner_pid);
	EXPECT_EQ(GOSYNC_MUTEX_LOCKED |
		  (uint64_t)info.owner << GOSYNC_MUTEX_OWNER_SHIFT, info.word);
	EXPECT_EQ(token + 1, info.token);
}

TEST_F(names, fdinfo_shows_what_a_descriptor_is)
{
	int fd = open_mutex(self->name, GOSYNC_CREATE);
	struct gosync_info info = info_of(fd);
	char path[64], text[1024], line[300];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	ASSERT_EQ(0, read_file(path, text, sizeof(text)));
	EXPECT_NE(NULL, strstr(text, "gosync-type:\tmutex\n"));
	snprintf(line, sizeof(line), "gosync-name:\t%s\n", self->name);
	EXPECT_NE(NULL, strstr(text, line));
	snprintf(line, sizeof(line), "gosync-id:\t%llu\n",
		 (unsigned long long)info.id);
	EXPECT_NE(NULL, strstr(text, line));
	snprintf(line, sizeof(line), "gosync-holder:\t%u\n", info.holder);
	EXPECT_NE(NULL, strstr(text, line));
	EXPECT_NE(NULL, strstr(text, "gosync-state:\t"));
}

TEST_F(names, fdinfo_shows_no_name_as_more_lines)
{
	static const char name[] = "a\nflags:\t\\0\x80";
	int fd = open_mutex(name, GOSYNC_CREATE);
	char path[64], text[1024];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	ASSERT_EQ(0, read_file(path, text, sizeof(text)));
	EXPECT_EQ(NULL, strstr(text, "a\nflags:\t\\0"));
	EXPECT_NE(NULL, strstr(text, "gosync-name:\ta"));
}

/* --- listing ------------------------------------------------------------- */

enum { LISTED = 12 };

FIXTURE(listing)
{
	char *names[LISTED];
	uint64_t ids[LISTED];
	int dev;
};

FIXTURE_SETUP(listing)
{
	int i, fd;

	self->dev = open_device();
	for (i = 0; i < LISTED; i++) {
		self->names[i] = unique_name();
		fd = open_object(i % GOSYNC_MUTEX + 1, self->names[i],
				 GOSYNC_CREATE, 0600);
		ASSERT_LE(0, fd);
		self->ids[i] = info_of(fd).id;
	}
}

NO_TEARDOWN(listing);

/*
 * Walk the listing @count entries at a time; return how many of ours were
 * listed, or -1 if they were not in the order of creation, once.
 */
static int walk(FIXTURE_DATA(listing) *self, unsigned int count)
{
	struct gosync_info entries[LISTED];
	struct gosync_list_args args = {
		.size = sizeof(args), .entries = to_u64(entries),
		.count = count, .entry_size = sizeof(entries[0]),
	};
	uint64_t last = 0;
	int i, got, ours = 0;

	while ((got = call(self->dev, GOSYNC_IOC_LIST, &args)) > 0) {
		if (got > (int)count)
			return -1;
		for (i = 0; i < got; i++) {
			if (entries[i].id <= last)
				return -1;
			last = entries[i].id;
			if (ours == LISTED || last != self->ids[ours])
				continue;
			if (strcmp(self->names[ours], (char *)entries[i].name) ||
			    entries[i].type != ours % GOSYNC_MUTEX + 1 ||
			    entries[i].holder || entries[i].holders != 1)
				return -1;
			ours++;
		}
	}
	return got < 0 ? got : ours;
}

TEST_F(listing, shows_each_name_once_in_order_of_creation)
{
	EXPECT_EQ(LISTED, walk(self, 1));
	EXPECT_EQ(LISTED, walk(self, 5));
	EXPECT_EQ(LISTED, walk(self, LISTED));
}

TEST_F(listing, stays_at_its_end)
{
	struct gosync_info entry;
	struct gosync_list_args args = {
		.size = sizeof(args), .cursor = UINT64_MAX,
		.entries = to_u64(&entry), .count = 1,
		.entry_size = sizeof(entry),
	};

	EXPECT_EQ(0, call(self->dev, GOSYNC_IOC_LIST, &args));
	args.cursor = self->ids[LISTED - 1];
	while (call(self->dev, GOSYNC_IOC_LIST, &args) > 0)
		;
	EXPECT_EQ(0, call(self->dev, GOSYNC_IOC_LIST, &args));
}

TEST_F(listing, writes_no_more_than_was_asked_for)
{
	struct gosync_info entries[3];
	struct gosync_list_args args = {
		.size = sizeof(args), .entries = to_u64(entries), .count = 2,
		.entry_size = sizeof(entries[0]),
	};
	unsigned int i;

	memset(entries, 0xa5, sizeof(entries));
	EXPECT_EQ(2, call(self->dev, GOSYNC_IOC_LIST, &args));
	for (i = 0; i < sizeof(entries[2]); i++)
		ASSERT_EQ(0xa5, ((unsigned char *)&entries[2])[i]);
	/* Too small for the number of an object, larger than a page */
	args.entry_size = 15;
	EXPECT_EQ(-EINVAL, call(self->dev, GOSYNC_IOC_LIST, &args));
	args.entry_size = 4097;
	EXPECT_EQ(-EINVAL, call(self->dev, GOSYNC_IOC_LIST, &args));
	args.entry_size = 0;
	EXPECT_EQ(-EINVAL, call(self->dev, GOSYNC_IOC_LIST, &args));
}

TEST_F(listing, shows_what_stays_while_others_come_and_go)
{
	uint64_t end = end_of_budget();
	char *name = unique_name();
	pid_t pid = spawn();

	if (!pid) {
		for (;;) {
			int fd = open_mutex(name, GOSYNC_CREATE);

			if (random_seed() & 1)
				gosync_unlink(name);
			close(fd);
		}
	}
	while (budget_left(end))
		ASSERT_EQ(LISTED, walk(self, random_seed() % 7 + 1));
	kill_and_reap(pid);
}

/* One that may see nothing and one that sees all, among timers that go off */
static void list_in_a_storm(struct __test_metadata *_metadata,
			    FIXTURE_DATA(listing) *self, int flags, int sees)
{
	static const struct itimerval often = { { 0, 100 }, { 0, 100 } };
	static const struct itimerval never;
	struct sigaction action = { .sa_handler = count_signal, .sa_flags = flags };
	struct gosync_info entries[LISTED];
	uint64_t end = end_of_budget();

	ASSERT_EQ(0, sigaction(SIGALRM, &action, NULL));
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &often, NULL));
	do {
		struct gosync_list_args args = {
			.size = sizeof(args), .entries = to_u64(entries),
			.count = random_seed() % LISTED + 1,
			.entry_size = sizeof(entries[0]),
		};
		int got, ours = 0, i;

		do {
			uint64_t cursor = args.cursor, last = 0;

			got = call(self->dev, GOSYNC_IOC_LIST, &args);
			ASSERT_LE(cursor, args.cursor);
			if (got == -EINTR) {
				ASSERT_EQ(0, flags);
				continue;
			}
			ASSERT_LE(0, got);
			ASSERT_GE(args.count, got);
			for (i = 0; i < got; i++) {
				ASSERT_LT(last, entries[i].id);
				last = entries[i].id;
				ours += ours < LISTED && last == self->ids[ours];
			}
			ASSERT_GE(args.cursor, last);
		} while (got);
		ASSERT_EQ(sees, ours);
	} while (budget_left(end));
	setitimer(ITIMER_REAL, &never, NULL);
}

TEST_F(listing, goes_on_where_a_signal_came)
{
	list_in_a_storm(_metadata, self, 0, LISTED);
	list_in_a_storm(_metadata, self, SA_RESTART, LISTED);
	NEED_ROOT();
	ASSERT_EQ(0, seteuid(65534));
	list_in_a_storm(_metadata, self, 0, 0);
	list_in_a_storm(_metadata, self, SA_RESTART, 0);
}

static int count_ours(const struct gosync_info *info, void *arg)
{
	FIXTURE_DATA(listing) *self = arg;
	int i;

	for (i = 0; i < LISTED; i++)
		if (info->id == self->ids[i])
			self->ids[i] = 0;
	return info->type == GOSYNC_TYPE_MAX;
}

static int stop(const struct gosync_info *info, void *arg)
{
	return 42;
}

TEST_F(listing, library_walks_it)
{
	int i;

	EXPECT_EQ(42, gosync_list(stop, NULL));
	EXPECT_EQ(0, gosync_list(count_ours, self));
	for (i = 0; i < LISTED; i++)
		EXPECT_EQ(0, self->ids[i]);
}

/* --- Clusters ------------------------------------------------------------- */

TEST_F(names, of_a_cluster_need_a_cluster)
{
	const uint32_t create = GOSYNC_CREATE | GOSYNC_CLUSTER;
	int type;

	/* gosync_dlm is not loaded. */
	for (type = GOSYNC_INT32; type < GOSYNC_TYPE_MAX; type++)
		EXPECT_EQ(-EOPNOTSUPP,
			  open_object(type, self->name, create, 0600));
	EXPECT_EQ(-EOPNOTSUPP, open_mutex(self->name, create | GOSYNC_EXCL));
	EXPECT_EQ(-EOPNOTSUPP, open_mutex(NULL, create));
	EXPECT_EQ(-EINVAL, open_mutex(self->name, GOSYNC_CLUSTER));
	EXPECT_EQ(-ENOENT, open_mutex(self->name, 0));

	/* What is there is of this machine. */
	ASSERT_LE(0, open_mutex(self->name, GOSYNC_CREATE));
	EXPECT_EQ(-EPROTOTYPE, open_mutex(self->name, create));
}

TEST_HARNESS_MAIN
