// SPDX-License-Identifier: GPL-2.0-only
/*
 * Isolation: who may do what to an object of another. It stands in one table,
 * and each cell of it is tried. Needs root, to be all these users.
 */
#include <sys/mount.h>
#include <sys/resource.h>
#include "users.h"

NAME_AND_LIMIT_OF_ROOT(isolation)

/* --- who ------------------------------------------------------------------ */

/* How it comes by a descriptor: it opens the name, or the owner has one open */
enum got { OPENS, OPENS_TO_READ, SENT, SENT_TO_READ, TAKEN, BY_PROC };

/* What it has none left of */
enum scarce { NOTHING, OBJECTS, DESCRIPTORS, MEMORY };

/* Besides those of clone(2): /dev is empty, or the user is root in its own */
#define NO_DEVICE	(1 << 0)
#define MAPPED_ROOT	(1 << 1)

struct row {
	uid_t uid;
	gid_t group;
	uint32_t mode;		/* of the object, which is ALICE's, of GROUP */
	const char *may;	/* see columns[] and errors[] */
	const char *or_may;	/* or what it may; NULL: that alone */
	int lacks;		/* a capability and 1 */
	int namespaces;
	int special;
	enum got got;
	enum scarce scarce;
};

/* Each row is a variant of the test, which tries its cells. */
FIXTURE_VARIANT(isolation) { struct row row; };

#define ROW(name, ...)							\
	FIXTURE_VARIANT_ADD(isolation, name) { .row = { __VA_ARGS__ } }

#define LACKS(capability)	.lacks = (capability) + 1
#define ENTERS(names)		.namespaces = (names)

/* The columns, see columns[]:	 orcxn li LwuUaRb mMs hq pOk */
ROW(owner,
	ALICE, 0, 0640,		"...X. .. .T.P... ... .. ...");
ROW(owner_whom_the_mode_denies_it,
	ALICE, 0, 0066,		"AAAX. NA AAAAAAA AAA AA ...");
ROW(group_that_may_write,
	BOB, GROUP, 0660,	"...X. .. .T.P..P ... .. PPP");
ROW(group_that_may_read,
	BOB, GROUP, 0640,	"A.AX. .. BBBBBBP .AB .. PPP");
ROW(group_that_may_not,
	BOB, GROUP, 0606,	"AAAX. NA AAAAAAA AAA AA PPP");
ROW(another_that_may_write,
	BOB, 0, 0606,		"...X. .. .T.P..P ... .. PPP");
ROW(another_that_may_read,
	BOB, 0, 0604,		"A.AX. .. BBBBBBP .AB .. PPP");
ROW(another_that_may_only_write,
	BOB, 0, 0602,		"AAAX. NA AAAAAAA AAA AA PPP");
ROW(another_that_may_not,
	BOB, 0, 0660,		"AAAX. NA AAAAAAA AAA AA PPP");
ROW(root,
	0, 0, 0000,		"...X. .. .T.P... ... .. ...");
ROW(root_without_cap_ipc_owner,
	0, 0, 0660,		"AAAX. NA AAAAAAA AAA AA ...",
	LACKS(CAP_IPC_OWNER));
ROW(root_without_cap_dac_override,
	0, 0, 0000,		"...X. .. .T.P... ... .. ...",
	LACKS(CAP_DAC_OVERRIDE));
ROW(root_without_cap_sys_admin,
	0, 0, 0000,		"...X. .. .T.P..P ... .. P.P",
	LACKS(CAP_SYS_ADMIN));
ROW(root_without_cap_chown,
	0, 0, 0000,		"...X. .. .T.P... ... .. .P.",
	LACKS(CAP_CHOWN));
ROW(owner_in_another_ipc_namespace,
	ALICE, 0, 0666,		"NN... NN NNNNNNN NNN NN NNN",
	ENTERS(CLONE_NEWIPC));
ROW(root_in_another_ipc_namespace,
	0, 0, 0666,		"NN... NN NNNNNNN NNN NN NNN",
	ENTERS(CLONE_NEWIPC));
ROW(owner_in_another_user_namespace,
	ALICE, 0, 0640,		"...X. .. .T.P... ... .. ...",
	.special = MAPPED_ROOT);
