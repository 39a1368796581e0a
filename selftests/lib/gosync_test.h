/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests share: calls that return -errno, processes that end with the
 * test, memory that they share, and waiting for something to become true.
 *
 * No test takes time for a proof that something was quick: machines are slow
 * and busy. Deadlines that a test expects to pass are short, those that guard
 * against a hang are the harness's, and long.
 */
#ifndef GOSYNC_TEST_H
#define GOSYNC_TEST_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <gosync-user.h>

#include "kselftest_harness.h"

/* Seconds until a test is taken to hang */
#ifndef WATCHDOG
#define WATCHDOG		90
#endif
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	WATCHDOG

#define NSEC_PER_USEC		1000ULL
#define NSEC_PER_MSEC		1000000ULL
#define NSEC_PER_SEC		1000000000ULL

/* What a test has opened ends with its process. */
#define NO_TEARDOWN(fixture)	FIXTURE_TEARDOWN(fixture) { }

/* Each test of such a fixture is run on mapped state and by ioctls alone. */
#define MAPPED_AND_IOCTL(fixture)					\
	NO_TEARDOWN(fixture);						\
	MAPPED_AND_IOCTL_VARIANTS(fixture)

#define MAPPED_AND_IOCTL_VARIANTS(fixture)				\
	FIXTURE_VARIANT(fixture) { unsigned int how; };			\
	FIXTURE_VARIANT_ADD(fixture, mapped) { .how = 0 };		\
	FIXTURE_VARIANT_ADD(fixture, ioctl) { .how = GOSYNC_IOCTL_ONLY }

/*
 * Look until it is so; false when it never is. Less and less often, so that it
 * can become so on a slow machine where the caller comes first.
 */
#define eventually(condition)						\
({									\
	uint64_t __end = now_ns(CLOCK_MONOTONIC) + WATCHDOG / 2 * NSEC_PER_SEC; \
	uint64_t __pause = NSEC_PER_MSEC / 10;				\
	bool __so;							\
									\
	while (!(__so = (condition)) && now_ns(CLOCK_MONOTONIC) < __end) { \
		sleep_ns(__pause);					\
		if (__pause < 50 * NSEC_PER_MSEC)			\
			__pause += __pause / 4;				\
	}								\
	__so;								\
})

/* This is so, or the process says where it was not, and fails. */
#define MUST(condition)							\
do {									\
	if (!(condition)) {						\
		fprintf(stderr, "# %s:%d: not so: %s\n", __FILE__,	\
			__LINE__, #condition);				\
		abort();						\
	}								\
} while (0)

static inline uint64_t now_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

static inline void sleep_ns(uint64_t ns)
{
	struct timespec ts = { ns / NSEC_PER_SEC, ns % NSEC_PER_SEC };

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

/*
 * When a randomised test shall end: it runs GOSYNC_TEST_SECONDS. Loops that
 * have to have run are do loops: the seconds may be over before they begin.
 */
static inline uint64_t end_of_budget(void)
{
	const char *seconds = getenv("GOSYNC_TEST_SECONDS");

	return now_ns(CLOCK_MONOTONIC) +
		(uint64_t)((seconds ? atof(seconds) : 1) * NSEC_PER_SEC);
}

static inline bool budget_left(uint64_t end)
{
	return now_ns(CLOCK_MONOTONIC) < end;
}

/* xorshift: the tests want many numbers, not good ones */
static inline uint32_t random_u32(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state >> 16;
}

static inline uint64_t random_seed(void)
{
	return now_ns(CLOCK_MONOTONIC) * 2654435761u + getpid();
}

/* --- ioctls -------------------------------------------------------------- */

/* The errors that the descriptions of the ioctls list */
static const struct {
	unsigned int cmd;
	int err;
} listed_errors[] = {
#include "errors.h"
};

static inline void check_listed(unsigned int cmd, int err)
{
	bool ours = false;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(listed_errors); i++) {
		if (listed_errors[i].cmd != cmd)
			continue;
		if (listed_errors[i].err == err)
			return;
		ours = true;
	}
	if (!ours)
		return;
	fprintf(stderr, "# %s of ioctl %#x is not in its description\n",
		strerrorname_np(err), cmd);
	abort();
}

/* No test sees an error that users are not told of. */
static inline int call(int fd, unsigned int cmd, const void *arg)
{
	int ret = ioctl(fd, cmd, arg);

	if (ret >= 0)
		return ret;
	ret = -errno;
	check_listed(cmd, -ret);
	return ret;
}

static inline uint64_t to_u64(const void *pointer)
{
	return (uintptr_t)pointer;
}

static inline int open_device(void)
{
	return open(GOSYNC_DEVICE, O_RDWR | O_CLOEXEC);
}

static inline int open_bytes(uint32_t type, const void *name, uint32_t name_len,
			     uint32_t flags, uint32_t mode, uint64_t capacity)
{
	struct gosync_open_args args = {
		.size = sizeof(args),
		.type = type,
		.flags = flags,
		.mode = mode,
		.name = to_u64(name),
		.name_len = name_len,
		.abi = GOSYNC_ABI_VERSION,
		.capacity = capacity,
	};
	int dev = open_device();
	int ret;

	if (dev < 0)
		return -errno;
	ret = call(dev, GOSYNC_IOC_OPEN, &args);
	close(dev);
	return ret;
}

/* Returns a descriptor or -errno; no name makes an anonymous object. */
static inline int open_object(uint32_t type, const char *name, uint32_t flags,
			      uint32_t mode)
{
	return open_bytes(type, name, name ? strlen(name) : 0, flags, mode, 0);
}

/* Of nobody else, and without a name */
static inline int new_object(uint32_t type)
{
	int fd = open_object(type, NULL, GOSYNC_CREATE, 0600);

	MUST(fd >= 0);
	return fd;
}

/* A handle of a new object; NEW(gosync_semaphore, 0, 3) has 3 permits. */
#define NEW(N, flags, ...)	NEW_NAMED(N, NULL, flags, ##__VA_ARGS__)

#define NEW_NAMED(N, name, flags, ...)					\
({									\
	N##_t *__new;							\
									\
	MUST(!N##_open(name, ##__VA_ARGS__, GOSYNC_CREATE | (flags), 0600, \
		       &__new));					\
	__new;								\
})

