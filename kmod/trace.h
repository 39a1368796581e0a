/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints: /sys/kernel/tracing/events/gosync.
 *
 * Each names the object, the holder for which something happens (0: for none),
 * and the fencing token of the last acquisition if there is one.
 * Documentation/tracing.md shows how to use them.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM gosync

#if !defined(GOSYNC_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define GOSYNC_TRACE_H

#include <linux/tracepoint.h>

#include "wait.h"

#define gosync_trace_types(_, last)		\
	_(GOSYNC_INT32, "int32")		\
	_(GOSYNC_UINT32, "uint32")		\
	_(GOSYNC_INT64, "int64")		\
	_(GOSYNC_UINT64, "uint64")		\
	_(GOSYNC_UINTPTR, "uintptr")		\
	_(GOSYNC_POINTER, "pointer")		\
	_(GOSYNC_BOOL, "bool")			\
	_(GOSYNC_VALUE, "value")		\
	_(GOSYNC_MUTEX, "mutex")		\
	_(GOSYNC_RWMUTEX, "rwmutex")		\
	_(GOSYNC_WAITGROUP, "waitgroup")	\
	_(GOSYNC_ONCE, "once")			\
	_(GOSYNC_COND, "cond")			\
	_(GOSYNC_SEMAPHORE, "semaphore")	\
	last(GOSYNC_MAP, "map")

#define gosync_trace_wants(_, last)		\
	_(GOSYNC_WANTS_IT, "it")		\
	_(GOSYNC_WANTS_TO_DRAIN, "drain")	\
	last(GOSYNC_WANTS_TO_READ, "read")

#define gosync_trace_hows(_, last)		\
	_(GOSYNC_BARGED, "barged")		\
	_(GOSYNC_WOKEN, "woken")		\
	last(GOSYNC_HANDED_OVER, "handed-over")

/* User space is told the numbers, too: it reads the events unformatted. */
#define GOSYNC_TRACE_ENUM(value, text)	TRACE_DEFINE_ENUM(value);
gosync_trace_types(GOSYNC_TRACE_ENUM, GOSYNC_TRACE_ENUM)
gosync_trace_wants(GOSYNC_TRACE_ENUM, GOSYNC_TRACE_ENUM)
gosync_trace_hows(GOSYNC_TRACE_ENUM, GOSYNC_TRACE_ENUM)

/* Nothing may follow the last: perf and trace-cmd could not read the format. */
#define GOSYNC_TRACE_TEXT(value, text)	{ value, text },
#define GOSYNC_TRACE_LAST(value, text)	{ value, text }

/* The fields that all events have, and how they are printed */
#define GOSYNC_TRACE_FIELDS					\
	__string_len(name, gosync_object_name(obj), obj->name_len)	\
	__field(u64, id)					\
	__field(u64, token)					\
	__field(u32, holder)					\
	__field(u8, type)

#define GOSYNC_TRACE_ASSIGN					\
	do {							\
		__assign_str(name);				\
		__entry->id = obj->id;				\
		__entry->token = gosync_object_token(obj);	\
		__entry->holder = holder;			\
		__entry->type = obj->type;			\
	} while (0)

#define GOSYNC_TRACE_FORMAT					\
	"name=%s id=%llu type=%s holder=%u token=%llu"

#define GOSYNC_TRACE_PRINT					\
	__get_str(name), __entry->id,				\
	__print_symbolic(__entry->type,				\
			 gosync_trace_types(GOSYNC_TRACE_TEXT, GOSYNC_TRACE_LAST)),	\
	__entry->holder, __entry->token

DECLARE_EVENT_CLASS(gosync_object,
	TP_PROTO(const struct gosync_object *obj, u32 holder),
	TP_ARGS(obj, holder),
	TP_STRUCT__entry(GOSYNC_TRACE_FIELDS),
	TP_fast_assign(GOSYNC_TRACE_ASSIGN;),
	TP_printk(GOSYNC_TRACE_FORMAT, GOSYNC_TRACE_PRINT)
);

#define GOSYNC_TRACE_EVENT(event)					\
	DEFINE_EVENT(gosync_object, gosync_##event,			\
		TP_PROTO(const struct gosync_object *obj, u32 holder),	\
		TP_ARGS(obj, holder))

GOSYNC_TRACE_EVENT(create);
GOSYNC_TRACE_EVENT(open);
GOSYNC_TRACE_EVENT(unlink);
GOSYNC_TRACE_EVENT(destroy);
GOSYNC_TRACE_EVENT(starvation_begin);
GOSYNC_TRACE_EVENT(starvation_end);
GOSYNC_TRACE_EVENT(owner_died);
GOSYNC_TRACE_EVENT(recovered);
GOSYNC_TRACE_EVENT(rwmutex_drain);
GOSYNC_TRACE_EVENT(cond_wait);
GOSYNC_TRACE_EVENT(once_begin);
GOSYNC_TRACE_EVENT(once_done);
GOSYNC_TRACE_EVENT(once_abandoned);
GOSYNC_TRACE_EVENT(value_store);

