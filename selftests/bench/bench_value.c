// SPDX-License-Identifier: GPL-2.0-only
/*
 * Values: 64 bytes, beside memcpy() from and to shared memory, which would be
 * torn when somebody writes meanwhile.
 *
 * load-64		one process copies the payload into a buffer
 * load-64-2readers	two processes do
 * read-64		one process adds up the payload: where it is, if it can
 *			be told afterwards that it was whole, or in a copy
 * store-64		one process replaces the payload
 *
 * A Value's length is known when it runs, so memcpy() is not told it at
 * compile time either: it is the C library's function that is called.
 */
#include <errno.h>
#include <string.h>

#include "bench.h"
#include "gosync-user.h"

#define TYPE	42

static gosync_value_t *value;
static char *shared;
static char payload[64] __aligned(64);
static volatile size_t payload_len = sizeof(payload);

static int open_gosync_with(struct run *r, unsigned int flags)
{
	int ret = gosync_value_open(r->name, sizeof(payload),
				    GOSYNC_CREATE | flags, 0600, &value);

	return ret ?: gosync_value_store(value, TYPE, payload, sizeof(payload));
}

static int open_gosync(struct run *r)
{
	return open_gosync_with(r, 0);
}

static int open_gosync_ioctl(struct run *r)
{
	return open_gosync_with(r, GOSYNC_IOCTL_ONLY);
}

static int share(struct run *r, bool create)
{
	shared = bench_share(r, sizeof(payload), create);
	return shared ? 0 : errno;
}

static int create_shared(struct run *r)
{
	return share(r, true);
}

static int open_shared(struct run *r)
{
	return share(r, false);
}

static inline int load(gosync_value_t *v, void *buf)
{
	size_t len = sizeof(payload);

	return gosync_value_load(v, buf, &len, NULL);
}

static void load_gosync(struct run *r)
{
	char buf[sizeof(payload)] __aligned(64);
	gosync_value_t *v = value;

	BENCH_LOOP(r, 64, failed |= load(v, buf));
}

static inline uint64_t sum(const uint64_t *words)
{
	uint64_t all = 0;
	unsigned int i;

	for (i = 0; i < sizeof(payload) / sizeof(*words); i++)
		all += words[i];
	return all;
}

static inline int read_there(gosync_value_t *v, volatile uint64_t *all)
{
	struct gosync_peek peek;
	int ret;

	do {
		ret = gosync_value_peek(v, &peek);
		if (ret || peek.len != sizeof(payload))
			return -1;
		*all = sum(peek.data);
	} while (!gosync_peek_valid(&peek));
	return 0;
}

static void read_gosync(struct run *r)
{
	gosync_value_t *v = value;
	volatile uint64_t all;

	BENCH_LOOP(r, 64, failed |= read_there(v, &all));
}

#define load_gosync_load	load_gosync
#define store_gosync_load	store_gosync

static void read_gosync_load(struct run *r)
{
	uint64_t buf[sizeof(payload) / sizeof(uint64_t)];
	gosync_value_t *v = value;
	volatile uint64_t all;

	BENCH_LOOP(r, 64, failed |= load(v, buf); all = sum(buf));
	(void)all;
}

static void store_gosync(struct run *r)
{
	gosync_value_t *v = value;

	BENCH_LOOP(r, 64, failed |= gosync_value_store(v, TYPE, payload,
						       sizeof(payload)));
}

/* Keep the compiler from seeing through the copies, and out of the loops. */
static inline int copy(void *to, const void *from, size_t len)
{
	memcpy(to, from, len);
	__asm__ volatile("" : : : "memory");
	return 0;
}

static void load_memcpy(struct run *r)
{
	char buf[sizeof(payload)] __aligned(64);
	size_t len = payload_len;
	char *from = shared;

	BENCH_LOOP(r, 64, failed |= copy(buf, from, len));
}

static void read_memcpy(struct run *r)
{
	uint64_t buf[sizeof(payload) / sizeof(uint64_t)];
	size_t len = payload_len;
	volatile uint64_t all;
	char *from = shared;

	BENCH_LOOP(r, 64, failed |= copy(buf, from, len); all = sum(buf));
	(void)all;
}

static void store_memcpy(struct run *r)
{
	size_t len = payload_len;
	char *to = shared;

	BENCH_LOOP(r, 64, failed |= copy(to, payload, len));
}

#define VALUE(impl_, x, ...)						\
	{ .op = "value", .kase = "load-64", .procs = 1, .ms = 100,	\
	  .counted = true, .impl = impl_, .run = load_##x, __VA_ARGS__ },	\
	{ .op = "value", .kase = "load-64-2readers", .procs = 2, .ms = 100,	\
	  .impl = impl_, .run = load_##x, __VA_ARGS__ },		\
	{ .op = "value", .kase = "read-64", .procs = 1, .ms = 100,	\
	  .counted = true, .impl = impl_, .run = read_##x, __VA_ARGS__ },	\
	{ .op = "value", .kase = "store-64", .procs = 1, .ms = 100,	\
	  .counted = true, .impl = impl_, .run = store_##x, __VA_ARGS__ }

const struct bench value_benches[] = {
	VALUE("gosync", gosync, .open = open_gosync),
	VALUE("gosync-ioctl", gosync_load, .open = open_gosync_ioctl),
	VALUE("memcpy", memcpy, BENCH_SHARED(create_shared, open_shared)),
	{ }
};
