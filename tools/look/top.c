// SPDX-License-Identifier: GPL-2.0-only
/*
 * gosync top: the objects that have waiters now.
 *
 * The kernel keeps statistics from the creation of an object on, so an interval
 * is the difference of two looks. The kernel counts a wait when it is over. To
 * show a wait while it lasts, its time so far is added here.
 *
 * Each look lists all objects, but reads the statistics only of those that have
 * had a wait since the last look.
 */
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "gosync.h"
#include "sharers.h"

/* An object as the last look saw it */
struct known {
	uint64_t id;
	uint64_t ns;			/* when it was looked at */
	uint64_t contended;
	uint32_t waiters;
	uint64_t waited_ns;		/* in waits that are over, and in present ones */
	struct gosync_stat *stat;	/* NULL: no wait so far */
};

/* The interval between two looks */
struct line {
	char name[NAME_BUF];
	const char *type;
	uint32_t waiters;
	double waits;			/* begun, per second */
	double waited;			/* seconds per second */
	uint64_t mean_ns, max_ns;
	double handed;			/* of 1; negative: there was none */
	uint32_t owner, owner_pid;
	uint64_t histogram[GOSYNC_HISTOGRAM];
};

struct frame {
	struct known *known;
	struct line *lines;
	int nr_known, nr_lines;
	uint64_t ns;			/* when */
	uint64_t waiters, deaths;
	double waited;
};

struct sample {
	const struct frame *before;	/* NULL: this is the first look */
	struct frame *frame;
};

enum { NAME, TYPE, WAITERS, WAITS, WAIT, MEAN, MAX, HANDED, COLUMNS };

static const char * const column_names[COLUMNS] = {
	"NAME", "TYPE", "WAITERS", "WAITS/s", "WAIT%", "MEAN", "MAX", "HANDED"
};

static double delay = 1;
static long count;			/* 0: until the user ends it */
static bool batch;
static int sort = WAIT;
static bool colour, blocks;

/* --- The terminal --------------------------------------------------------- */

static struct termios before_us;
static bool keys;		/* standard input is a terminal */
static bool entered;

static void enter(void)
{
	struct termios raw = before_us;

	/* No echo, and each key at once. Ctrl-C and Ctrl-Z still send signals. */
	raw.c_lflag &= ~(ICANON | ECHO);
	raw.c_cc[VMIN] = 0;
	raw.c_cc[VTIME] = 0;
	if (keys)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
	/* The other screen, without a cursor */
	if (write(STDOUT_FILENO, "\033[?1049h\033[?25l", 14) < 0)
		exit(1);
	entered = true;
}

static void leave(void)
{
	if (!entered)
		return;
	entered = false;
	if (write(STDOUT_FILENO, "\033[?25h\033[?1049l", 14) < 0)
		_exit(1);
	if (keys)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &before_us);
}

static __attribute__((noreturn)) void fail_top(const char *what, int err)
{
	leave();
	fprintf(stderr, "gosync top: %s: %s\n", what, strerror(err));
	exit(1);
}

/* --- Looking -------------------------------------------------------------- */

