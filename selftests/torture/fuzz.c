// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whatever processes do with the device, with descriptors and with mapped pages:
 * the kernel lives, every error is one that users are told of, everybody can be
 * killed, and others do not notice.
 *
 * Some processes run random programs of a few calls each, on objects that all of
 * them have. Programs that reach code of the module for the first time, as KCOV
 * tells, are kept, and new ones are made from these. Without KCOV any program is
 * kept for a while. Meanwhile the processes are killed at random, and a neighbour
 * uses objects of its own.
 *
 * GOSYNC_FUZZ_CORPUS is a file of programs to begin with. The programs that were
 * kept are written to fuzz.corpus in GOSYNC_OUT.
 */
#include <linux/kcov.h>
#include <liburing.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include "torture.h"
#include "users.h"

enum {
	WORKERS = 10, CALLS = 10, WORDS = 12, CORPUS = 1024, MAPS = 4,
	EDGES = 1 << 16, PCS = 1 << 14,
	/* Descriptors: the device, an object of each type, what calls return */
	DEVICE = 0, FIRST_FREE = GOSYNC_TYPE_MAX, FDS = 24,
	BUFFER = 4096, BASE_FD = 100, NAMES = 8, NAME_SIZE = 32, SEVERAL = 4,
	ARGUMENTS = 64,
};

/* What a word of an argument is */
enum {
	NUMBER,			/* itself */
	BUF,			/* the address of a buffer that can be written */
	EDGE_OF_BUF,		/* ... of one that ends after 8 bytes */
	READ_ONLY,		/* ... of one that cannot be written */
	NOWHERE,		/* ... of nothing */
	NAME,			/* ... of a name */
	ENTRIES,		/* ... of struct gosync_wait_entry */
	ITEMS,			/* ... of struct gosync_map_store_item */
	SOON,			/* a deadline that is near */
	FD,			/* a descriptor, in the lower half */
	KINDS_OF_WORD,
};

/* What a call is */
enum {
	IOCTL, URING, MMAP, MUNMAP, SCRIBBLE, CLOSE, DUP, POLL, FILE_CALL, FORK,
	SEND, RECEIVE, ANEW, KINDS_OF_CALL,
};

struct one {
	uint8_t kind;
	uint8_t fd;		/* which of the descriptors */
	uint8_t cmd;		/* which row of commands[] */
	uint8_t what[WORDS];	/* each word is */
	uint64_t word[WORDS];
};

struct program {
	uint32_t count;
	struct one calls[CALLS];
};

/* Everybody's */
struct shared {
	uint64_t calls;
	uint64_t programs;
	uint64_t kills;
	uint64_t neighbours;		/* rounds of the neighbour */
	uint64_t longest;		/* of its calls, ns */
	uint32_t edges;
	uint32_t kept;			/* programs */
	uint32_t bad;			/* an error that nobody is told of */
	uint8_t edge[EDGES];
	struct program corpus[CORPUS];
};

static struct shared *shared;

struct command {
	unsigned int cmd;
	uint8_t type;		/* of the object, 0: device, GOSYNC_TYPE_MAX: any */
	uint8_t size;		/* of the argument, 0: none */
	uint8_t what[WORDS];
};