/* And one of a descriptor */
#define HANDLE(N, fd, how)						\
({									\
	N##_t *__handle;						\
									\
	MUST(!N##_from_fd(fd, how, &__handle));				\
	__handle;							\
})

static inline int reopen_object(int fd, uint32_t flags)
{
	struct gosync_reopen_args args = { .size = sizeof(args), .flags = flags };

	return call(fd, GOSYNC_IOC_REOPEN, &args);
}

/* All zeros when it fails, which no object's is. */
static inline struct gosync_info info_of(int fd)
{
	struct gosync_info info = {
		.size = sizeof(info), .abi = GOSYNC_ABI_VERSION,
	};

	if (ioctl(fd, GOSYNC_IOC_INFO, &info))
		memset(&info, 0, sizeof(info));
	return info;
}

/* The object's state as it is mapped, in its page */
static inline void *map_state(int fd)
{
	struct gosync_info info = info_of(fd);
	char *page = mmap(NULL, info.map_len, PROT_READ | PROT_WRITE,
			  MAP_SHARED, fd, 0);

	MUST(page != MAP_FAILED);
	return page + info.map_offset;
}

/* What a handle's descriptor says */
static inline struct gosync_info info(const void *handle)
{
	return info_of(gosync_fd(handle));
}

static inline unsigned int waiters(const void *handle)
{
	return info(handle).waiters;
}

/* All ones when it fails */
static inline struct gosync_stat stat_fd(int fd)
{
	struct gosync_stat stat = { .size = sizeof(stat) };

	if (call(fd, GOSYNC_IOC_STAT, &stat))
		memset(&stat, 0xff, sizeof(stat));
	return stat;
}

/* Each wait has ended, by a grant or without. */
static inline bool is_accounted(int fd)
{
	struct gosync_stat stat = stat_fd(fd);

	return !info_of(fd).waiters && info_of(fd).contended == stat.contended &&
	       stat.contended == stat.acquired + stat.gave_up;
}

static inline bool has_waiters(int fd, unsigned int n)
{
	return eventually(info_of(fd).waiters == n);
}

/* The same object's, with a holder of its own */
#define ANOTHER(N, fd, how)	HANDLE(N, reopen_object(fd, 0), how)

static inline int lock_fd(int fd)
{
	return call(fd, GOSYNC_IOC_MUTEX_LOCK, NULL);
}

static inline int trylock_fd(int fd)
{
	return call(fd, GOSYNC_IOC_MUTEX_TRYLOCK, NULL);
}

static inline int unlock_fd(int fd)
{
	return call(fd, GOSYNC_IOC_MUTEX_UNLOCK, NULL);
}

static inline int permits_fd(int fd, unsigned int op, unsigned int n)
{
	struct gosync_semaphore_args args = { .size = sizeof(args), .count = n };

	return call(fd, op, &args);
}

static inline int acquire_fd(int fd, unsigned int n)
{
	return permits_fd(fd, GOSYNC_IOC_SEMAPHORE_ACQUIRE, n);
}

static inline int release_fd(int fd, unsigned int n)
{
	return permits_fd(fd, GOSYNC_IOC_SEMAPHORE_RELEASE, n);
}

static inline int add_fd(int fd, int64_t delta)
{
	struct gosync_waitgroup_add_args args = {
		.size = sizeof(args), .delta = delta,
	};

	return call(fd, GOSYNC_IOC_WAITGROUP_ADD, &args);
}

/* Arguments of GOSYNC_IOC_WAIT, and of those that list parties */
#define ENTRIES_OF(list, n)						\
	((struct gosync_wait_many_args) {				\
		.size = sizeof(struct gosync_wait_many_args),		\
		.entries = to_u64(list), .count = n,			\
		.entry_size = sizeof(*(list)),				\
	})

#define PARTIES_OF(list, n)						\
	((struct gosync_parties_args) {					\
		.size = sizeof(struct gosync_parties_args),		\
		.entries = to_u64(list), .count = n,			\
		.entry_size = sizeof(*(list)),				\
	})

/* Unlike any other name, of this test run or another */
static inline char *unique_name(void)
{
	static unsigned int count;
	char *name;

	if (asprintf(&name, "test-%d-%llx-%u", getpid(),
		     (unsigned long long)now_ns(CLOCK_MONOTONIC), count++) < 0)
		abort();
	return name;
}

/* --- processes ----------------------------------------------------------- */

/* A child that does not outlive the test */
static inline pid_t spawn(void)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
	}
	return pid;
}

