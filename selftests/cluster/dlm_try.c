// SPDX-License-Identifier: GPL-2.0-only
/*
 * dlm_try: whether the nodes of cluster.sh are a cluster to the kernel's lock
 * manager. It makes a lockspace in all of them, by the device that the lock
 * manager has for that. A lock is refused, handed over, taken from a node that
 * is killed with it, and known again to that node when it has come back.
 * try.sh runs it.
 */
#include <assert.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <linux/dlm.h>
#include <linux/dlm_device.h>

#define SPACE	"try"
#define LOCK	"lock"
#define ROUNDS	200

/* What is in the lock's value block */
struct value {
	uint64_t count;
	uint64_t handed_over;
	uint64_t last;
	uint64_t unused;
};

union reply {
	struct dlm_lock_result result;
	char bytes[sizeof(struct dlm_lock_result) + DLM_USER_LVB_LEN];
};

union request {
	struct dlm_write_request write;
	char bytes[sizeof(struct dlm_write_request) + DLM_RESNAME_MAXLEN];
};

static_assert(sizeof(struct value) == DLM_USER_LVB_LEN, "it fills the block");

static int self, nodes;
static int control = -1, device = -1;
static unsigned int minor_number;
static uint32_t lock_id;
static bool wanted;
static struct value value;