ROW(root_of_a_user_namespace,
	BOB, 0, 0660,		"AAAX. NA AAAAAAA AAA AA PPP",
	.special = MAPPED_ROOT);
ROW(root_of_a_user_namespace_that_may_write,
	BOB, 0, 0606,		"...X. .. .T.P..P ... .. PPP",
	.special = MAPPED_ROOT);
ROW(root_of_a_container,
	BOB, 0, 0666,		"NN... NN NNNNNNN NNN NN NNN",
	.special = MAPPED_ROOT, ENTERS(CLONE_NEWIPC));
ROW(owner_in_another_pid_namespace,
	ALICE, 0, 0640,		"...X. .. .T.P... ... hh ...",
	ENTERS(CLONE_NEWPID));
ROW(root_in_another_pid_namespace,
	0, 0, 0640,		"...X. .. .T.P... ... hh ...",
	ENTERS(CLONE_NEWPID));
ROW(owner_in_another_time_namespace,
	ALICE, 0, 0640,		"...X. .. .T.P... ... .. ...",
	ENTERS(CLONE_NEWTIME));
ROW(owner_in_another_mount_namespace,
	ALICE, 0, 0640,		"...X. .. .T.P... ... .. ...",
	ENTERS(CLONE_NEWNS));
ROW(owner_without_the_device,
	ALICE, 0, 0640,		"NNNNN NN NNNNNNN NNN NN NNN",
	ENTERS(CLONE_NEWNS), .special = NO_DEVICE);
ROW(owner_to_read,
	ALICE, 0, 0640,		"...X. .. BBBBBB. .AB .. ...",
	.got = OPENS_TO_READ);
ROW(root_to_read,
	0, 0, 0640,		"...X. .. BBBBBB. .AB .. ...",
	.got = OPENS_TO_READ);
ROW(another_sent,
	BOB, 0, 0660,		"AAAX. N. .T.P..P AA. .. PPP",
	.got = SENT);
ROW(another_that_may_write_sent_to_read,
	BOB, 0, 0606,		"...X. .. BBBBBBP .AB .. PPP",
	.got = SENT_TO_READ);
ROW(another_sent_to_read,
	BOB, 0, 0660,		"AAAX. N. BBBBBBP AAB .. PPP",
	.got = SENT_TO_READ);
ROW(owner_without_the_device_sent,
	ALICE, 0, 0640,		"NNNNN N. .T.P... ... .. NNN",
	.got = SENT, ENTERS(CLONE_NEWNS), .special = NO_DEVICE);
ROW(owner_in_another_ipc_namespace_sent,
	ALICE, 0, 0666,		"NN... N. .T.P... AA. .. NNN",
	.got = SENT, ENTERS(CLONE_NEWIPC));
ROW(root_of_a_container_sent,
	BOB, 0, 0666,		"NN... N. .T.P..P AA. hh NNN",
	.got = SENT, .special = MAPPED_ROOT, ENTERS(CLONE_NEWIPC | CLONE_NEWPID));
ROW(owner_by_pidfd_getfd,
	ALICE, 0, 0640,		"...X. .. .T.P... ... .. ...",
	.got = TAKEN);
ROW(another_by_pidfd_getfd,
	BOB, 0, 0660,		"AAAX. NP PPPPPPP PPP PP PPP",
	.got = TAKEN);
ROW(owner_by_proc,
	ALICE, 0, 0640,		"...X. .A AAAAAAA AAA AA ...",
	.got = BY_PROC);
ROW(root_by_proc,
	0, 0, 0640,		"...X. .n nnnnnnn nnn nn ...",
	.got = BY_PROC);
ROW(owner_at_the_limit_of_objects,
	ALICE, 0, 0640,		"...XQ .. .T.P... ... .. ...",
	.scarce = OBJECTS);
ROW(owner_at_the_limit_of_descriptors,
	ALICE, 0, 0640,		"FFFFF .. .T.P... ... .. ...",
	.got = SENT, .scarce = DESCRIPTORS);
/* What was charged in advance may do for what takes little of it. */
ROW(owner_at_the_limit_of_memory,
	ALICE, 0, 0640,		"MMMXM MM .T.P... MM. MM MM.",
				"...X. .. .T.P... ... .. ...",
	.got = SENT, .scarce = MEMORY);
