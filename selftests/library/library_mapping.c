// SPDX-License-Identifier: GPL-2.0-only
/*
 * The library has one mapping for all handles whose state is on the same page.
 */
#include "kinds.h"
#include "users.h"

FIXTURE(mappings)
{
	unsigned int before;
};

/* How many mappings of state this process has */
static unsigned int mappings(void)
{
	FILE *file = fopen("/proc/self/maps", "r");
	char line[512];
	unsigned int n = 0;

	MUST(file);
	while (fgets(line, sizeof(line), file))
		n += !!strstr(line, "gosync-state");
	fclose(file);
	return n;
}

FIXTURE_SETUP(mappings)
{
	self->before = mappings();
}

NO_TEARDOWN(mappings);

static gosync_mutex_t *open_mutex(const char *name, unsigned int flags)
{
	gosync_mutex_t *mutex;

	MUST(!gosync_mutex_open(name, flags, 0600, &mutex));
	MUST(gosync_is_mapped(mutex));
	return mutex;
}

static gosync_mutex_t *new_mutex(unsigned int flags)
{
	return open_mutex(unique_name(), GOSYNC_CREATE | flags);
}

static int works(gosync_mutex_t *mutex)
{
	return gosync_mutex_lock(mutex) ?: gosync_mutex_unlock(mutex);
}

TEST_F(mappings, is_one_for_objects_of_the_same_page)
{
	/* More than two pages have room for */
	gosync_mutex_t *mutexes[130];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(mutexes); i++)
		mutexes[i] = new_mutex(0);
	EXPECT_LE(self->before + 3, mappings());
	EXPECT_GE(self->before + 4, mappings());
	for (i = 0; i < ARRAY_SIZE(mutexes); i++)
		EXPECT_EQ(0, works(mutexes[i]));
	/* The others' stays when one goes. */
	for (i = 0; i < ARRAY_SIZE(mutexes); i++) {
		gosync_close(mutexes[i]);
		if (i + 1 < ARRAY_SIZE(mutexes))
			EXPECT_EQ(0, works(mutexes[i + 1]));
	}
	EXPECT_EQ(self->before, mappings());
}

TEST_F(mappings, is_one_for_handles_of_the_same_object)
{
	const char *rw_name = unique_name(), *map_name = unique_name();
	gosync_rwmutex_t *rw[2];
	gosync_map_t *map[2];
	unsigned int i;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, gosync_rwmutex_open(rw_name, GOSYNC_CREATE, 0600,
						 &rw[i]));
		ASSERT_EQ(0, gosync_map_open(map_name, NULL, GOSYNC_CREATE,
					     0600, &map[i]));
	}
	EXPECT_EQ(self->before + 2, mappings());
	ASSERT_EQ(0, gosync_rwmutex_rlock(rw[0]));
	EXPECT_EQ(0, gosync_rwmutex_tryrlock(rw[1]));
	EXPECT_EQ(0, gosync_rwmutex_runlock(rw[0]));
	gosync_close(rw[0]);
	gosync_close(map[0]);
	EXPECT_EQ(0, gosync_rwmutex_runlock(rw[1]));
	EXPECT_EQ(0, gosync_rwmutex_trylock(rw[1]));
	EXPECT_EQ(0, gosync_map_len(map[1]));
	gosync_close(rw[1]);
	gosync_close(map[1]);
	EXPECT_EQ(self->before, mappings());
}

TEST_F(mappings, of_pages_of_their_own_are_their_own)
{
	gosync_mutex_t *mutexes[] = {
		new_mutex(0), new_mutex(GOSYNC_OWN_PAGE),
		new_mutex(GOSYNC_OWN_PAGE),
	};
	unsigned int i;

	EXPECT_EQ(self->before + 3, mappings());
	for (i = 0; i < ARRAY_SIZE(mutexes); i++)
		EXPECT_EQ(0, works(mutexes[i]));
}

/* Who may only read gets nothing that can be written, whatever there is. */
TEST_F(mappings, is_another_for_who_may_only_read)
{
	const char *name = unique_name();
	gosync_mutex_t *mutex = open_mutex(name, GOSYNC_CREATE);
	gosync_mutex_t *reader = open_mutex(name, GOSYNC_RDONLY);

	EXPECT_EQ(self->before + 2, mappings());
	EXPECT_EQ(-EBADF, works(reader));
	gosync_close(mutex);
	EXPECT_EQ(self->before + 1, mappings());
	mutex = open_mutex(name, 0);
	EXPECT_EQ(self->before + 2, mappings());
	gosync_close(reader);
	EXPECT_EQ(0, works(mutex));
}

TEST_F(mappings, outlives_what_a_child_closes)
{
	gosync_mutex_t *mutexes[] = { new_mutex(0), new_mutex(0) };
	pid_t pid = spawn();

	if (!pid) {
		MUST(mappings() == self->before + 1);
		gosync_close(mutexes[0]);
		MUST(!works(mutexes[1]));
		gosync_close(mutexes[1]);
		MUST(mappings() == self->before);
		MUST(!works(new_mutex(0)));
		_exit(0);
	}
	EXPECT_EQ(0, reap(pid));
	EXPECT_EQ(0, works(mutexes[0]));
	EXPECT_EQ(0, works(mutexes[1]));
	EXPECT_EQ(self->before + 1, mappings());
}

TEST_HARNESS_MAIN
