/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copying in the kernel, and between user space and the kernel.
 */
#ifndef GOSYNC_COPY_H
#define GOSYNC_COPY_H

#include <linux/mm.h>
#include <linux/string.h>
#include <linux/types.h>

struct gosync_holder;

/* Up to this length data is copied in words. */
#define GOSYNC_SHORT		256

/*
 * memcpy() for data that is mostly short: it copies one, two or four words at a
 * time. The last of these may overlap those before. To set up a string
 * instruction takes longer than that.
 */
static inline void gosync_copy(void *to, const void *from, size_t len)
{
	const size_t word = sizeof(u64), two = 2 * word, four = 4 * word;
	size_t i;

	if (len < word || len > GOSYNC_SHORT) {
		memcpy(to, from, len);
	} else if (len > four) {
		for (i = 0; i + four < len; i += four)
			memcpy(to + i, from + i, 4 * sizeof(u64));
		memcpy(to + len - four, from + len - four, 4 * sizeof(u64));
	} else if (len > two) {
		memcpy(to, from, 2 * sizeof(u64));
		memcpy(to + len - two, from + len - two, 2 * sizeof(u64));
	} else {
		memcpy(to, from, sizeof(u64));
		memcpy(to + len - word, from + len - word, sizeof(u64));
	}
}

/* !memcmp() for data that is mostly short, in the same way */
static __always_inline bool gosync_same(const void *a, const void *b, size_t len)
{
	const size_t word = sizeof(u64);
	u64 first[2], last[2];

	if (len < word || len > 2 * word)
		return !memcmp(a, b, len);
	memcpy(&first[0], a, sizeof(u64));
	memcpy(&first[1], b, sizeof(u64));
	memcpy(&last[0], a + len - word, sizeof(u64));
	memcpy(&last[1], b + len - word, sizeof(u64));
	return first[0] == first[1] && last[0] == last[1];
}

/* Payloads up to this size are copied in without an allocation. */
#define GOSYNC_SMALL		128

/**
 * struct gosync_payload - a payload in the kernel's memory
 * @data: the payload
 * @len: its length
 * @small: the memory for a payload that fits
 */
struct gosync_payload {
	void *data;
	size_t len;
	u8 small[GOSYNC_SMALL];
};

int gosync_copy_from_user(void *to, u64 from, size_t len);
int gosync_payload_get(struct gosync_payload *payload, u64 from, size_t len);
int gosync_copy_out(u64 to, const void *from, size_t len);
bool gosync_touch(int *ret, u64 to, size_t len);
int gosync_copy_arg(void *arg, size_t known, void __user *uarg, u32 *size);
int gosync_return_arg(void __user *uarg, void *arg, size_t len);
int gosync_put(void __user *to, size_t room, const void *data, size_t size);
long gosync_give(void __user *uarg, size_t least, size_t size,
		 void (*fill)(struct gosync_holder *holder, void *data),
		 struct gosync_holder *holder);

/* Free what gosync_payload_get() has allocated, if anything. */
static inline void gosync_payload_put(struct gosync_payload *payload)
{
	if (unlikely(payload->data != payload->small))
		kvfree(payload->data);
}

/**
 * gosync_fault_in() - make gosync_copy_out() possible
 * @ret: in: the result of gosync_copy_out(); out: 0 or another error
 * @to: the address in user space
 * @len: the number of bytes; zeros are written there
 *
 * Return: true if the caller is to try once more: *@ret was -EAGAIN, and the
 * page is there now.
 */
static inline bool gosync_fault_in(int *ret, u64 to, size_t len)
{
	return unlikely(*ret == -EAGAIN) && gosync_touch(ret, to, len);
}

#endif /* GOSYNC_COPY_H */