/* The same events with a number */
DECLARE_EVENT_CLASS(gosync_count,
	TP_PROTO(const struct gosync_object *obj, u32 holder, u64 count),
	TP_ARGS(obj, holder, count),
	TP_STRUCT__entry(
		GOSYNC_TRACE_FIELDS
		__field(u64, count)
	),
	TP_fast_assign(
		GOSYNC_TRACE_ASSIGN;
		__entry->count = count;
	),
	TP_printk(GOSYNC_TRACE_FORMAT " count=%llu", GOSYNC_TRACE_PRINT,
		  __entry->count)
);

#define GOSYNC_TRACE_COUNT(event)					\
	DEFINE_EVENT(gosync_count, gosync_##event,			\
		TP_PROTO(const struct gosync_object *obj, u32 holder,	\
			 u64 count),					\
		TP_ARGS(obj, holder, count))

/* The number of waiters that were woken; the number of slots of the table */
GOSYNC_TRACE_COUNT(cond_signal);
GOSYNC_TRACE_COUNT(waitgroup_zero);
GOSYNC_TRACE_COUNT(map_grow);

/* A task begins to wait; @owner (of the process @owner_pid) is the owner. */
TRACE_EVENT(gosync_contention_begin,
	TP_PROTO(const struct gosync_object *obj, u32 holder, u8 wants,
		 u32 owner, pid_t owner_pid),
	TP_ARGS(obj, holder, wants, owner, owner_pid),
	TP_STRUCT__entry(
		GOSYNC_TRACE_FIELDS
		__field(u8, wants)
		__field(u32, owner)
		__field(pid_t, owner_pid)
	),
	TP_fast_assign(
		GOSYNC_TRACE_ASSIGN;
		__entry->wants = wants;
		__entry->owner = owner;
		__entry->owner_pid = owner_pid;
	),
	TP_printk(GOSYNC_TRACE_FORMAT " wants=%s owner=%u owner_pid=%d",
		  GOSYNC_TRACE_PRINT,
		  __print_symbolic(__entry->wants,
				   gosync_trace_wants(GOSYNC_TRACE_TEXT, GOSYNC_TRACE_LAST)),
		  __entry->owner, __entry->owner_pid)
);

/* A task waits no longer: it has acquired the object, or has an error. */
TRACE_EVENT(gosync_contention_end,
	TP_PROTO(const struct gosync_object *obj, u32 holder, int ret),
	TP_ARGS(obj, holder, ret),
	TP_STRUCT__entry(
		GOSYNC_TRACE_FIELDS
		__field(int, ret)
	),
	TP_fast_assign(
		GOSYNC_TRACE_ASSIGN;
		__entry->ret = ret;
	),
	TP_printk(GOSYNC_TRACE_FORMAT " ret=%d", GOSYNC_TRACE_PRINT,
		  __entry->ret)
);

/*
 * A holder acquired it although others wait (@wait_ns is 0), or after a wait.
 */
TRACE_EVENT(gosync_acquired,
	TP_PROTO(const struct gosync_object *obj, u32 holder, u8 how,
		 u64 wait_ns),
	TP_ARGS(obj, holder, how, wait_ns),
	TP_STRUCT__entry(
		GOSYNC_TRACE_FIELDS
		__field(u8, how)
		__field(u64, wait_ns)
	),
	TP_fast_assign(
		GOSYNC_TRACE_ASSIGN;
		__entry->how = how;
		__entry->wait_ns = wait_ns;
	),
	TP_printk(GOSYNC_TRACE_FORMAT " how=%s wait_ns=%llu",
		  GOSYNC_TRACE_PRINT,
		  __print_symbolic(__entry->how,
				   gosync_trace_hows(GOSYNC_TRACE_TEXT, GOSYNC_TRACE_LAST)),
		  __entry->wait_ns)
);

/*
 * The running task wakes the task @tid, which was granted it or is to try
 * again.
 */
TRACE_EVENT(gosync_wake,
	TP_PROTO(const struct gosync_object *obj, u32 holder, u8 how,
		 pid_t tid),
	TP_ARGS(obj, holder, how, tid),
	TP_STRUCT__entry(
		GOSYNC_TRACE_FIELDS
		__field(u8, how)
		__field(pid_t, tid)
	),
	TP_fast_assign(
		GOSYNC_TRACE_ASSIGN;
		__entry->how = how;
		__entry->tid = tid;
	),
	TP_printk(GOSYNC_TRACE_FORMAT " how=%s tid=%d", GOSYNC_TRACE_PRINT,
		  __print_symbolic(__entry->how,
				   gosync_trace_hows(GOSYNC_TRACE_TEXT, GOSYNC_TRACE_LAST)),
		  __entry->tid)
);

#endif /* GOSYNC_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
