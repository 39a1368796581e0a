// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Words: errors in Go's sentences, and the names of types.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

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

EXPORT const char *gosync_strerror_abi(unsigned int abi, unsigned int op,
				       int err)
{
	const char *text;
	size_t i;

	if (err < 0)
		err = -err;
	if (err == ENXIO)
		return "the gosync module is not loaded";
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