ROW(another_at_the_limit_of_memory,
	BOB, 0, 0600,		"AAAXM MA AAAAAAA AAA AA MMP",
				"AAAX. NA AAAAAAA AAA AA PPP",
	.scarce = MEMORY);

static const struct {
	char letter;
	int error;
} errors[] = {
	{ '.', 0 }, { 'A', EACCES }, { 'B', EBADF }, { 'F', EMFILE },
	{ 'M', ENOMEM }, { 'N', ENOENT }, { 'P', EPERM }, { 'Q', EDQUOT },
	{ 'T', ETIMEDOUT }, { 'X', EEXIST }, { 'n', ENXIO },
	/* There is somebody, whom it cannot see. */
	{ 'h', ESRCH },
};

/* --- what ----------------------------------------------------------------- */

/* Who tries: its descriptors, or -errno; and whom it may see or harm */
struct subject {
	const char *name;
	int dev;
	int fd;
	pid_t victim;
	pid_t waiter;
	uint32_t victims_holder;
};

static int try_open(const struct subject *me, const char *name, uint32_t flags)
{
	struct gosync_open_args args = {
		.size = sizeof(args), .name = to_u64(name),
		.name_len = name ? strlen(name) : 0, .flags = flags,
		.type = flags & GOSYNC_CREATE ? GOSYNC_MUTEX : 0,
		.mode = flags & GOSYNC_CREATE ? 0600 : 0,
	};

	return me->dev < 0 ? me->dev : call(me->dev, GOSYNC_IOC_OPEN, &args);
}

static int open_it(const struct subject *me)
{
	return try_open(me, me->name, 0);
}

static int open_to_read(const struct subject *me)
{
	return try_open(me, me->name, GOSYNC_RDONLY);
}

static int create_it(const struct subject *me)
{
	return try_open(me, me->name, GOSYNC_CREATE);
}

static int create_only(const struct subject *me)
{
	return try_open(me, me->name, GOSYNC_CREATE | GOSYNC_EXCL);
}

static int create_another(const struct subject *me)
{
	return try_open(me, NULL, GOSYNC_CREATE);
}

static int list_it(const struct subject *me)
{
	struct gosync_info found[8];
	struct gosync_list_args args = {
		.size = sizeof(args), .entries = to_u64(found),
		.count = ARRAY_SIZE(found), .entry_size = sizeof(found[0]),
	};
	int i, n;

	if (me->dev < 0)
		return me->dev;
	while ((n = call(me->dev, GOSYNC_IOC_LIST, &args)) > 0)
		for (i = 0; i < n; i++)
			if (!strcmp((char *)found[i].name, me->name))
				return 0;
	return n ?: -ENOENT;
}

static int look(const struct subject *me)
{
	struct gosync_info info = { .size = sizeof(info) };
	struct gosync_stat stat = { .size = sizeof(stat) };
	int ret = call(me->fd, GOSYNC_IOC_INFO, &info) ?:
		  call(me->fd, GOSYNC_IOC_STAT, &stat);

	return ret ?: strcmp((char *)info.name, me->name) ? -EPROTO : 0;
}

static int lock_it(const struct subject *me)
{
	return trylock_fd(me->fd);
}

static int wait_for_it(const struct subject *me)
{
	struct gosync_wait_args args = {
		.size = sizeof(args), .deadline = gosync_deadline(NSEC_PER_MSEC),
	};

	return call(me->fd, GOSYNC_IOC_MUTEX_LOCK, &args);
}

static int unlock_it(const struct subject *me)
{
	return unlock_fd(me->fd);
}

static int abandon(const struct subject *me)
{
	return call(me->fd, GOSYNC_IOC_ABANDON, NULL);
}

static int recover(const struct subject *me)
{
	int ret = trylock_fd(me->fd);

	if (ret != 1)
		return ret ?: -EPROTO;
	return call(me->fd, GOSYNC_IOC_MUTEX_RECOVER, NULL);
}

static int break_it(const struct subject *me)
{
	struct gosync_break_args args = {
		.size = sizeof(args), .holder = me->victims_holder,
	};

	return call(me->fd, GOSYNC_IOC_BREAK, &args);
}

