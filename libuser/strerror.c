// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Words: errors in Go's sentences, and the names of types.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "internal.h"

static const struct {
	unsigned int op;
	int err;
	const char *sentence;
} sentences[] = {
	{ GOSYNC_IOC_MUTEX_UNLOCK, EPERM, "sync: unlock of unlocked mutex" },
	{ GOSYNC_IOC_RWMUTEX_UNLOCK, EPERM,
	  "sync: Unlock of unlocked RWMutex" },
	{ GOSYNC_IOC_RWMUTEX_RUNLOCK, EPERM,
	  "sync: RUnlock of unlocked RWMutex" },
	{ GOSYNC_IOC_WAITGROUP_ADD, ERANGE,
	  "sync: negative WaitGroup counter" },
	{ GOSYNC_IOC_WAITGROUP_ADD, EBUSY,
	  "sync: WaitGroup misuse: Add called concurrently with Wait" },
	{ GOSYNC_IOC_VALUE_STORE, EINVAL,
	  "sync/atomic: store of nil value into Value" },
	{ GOSYNC_IOC_VALUE_STORE, EPROTOTYPE,
	  "sync/atomic: store of inconsistently typed value into Value" },
	{ GOSYNC_IOC_VALUE_SWAP, EINVAL,
	  "sync/atomic: swap of nil value into Value" },
	{ GOSYNC_IOC_VALUE_SWAP, EPROTOTYPE,
	  "sync/atomic: swap of inconsistently typed value into Value" },
	{ GOSYNC_IOC_VALUE_CAS, EINVAL,
	  "sync/atomic: compare and swap of nil value into Value" },
	{ GOSYNC_IOC_VALUE_CAS, EPROTOTYPE,
	  "sync/atomic: compare and swap of inconsistently typed values" },
};

/*
 * A constant sentence. strerror() of other C libraries returns one, too; in
 * glibc a later call may overwrite it.
 */
static const char *describe(int err)
{
#ifdef __GLIBC__
	return strerrordesc_np(err);
#else
	return strerror(err);
#endif
}

/* Which of the program, this library and the module is older than another */
static const char *which_is_older(unsigned int program)
{
	const unsigned int library = GOSYNC_ABI_VERSION;
	int device = gosync_device();
	int module = device < 0 ? device : ioctl(device, GOSYNC_IOC_VERSION, 0);

	if (program < library)
		return "the program is older than libgosync-user: compile it anew";
	if (program > library)
		return "libgosync-user is older than the program";
	if (module > 0 && (unsigned int)module > library)
		return "libgosync-user is older than the gosync module";
	if (module > 0 && (unsigned int)module < library)
		return "the gosync module is older than libgosync-user";
	return "program, libgosync-user and gosync module are of different versions";
}

enum absence { NOT_LOADED, HIDDEN, FORBIDDEN, NO_PERMISSION, ANOTHER_FILE };

/* In this order */
static const char *const without_device[] = {
	"the gosync module is not loaded; as root: modprobe gosync",
	"the gosync module is loaded, but /dev/gosync is not visible here: give it to the container (--device /dev/gosync) or unit (PrivateDevices=no)",
	"a device policy forbids /dev/gosync: allow it for the container (--device /dev/gosync) or unit (DeviceAllow=/dev/gosync rw)",
	"no permission for /dev/gosync: see its mode and group (ls -l /dev/gosync)",
	"another file has the name /dev/gosync; as root: rm it, then load the gosync module anew",
};

/* Why there is no device for the caller, and what to do; NULL: there is one */
static const char *why_no_device(void)
{
	int fd = syscall(SYS_openat, AT_FDCWD, GOSYNC_DEVICE,
			 O_RDWR | O_CLOEXEC);
	int err = errno;
	int is_device;

	if (fd >= 0) {
		is_device = __gosync_fd_ioctl(fd, GOSYNC_IOC_VERSION, NULL) > 0;
		__gosync_close_fd(fd);
		return is_device ? NULL : without_device[ANOTHER_FILE];
	}
	switch (err) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		return without_device[access("/sys/module/gosync", F_OK) ?
				      NOT_LOADED : HIDDEN];
	case EPERM:
		return without_device[FORBIDDEN];
	case EACCES:
		return without_device[NO_PERMISSION];
	default:
		return NULL;
	}
}

EXPORT const char *gosync_strerror_abi(unsigned int abi, unsigned int op,
				       int err)
{
	const char *text;
	size_t i;

	if (err < 0)
		err = -err;
	if (err == ENXIO || ((err == EPERM || err == EACCES) &&
			     (!op || op == GOSYNC_IOC_OPEN))) {
		text = why_no_device();
		if (text)
			return text;
	}
	if (err == ESTALE)
		return "what this holder had was taken from it (broken)";
	if (op == GOSYNC_IOC_BREAK && err == ESRCH)
		return "no such holder, or it holds nothing";
	if (err == EPROTO)
		return which_is_older(abi);
	for (i = 0; i < sizeof(sentences) / sizeof(*sentences); i++)
		if (sentences[i].op == op && sentences[i].err == err)
			return sentences[i].sentence;
	text = describe(err);
	return text ? text : "Unknown error";
}

EXPORT const char *gosync_type_name(unsigned int type)
{
	static const char *const names[GOSYNC_TYPE_MAX] = {
		[GOSYNC_INT32] = "int32",
		[GOSYNC_UINT32] = "uint32",
		[GOSYNC_INT64] = "int64",
		[GOSYNC_UINT64] = "uint64",
		[GOSYNC_UINTPTR] = "uintptr",
		[GOSYNC_POINTER] = "pointer",
		[GOSYNC_BOOL] = "bool",
		[GOSYNC_VALUE] = "value",
		[GOSYNC_MUTEX] = "mutex",
		[GOSYNC_RWMUTEX] = "rwmutex",
		[GOSYNC_WAITGROUP] = "waitgroup",
		[GOSYNC_ONCE] = "once",
		[GOSYNC_COND] = "cond",
		[GOSYNC_SEMAPHORE] = "semaphore",
		[GOSYNC_MAP] = "map",
	};

	return type < GOSYNC_TYPE_MAX ? names[type] : NULL;
}

EXPORT uint64_t gosync_deadline(uint64_t ns)
{
	struct timespec now;
	uint64_t deadline;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (__builtin_add_overflow(now.tv_sec * 1000000000ULL + now.tv_nsec, ns,
				   &deadline))
		return GOSYNC_FOREVER;
	return deadline;
}