__attribute__((format(printf, 1, 2)))
static void say(const char *format, ...)
{
	struct timespec now;
	va_list args;

	clock_gettime(CLOCK_MONOTONIC, &now);
	printf("%6.2f ", now.tv_sec + now.tv_nsec / 1e9);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

__attribute__((format(printf, 1, 2)))
static void run(const char *format, ...)
{
	char command[256];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	if (system(command))
		errx(1, "failed: %s", command);
}

/* "2 3" for those that are left when node 1 has died */
static const char *survivors(void)
{
	static char text[64];
	int length = 0;
	int i;

	for (i = 2; i <= nodes; i++)
		length += sprintf(text + length, " %d", i);
	return text;
}

static union request new_request(int command)
{
	union request r = { 0 };

	r.write.version[0] = DLM_DEVICE_VERSION_MAJOR;
	r.write.version[1] = DLM_DEVICE_VERSION_MINOR;
	r.write.version[2] = DLM_DEVICE_VERSION_PATCH;
	r.write.cmd = command;
	r.write.is64bit = sizeof(long) == 8;
	return r;
}

static int send_request(int fd, const union request *r, const char *what)
{
	int ret = write(fd, r, sizeof(r->write) + DLM_RESNAME_MAXLEN);

	if (ret < 0)
		err(1, "%s", what);
	return ret;
}

static void create(void)
{
	union request r = new_request(DLM_USER_CREATE_LOCKSPACE);
	int tries;

	control = open("/dev/dlm-control", O_RDWR | O_CLOEXEC);
	if (control < 0)
		err(1, "/dev/dlm-control");
	memcpy(r.write.i.lspace.name, SPACE, sizeof(SPACE));
	minor_number = send_request(control, &r, "making the lockspace");
	for (tries = 0; device < 0 && tries < 100; tries++) {
		device = open("/dev/dlm_" SPACE, O_RDWR | O_CLOEXEC);
		if (device < 0)
			usleep(100 * 1000);
	}
	if (device < 0)
		err(1, "/dev/dlm_" SPACE);
	say("has made the lockspace, with all nodes");
}

/* Ask for another mode of the lock, or for the lock itself; do not wait. */
static void ask(int mode, unsigned int flags)
{
	union request r = new_request(DLM_USER_LOCK);
	struct dlm_lock_params *lock = &r.write.i.lock;

	lock->mode = mode;
	lock->flags = flags | DLM_LKF_VALBLK;
	if (lock_id)
		lock->flags |= DLM_LKF_CONVERT;
	lock->lkid = lock_id;
	/* They come back in the reply. Nobody uses them as addresses. */
	lock->castaddr = &value;
	lock->bastaddr = &wanted;
	lock->lksb = (struct dlm_lksb *)&value;
	memcpy(lock->lvb, &value, sizeof(value));
	lock->namelen = strlen(LOCK);
	memcpy(lock->name, LOCK, strlen(LOCK));
	send_request(device, &r, "asking for the lock");
}

/* Read an answer; or, if it is that another wants the lock, remember that. */
static bool read_answer(struct dlm_lksb *got)
{
	union reply r = { 0 };
	ssize_t length = read(device, &r, sizeof(r));

	if (length < (ssize_t)sizeof(r.result))
		err(1, "reading an answer: %zd", length);
	if (r.result.user_astaddr == &wanted) {
		wanted = true;
		return false;
	}
	if (r.result.lvb_offset)
		memcpy(&value, r.bytes + r.result.lvb_offset, sizeof(value));
	*got = r.result.lksb;
	return true;
}

/* The status is 0 or a negative error. Sets value if the lock manager says it. */
static struct dlm_lksb answer(void)
{
	struct dlm_lksb got;

	while (!read_answer(&got))
		;
	return got;
}

static void get(int mode)
{
	struct dlm_lksb got;

	ask(mode, 0);
	got = answer();
	if (got.sb_status)
		errx(1, "mode %d: status %d", mode, got.sb_status);
	lock_id = got.sb_lkid;
}

static void unlock(void)
{
	union request r = new_request(DLM_USER_UNLOCK);
	struct dlm_lksb got;

	r.write.i.lock.lkid = lock_id;
	r.write.i.lock.castaddr = &value;
	r.write.i.lock.lksb = (struct dlm_lksb *)&value;
	send_request(device, &r, "giving back the lock");
	got = answer();
	if (got.sb_status != -DLM_EUNLOCK)
		errx(1, "not given back: status %d", got.sb_status);
}

/*
 * While a node removes it, it must not be sent any message: so all have stopped.
 * What is stopped cannot be closed, either: that comes before.
 */
static void remove_lockspace(void)
{
	union request r = new_request(DLM_USER_REMOVE_LOCKSPACE);

	unlock();
	run("meet unlocked");
	close(device);
	run("gosync-dlm-members stop " SPACE);
	run("meet ended");
	r.write.i.lspace.minor = minor_number;
	r.write.i.lspace.flags = DLM_USER_LSFLG_FORCEFREE;
	send_request(control, &r, "removing the lockspace");
	say("has removed the lockspace");
}

/* With the lock in mode EX, which is then given back */
static void count(void)
{
	value.count++;
	if (value.last != (uint64_t)self)
		value.handed_over++;
	value.last = self;
	get(DLM_LOCK_NL);
}

static void do_not_wait(void)
{
	struct dlm_lksb got;

	ask(DLM_LOCK_EX, DLM_LKF_NOQUEUE);
	got = answer();
	if (got.sb_status != -EAGAIN)
		errx(1, "the lock is not denied: status %d", got.sb_status);
	say("is denied the lock: EAGAIN");
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* Each keeps the lock until another wants it; so nobody gets it twice in a row. */
static void hand_over(uint64_t until)
{
	double begin = now();
	struct dlm_lksb got;
	int i;

	for (i = 0; ; i++) {
		wanted = false;
		get(DLM_LOCK_EX);
		if (value.count >= until)
			break;
		while (!wanted && value.count + 1 < until)
			if (read_answer(&got))
				errx(1, "an answer without a question");
		count();
	}
	get(DLM_LOCK_NL);
	say("has had the lock %d times, one hand-over in %.1f ms", i,
	    (now() - begin) * 1000 / ROUNDS);
}

static void counted(uint64_t expected)
{
	get(DLM_LOCK_PR);
	if (value.count != expected)
		errx(1, "the count is %llu, not %llu",
		     (unsigned long long)value.count,
		     (unsigned long long)expected);
	say("counts %llu, handed over %llu times",
	    (unsigned long long)value.count,
	    (unsigned long long)value.handed_over);
	get(DLM_LOCK_NL);
}

/* Node 1 holds the lock, and dies; the others get it. */
static void lose_node(void)
{
	struct pollfd poll_fd = { .fd = device, .events = POLLIN };
	struct dlm_lksb got;
	int lost;

	if (self == 1) {
		get(DLM_LOCK_EX);
		run("meet held");
		run("meet waited-for");
		say("holds the lock");
		puts("cluster: kill node 1");
		fflush(stdout);
		for (;;)
			pause();
	}
	run("meet held");
	ask(DLM_LOCK_EX, 0);
	/* It may have heard that others want what it had a moment ago. */
	if (poll(&poll_fd, 1, 2000) && read_answer(&got))
		errx(1, "gets the lock that node 1 holds");
	say("waits for the lock");
	run("meet waited-for");
	for (lost = 0; lost < 3; lost++) {
		if (!system("ping -c 1 -W 2 node1 >/dev/null"))
			lost = -1;
		usleep(100 * 1000);
	}
	say("has lost node 1");
	run("gosync-dlm-members stop " SPACE);
	run("meet stopped%s", survivors());
	if (poll(&poll_fd, 1, 0) && read_answer(&got))
		errx(1, "gets the lock before it knows of the death");
	run("gosync-dlm-members forget 1");
	run("gosync-dlm-members start " SPACE "%s", survivors());
	got = answer();
	if (got.sb_status)
		errx(1, "status %d after the death", got.sb_status);
	say("gets the lock, count %llu%s", (unsigned long long)value.count,
	    got.sb_flags & DLM_SBF_VALNOTVALID ? ", not valid" : "");
	count();
	run("meet inherited%s", survivors());
	counted(ROUNDS + nodes - 1);
}

/* Node 1 comes back; its lockspace begins when the others have stopped. */
static void welcome_node(void)
{
	if (self == 2) {
		puts("cluster: boot node 1");
		fflush(stdout);
	}
	if (self == 1) {
		run("meet back");
		create();
		get(DLM_LOCK_NL);
	} else {
		run("gosync-dlm-members stop " SPACE);
		run("gosync-dlm-members peer 1 10.77.0.1");
		run("meet back");
		run("gosync-dlm-members start " SPACE " 1%s", survivors());
	}
	get(DLM_LOCK_EX);
	count();
	run("meet again");
	counted(ROUNDS + nodes - 1 + nodes);
}

static int number(const char *name)
{
	const char *text = getenv(name);

	if (!text)
		errx(2, "%s is not set: see cluster.sh", name);
	return atoi(text);
}

int main(void)
{
	self = number("GOSYNC_NODE");
	nodes = number("GOSYNC_NODES");
	if (!number("GOSYNC_BOOTS")) {
		run("meet ready");
		create();
		get(DLM_LOCK_NL);
		if (self == 1)
			get(DLM_LOCK_EX);
		run("meet locked");
		if (self != 1)
			do_not_wait();
		run("meet denied");
		if (self == 1)
			get(DLM_LOCK_NL);
		hand_over(ROUNDS);
		run("meet handed-over");
		counted(ROUNDS);
		run("meet counted");
		lose_node();
	}
	welcome_node();
	remove_lockspace();
	return 0;
}