static int map(const struct subject *me, int prot)
{
	return mmap(NULL, getpagesize(), prot, MAP_SHARED, me->fd, 0) ==
		MAP_FAILED ? -errno : 0;
}

static int map_to_read(const struct subject *me)
{
	return map(me, PROT_READ);
}

static int map_to_write(const struct subject *me)
{
	return map(me, PROT_READ | PROT_WRITE);
}

static int set_limit(const struct subject *me)
{
	return permits_fd(me->fd, GOSYNC_IOC_SEMAPHORE_LIMIT, 2);
}

/* Whom the list shows: 0 if it is @pid, -ESRCH if it is nobody */
static int find(const struct subject *me, unsigned int list, uint32_t flag,
		pid_t pid)
{
	struct gosync_party parties[8];
	struct gosync_parties_args args = PARTIES_OF(parties, 8);
	int i, n = call(me->fd, list, &args);

	for (i = 0; i < n; i++)
		if ((parties[i].flags & flag) == flag)
			return parties[i].pid == pid ? 0 :
				parties[i].pid ? -EPROTO : -ESRCH;
	return n < 0 ? n : -EPROTO;
}

static int see_holder(const struct subject *me)
{
	struct gosync_info info = { .size = sizeof(info) };
	int ret = find(me, GOSYNC_IOC_HOLDERS, GOSYNC_PARTY_OWNS, me->victim);
	int err = call(me->fd, GOSYNC_IOC_INFO, &info);

	if (err || (ret && ret != -ESRCH))
		return err ?: ret;
	return info.owner_pid == (ret ? 0 : me->victim) ? ret : -EPROTO;
}

static int see_waiter(const struct subject *me)
{
	return find(me, GOSYNC_IOC_WAITERS, 0, me->waiter);
}

static int change(const struct subject *me, uint32_t what, uint32_t mode,
		  uid_t uid)
{
	struct gosync_change_args args = {
		.size = sizeof(args), .flags = what, .mode = mode, .uid = uid,
		.name = to_u64(me->name), .name_len = strlen(me->name),
	};

	return me->dev < 0 ? me->dev : call(me->dev, GOSYNC_IOC_CHANGE, &args);
}

static int change_mode(const struct subject *me)
{
	return change(me, GOSYNC_CHANGE_MODE, 0600, 0);
}

/* It makes itself the owner. */
static int change_owner(const struct subject *me)
{
	return change(me, GOSYNC_CHANGE_OWNER, 0, geteuid());
}

static int unlink_it(const struct subject *me)
{
	struct gosync_unlink_args args = {
		.size = sizeof(args), .name = to_u64(me->name),
		.name_len = strlen(me->name),
	};

	return me->dev < 0 ? me->dev : call(me->dev, GOSYNC_IOC_UNLINK, &args);
}

/* What has happened before: nothing; it is held; also waited for; one died */
enum before { FREE, HELD, AWAITED, DIED };

static const struct column {
	char letter;
	int (*try)(const struct subject *me);
	enum before before;
	uint32_t flags;
	uint32_t type;
	bool by_name;
} columns[] = {
	{ 'o', open_it, .by_name = true },
	{ 'r', open_to_read, .by_name = true },
	{ 'c', create_it, .by_name = true },
	{ 'x', create_only, .by_name = true },
	{ 'n', create_another, .by_name = true },
	{ 'l', list_it, .by_name = true },
	{ 'i', look },
	{ 'L', lock_it },
	{ 'w', wait_for_it, HELD },
	{ 'u', unlock_it, HELD },
	{ 'U', unlock_it, HELD, GOSYNC_ERRORCHECK },
	{ 'a', abandon, HELD },
	{ 'R', recover, DIED },
	{ 'b', break_it, HELD },
	{ 'm', map_to_read },
	{ 'M', map_to_write },
	{ 's', set_limit, .type = GOSYNC_SEMAPHORE },
	{ 'h', see_holder, HELD },
	{ 'q', see_waiter, AWAITED },
	/* Alone on its page it can be changed while it is open. */
	{ 'p', change_mode, .flags = GOSYNC_OWN_PAGE, .by_name = true },
	{ 'O', change_owner, .flags = GOSYNC_OWN_PAGE, .by_name = true },
	{ 'k', unlink_it, .by_name = true },
};

