// SPDX-License-Identifier: GPL-2.0-only
/*
 * gosync demo --contended: a shop that takes too few orders.
 *
 * Four processes take orders: for each order they look up a price, ask the
 * database, and enter the order in the book. One process bills the orders in the
 * book, another changes prices. They share
 *
 *   demo.orders  a Mutex: the book of orders
 *   demo.prices  an RWMutex: the prices
 *   demo.db      a Semaphore: connections to the database
 *
 * There are three mistakes, one with each:
 *
 *   - billing prints the invoices while it has the book locked; it could take
 *     the orders out and unlock the book first;
 *   - pricing locks the prices again for each price; it could lock them once;
 *   - there is one connection to the database, and four processes need one.
 *
 * --fixed avoids them. Documentation/tracing.md finds them one by one.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "demo.h"

#define SHOPS		4
#define INVOICE_NS	(20 * NSEC_PER_MSEC)	/* to print all invoices */
#define QUERY_NS	(2 * NSEC_PER_MSEC)	/* to ask the database */
#define CHANGE_NS	(NSEC_PER_MSEC / 2)	/* to write prices */
#define CHANGES		20			/* prices in a row */

enum { ORDERS, PRICES, DB, NR };

static const char * const names[NR] = { "demo.orders", "demo.prices", "demo.db" };

static gosync_mutex_t *book;
static gosync_rwmutex_t *prices;
static gosync_semaphore_t *db;

/* The processes share this memory. */
struct shop {
	uint64_t ordered;
	uint64_t in_book;		/* under the lock */
	uint64_t price;			/* under the lock */
};

static struct shop *shop;
static bool mended;
static volatile sig_atomic_t stopped;

/* The result of a run */
struct outcome {
	uint64_t orders;
	double seconds;
	struct gosync_stat stat[NR];
};

/* --- The processes. Traces show the names of these functions. -------------- */

static __attribute__((noinline)) void look_up_price(void)
{
	or_die(gosync_rwmutex_rlock(prices), "rlock demo.prices");
	__atomic_load_n(&shop->price, __ATOMIC_RELAXED);
	or_die(gosync_rwmutex_runlock(prices), "runlock demo.prices");
}

static __attribute__((noinline)) void ask_database(void)
{
	or_die(gosync_semaphore_acquire(db, 1), "acquire demo.db");
	snooze(QUERY_NS);
	or_die(gosync_semaphore_release(db, 1), "release demo.db");
}

static __attribute__((noinline)) void enter_order(void)
{
	or_die(gosync_mutex_lock(book), "lock demo.orders");
	shop->in_book++;
	or_die(gosync_mutex_unlock(book), "unlock demo.orders");
}

static void take_orders(void)
{
	for (;;) {
		look_up_price();
		ask_database();
		enter_order();
		__atomic_add_fetch(&shop->ordered, 1, __ATOMIC_RELAXED);
	}
}

static __attribute__((noinline)) void print_invoices(void)
{
	snooze(INVOICE_NS);
}

static void bill(void)
{
	for (;;) {
		or_die(gosync_mutex_lock(book), "lock demo.orders");
		shop->in_book = 0;
		if (!mended)
			print_invoices();
		or_die(gosync_mutex_unlock(book), "unlock demo.orders");
		if (mended)
			print_invoices();
		snooze(5 * NSEC_PER_MSEC);
	}
}

/* Writing takes the same time for one price and for many. */
static __attribute__((noinline)) void change_prices(int n)
{
	or_die(gosync_rwmutex_lock(prices), "lock demo.prices");
	shop->price += n;
	snooze(CHANGE_NS);
	or_die(gosync_rwmutex_unlock(prices), "unlock demo.prices");
}

static void reprice(void)
{
	int i;

	for (;;) {
		if (mended)
			change_prices(CHANGES);
		else
			for (i = 0; i < CHANGES; i++)
				change_prices(1);
		snooze(20 * NSEC_PER_MSEC);
	}
}

/* --- The parent ----------------------------------------------------------- */

static void stop(int sig)
{
	stopped = sig;
}

static pid_t start(const char *name, void (*work)(void))
{
	pid_t parent = getpid(), pid = fork();

	or_die(pid < 0 ? -errno : 0, "fork");
	if (pid)
		return pid;
	prctl(PR_SET_NAME, name);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	if (getppid() == parent)
		work();
	_exit(1);
}

