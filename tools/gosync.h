/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The gosync command: declarations for all of its files. The folders have
 * headers of their own; files of other folders do not include them.
 *
 * gosync.c has the table of sub-commands. A new one needs a function like
 * demo_main(), which gets its own arguments and returns an exit status, and a
 * line in that table.
 */
#ifndef GOSYNC_TOOL_H
#define GOSYNC_TOOL_H

#include <argp.h>
#include <gosync-user.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

#define NSEC_PER_SEC	1000000000ULL
#define NSEC_PER_MSEC	1000000ULL

int add_main(int argc, char **argv);
int atomic_main(int argc, char **argv);
int break_main(int argc, char **argv);
int chmod_main(int argc, char **argv);
int chown_main(int argc, char **argv);
int cluster_main(int argc, char **argv);
int cond_main(int argc, char **argv);
int deadlocks_main(int argc, char **argv);
int demo_main(int argc, char **argv);
int holders_main(int argc, char **argv);
int info_main(int argc, char **argv);
int limits_main(int argc, char **argv);
int ls_main(int argc, char **argv);
int map_main(int argc, char **argv);
int once_main(int argc, char **argv);
int recover_main(int argc, char **argv);
int report_main(int argc, char **argv);
int rm_main(int argc, char **argv);
int run_main(int argc, char **argv);
int sem_main(int argc, char **argv);
int stat_main(int argc, char **argv);
int top_main(int argc, char **argv);
int trace_main(int argc, char **argv);
int value_main(int argc, char **argv);
int waiters_main(int argc, char **argv);
int wg_main(int argc, char **argv);

/**
 * forget_arguments() - hide the arguments of this process from ps(1), pkill(1)
 *
 * For a helper process, which nobody should find by the arguments of gosync.
 * The process cannot use them any more either.
 */
void forget_arguments(void);

/**
 * exit_status() - the exit status for an error
 * @err: -errno
 *
 * Return: a status of sysexits.h where one fits, as in flock(1); otherwise 1.
 */
int exit_status(int err);

/**
 * now_ns() - the present time
 *
 * Return: CLOCK_MONOTONIC in nanoseconds.
 */
uint64_t now_ns(void);

/**
 * output_end() - see to it that all output was written
 *
 * Return: 0, or 1 after a message.
 */
int output_end(void);

/**
 * output_pause() - do nothing for some time
 * @ns: how long
 *
 * Ends the program if the reader of its output is gone, as writing would.
 */
void output_pause(uint64_t ns);

/**
 * output_gone() - end the program because the reader of its output is gone
 */
__attribute__((noreturn)) void output_gone(void);

/**
 * device_open() - open /dev/gosync
 *
 * Ends the program, with advice, if that cannot be done.
 *
 * Return: the descriptor.
 */
int device_open(void);

/**
 * object_open() - open an existing object
 * @name: its name
 * @type: &enum gosync_type, or 0 for any
 * @flags: GOSYNC_RDONLY or 0
 *
 * Ends the program, with advice, if the module isn't loaded.
 *
 * Return: the descriptor, or -errno.
 */
int object_open(const char *name, unsigned int type, unsigned int flags);

/**
 * object_error() - print the message for a failed operation
 * @name: the object's name
 * @op: the ioctl that failed
 * @err: -errno
 */
void object_error(const char *name, unsigned int op, int err);

/**
 * struct names - the names that are a command's arguments
 * @names: the first of them
 * @count: how many there are
 * @required: it is an error if there are none
 */
struct names {
	char **names;
	int count;
	bool required;
};

/**
 * names_parse() - take the rest of the arguments as names
 * @key: argp's
 * @state: argp's; ends the program if @names are required and there are none
 * @names: where to put them
 *
 * Return: 0, or ARGP_ERR_UNKNOWN if @key is not about arguments.
 */
error_t names_parse(int key, struct argp_state *state, struct names *names);

/**
 * objects_each() - look at some objects, or at all
 * @names: the objects; if there are none, all that the caller may read, the
 *	oldest first
 * @wanted: chooses among all objects; NULL: each is wanted
 * @fn: called for each, with a read-only descriptor and its properties
 * @arg: passed on to @wanted and @fn
 *
 * Prints a message for each object that cannot be looked at.
 *
 * Return: an exit status.
 */
int objects_each(const struct names *names,
		 bool (*wanted)(const struct gosync_info *info, void *arg),
		 void (*fn)(int object, const struct gosync_info *info,
			    void *arg),
		 void *arg);

/* The longest text of name_text(), with its end */
#define NAME_BUF	(4 * GOSYNC_NAME_MAX + 4)

/**
 * name_text() - write a name so that terminals can show it, and shells read it
 * @name: the name, any bytes
 * @len: its length
 * @buf: where to put the text
 *
 * A name of plain characters stays as it is; any other becomes $'...'.
 *
 * Return: @buf.
 */
const char *name_text(const void *name, size_t len, char buf[NAME_BUF]);

/**
 * duration_text() - write a duration for people
 * @ns: nanoseconds
 * @buf: where to put it
 *
 * Return: @buf, for example "12.3 us".
 */
const char *duration_text(uint64_t ns, char buf[16]);

/**
 * user_text() - the name of a user
 * @uid: a user's number
 *
 * Return: the name, or the number if there is none; good until the next call.
 */
const char *user_text(uint32_t uid);

/**
 * group_text() - the name of a group
 * @gid: a group's number
 *
 * Return: as user_text().
 */
const char *group_text(uint32_t gid);

/**
 * type_text() - the name of a type
 * @type: &enum gosync_type
 *
 * Return: the name, "?" if it is unknown.
 */
const char *type_text(unsigned int type);

/**
 * wants_text() - the word for a kind of wait
 * @type: &enum gosync_type of the object
 * @wants: &enum gosync_wants
 *
 * Return: a word: "lock", "read" ...
 */
const char *wants_text(unsigned int type, unsigned int wants);

#define FLAGS_BUF	64

/**
 * flags_text() - list the flags of an object
 * @info: the object's properties
 * @buf: where to put the text
 *
 * Return: @buf; NULL if there are no flags.
 */
const char *flags_text(const struct gosync_info *info, char buf[FLAGS_BUF]);

/**
 * is_away() - is an object of a cluster at another node
 * @info: the object's properties
 *
 * Return: true if it is.
 */
static inline bool is_away(const struct gosync_info *info)
{
	return info->flags & GOSYNC_CLUSTER &&
	       info->owner == GOSYNC_CLUSTER_HOLDER;
}

/**
 * parse_number() - parse an option's argument that is a number
 * @state: argp's, which ends the program when @arg is wrong
 * @arg: the argument
 * @what: the name of the argument, for the message
 * @min: the smallest valid number
 * @max: the largest valid number
 *
 * Return: the number.
 */
long parse_number(struct argp_state *state, const char *arg, const char *what,
		  long min, long max);

/**
 * parse_seconds() - parse an option's argument that is a time
 * @state: argp's, which ends the program when @arg is wrong
 * @arg: the argument, which may have a fraction
 * @what: the name of the argument, for the message
 *
 * Return: the seconds, from 0 to 10^9.
 */
double parse_seconds(struct argp_state *state, const char *arg,
		     const char *what);

#endif /* GOSYNC_TOOL_H */
