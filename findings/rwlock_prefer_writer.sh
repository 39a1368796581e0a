#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Expected: a POSIX rwlock of kind PTHREAD_RWLOCK_PREFER_WRITER_NP lets no new
# reader in while a writer waits.
#
# What happens (glibc 2.36): it does, exactly as PTHREAD_RWLOCK_PREFER_READER_NP,
# and setting the kind succeeds. Only PREFER_WRITER_NONRECURSIVE_NP keeps new
# readers out.
#
# Why one meets it: readers that follow each other closely keep a writer waiting
# for ever; who finds that out reaches for the constant whose name is the remedy,
# and nothing changes but the belief that it was cured.

set -u
# shellcheck source=findings/packages.bash
. "$(dirname "$0")/packages.bash"
get libc6=2.36-9+deb12u14

cd "$tmp" || exit
cat >kinds.c <<'END'
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static pthread_rwlock_t lock;

static void *writer(void *arg)
{
	pthread_rwlock_wrlock(&lock);
	pthread_rwlock_unlock(&lock);
	return arg;
}

static void *reader(void *arg)
{
	int *got = arg;

	*got = !pthread_rwlock_tryrdlock(&lock);
	if (*got)
		pthread_rwlock_unlock(&lock);
	return NULL;
}

static const char *try(int kind)
{
	pthread_rwlockattr_t attr;
	pthread_t w, r;
	int got;

	pthread_rwlockattr_init(&attr);
	if (pthread_rwlockattr_setkind_np(&attr, kind))
		return "no such kind";
	pthread_rwlock_init(&lock, &attr);
	pthread_rwlock_rdlock(&lock);
	pthread_create(&w, NULL, writer, NULL);
	sleep(1);
	pthread_create(&r, NULL, reader, &got);
	pthread_join(r, NULL);
	pthread_rwlock_unlock(&lock);
	pthread_join(w, NULL);
	return got ? "let in" : "kept out";
}

int main(void)
{
	printf("%s\n", try(PTHREAD_RWLOCK_PREFER_READER_NP));
	printf("%s\n", try(PTHREAD_RWLOCK_PREFER_WRITER_NP));
	printf("%s\n", try(PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP));
	return 0;
}
END
gcc -w -pthread -o kinds kinds.c
mapfile -t saw < <(with_its_libc ./kinds)
echo "a new reader, while one has the lock and a writer waits, is"
expect "  PREFER_READER" "${saw[0]-}" "let in"
expect "  PREFER_WRITER" "${saw[1]-}" "let in"
expect "  PREFER_WRITER_NONRECURSIVE" "${saw[2]-}" "kept out"
exit $changed
