#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Expected: a process may have as many named semaphores open as there is memory for. Each
# has 32 bytes, and needs no descriptor once it is open.
#
# What happens (glibc 2.36): each one that is open is a mapping of its own, of a page of its
# own file. So sem_open(3) ends with ENOMEM at vm.max_map_count, 65,530 unless it was
# changed, less the mappings that the process has anyway. Nothing in /dev/shm and no memory
# is short. The mappings are used up for everything else in that process, too: another
# mmap(2) fails.
#
# Why one meets it: a semaphore for each row, file or connection, opened once and kept. It
# goes well in each test, and fails in the one process that has all of them open. Semaphores
# beside each other in one shared page (sem_init(3)) do not have this limit.

set -u
# shellcheck source=findings/packages.bash
. "$(dirname "$0")/packages.bash"
get libc6=2.36-9+deb12u14

cd "$tmp" || exit
cat >many.c <<'END'
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

static sem_t *opened(int i)
{
	char name[64];
	sem_t *sem;

	snprintf(name, sizeof(name), "/many.%d.%d", getpid(), i);
	sem = sem_open(name, O_CREAT | O_EXCL, 0600, 1);
	if (sem != SEM_FAILED)
		sem_unlink(name);
	return sem;
}

static int maps(void)
{
	return mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
	       MAP_FAILED;
}

int main(int argc, char **argv)
{
	sem_t *sem = NULL, *last = NULL;
	int i;

	for (i = 0; i < 1000000; i++) {
		sem = opened(i);
		if (sem == SEM_FAILED)
			break;
		last = sem;
	}
	printf("%d\n%s\n", i, errno == ENOMEM ? "ENOMEM" : "another");
	printf("%s\n", maps() ? "yes" : "no");
	sem_close(last);
	printf("%s\n", opened(i) != SEM_FAILED ? "yes" : "no");
	return 0;
}
END
gcc -w -pthread -o many many.c
most=$(cat /proc/sys/vm/max_map_count)
mapfile -t saw < <(with_its_libc ./many)
echo "a process opens named semaphores until it cannot; vm.max_map_count is $most"
echo "  it has ${saw[0]-} of them open"
expect "  which is less than that, by fewer than 100" \
	"$(((most - ${saw[0]-0}) / 100 == 0 && ${saw[0]-0} < most))" 1
expect "  the error of the next" "${saw[1]-}" ENOMEM
expect "  it can map another page of memory" "${saw[2]-}" no
expect "  it can open another once it has closed one" "${saw[3]-}" yes
exit $changed
