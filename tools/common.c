// SPDX-License-Identifier: GPL-2.0-only
/*
 * Functions for all sub-commands: texts for people, opening, numbers.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "gosync.h"

const char *name_text(const void *name, size_t len, char buf[NAME_BUF])
{
	const unsigned char *s = name;
	char *to = buf;
	size_t i;

	for (i = 0; i < len; i++)
		if (s[i] <= ' ' || s[i] >= '~' ||
		    strchr("'\"\\$`*?[]{}()<>|&;!#", s[i]))
			break;
	if (len && i == len) {
		memcpy(buf, name, len);
		buf[len] = 0;
		return buf;
	}

	*to++ = '$';
	*to++ = '\'';
	for (i = 0; i < len; i++) {
		if (s[i] < ' ' || s[i] > '~') {
			to += sprintf(to, "\\x%02x", s[i]);
			continue;
		}
		if (s[i] == '\'' || s[i] == '\\')
			*to++ = '\\';
		*to++ = s[i];
	}
	*to++ = '\'';
	*to = 0;
	return buf;
}

const char *duration_text(uint64_t ns, char buf[16])
{
	if (ns < 10000)
		snprintf(buf, 16, "%u ns", (unsigned int)ns);
	else if (ns < 10000000)
		snprintf(buf, 16, "%.1f us", ns / 1e3);
	else if (ns < 10000000000)
		snprintf(buf, 16, "%.1f ms", ns / 1e6);
	else
		snprintf(buf, 16, "%.1f s", ns / 1e9);
	return buf;
}

long parse_number(struct argp_state *state, const char *arg, const char *what,
		  long min, long max)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(arg, &end, 0);
	if (errno || end == arg || *end || n < min || n > max)
		argp_error(state, "%s must be a number from %ld to %ld", what,
			   min, max);
	return n;
}

double parse_seconds(struct argp_state *state, const char *arg,
		     const char *what)
{
	double seconds;
	char *end;

	seconds = strtod(arg, &end);
	/* The comparison is false for "nan", too. */
	if (end == arg || *end || !(seconds >= 0 && seconds <= 1e9))
		argp_error(state, "%s must be a number of seconds, 0 or more",
			   what);
	return seconds;
}

int exit_status(int err)
{
	switch (err) {
	case -EPROTOTYPE:
		return EX_DATAERR;
	case -ENOENT:
		return EX_NOINPUT;
	case -EMFILE:
	case -ENFILE:
	case -ENOMEM:
		return EX_OSERR;
	case -EDQUOT:
	case -ENOSPC:
		return EX_CANTCREAT;
	case -EACCES:
		return EX_NOPERM;
	}
	return 1;
}

uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

void output_gone(void)
{
	raise(SIGPIPE);
	fprintf(stderr, "%s: standard output: %s\n", program_invocation_name,
		strerror(EPIPE));
	exit(1);
}

int output_end(void)
{
	if (!fflush(stdout) && !ferror(stdout))
		return 0;
	fprintf(stderr, "%s: standard output: %s\n", program_invocation_name,
		strerror(errno));
	return 1;
}

void output_pause(uint64_t ns)
{
	const struct timespec time = { ns / NSEC_PER_SEC, ns % NSEC_PER_SEC };
	struct pollfd out = { .fd = STDOUT_FILENO };

	if (ppoll(&out, 1, &time, NULL) > 0)
		output_gone();
}

int device_open(void)
{
	int ret = gosync_device();
	int fd = ret < 0 ? ret : fcntl(ret, F_DUPFD_CLOEXEC, 0);

	if (ret >= 0 && fd < 0)
		ret = -errno;
	if (fd >= 0)
		return fd;
	fprintf(stderr, "gosync: %s%s\n", gosync_strerror(GOSYNC_IOC_OPEN, ret),
		ret == -EMFILE ? "; see ulimit -n" : "");
	exit(ret == -ENXIO ? EX_UNAVAILABLE : exit_status(ret));
}

int object_open(const char *name, unsigned int type, unsigned int flags)
{
	struct gosync_open_args how = {
		.size = sizeof(how),
		.type = type,
		.flags = flags,
		.name = (uintptr_t)name,
		.name_len = strlen(name),
	};
	int device, object;

	if (!*name)
		return -ENOENT;
	device = device_open();
	object = ioctl(device, GOSYNC_IOC_OPEN, &how);
	if (object < 0)
		object = -errno;
	close(device);
	return object;
}

void object_error(const char *name, unsigned int op, int err)
{
	const char *advice = "";
	char text[NAME_BUF];

	switch (err) {
	case -ENOENT:
		advice = "; gosync ls lists the names";
		break;
	case -EACCES:
		advice = "; ask its owner, or be root";
		break;
	case -EBUSY:
		if (op == GOSYNC_IOC_UNLINK)
			advice = "; a process has it open";
		else if (op == GOSYNC_IOC_CHANGE)
			advice = "; it would have to be moved, and a process has it open";
		break;
	case -EPERM:
		if (op == GOSYNC_IOC_UNLINK || op == GOSYNC_IOC_BREAK)
			advice = "; you must be its owner or root";
		else if (op == GOSYNC_IOC_CHANGE)
			advice = "; you must be its owner; only root gives it to another user";
		break;
	}
	fprintf(stderr, "%s: %s: %s%s\n", program_invocation_name,
		name_text(name, strlen(name), text), gosync_strerror(op, err),
		advice);
}