/* A child that exits with @status, which it works out itself */
#define CHILD(status)							\
({									\
	pid_t __child = spawn();					\
									\
	if (!__child)							\
		_exit(status);						\
	__child;							\
})

/* The same; when this returns it waits for the object of @handle. */
#define WAITER(handle, status)	WAITER_FD(gosync_fd(handle), status)

#define WAITER_FD(fd, status)						\
({									\
	unsigned int __before = info_of(fd).waiters;			\
	pid_t __waiter = CHILD(status);					\
									\
	MUST(eventually(info_of(fd).waiters == __before + 1));		\
	__waiter;							\
})

static inline int exit_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
				     WEXITSTATUS(status);
}

/* Its exit status, or 128 and the signal that killed it */
static inline int reap(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return exit_status(status);
}

/* The same of one that is to end by itself; -ETIMEDOUT if it never does */
static inline int reap_soon(pid_t pid)
{
	int status = 0;

	if (!eventually(waitpid(pid, &status, WNOHANG) == pid))
		return -ETIMEDOUT;
	return exit_status(status);
}

/* The same of all of them: 0, or the first that is another */
static inline int reap_all(const pid_t *pids, unsigned int count)
{
	int status, first = 0;
	unsigned int i;

	for (i = 0; i < count; i++) {
		status = reap_soon(pids[i]);
		first = first ?: status;
	}
	return first;
}

static inline bool is_waiting(pid_t pid)
{
	return !waitpid(pid, NULL, WNOHANG);
}

static inline int kill_and_reap(pid_t pid)
{
	kill(pid, SIGKILL);
	return reap(pid);
}

/* Children that live until then: 128 + SIGKILL, or what one exited with */
static inline int kill_all(const pid_t *pids, unsigned int count)
{
	int status = 128 + SIGKILL, last = status;
	unsigned int i;

	for (i = 0; i < count && status == last; i++)
		status = kill_and_reap(pids[i]);
	return status;
}

/* A child that does @prepare, which is 0, and rests until it is killed */
#define RESTING_CHILD(prepare)						\
({									\
	pid_t __child = spawn();					\
									\
	if (!__child) {							\
		MUST(!(prepare));					\
		rest();							\
	}								\
	MUST(eventually(rests(__child)));				\
	__child;							\
})

/* Zeroed memory that children share */
static inline void *shared_memory(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		abort();
	return memory;
}

#define load(p)		__atomic_load_n(p, __ATOMIC_SEQ_CST)
#define store(p, v)	__atomic_store_n(p, v, __ATOMIC_SEQ_CST)
#define add(p, v)	__atomic_add_fetch(p, v, __ATOMIC_SEQ_CST)

/* Wait until all of @parties have come here @round times, from 1 on. */
static inline void meet(unsigned int *arrived, unsigned int parties,
			unsigned int round)
{
	add(arrived, 1);
	while (load(arrived) < parties * round)
		sched_yield();
}