/* --- each cell ------------------------------------------------------------ */

#define SPARE	100	/* number of the victim's second descriptor */

struct stage {
	unsigned int ready;
	uint32_t holder;
	int result;
	int socket[2];
};

static void die_with_it(int fd)
{
	MUST(!lock_fd(reopen_object(fd, 0)));
	_exit(0);
}

/* The owner, who opens the object, brings that about, and rests */
static void be_victim(struct stage *stage, const char *name,
		      const struct row *row, const struct column *column)
{
	bool reads = row->got == SENT_TO_READ;
	int fd;

	MUST(!become(ALICE, GROUP, 0));
	fd = open_object(column->type ?: GOSYNC_MUTEX, name, GOSYNC_CREATE |
			 GOSYNC_EXCL | GOSYNC_PERSIST | column->flags,
			 row->mode);
	MUST(fd >= 0);
	MUST(dup2(reopen_object(fd, reads ? GOSYNC_RDONLY : 0), SPARE) == SPARE);
	MUST(!send_fd(stage->socket[1], SPARE));
	/* Its own user may take descriptors from it. */
	prctl(PR_SET_DUMPABLE, 1);
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
	if (column->before == DIED)
		MUST(!reap(CHILD((die_with_it(fd), 0))));
	if (column->before == HELD || column->before == AWAITED)
		MUST(!lock_fd(fd));
	stage->holder = info_of(fd).holder;
	store(&stage->ready, 1);
	rest();
}

/* As root: a process that has no memory shall not be killed for that. */
static int join_cgroup(void)
{
	int limit;

	MUST(!write_file("/proc/self/oom_score_adj", "-1000"));
	MUST(!write_file(CGROUP "/cgroup.procs", "0"));
	limit = open(CGROUP "/memory.max", O_WRONLY | O_CLOEXEC);
	MUST(limit >= 0);
	return limit;
}

static void enter_namespaces(const struct row *row)
{
	if (row->namespaces)
		MUST(!unshare(row->namespaces));
	if (row->namespaces & CLONE_NEWTIME)
		MUST(!write_file("/proc/self/timens_offsets",
				 "monotonic 1000000 0"));
	if (row->special & NO_DEVICE) {
		MUST(!mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
		MUST(!mount("none", "/dev", "tmpfs", 0, NULL));
	}
}

static void be_root_of_user_namespace(uid_t uid)
{
	char map[32];

	MUST(!unshare(CLONE_NEWUSER));
	prctl(PR_SET_DUMPABLE, 1);
	snprintf(map, sizeof(map), "0 %u 1", uid);
	MUST(!write_file("/proc/self/uid_map", map));
	MUST(!geteuid());
}

/* Become who it is. All of it is undone by the end of the process. */
static void enter(const struct row *row)
{
	bool by_user = row->special & MAPPED_ROOT;

	if (!by_user)
		enter_namespaces(row);
	/* With the same group, its processes may look into each other. */
	MUST(!become(row->uid, row->uid == ALICE ? GROUP : row->uid,
		     row->group));
	if (row->lacks)
		MUST(!drop(row->lacks - 1));
	if (by_user) {
		be_root_of_user_namespace(row->uid);
		enter_namespaces(row);
	}
}

static int get_fd(const struct row *row, const struct subject *me,
		  struct stage *stage)
{
	char path[64];
	int fd;

	switch (row->got) {
	case OPENS:
		fd = open_it(me);
		return fd == -EACCES ? open_to_read(me) : fd;
	case OPENS_TO_READ:
		return open_to_read(me);
	case SENT:
	case SENT_TO_READ:
		return receive_fd(stage->socket[0]);
	case TAKEN:
		fd = syscall(SYS_pidfd_getfd,
			     syscall(SYS_pidfd_open, me->victim, 0), SPARE, 0);
		break;
	default:
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", me->victim, SPARE);
		fd = open(path, O_RDWR);
	}
	return fd < 0 ? -errno : fd;
}

/* All that the process touches from now on is there. */
static void touch_memory(void)
{
	volatile char stack[65536];

	memset((char *)stack, 1, sizeof(stack));
	MUST(!mlockall(MCL_CURRENT));
}

static void run_out(const struct row *row, int limit)
{
	struct rlimit none = { 0, 4096 };
	cpu_set_t cpu;

	if (row->scarce == DESCRIPTORS)
		MUST(!setrlimit(RLIMIT_NOFILE, &none));
	if (row->scarce != MEMORY)
		return;
	/* What is charged in advance is kept for each processor. */
	CPU_ZERO(&cpu);
	CPU_SET(0, &cpu);
	MUST(!sched_setaffinity(0, sizeof(cpu), &cpu));
	touch_memory();
	MUST(write(limit, "0", 1) == 1);
	/* Until not even a file is left of what was charged in advance */
	while (open_device() >= 0)
		;
}

/* Who it is by now tries; what it gets is in the stage. */
static void be_subject(struct stage *stage, const struct row *row,
		       const struct column *column, struct subject *me,
		       int limit)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	me->dev = open_device();
	if (me->dev < 0)
		me->dev = -errno;
	me->fd = get_fd(row, me, stage);
	run_out(row, limit);
	stage->result = me->fd < 0 && !column->by_name ? me->fd :
							 column->try(me);
	if (limit >= 0)
		MUST(pwrite(limit, "max", 3, 0) == 3);
	_exit(0);
}