static const struct known *find_known(const struct frame *frame, uint64_t id)
{
	int low = 0, high = frame ? frame->nr_known : 0;

	while (low < high) {
		int middle = (low + high) / 2;

		if (frame->known[middle].id == id)
			return &frame->known[middle];
		if (frame->known[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* Return: the sum of the present waits so far; @max: the longest of them */
static uint64_t waits_under_way(int fd, uint64_t *max)
{
	static struct gosync_party parties[GOSYNC_WAITERS_LISTED];
	struct gosync_parties_args args = {
		.size = sizeof(args),
		.entries = (uintptr_t)parties,
		.count = GOSYNC_WAITERS_LISTED,
		.entry_size = sizeof(parties[0]),
	};
	uint64_t sum = 0;
	int got, i;

	got = ioctl(fd, GOSYNC_IOC_WAITERS, &args);
	for (i = 0; i < got; i++) {
		sum += parties[i].ns;
		if (parties[i].ns > *max)
			*max = parties[i].ns;
	}
	return sum;
}

/* The longest of the waits counted there is not longer than this. */
static uint64_t longest(const uint64_t histogram[GOSYNC_HISTOGRAM],
			const struct gosync_stat *stat)
{
	int i;

	for (i = GOSYNC_HISTOGRAM - 1; i >= 0; i--) {
		uint64_t end = 1ULL << (GOSYNC_HISTOGRAM_SHIFT + i);

		if (histogram[i])
			return end < stat->wait_max_ns ? end : stat->wait_max_ns;
	}
	return 0;
}

static void compare(const struct known *before, const struct known *after,
		    const struct gosync_info *info, uint64_t max_ns,
		    double seconds, struct line *line)
{
	static const struct gosync_stat none;
	const struct gosync_stat *old = before && before->stat ?
					before->stat : &none;
	const struct gosync_stat *new = after->stat;
	uint64_t acquired = new->acquired - old->acquired;
	int64_t waited = after->waited_ns - (before ? before->waited_ns : 0);
	int i;

	name_text(info->name, info->name_len, line->name);
	line->type = type_text(info->type);
	line->waiters = info->waiters;
	line->owner = info->owner;
	line->owner_pid = owner_now(info);
	line->waits = (new->contended - old->contended) / seconds;
	/* A wait that gave up no longer counts, so the sum may become smaller. */
	line->waited = waited > 0 ? waited / 1e9 / seconds : 0;
	line->mean_ns = acquired ? (new->wait_ns - old->wait_ns) / acquired : 0;
	line->handed = acquired ? (double)(new->handed_over - old->handed_over) /
				  acquired : -1;
	for (i = 0; i < GOSYNC_HISTOGRAM; i++)
		line->histogram[i] = new->histogram[i] - old->histogram[i];
	line->max_ns = longest(line->histogram, new);
	if (max_ns > line->max_ns)
		line->max_ns = max_ns;
}

static void *more(void *array, int nr, size_t size)
{
	if (nr & (nr - 1))
		return array;
	array = realloc(array, (nr ? 2 * nr : 1) * size);
	if (!array)
		fail_top("memory", ENOMEM);
	return array;
}

/* Return: whether the object still exists. */
static bool look_closely(const struct gosync_info *info, struct known *known,
			 uint64_t *max_ns)
{
	int fd = object_open((const char *)info->name, info->type,
			     GOSYNC_RDONLY);
	bool good = false;

	if (fd < 0)
		return false;
	known->stat = more(NULL, 0, sizeof(*known->stat));
	known->stat->size = sizeof(*known->stat);
	if (!ioctl(fd, GOSYNC_IOC_STAT, known->stat)) {
		known->waited_ns = known->stat->wait_ns;
		if (info->waiters)
			known->waited_ns += waits_under_way(fd, max_ns);
		good = true;
	} else {
		free(known->stat);
		known->stat = NULL;
	}
	close(fd);
	return good;
}

static int add_object(const struct gosync_info *info, void *arg)
{
	struct sample *sample = arg;
	struct frame *frame = sample->frame;
	const struct known *before = find_known(sample->before, info->id);
	struct known *known;
	uint64_t max_ns = 0;
	double seconds;

	frame->known = more(frame->known, frame->nr_known, sizeof(*known));
	known = &frame->known[frame->nr_known++];
	*known = (struct known) {
		.id = info->id,
		.ns = now_ns(),
		.contended = info->contended,
		.waiters = info->waiters,
	};
	frame->waiters += info->waiters;
	frame->deaths += info->deaths;
	if (!info->contended)
		return 0;
	if (before && before->contended == info->contended &&
	    !before->waiters && !info->waiters) {
		known->waited_ns = before->waited_ns;
		known->stat = before->stat;
		((struct known *)before)->stat = NULL;
		return 0;
	}
	if (!look_closely(info, known, &max_ns) || !sample->before)
		return 0;
	/* The last look could not read it: there is nothing to compare with. */
	if (before && before->contended && !before->stat)
		return 0;
	frame->lines = more(frame->lines, frame->nr_lines,
			    sizeof(*frame->lines));
	/* The list may be long, so use the times when this object was read. */
	seconds = (known->ns - (before ? before->ns : sample->before->ns)) / 1e9;
	compare(before, known, info, max_ns, seconds,
		&frame->lines[frame->nr_lines]);
	frame->waited += frame->lines[frame->nr_lines++].waited;
	return 0;
}

static int by_id(const void *a, const void *b)
{
	const struct known *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static void frame_free(struct frame *frame)
{
	int i;

	for (i = 0; i < frame->nr_known; i++)
		free(frame->known[i].stat);
	free(frame->known);
	free(frame->lines);
	*frame = (struct frame) { };
}

static void look(struct frame *before, struct frame *frame)
{
	struct sample sample = { before, frame };
	int ret;

	*frame = (struct frame) { .ns = now_ns() };
	sharers_forget();
	ret = gosync_list(add_object, &sample);
	if (ret)
		fail_top("the list of names", -ret);
	/* They come in this order, except those created at the same time. */
	if (frame->nr_known)
		qsort(frame->known, frame->nr_known, sizeof(*frame->known),
		      by_id);
}

/* --- Showing -------------------------------------------------------------- */

/* The number to sort by */
static double number(const struct line *line)
{
	switch (sort) {
	case WAITERS:
		return line->waiters;
	case WAITS:
		return line->waits;
	case MEAN:
		return line->mean_ns;
	case MAX:
		return line->max_ns;
	case HANDED:
		return line->handed;
	default:
		return line->waited;
	}
}

static int by_column(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	double m, n;

	switch (sort) {
	case NAME:
		return strcmp(x->name, y->name);
	case TYPE:
		if (strcmp(x->type, y->type))
			return strcmp(x->type, y->type);
		break;
	}
	m = number(x);
	n = number(y);
	return m > n ? -1 : m < n ? 1 : strcmp(x->name, y->name);
}

/* A duration in six characters */
static const char *short_text(uint64_t ns, char buf[16])
{
	static const char * const units[] = { "ns", "us", "ms", "s" };
	double n = ns;
	int unit = 0;

	while (n >= 999.5 && unit < 3) {
		n /= 1000;
		unit++;
	}
	if (!ns)
		return "-";
	snprintf(buf, 16, "%.*f%s", n < 9.995 && unit ? 2 : n < 99.95 && unit,
		 n, units[unit]);
	return buf;
}

static const char *owner_text(const struct line *line, char buf[32])
{
	char comm[17], *c;

	if (!line->owner)
		return "-";
	if (!line->owner_pid)
		return "?";
	snprintf(comm, sizeof(comm), "%s", process_comm(line->owner_pid));
	for (c = comm; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	snprintf(buf, 32, "%u %s", line->owner_pid, comm);
	return buf;
}

/* Draw the distribution of the waits in @width characters. */
static void bar(FILE *f, const uint64_t histogram[GOSYNC_HISTOGRAM], int width)
{
	static const char * const unicode[] = {
		" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"
	};
	static const char * const ascii[] = {
		" ", ".", ",", "-", "=", "+", "*", "%", "#"
	};
	const int each = GOSYNC_HISTOGRAM / width;
	uint64_t sums[GOSYNC_HISTOGRAM] = { };
	uint64_t most = 1;
	int i, level;

	for (i = 0; i < GOSYNC_HISTOGRAM; i++)
		sums[i / each] += histogram[i];
	for (i = 0; i < width; i++)
		if (sums[i] > most)
			most = sums[i];
	for (i = 0; i < width; i++) {
		/* A single wait must be visible. */
		level = (sums[i] * 8 + most - 1) / most;
		fputs((blocks ? unicode : ascii)[level], f);
	}
}

/* Return: the bytes of the line that fit into @width; only bars are not ASCII. */
static size_t cut(const char *text, size_t len, int width)
{
	size_t i;

	for (i = 0; i < len; i++)
		if ((text[i] & 0xc0) != 0x80 && !width--)
			break;
	return i;
}

struct layout {
	int rows, width;		/* of the terminal; 0: no end */
	int name, owner, bar;
	bool type;
};

static void put(FILE *f, const struct layout *layout, const char *style,
		char *text, size_t len)
{
	if (layout->width)
		len = cut(text, len, layout->width);
	while (len && text[len - 1] == ' ')
		len--;
	if (colour && *style)
		fprintf(f, "\033[%sm%.*s\033[m", style, (int)len, text);
	else
		fwrite(text, 1, len, f);
	fputs(layout->width ? "\033[K\r\n" : "\n", f);
}

/* Print the line of an object. */
static void put_line(FILE *f, const struct layout *layout,
		     const struct line *line)
{
	char mean[16], max[16], owner[32], handed[16] = "-";
	const char *style = "";
	size_t len, size;
	char *text;
	FILE *to;

	if (line->handed >= 0)
		snprintf(handed, sizeof(handed), "%.0f%%", 100 * line->handed);
	to = open_memstream(&text, &size);
	if (!to)
		return;
	len = strlen(line->name);
	if ((int)len > layout->name)
		fprintf(to, "%.*s~ ", layout->name - 1, line->name);
	else
		fprintf(to, "%-*s ", layout->name, line->name);
	if (layout->type)
		fprintf(to, "%-9s ", line->type);
	fprintf(to, "%7u %7.0f %5.0f%% %6s %6s %6s %-*.*s ", line->waiters,
		line->waits, 100 * line->waited, short_text(line->mean_ns, mean),
		short_text(line->max_ns, max), handed, layout->owner,
		layout->owner, owner_text(line, owner));
	bar(to, line->histogram, layout->bar);
	fclose(to);
	/* At every moment there is a waiter. */
	if (line->waited >= 1)
		style = "31";
	else if (line->waited >= 0.1)
		style = "33";
	put(f, layout, style, text, size);
	free(text);
}

static void put_head(FILE *f, const struct layout *layout,
		     const struct frame *frame)
{
	char text[256], name[16], time_text[16], scale[20];
	time_t t = time(NULL);
	struct tm tm;
	int len, i;

	localtime_r(&t, &tm);
	strftime(time_text, sizeof(time_text), "%H:%M:%S", &tm);
	len = snprintf(text, sizeof(text),
		       "gosync top  %s  every %g s  %d objects  %d contended  %llu waiters  %.0f%% waited  %llu deaths",
		       time_text, delay, frame->nr_known, frame->nr_lines,
		       (unsigned long long)frame->waiters, 100 * frame->waited,
		       (unsigned long long)frame->deaths);
	put(f, layout, "1", text, len);

	/* The scale above the bars */
	snprintf(scale, sizeof(scale), "%s",
		 layout->bar < 16 ? "us ms s" : "1us  1ms  1s");
	len = snprintf(text, sizeof(text), "%-*s ", layout->name, "NAME");
	if (layout->type)
		len += snprintf(text + len, sizeof(text) - len, "%-9s ", "TYPE");
	for (i = WAITERS; i < COLUMNS; i++) {
		snprintf(name, sizeof(name), "%s%s", i == sort ? ">" : "",
			 column_names[i]);
		len += snprintf(text + len, sizeof(text) - len, "%*s ",
				i == WAITERS || i == WAITS ? 7 : 6, name);
	}
	len += snprintf(text + len, sizeof(text) - len, "%-*s %s",
			layout->owner, "OWNER", scale);
	put(f, layout, "7", text, len);
}

static void choose_layout(struct layout *layout, const struct frame *frame)
{
	int i, len, longest = 4;
	struct winsize size;

	*layout = (struct layout) { .owner = 22, .bar = 16, .type = true };
	for (i = 0; i < frame->nr_lines; i++) {
		len = strlen(frame->lines[i].name);
		if (len > longest)
			longest = len;
	}
	layout->name = longest;
	if (batch)
		return;
	layout->width = 80;
	layout->rows = 24;
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col) {
		layout->width = size.ws_col;
		layout->rows = size.ws_row;
	}
	if (layout->width < 110) {
		layout->type = false;
		layout->owner = 14;
		layout->bar = 8;
	}
	/* The name gets the room that the other columns leave. */
	len = layout->width - 46 - (layout->type ? 10 : 0) - layout->owner -
	      layout->bar;
	if (len < 8)
		len = 8;
	if (layout->name > len)
		layout->name = len;
}

static void show(struct frame *frame)
{
	static unsigned int shown;
	struct layout layout;
	size_t size, done = 0;
	char *text;
	FILE *f;
	int i;

	choose_layout(&layout, frame);
	if (frame->nr_lines)
		qsort(frame->lines, frame->nr_lines, sizeof(*frame->lines),
		      by_column);
	f = open_memstream(&text, &size);
	if (!f)
		return;
	if (layout.width)
		fputs("\033[H", f);
	else if (shown++)
		fputc('\n', f);
	put_head(f, &layout, frame);
	for (i = 0; i < frame->nr_lines; i++) {
		/* The last row stays empty. */
		if (layout.width && i >= layout.rows - 3)
			break;
		put_line(f, &layout, &frame->lines[i]);
	}
	if (layout.width)
		fputs("\033[J", f);
	fclose(f);
	while (done < size) {
		ssize_t n = write(STDOUT_FILENO, text + done, size - done);

		if (n < 0 && errno != EINTR && errno != EAGAIN)
			fail_top("standard output", errno);
		done += n > 0 ? n : 0;
	}
	free(text);
}

/* --- Signals and keys ----------------------------------------------------- */

/* End by the signal, so that the parent process sees it. */
static void end_by(int sig)
{
	sigset_t set;

	leave();
	sigemptyset(&set);
	sigaddset(&set, sig);
	signal(sig, SIG_DFL);
	raise(sig);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static int signals_open(void)
{
	static const int wanted[] = {
		SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH, 0
	};
	sigset_t set;
	int i;

	sigemptyset(&set);
	for (i = 0; wanted[i]; i++)
		sigaddset(&set, wanted[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static void on_signal(int fd)
{
	struct signalfd_siginfo info;

	if (read(fd, &info, sizeof(info)) != sizeof(info))
		return;
	switch (info.ssi_signo) {
	case SIGWINCH:
		break;
	case SIGTSTP:
		leave();
		raise(SIGSTOP);
		enter();
		break;
	case SIGCONT:
		enter();
		break;
	default:
		end_by(info.ssi_signo);
	}
}

static bool on_key(void)
{
	char key;
	ssize_t n = read(STDIN_FILENO, &key, 1);

	if (n <= 0)
		return false;
	switch (key) {
	case 'q':
		exit(0);
	case 's':
		sort = (sort + 1) % COLUMNS;
		break;
	case 'S':
		sort = (sort + COLUMNS - 1) % COLUMNS;
		break;
	}
	return true;
}

/* Wait until the next look; a key or a signal shows @frame again. */
static void pass_time(struct frame *frame, int signals)
{
	uint64_t end = now_ns() + delay * 1e9;
	struct pollfd fds[2] = {
		{ .fd = signals, .events = POLLIN },
		{ .fd = keys ? STDIN_FILENO : -1, .events = POLLIN },
	};
	uint64_t now;

	while ((now = now_ns()) < end) {
		struct timespec left = { (end - now) / NSEC_PER_SEC,
					 (end - now) % NSEC_PER_SEC };
		int ret = ppoll(fds, 2, &left, NULL);

		if (ret <= 0)
			continue;
		if (fds[0].revents)
			on_signal(signals);
		/* The terminal is gone; a signal will come, too. */
		if (fds[1].revents && !on_key())
			fds[1].fd = -1;
		if (!batch)
			show(frame);
	}
}

static int run(void)
{
	struct frame frames[2] = { };
	int signals = -1;
	long n;

	if (!batch) {
		signals = signals_open();
		keys = !tcgetattr(STDIN_FILENO, &before_us);
		atexit(leave);
		enter();
	}
	look(NULL, &frames[0]);
	if (!batch)
		show(&frames[0]);
	for (n = 0; !count || n < count; n++) {
		struct frame *before = &frames[n % 2];
		struct frame *frame = &frames[(n + 1) % 2];

		pass_time(before, signals);
		look(before, frame);
		show(frame);
		frame_free(before);
	}
	frame_free(&frames[n % 2]);
	return 0;
}

/* If the locale is not installed, its name decides. */
static bool is_utf8(void)
{
	const char *name = getenv("LC_ALL");

	if (setlocale(LC_CTYPE, ""))
		return !strcmp(nl_langinfo(CODESET), "UTF-8");
	if (!name || !*name)
		name = getenv("LC_CTYPE");
	if (!name || !*name)
		name = getenv("LANG");
	return name && (strcasestr(name, "utf-8") || strcasestr(name, "utf8"));
}

static error_t top_parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case 'd':
		delay = parse_seconds(state, arg, "SEC");
		if (delay < 0.05)
			argp_error(state, "SEC must be at least 0.05");
		return 0;
	case 'n':
		count = parse_number(state, arg, "COUNT", 1, 1000000000);
		return 0;
	case 'b':
		batch = true;
		return 0;
	case 's':
		for (sort = 0; sort < COLUMNS; sort++)
			if (!strcasecmp(arg, column_names[sort]))
				return 0;
		argp_error(state, "COLUMN must be a heading such as name, type or waiters");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

int top_main(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "delay", 'd', "SEC", 0, "length of an interval in seconds (1)", 0 },
		{ "count", 'n', "COUNT", 0, "end after COUNT intervals", 0 },
		{ "batch", 'b', NULL, 0,
		  "print the intervals one below the other, without colours", 0 },
		{ "sort", 's', "COLUMN", 0, "sort by this column (WAIT%)", 0 },
		{ }
	};
	static const struct argp argp = {
		.options = options,
		.parser = top_parse,
		.doc = "Show the objects that have waiters, anew in each interval.\n"
		       "\vWAITERS   waiters at the end of the interval\n"
		       "WAITS/s   waits that began in the interval, per second\n"
		       "WAIT%     time waited in the interval by all waiters together: 100% is as\n"
		       "          much as one process that always waits\n"
		       "MEAN      mean of the waits that ended in the interval\n"
		       "MAX       the longest of them; rounded up to a power of two, unless it is\n"
		       "          the longest so far\n"
		       "HANDED    share of them that the releaser handed over\n"
		       "OWNER     process that has the lock\n"
		       "1us 1ms   the waits that ended, by length\n\n"
		       "Keys: q ends the program; s sorts by the next column, S by the one before.\n"
		       "If standard output is not a terminal, one interval is shown, as with\n"
		       "--batch --count 1. NO_COLOR in the environment turns colours off.\n\n"
		       "Exit status: 0; 1 if the objects cannot be listed; 2 for wrong usage.",
	};
	const char *no_colour = getenv("NO_COLOR");

	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	close(device_open());
	if (!batch && !isatty(STDOUT_FILENO)) {
		batch = true;
		count = count ?: 1;
	}
	blocks = is_utf8();
	colour = !batch && (!no_colour || !*no_colour);
	return run();
}