/* Become an ordinary user, in one supplementary group or none. */
static inline int become(uid_t uid, gid_t gid, gid_t group)
{
	int ret = setgroups(group ? 1 : 0, &group);

	if (!ret)
		ret = setresgid(gid, gid, gid);
	if (!ret)
		ret = setresuid(uid, uid, uid);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	return ret;
}

#define NEED_ROOT()							\
do {									\
	if (geteuid())							\
		SKIP(return, "needs root");				\
} while (0)

/* Run @call as another; its result is -1 to -127 or 0. */
#define AS(uid, gid, group, call)					\
({									\
	pid_t __pid = spawn();						\
									\
	if (!__pid) {							\
		int __ret = become(uid, gid, group);			\
									\
		if (!__ret)						\
			__ret = (call);					\
		_exit(__ret < 0 ? -__ret : 0);				\
	}								\
	-reap(__pid);							\
})

static inline int send_fd(int socket, int fd)
{
	char control[CMSG_SPACE(sizeof(fd))] = {};
	char byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	return sendmsg(socket, &msg, 0) == 1 ? 0 : -errno;
}

static inline int receive_fd(int socket)
{
	int fd = -1;
	char control[CMSG_SPACE(sizeof(fd))] = {};
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};

	if (recvmsg(socket, &msg, MSG_CMSG_CLOEXEC) == 1 && CMSG_FIRSTHDR(&msg))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	return fd;
}

/*
 * The caller goes before everybody else on this processor, and its children
 * stay there: a child that it wakes runs when the caller sleeps, not before.
 */
static inline int rule_one_cpu(void)
{
	struct sched_param param = { .sched_priority = 10 };
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus))
		return -errno;
	return sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param) ?
		-errno : 0;
}

/*
 * Run @f in a child that is killed for the first system call it makes. Its exit
 * status: 0 if @f returned 0; KSFT_SKIP if the kernel cannot do that.
 */
static inline int without_system_calls(int (*f)(void *arg), void *arg)
{
	pid_t pid = spawn();

	if (!pid) {
		if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT))
			_exit(KSFT_SKIP);
		syscall(SYS_exit, !!f(arg));
	}
	return reap(pid);
}

/*
 * @f makes system calls or makes none. The caller that expects some is the
 * control: it is killed, which shows that they would be seen.
 */
#define EXPECT_SYSTEM_CALLS(some, f, arg)				\
do {									\
	int __ret = without_system_calls(f, arg);			\
									\
	if (__ret == KSFT_SKIP)						\
		SKIP(return, "no seccomp");				\
	EXPECT_EQ((some) ? 128 + SIGKILL : 0, __ret);			\
} while (0)

static inline int read_file(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, text, size - 1);
	if (n < 0)
		n = -errno;
	else
		text[n] = 0;
	close(fd);
	return n < 0 ? n : 0;
}

/* How many descriptors this process has, and some more that are always there */
static inline int descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

#define RESTING "resting"

/*
 * What a child does that is to be killed. It has left the kernel before: what a
 * system call gets that is killed meanwhile goes to the next, and nobody died.
 */
static inline void rest(void)
{
	prctl(PR_SET_NAME, RESTING);
	for (;;)
		pause();
}

/* Does the thread sleep, or has it ended? */
static inline bool is_asleep(pid_t tid)
{
	char path[64], text[512];
	const char *comm_end;

	snprintf(path, sizeof(path), "/proc/%d/stat", tid);
	if (read_file(path, text, sizeof(text)))
		return true;
	comm_end = strrchr(text, ')');
	return comm_end && (comm_end[2] == 'S' || comm_end[2] == 'Z');
}

static inline bool rests(pid_t pid)
{
	char path[32], name[32];

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	return !read_file(path, name, sizeof(name)) &&
	       !strcmp(name, RESTING "\n");
}

/* One that selftests/vm/kernel.sh has built, which is slow */
static inline bool is_debug_kernel(void)
{
	struct utsname name;

	return !uname(&name) && strstr(name.release, "-gosync-");
}

static inline int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

/* --- signals ------------------------------------------------------------- */

/* How many count_signal() has counted in this process */
static volatile sig_atomic_t signals;

static inline void count_signal(int signal)
{
	signals++;
}

/* The handler of SIGUSR1; @flags: SA_RESTART or 0 */
static inline void handle(void (*handler)(int signal), int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };

	sigaction(SIGUSR1, &action, NULL);
}

/* In shared memory: 1 while the handler runs, 2 when it is to return */
static unsigned int *handler_stage;

static inline void stay_in_handler(int signal)
{
	store(handler_stage, 1);
	while (load(handler_stage) != 2)
		sleep_ns(NSEC_PER_MSEC / 10);
}

#endif /* GOSYNC_TEST_H */