static void open_all(void)
{
	const unsigned int flags = GOSYNC_CREATE | GOSYNC_EXCL;

	or_die(gosync_mutex_open(names[ORDERS], flags, 0600, &book),
	       names[ORDERS]);
	or_die(gosync_rwmutex_open(names[PRICES], flags, 0600, &prices),
	       names[PRICES]);
	or_die(gosync_semaphore_open(names[DB], mended ? SHOPS : 1,
				     flags | GOSYNC_GIVE_BACK, 0600, &db),
	       names[DB]);
}

static void watch(pid_t pids[SHOPS + 2], int seconds, struct outcome *outcome)
{
	uint64_t begin = now_ns(), end = begin + seconds * NSEC_PER_SEC;
	int i;

	while (now_ns() < end && !stopped) {
		snooze(50 * NSEC_PER_MSEC);
		if (waitpid(-1, NULL, WNOHANG) <= 0)
			continue;
		fprintf(stderr, "gosync demo: a process of the shop ended too early\n");
		exit(1);
	}
	outcome->orders = shop->ordered;
	outcome->seconds = (now_ns() - begin) / 1e9;
	or_die(gosync_stat(book, &outcome->stat[ORDERS]), names[ORDERS]);
	or_die(gosync_stat(prices, &outcome->stat[PRICES]), names[PRICES]);
	or_die(gosync_stat(db, &outcome->stat[DB]), names[DB]);
	for (i = 0; i < SHOPS + 2; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	gosync_close(book);
	gosync_close(prices);
	gosync_close(db);
}

static void run(bool fixed, int seconds, struct outcome *outcome)
{
	pid_t pids[SHOPS + 2];
	char name[16];
	int i;

	mended = fixed;
	*shop = (struct shop) { };
	open_all();
	for (i = 0; i < SHOPS; i++) {
		snprintf(name, sizeof(name), "shop-%d", i + 1);
		pids[i] = start(name, take_orders);
	}
	pids[SHOPS] = start("billing", bill);
	pids[SHOPS + 1] = start("pricing", reprice);
	watch(pids, seconds, outcome);
	/* All processes have ended, so the objects are gone. */
	if (stopped) {
		fprintf(stderr, "gosync demo: interrupted; nothing is left behind\n");
		exit(128 + stopped);
	}
}

/* The time waited for an object, divided by the number of orders */
static const char *waited(const struct outcome *outcome, int which, char buf[16])
{
	uint64_t orders = outcome->orders ? outcome->orders : 1;

	return duration_text(outcome->stat[which].wait_ns / orders, buf);
}

static void compare(const struct outcome *slow, const struct outcome *good)
{
	char a[16], b[16];
	int i;

	printf("\n%-28s %12s %12s\n", "", "as it was", "fixed");
	printf("%-28s %10.0f/s %10.0f/s\n", "orders taken",
	       slow->orders / slow->seconds, good->orders / good->seconds);
	for (i = 0; i < NR; i++)
		printf("waited for %-11s an order %9s %12s\n", names[i],
		       waited(slow, i, a), waited(good, i, b));
	printf("\nThe causes, and how --fixed removes them:\n"
	       "  demo.orders  billing prints invoices with the book locked; it can unlock first\n"
	       "  demo.db      %d shops share one connection; with %d connections none waits\n"
	       "  demo.prices  pricing locks %d times to change %d prices; it can lock once\n",
	       SHOPS, SHOPS, CHANGES, CHANGES);
}

int demo_contended(int seconds, bool fixed)
{
	struct sigaction action = { .sa_handler = stop };
	int rest = seconds > 3 ? seconds / 3 : 1;
	struct outcome slow, good;

	shop = mmap(NULL, sizeof(*shop), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	or_die(shop == MAP_FAILED ? -errno : 0, "memory");
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	setlinebuf(stdout);
	printf("A shop takes %s orders, for %d seconds. Look at it from another terminal:\n"
	       "    gosync top\n"
	       "    gosync waiters demo.orders\n"
	       "    gosync holders demo.orders\n"
	       "    gosync stat demo.orders demo.prices demo.db\n"
	       "    gosync trace --folded\n"
	       "    gosync deadlocks\n",
	       fixed ? "many" : "too few", seconds);
	run(fixed, seconds, fixed ? &good : &slow);
	printf("Now the same shop runs for %d seconds %s.\n", rest,
	       fixed ? "with the mistakes" : "without the mistakes");
	run(!fixed, rest, fixed ? &slow : &good);
	compare(&slow, &good);
	return 0;
}