static int run_subject(struct stage *stage, const struct row *row,
		       const struct column *column, struct subject *me)
{
	pid_t pid = spawn();
	int limit = -1;

	if (pid)
		return reap_soon(pid);
	if (row->scarce == MEMORY)
		limit = join_cgroup();
	enter(row);
	/* These two are entered by children. */
	if (!(row->namespaces & (CLONE_NEWPID | CLONE_NEWTIME)))
		be_subject(stage, row, column, me, limit);
	pid = fork();
	if (!pid)
		be_subject(stage, row, column, me, limit);
	_exit(reap(pid));
}

static int try_cell(const char *name, const struct row *row,
		    const struct column *column)
{
	struct stage *stage = shared_memory(sizeof(*stage));
	struct subject me = { .name = name };
	int status, result;

	stage->result = -EPROTO;
	MUST(!socketpair(AF_UNIX, SOCK_STREAM, 0, stage->socket));
	me.victim = CHILD((be_victim(stage, name, row, column), 0));
	MUST(eventually(load(&stage->ready)));
	me.victims_holder = stage->holder;
	if (column->before == AWAITED) {
		int fd = open_object(0, name, 0, 0);

		me.waiter = WAITER_FD(fd, become(ALICE, GROUP, 0) ?:
				      lock_fd(reopen_object(fd, 0)));
		close(fd);
	}
	status = run_subject(stage, row, column, &me);
	kill_and_reap(me.victim);
	if (me.waiter)
		kill_and_reap(me.waiter);
	gosync_unlink(name);
	close(stage->socket[0]);
	close(stage->socket[1]);
	result = status ? -ECHILD : stage->result;
	munmap(stage, sizeof(*stage));
	return result;
}

static int error_of(char letter)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(errors); i++)
		if (errors[i].letter == letter)
			return -errors[i].error;
	return -ENOSYS;
}

/* The letter for the next column, or 0; NULL has none. */
static char next_letter(const char **may)
{
	if (!*may)
		return 0;
	*may += strspn(*may, " ");
	return *(*may)++;
}

TEST_F(isolation, is_what_the_table_says)
{
	const char *may = variant->row.may, *or_may = variant->row.or_may;
	bool without = variant->row.scarce == MEMORY;
	unsigned int i, refused = 0;
	int ret;

	if (without && !make_cgroup())
		SKIP(return, "no memory cgroup");
	if (variant->row.scarce == OBJECTS)
		ASSERT_EQ(0, write_file(PER_USER, "1"));
	for (i = 0; i < ARRAY_SIZE(columns); i++) {
		int expected = error_of(next_letter(&may));
		char other = next_letter(&or_may);

		ret = try_cell(self->name, &variant->row, &columns[i]);
		ret = ret < 0 ? ret : 0;
		refused += ret == -ENOMEM;
		if (!other || ret != error_of(other))
			EXPECT_EQ(expected, ret)
				TH_LOG("column %c", columns[i].letter);
	}
	EXPECT_EQ(0, *may);
	EXPECT_EQ(without, refused > 0);
}

TEST_HARNESS_MAIN
