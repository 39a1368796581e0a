// SPDX-License-Identifier: GPL-2.0-only
/*
 * Run this several times at once: one process sets up, the others wait for it.
 * If that process is killed (kill -9), the next one sets up.
 *
 *   setup            set up, or find it done
 *   setup --remove   forget that it was done
 */
#include <gosync-user.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NAME	"setup.example"

static void set_up(void *arg, int died)
{
	int *did_it = arg;

	if (died)
		printf("%d: somebody began and died, clearing up\n", getpid());
	/* What takes long, and may be done only once */
	sleep(2);
	*did_it = 1;
}

int main(int argc, char **argv)
{
	gosync_once_t *once;
	int did_it = 0;
	int ret;

	if (argc == 2 && !strcmp(argv[1], "--remove"))
		return gosync_unlink(NAME) != 0;

	/* It stays done when nobody has it open. */
	ret = gosync_once_open(NAME, GOSYNC_CREATE | GOSYNC_PERSIST, 0600,
			       &once);
	if (!ret)
		ret = gosync_once_do(once, set_up, &did_it);
	if (ret) {
		fprintf(stderr, "setup: %s\n",
			gosync_strerror(GOSYNC_IOC_ONCE_BEGIN, ret));
		return 1;
	}
	printf("%d: %s\n", getpid(), did_it ? "set it up" : "found it set up");
	gosync_close(once);
	return 0;
}