#define AT(s, member)							\
	[offsetof(struct gosync_##s, member) / 8]
#define C(cmd, type, s, ...)						\
	{ GOSYNC_IOC_##cmd, type, sizeof(struct gosync_##s), { __VA_ARGS__ } }
#define PLAIN(cmd, type)	{ GOSYNC_IOC_##cmd, type, 0, {} }
#define ANY			GOSYNC_TYPE_MAX
#define WAITS			AT(wait_args, deadline) = SOON
#define VALUE_BUFS							\
	AT(value_args, buf) = BUF, AT(value_args, old_buf) = BUF
#define MAP_BUFS							\
	AT(map_args, key) = NAME, AT(map_args, buf) = BUF,		\
	AT(map_args, old_buf) = BUF
#define PARTIES			AT(parties_args, entries) = BUF

static const struct command commands[] = {
	PLAIN(VERSION, ANY),
	C(OPEN, 0, open_args, AT(open_args, name) = NAME,
	  AT(open_args, deadline) = SOON),
	C(UNLINK, 0, unlink_args, AT(unlink_args, name) = NAME),
	C(CHANGE, 0, change_args, AT(change_args, name) = NAME),
	C(LIST, 0, list_args, AT(list_args, entries) = BUF),
	C(WAIT, 0, wait_many_args, AT(wait_many_args, entries) = ENTRIES,
	  AT(wait_many_args, deadline) = SOON),
	{ GOSYNC_IOC_INFO, ANY, 64, {} },
	{ GOSYNC_IOC_STAT, ANY, 64, {} },
	C(WAITERS, ANY, parties_args, PARTIES),
	C(HOLDERS, ANY, parties_args, PARTIES),
	C(REOPEN, ANY, reopen_args),
	C(WATCH, ANY, watch_args),
	C(BREAK, GOSYNC_MUTEX, break_args),
	C(BREAK, GOSYNC_RWMUTEX, break_args),
	C(BREAK, GOSYNC_SEMAPHORE, break_args),
	PLAIN(ABANDON, GOSYNC_MUTEX),
	PLAIN(ABANDON, GOSYNC_RWMUTEX),
	C(ATOMIC_LOAD, GOSYNC_INT32, atomic_args),
	C(ATOMIC_STORE, GOSYNC_INT64, atomic_args),
	C(ATOMIC_SWAP, GOSYNC_BOOL, atomic_args),
	C(ATOMIC_ADD, GOSYNC_UINT32, atomic_args),
	C(ATOMIC_CAS, GOSYNC_UINT64, atomic_args),
	C(ATOMIC_AND, GOSYNC_UINTPTR, atomic_args),
	C(ATOMIC_OR, GOSYNC_INT64, atomic_args),
	C(ATOMIC_WAIT, GOSYNC_INT32, atomic_wait_args,
	  AT(atomic_wait_args, deadline) = SOON),
	C(ATOMIC_WAKE, GOSYNC_INT32, atomic_wake_args),
	C(VALUE_LOAD, GOSYNC_VALUE, value_args, VALUE_BUFS),
	C(VALUE_STORE, GOSYNC_VALUE, value_args, VALUE_BUFS),
	C(VALUE_SWAP, GOSYNC_VALUE, value_args, VALUE_BUFS),
	C(VALUE_CAS, GOSYNC_VALUE, value_args, VALUE_BUFS),
	C(VALUE_WAIT, GOSYNC_VALUE, version_wait_args,
	  AT(version_wait_args, deadline) = SOON),
	C(MUTEX_LOCK, GOSYNC_MUTEX, wait_args, WAITS),
	PLAIN(MUTEX_TRYLOCK, GOSYNC_MUTEX),
	PLAIN(MUTEX_UNLOCK, GOSYNC_MUTEX),
	PLAIN(MUTEX_RECOVER, GOSYNC_MUTEX),
	C(RWMUTEX_LOCK, GOSYNC_RWMUTEX, wait_args, WAITS),
	PLAIN(RWMUTEX_TRYLOCK, GOSYNC_RWMUTEX),
	PLAIN(RWMUTEX_UNLOCK, GOSYNC_RWMUTEX),
	PLAIN(RWMUTEX_RECOVER, GOSYNC_RWMUTEX),
	C(RWMUTEX_DRAIN, GOSYNC_RWMUTEX, wait_args, WAITS),
	C(RWMUTEX_RLOCK, GOSYNC_RWMUTEX, wait_args, WAITS),
	PLAIN(RWMUTEX_TRYRLOCK, GOSYNC_RWMUTEX),
	PLAIN(RWMUTEX_RUNLOCK, GOSYNC_RWMUTEX),
	PLAIN(RWMUTEX_DRAINED, GOSYNC_RWMUTEX),
	C(WAITGROUP_ADD, GOSYNC_WAITGROUP, waitgroup_add_args),
	C(WAITGROUP_WAIT, GOSYNC_WAITGROUP, waitgroup_wait_args,
	  AT(waitgroup_wait_args, deadline) = SOON),
	C(ONCE_BEGIN, GOSYNC_ONCE, once_begin_args,
	  AT(once_begin_args, deadline) = SOON, AT(once_begin_args, cancel) = FD),
	PLAIN(ONCE_DONE, GOSYNC_ONCE),
	C(ONCE_WAIT, GOSYNC_ONCE, wait_args, WAITS),
	PLAIN(ONCE_ABANDON, GOSYNC_ONCE),
	C(COND_WAIT, GOSYNC_COND, cond_wait_args,
	  AT(cond_wait_args, deadline) = SOON, AT(cond_wait_args, lock) = FD),
	PLAIN(COND_SIGNAL, GOSYNC_COND),
	PLAIN(COND_BROADCAST, GOSYNC_COND),
	C(SEMAPHORE_ACQUIRE, GOSYNC_SEMAPHORE, semaphore_args,
	  AT(semaphore_args, deadline) = SOON),
	C(SEMAPHORE_TRYACQUIRE, GOSYNC_SEMAPHORE, semaphore_args),
	C(SEMAPHORE_RELEASE, GOSYNC_SEMAPHORE, semaphore_args),
	C(SEMAPHORE_LIMIT, GOSYNC_SEMAPHORE, semaphore_args),
	C(MAP_LOAD, GOSYNC_MAP, map_args, MAP_BUFS),
	C(MAP_STORE, GOSYNC_MAP, map_args, MAP_BUFS),
	C(MAP_LOAD_OR_STORE, GOSYNC_MAP, map_args, MAP_BUFS),
	C(MAP_LOAD_AND_DELETE, GOSYNC_MAP, map_args, MAP_BUFS),
	C(MAP_DELETE, GOSYNC_MAP, map_args, MAP_BUFS),
	C(MAP_SWAP, GOSYNC_MAP, map_args, MAP_BUFS),
	C(MAP_CAS, GOSYNC_MAP, map_args, MAP_BUFS),
	C(MAP_COMPARE_AND_DELETE, GOSYNC_MAP, map_args, MAP_BUFS),
	C(MAP_STORE_MANY, GOSYNC_MAP, map_store_many_args,
	  AT(map_store_many_args, items) = ITEMS),
	PLAIN(MAP_CLEAR, GOSYNC_MAP),
	C(MAP_RANGE, GOSYNC_MAP, map_range_args, AT(map_range_args, buf) = BUF),
	C(MAP_WAIT, GOSYNC_MAP, version_wait_args,
	  AT(version_wait_args, deadline) = SOON),
	/* By io_uring only, and two that there are not */
	PLAIN(CANCEL, ANY),
	{ _IO(GOSYNC_IOC_TYPE, 0xff), ANY, 16, {} },
	{ _IOWR(GOSYNC_IOC_TYPE, 0x80, int), 0, 16, {} },
};

/* --- random programs ----------------------------------------------------- */

static uint64_t seed;

static uint32_t below(uint32_t n)
{
	return random_u32(&seed) % n;
}

static uint64_t interesting(void)
{
	static const uint64_t numbers[] = {
		0, 1, 2, 3, 4, 7, 8, 16, 63, 64, 65, 255, 256, 4095, 4096, 4097,
		65535, 65536, INT32_MAX, 1ULL << 31, UINT32_MAX, 1ULL << 32,
		3ULL << 32, INT64_MAX, 1ULL << 63, UINT64_MAX - 1, UINT64_MAX,
	};

	switch (below(8)) {
	case 0:
		return (uint64_t)random_u32(&seed) << 32 | random_u32(&seed);
	case 1:
		return 1ULL << below(64);
	case 2:
	case 3:
		return below(16) | (uint64_t)below(16) << 32;
	case 4:
		return below(300);
	default:
		return numbers[below(ARRAY_SIZE(numbers))];
	}
}

static void random_words(struct one *one)
{
	const struct command *command = &commands[one->cmd];
	unsigned int i;

	for (i = 0; i < WORDS; i++) {
		one->what[i] = command->what[i];
		one->word[i] = below(3) ? 0 : interesting();
		if (one->what[i] == NAME || one->what[i] == SOON)
			one->word[i] = below(8);
	}
	/* Mostly what gets past the first checks */
	if (below(20))
		one->word[0] = command->size | one->word[0] << 32;
	if (command->cmd == GOSYNC_IOC_OPEN) {
		one->word[0] = command->size |
			(uint64_t)below(GOSYNC_TYPE_MAX + 1) << 32;
		one->word[1] = GOSYNC_CREATE | below(4) << below(12) |
			(uint64_t)(below(2) ? 0666 : 0600) << 32;
		one->word[3] = below(9) | (uint64_t)GOSYNC_ABI_VERSION << 32;
		one->word[4] = below(3) ? 0 : 1ULL << below(12);
		one->word[5] = below(2) ? 0 : 8 | 8ULL << 32;
	}
	if (command->type == GOSYNC_MAP && command->size && below(8)) {
		one->word[2] = below(9);
		one->word[4] = below(65);
		one->word[6] = below(65);
	}
	if (command->cmd == GOSYNC_IOC_MAP_STORE_MANY && below(8))
		one->word[2] = below(SEVERAL + 1) |
			sizeof(struct gosync_map_store_item) << 32;
	if (command->type == GOSYNC_VALUE && command->size && below(8)) {
		one->word[1] = below(3);
		one->word[3] = below(65);
		one->word[6] = below(65);
	}
}

static void random_call(struct one *one)
{
	memset(one, 0, sizeof(*one));
	one->kind = below(3) ? IOCTL : below(KINDS_OF_CALL);
	one->cmd = below(ARRAY_SIZE(commands));
	one->fd = commands[one->cmd].type;
	if (one->fd == ANY || !below(10))
		one->fd = below(FDS);
	random_words(one);
}

static void mutate(struct program *program)
{
	struct one *one = &program->calls[below(program->count)];
	unsigned int i = below(WORDS);

	switch (below(8)) {
	case 0:
		if (program->count < CALLS)
			program->count++;
		random_call(&program->calls[program->count - 1]);
		break;
	case 1:
		if (program->count > 1)
			*one = program->calls[--program->count];
		break;
	case 2:
		one->fd = below(FDS);
		break;
	case 3:
		one->what[i] = below(KINDS_OF_WORD);
		break;
	case 4:
		one->word[i] ^= 1ULL << below(64);
		break;
	case 5:
		one->kind = below(KINDS_OF_CALL);
		break;
	case 6:
		random_call(one);
		break;
	default:
		one->word[i] = interesting();
	}
}

static void make_program(struct program *program)
{
	uint32_t kept = load(&shared->kept), i;

	if (kept && below(4)) {
		*program = shared->corpus[below(kept < CORPUS ? kept : CORPUS)];
		/* Another may have been writing it, or a file was no corpus. */
		program->count = program->count % CALLS + 1;
		for (i = 0; i < program->count; i++)
			program->calls[i].cmd %= ARRAY_SIZE(commands);
		for (i = below(4) + 1; i; i--)
			mutate(program);
		return;
	}
	program->count = below(CALLS) + 1;
	for (i = 0; i < program->count; i++)
		random_call(&program->calls[i]);
}

static void keep(const struct program *program)
{
	uint32_t at = add(&shared->kept, 1) - 1;

	shared->corpus[at < CORPUS ? at : below(CORPUS)] = *program;
}

/* --- running them -------------------------------------------------------- */

static const char *prefix;
static int sockets[2];
static struct io_uring ring;
static bool has_ring;
static char *maps[MAPS];
static size_t map_sizes[MAPS];
/* What the kernel may be told to write to: there is nothing behind it. */
static char *buffer, *names, *ends, *read_only;
static struct gosync_wait_entry *entries;
static struct gosync_map_store_item *items;
static uint64_t *arguments;

static int fd_of(unsigned int slot)
{
	return BASE_FD + slot % FDS;
}

/* Into that slot */
static void put(unsigned int slot, int fd)
{
	if (fd < 0)
		return;
	dup3(fd, fd_of(slot), O_CLOEXEC);
	close(fd);
}

static void open_slot(unsigned int slot)
{
	char name[64];

	if (slot == DEVICE) {
		put(slot, open_device());
	} else {
		snprintf(name, sizeof(name), "%s.%u", prefix, slot);
		put(slot, open_bytes(slot, name, strlen(name), GOSYNC_CREATE,
				     0666, slot == GOSYNC_SEMAPHORE ? 3 : 0));
	}
}

static uint64_t word_of(const struct one *one, unsigned int i)
{
	const uint64_t word = one->word[i];

	switch (one->what[i] % KINDS_OF_WORD) {
	case BUF:
		return to_u64(buffer);
	case EDGE_OF_BUF:
		return to_u64(ends) - 8;
	case READ_ONLY:
		return to_u64(read_only);
	case NOWHERE:
		return word & 1 ? 8 : to_u64(ends);
	case NAME:
		return to_u64(names + word % NAMES * NAME_SIZE);
	case ENTRIES:
		return to_u64(entries);
	case ITEMS:
		return to_u64(items);
	case SOON:
		return word & 1 ? gosync_deadline(word * 50000) : word;
	case FD:
		return fd_of(word % FDS) | (word >> 32 << 32);
	default:
		return word;
	}
}

/*
 * A Map of many large values takes what memory there is. To fill the memory of a
 * large object with zeros takes as long as thousands of calls, so it is rare.
 */
static void keep_small(struct gosync_open_args *args)
{
	const uint64_t most = below(256) ? 64 << 10 : 4 << 20;
	uint64_t each = (uint64_t)args->key_size + args->value_size;

	if (args->capacity < 1ULL << 40 && args->capacity * (each | 64) > most)
		args->capacity = 8;
}

static void check(unsigned int cmd, int err)
{
	unsigned int i;
	bool ours = false;

	for (i = 0; i < ARRAY_SIZE(listed_errors); i++) {
		ours |= listed_errors[i].cmd == cmd;
		if (listed_errors[i].cmd == cmd && listed_errors[i].err == err)
			return;
	}
	/* Only a ring can cancel, and is told so. */
	if (cmd == GOSYNC_IOC_CANCEL && err == ENOENT)
		return;
	if (ours || (err != ENOTTY && err != EBADF)) {
		fprintf(stderr, "# %s of command %#x\n", strerrorname_np(err),
			cmd);
		add(&shared->bad, 1);
	}
}

static void run_ioctl(const struct one *one)
{
	const struct command *command = &commands[one->cmd];
	uint64_t *args = arguments;
	unsigned int i;
	int ret;

	memset(args, 0, ARGUMENTS * sizeof(*args));
	for (i = 0; i < WORDS; i++)
		args[i] = word_of(one, i);
	if (command->cmd == GOSYNC_IOC_OPEN)
		keep_small((struct gosync_open_args *)args);
	for (i = 0; i < SEVERAL; i++)
		entries[i] = (struct gosync_wait_entry) {
			.fd = fd_of(one->word[(i + 5) % WORDS] + i * 7),
			.op = commands[(one->word[i] + 31 + i) %
				       ARRAY_SIZE(commands)].cmd,
			.value = one->word[i + 7],
		};
	for (i = 0; i < SEVERAL; i++)
		items[i] = (struct gosync_map_store_item) {
			.key = word_of(one, (i + 3) % WORDS) % 8 ?
			       to_u64(names + i % 4 * NAME_SIZE) : 8,
			.key_len = one->word[(i + 4) % WORDS] % 9,
			.buf = to_u64(buffer),
			.len = one->word[(i + 5) % WORDS] % 65,
		};
	ret = ioctl(fd_of(one->fd), command->cmd,
		    one->what[11] == NOWHERE ? (void *)8 : args);
	if (ret < 0)
		check(command->cmd, errno);
	else if (command->cmd == GOSYNC_IOC_OPEN ||
		 command->cmd == GOSYNC_IOC_REOPEN)
		put(FIRST_FREE + one->word[9] % (FDS - FIRST_FREE), ret);
}

static void reap_commands(void)
{
	struct io_uring_cqe *cqe;

	while (!io_uring_peek_cqe(&ring, &cqe)) {
		if (cqe->res < 0 && cqe->res != -ECANCELED &&
		    cqe->res != -EOPNOTSUPP && cqe->user_data >> 32 == 'g')
			check(cqe->user_data, -cqe->res);
		io_uring_cqe_seen(&ring, cqe);
	}
}

static void run_uring(const struct one *one)
{
	const struct command *command = &commands[one->cmd];
	struct gosync_uring *args;
	struct io_uring_sqe *sqe;

	if (one->word[10] % 16 == 1 || !has_ring) {
		if (has_ring)
			io_uring_queue_exit(&ring);
		has_ring = !io_uring_queue_init(8, &ring, one->word[9] % 2 ?
						IORING_SETUP_SINGLE_ISSUER |
						IORING_SETUP_DEFER_TASKRUN : 0);
		if (!has_ring)
			return;
	}
	sqe = io_uring_get_sqe(&ring);
	if (sqe) {
		memset(sqe, 0, sizeof(*sqe));
		sqe->opcode = IORING_OP_URING_CMD;
		sqe->fd = fd_of(one->fd);
		sqe->cmd_op = command->cmd;
		sqe->addr = word_of(one, 0) & 0xffff;
		if (command->cmd == GOSYNC_IOC_COND_WAIT)
			sqe->addr = fd_of(one->word[4]);
		sqe->user_data = (uint64_t)'g' << 32 | command->cmd;
		/* What the ring itself refuses has errors of its own. */
		if (one->word[8] % 16 == 1) {
			sqe->len = one->word[1];
			sqe->user_data = 0;
		}
		args = (struct gosync_uring *)sqe->cmd;
		args->deadline = one->word[2] % 2 ?
			gosync_deadline(one->word[2] % 1000000) : 0;
		args->flags = one->word[3];
		args->index = one->word[4] % 8;
	}
	io_uring_submit(&ring);
	reap_commands();
}

static void run_map(const struct one *one)
{
	unsigned int i = one->word[0] % MAPS;
	char *at = MAP_FAILED;

	if (maps[i])
		munmap(maps[i], map_sizes[i]);
	maps[i] = NULL;
	if (one->kind == MUNMAP)
		return;
	map_sizes[i] = 4096 * (one->word[1] % 4 + 1);
	at = mmap(NULL, map_sizes[i], PROT_READ |
		  (one->word[2] % 4 ? PROT_WRITE : PROT_EXEC),
		  one->word[3] % 8 ? MAP_SHARED : MAP_PRIVATE, fd_of(one->fd),
		  one->word[4] % 8 ? 0 : 4096 * (one->word[4] % 1000));
	if (at == MAP_FAILED)
		return;
	maps[i] = at;
	if (!(one->word[5] % 8))
		mprotect(at, 4096, one->word[6] % 8);
}

static void ignore(int signal)
{
}

static sigjmp_buf away;
static volatile sig_atomic_t scribbling;

/* A mapping may be larger than the object, and may not be writable. */
static void leave(int number)
{
	if (scribbling)
		siglongjmp(away, 1);
	/* A fault of our own kills us when it is made again. */
	signal(number, SIG_DFL);
}

static void run_scribble(const struct one *one)
{
	unsigned int i = one->word[0] % MAPS, n;

	if (!maps[i])
		return;
	scribbling = true;
	for (n = 0; n < 4 && !sigsetjmp(away, 1); n++)
		store((uint64_t *)(maps[i] + (one->word[n + 1] & 0xff8) %
				   map_sizes[i]), one->word[n + 5]);
	scribbling = false;
}

static void run_file_call(const struct one *one)
{
	int fd = fd_of(one->fd);
	struct stat st;

	switch (one->word[0] % 6) {
	case 0:
		read(fd, buffer, one->word[1] % BUFFER);
		break;
	case 1:
		write(fd, buffer, one->word[1] % BUFFER);
		break;
	case 2:
		lseek(fd, one->word[1], one->word[2] % 5);
		break;
	case 3:
		fstat(fd, &st);
		fsync(fd);
		break;
	case 4:
		fcntl(fd, F_SETFL, one->word[1] % 2 ? O_NONBLOCK : 0);
		break;
	default:
		ftruncate(fd, one->word[1] % 8192);
	}
}

/* A signal ends what would wait for ever. Children have no timer of their parent. */
static void be_interrupted(void)
{
	const struct itimerval often = { { 0, 3000 }, { 0, 3000 } };

	setitimer(ITIMER_REAL, &often, NULL);
}

static void run_call(const struct one *one)
{
	struct pollfd pollfd = { fd_of(one->fd), one->word[0], 0 };
	pid_t pid;

	add(&shared->calls, 1);
	switch (one->kind % KINDS_OF_CALL) {
	case IOCTL:
		run_ioctl(one);
		break;
	case URING:
		run_uring(one);
		break;
	case MMAP:
	case MUNMAP:
		run_map(one);
		break;
	case SCRIBBLE:
		run_scribble(one);
		break;
	case CLOSE:
		close(fd_of(one->fd));
		break;
	case DUP:
		dup3(fd_of(one->fd), fd_of(one->word[0]), O_CLOEXEC);
		break;
	case POLL:
		poll(&pollfd, 1, 1);
		break;
	case FILE_CALL:
		run_file_call(one);
		break;
	case FORK:
		/* It has all the descriptors, and the mappings that are inherited. */
		if (one->word[0] % 8)
			break;
		pid = spawn();
		if (!pid) {
			has_ring = false;
			be_interrupted();
			run_ioctl(one);
			_exit(0);
		}
		kill(pid, one->word[1] % 2 ? SIGKILL : SIGCONT);
		reap(pid);
		break;
	case SEND:
		send_fd(sockets[0], fd_of(one->fd));
		break;
	case RECEIVE:
		put(FIRST_FREE + one->word[9] % (FDS - FIRST_FREE),
		    receive_fd(sockets[1]));
		break;
	default:
		open_slot(one->fd % GOSYNC_TYPE_MAX);
	}
}

/* --- where they have been ------------------------------------------------ */

static unsigned long *cover;

static void start_cover(void)
{
	int fd = open("/sys/kernel/debug/kcov", O_RDWR | O_CLOEXEC);

	if (fd < 0 || ioctl(fd, KCOV_INIT_TRACE, PCS))
		return;
	cover = mmap(NULL, PCS * sizeof(*cover), PROT_READ | PROT_WRITE,
		     MAP_SHARED, fd, 0);
	if (cover == MAP_FAILED || ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC))
		cover = NULL;
}

/* Has the program taken a way from one place to another that none took before? */
static bool is_new(void)
{
	unsigned long n, i, last = 0;
	bool news = false;

	n = load(&cover[0]);
	for (i = 1; i <= n && i < PCS; i++) {
		unsigned long edge = (cover[i] ^ last << 5) * 0x9e3779b97f4a7c15UL;
		uint8_t *seen = &shared->edge[edge >> 48 & (EDGES - 1)];

		last = cover[i] & 0xffffff;
		if (*seen)
			continue;
		*seen = 1;
		add(&shared->edges, 1);
		news = true;
	}
	return news;
}

/* So many bytes at the end of a page, before one that is not there */
static void *guarded(size_t size)
{
	char *page = mmap(NULL, 2 * BUFFER, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	MUST(page != MAP_FAILED && !mprotect(page + BUFFER, BUFFER, PROT_NONE));
	return page + BUFFER - size;
}

static void prepare_worker(unsigned int me)
{
	unsigned int i;

	handle(ignore, 0);
	sigaction(SIGALRM, &(struct sigaction) { .sa_handler = ignore }, NULL);
	sigaction(SIGBUS, &(struct sigaction) {
		.sa_handler = leave, .sa_flags = SA_NODEFER }, NULL);
	sigaction(SIGSEGV, &(struct sigaction) {
		.sa_handler = leave, .sa_flags = SA_NODEFER }, NULL);
	start_cover();
	if (me % 2)
		become(ALICE, ALICE, 0);
	buffer = guarded(BUFFER);
	ends = guarded(0);
	arguments = guarded(ARGUMENTS * sizeof(*arguments));
	entries = guarded(SEVERAL * sizeof(*entries));
	items = guarded(SEVERAL * sizeof(*items));
	names = guarded(NAMES * NAME_SIZE);
	for (i = 0; i < NAMES; i++)
		snprintf(names + i * NAME_SIZE, NAME_SIZE, "%.8s.%u", prefix,
			 i);
	read_only = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			 0);
	for (i = 0; i < GOSYNC_TYPE_MAX; i++)
		open_slot(i);
	be_interrupted();
}

static pid_t spawn_worker(unsigned int me)
{
	uint64_t own = random_u32(&seed) | (uint64_t)random_u32(&seed) << 32 | 1;
	static struct program program;
	pid_t pid = spawn();
	unsigned int i;

	if (pid)
		return pid;
	seed = own;
	prepare_worker(me);
	for (;;) {
		make_program(&program);
		if (cover)
			store(&cover[0], 0);
		for (i = 0; i < program.count; i++)
			run_call(&program.calls[i]);
		add(&shared->programs, 1);
		if (cover ? is_new() : !below(16))
			keep(&program);
	}
}

/* Uses its own objects as they should be, and is not in the way of anybody. */
static pid_t spawn_neighbour(void)
{
	uint64_t begin, took, rounds = 0;
	int mutex, semaphore;
	pid_t pid = spawn();

	if (pid)
		return pid;
	MUST(!become(BOB, BOB, 0));
	mutex = new_object(GOSYNC_MUTEX);
	semaphore = open_bytes(GOSYNC_SEMAPHORE, NULL, 0, GOSYNC_CREATE, 0600, 1);
	for (;;) {
		begin = now_ns(CLOCK_MONOTONIC);
		MUST(!lock_fd(mutex));
		MUST(!acquire_fd(semaphore, 1));
		MUST(!release_fd(semaphore, 1));
		MUST(!unlock_fd(mutex));
		took = now_ns(CLOCK_MONOTONIC) - begin;
		if (took > shared->longest)
			shared->longest = took;
		store(&shared->neighbours, ++rounds);
		sleep_ns(NSEC_PER_MSEC / 2);
	}
}

/* --- the corpus ---------------------------------------------------------- */

static void read_corpus(void)
{
	const char *path = getenv("GOSYNC_FUZZ_CORPUS");
	FILE *file = path ? fopen(path, "r") : NULL;

	if (!file)
		return;
	shared->kept = fread(shared->corpus, sizeof(shared->corpus[0]), CORPUS,
			     file);
	fclose(file);
}

static void write_corpus(void)
{
	const char *out = getenv("GOSYNC_OUT");
	uint32_t kept = load(&shared->kept);
	char path[256];
	FILE *file;

	if (!out)
		return;
	snprintf(path, sizeof(path), "%s/fuzz.corpus", out);
	file = fopen(path, "w");
	if (!file)
		return;
	fwrite(shared->corpus, sizeof(shared->corpus[0]),
	       kept < CORPUS ? kept : CORPUS, file);
	fclose(file);
}

/* Unlinks all names, which are of the workers; how many there were */
static int unlink_all(void)
{
	static struct gosync_info list[16];
	struct gosync_list_args args = {
		.size = sizeof(args), .entries = to_u64(list),
		.count = ARRAY_SIZE(list), .entry_size = sizeof(list[0]),
	};
	int dev = open_device(), n, i, count = 0;

	while ((n = call(dev, GOSYNC_IOC_LIST, &args)) > 0) {
		for (i = 0; i < n; i++) {
			struct gosync_unlink_args unlink = {
				.size = sizeof(unlink),
				.name = to_u64(list[i].name),
				.name_len = list[i].name_len,
			};
			int ret;

			/* A worker of io_uring may just have closed the last one. */
			ret = call(dev, GOSYNC_IOC_UNLINK, &unlink);
			MUST(!ret || ret == -ENOENT);
			count++;
		}
	}
	MUST(!n);
	close(dev);
	return count;
}

TEST(calls_of_any_kind_harm_nobody_else)
{
	uint64_t end = end_of_budget();
	pid_t workers[WORKERS], neighbour;
	unsigned int i;

	NEED_ROOT();
	/* Names may be anything, so they are where nobody else has any. */
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	shared = shared_memory(sizeof(*shared));
	prefix = unique_name() + strlen("test-");
	seed = torture_seed();
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, sockets));
	read_corpus();
	neighbour = spawn_neighbour();
	for (i = 0; i < WORKERS; i++)
		workers[i] = spawn_worker(i);
	do {
		sleep_ns(below(20) * NSEC_PER_MSEC);
		i = below(WORKERS);
		kill(workers[i], SIGKILL);
		ASSERT_EQ(128 + SIGKILL, reap_soon(workers[i]));
		add(&shared->kills, 1);
		workers[i] = spawn_worker(i);
	} while (budget_left(end));
	ASSERT_TRUE(eventually(load(&shared->programs) > 100));
	EXPECT_EQ(128 + SIGKILL, kill_all(workers, WORKERS));
	EXPECT_TRUE(is_waiting(neighbour));
	EXPECT_EQ(128 + SIGKILL, kill_and_reap(neighbour));
	EXPECT_LT(0, shared->neighbours);
	EXPECT_EQ(0, shared->bad);
	EXPECT_TRUE(eventually(!unlink_all()));
	write_corpus();
	FIGURES("%llu calls, %llu programs, %llu kills, %u undocumented errors",
		(unsigned long long)shared->calls,
		(unsigned long long)shared->programs,
		(unsigned long long)shared->kills, shared->bad);
	ksft_print_msg("fuzz: %u edges, %u kept\n", shared->edges, shared->kept);
	ksft_print_msg("fuzz: the neighbour: %llu rounds, longest %llu us\n",
		       (unsigned long long)shared->neighbours,
		       (unsigned long long)shared->longest / 1000);
}

int main(int argc, char **argv)
{
	return torture_main(argc, argv);
}