error_t names_parse(int key, struct argp_state *state, struct names *names)
{
	if (key == ARGP_KEY_NO_ARGS && names->required)
		argp_usage(state);
	if (key != ARGP_KEY_ARGS)
		return ARGP_ERR_UNKNOWN;
	names->names = state->argv + state->next;
	names->count = state->argc - state->next;
	return 0;
}

struct each {
	bool (*wanted)(const struct gosync_info *info, void *arg);
	void (*fn)(int object, const struct gosync_info *info, void *arg);
	void *arg;
};

static int each_name(const char *name, const struct each *each)
{
	struct gosync_info info = { .size = sizeof(info) };
	int object = object_open(name, 0, GOSYNC_RDONLY);
	int ret = 0;

	if (object < 0)
		return object;
	if (ioctl(object, GOSYNC_IOC_INFO, &info) < 0)
		ret = -errno;
	else
		each->fn(object, &info, each->arg);
	close(object);
	return ret;
}

static int each_entry(const struct gosync_info *info, void *arg)
{
	const struct each *each = arg;
	int ret;

	if (each->wanted && !each->wanted(info, each->arg))
		return 0;
	ret = each_name((const char *)info->name, each);
	/* The object may be gone meanwhile. */
	return ret == -ENOENT ? 0 : ret;
}

int objects_each(const struct names *names,
		 bool (*wanted)(const struct gosync_info *info, void *arg),
		 void (*fn)(int object, const struct gosync_info *info,
			    void *arg),
		 void *arg)
{
	struct each each = { wanted, fn, arg };
	int status = 0;
	int i, ret;

	if (!names->count) {
		close(device_open());
		ret = gosync_list(each_entry, &each);
		if (!ret)
			return 0;
		fprintf(stderr, "%s: %s\n", program_invocation_name,
			gosync_strerror(0, ret));
		return 1;
	}
	for (i = 0; i < names->count; i++) {
		ret = each_name(names->names[i], &each);
		if (!ret)
			continue;
		object_error(names->names[i], GOSYNC_IOC_OPEN, ret);
		status = 1;
	}
	return status;
}

/* A name or, if there is none, the number; the last answer is kept */
struct id_text {
	uint32_t id;
	char text[33];
};

#define ID_TEXTS	64

static const char *id_text(struct id_text *known, uint32_t id,
			   const char *(*ask)(uint32_t id))
{
	struct id_text *text = &known[id % ID_TEXTS];
	const char *name;

	if (*text->text && text->id == id)
		return text->text;
	name = ask(id);
	text->id = id;
	if (name && *name && strlen(name) < sizeof(text->text))
		strcpy(text->text, name);
	else
		sprintf(text->text, "%u", id);
	return text->text;
}

static const char *ask_user(uint32_t uid)
{
	struct passwd *user = getpwuid(uid);

	return user ? user->pw_name : NULL;
}

static const char *ask_group(uint32_t gid)
{
	struct group *group = getgrgid(gid);

	return group ? group->gr_name : NULL;
}

const char *user_text(uint32_t uid)
{
	static struct id_text known[ID_TEXTS];

	return id_text(known, uid, ask_user);
}

const char *group_text(uint32_t gid)
{
	static struct id_text known[ID_TEXTS];

	return id_text(known, gid, ask_group);
}

const char *flags_text(const struct gosync_info *info, char buf[FLAGS_BUF])
{
	snprintf(buf, FLAGS_BUF, "%s%s%s%s%s%s%s",
		 info->flags & GOSYNC_CLUSTER ? ",cluster" : "",
		 info->flags & GOSYNC_PERSIST ? ",persist" : "",
		 info->flags & GOSYNC_OWN_PAGE ? ",own-page" : "",
		 info->flags & GOSYNC_NO_MMAP ? ",no-mmap" : "",
		 info->flags & GOSYNC_ERRORCHECK ? ",errorcheck" : "",
		 info->flags & GOSYNC_GIVE_BACK ? ",give-back" : "",
		 (info->type == GOSYNC_MUTEX || info->type == GOSYNC_RWMUTEX) &&
		 info->word & GOSYNC_MUTEX_POISONED ? ",poisoned" : "");
	return *buf ? buf + 1 : NULL;
}

const char *type_text(unsigned int type)
{
	const char *name = gosync_type_name(type);

	return name ? name : "?";
}

const char *wants_text(unsigned int type, unsigned int wants)
{
	switch (type) {
	case GOSYNC_MUTEX:
		return "lock";
	case GOSYNC_RWMUTEX:
		return wants == GOSYNC_WANTS_TO_READ ? "read" :
		       wants == GOSYNC_WANTS_TO_DRAIN ? "drain" : "write";
	case GOSYNC_WAITGROUP:
		return "zero";
	case GOSYNC_ONCE:
		return "done";
	case GOSYNC_COND:
		return "signal";
	case GOSYNC_SEMAPHORE:
		return "permits";
	default:
		return "change";
	}
}
