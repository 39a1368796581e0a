/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The primitives for shells: what run and the sh_*.c have in common.
 *
 * A verb is what a command does with one object: `gosync value get NAME'. Its
 * options are parsed here into &struct shell, the operands after NAME are its
 * own.
 */
#ifndef GOSYNC_TOOL_SHELL_H
#define GOSYNC_TOOL_SHELL_H

#include <stdbool.h>

#include "gosync.h"

struct verb;

/**
 * struct shell - a verb with what it was told
 * @verb: the verb
 * @who: the command and the verb, for messages
 * @name: the object's name
 * @args: the operands after it
 * @count: how many
 * @command: COMMAND and its arguments, NULL if there is none
 * @line: what runs the one of -c
 * @timeout: nanoseconds to wait, 0: not at all, -1: for ever
 * @until: the deadline, counted from the start
 * @await: --wait-for-name
 * @conflict: exit status when that was too short
 * @shared: -s
 * @close: -o
 * @no_fork: -F
 * @verbose: --verbose
 * @temporary: -t
 * @poison: --poison-on-failure
 * @lock: -l
 * @zero: -0
 * @values: -v
 * @skip: --new
 * @give_back: --give-back
 * @limit: --count
 * @index: -i
 * @mode_given: -m
 * @mode: permissions of an object that is created
 * @capacity: of an object that is created; 0: not given
 * @key_size: likewise
 * @value_size: likewise
 */
struct shell {
	const struct verb *verb;
	char who[48];
	const char *name;
	char **args;
	int count;
	char **command;
	char *line[4];
	int64_t timeout;
	uint64_t until;
	bool await;
	int conflict;
	bool shared;
	bool close;
	bool no_fork;
	bool verbose;
	bool temporary;
	bool poison;
	bool mode_given;
	bool lock;
	bool zero;
	bool values;
	bool skip;
	bool give_back;
	long limit;
	unsigned int index;
	unsigned int mode;
	uint64_t capacity;
	unsigned int key_size;
	unsigned int value_size;
};

/**
 * struct verb - what can be done
 * @name: the word for it; NULL: the command has no others
 * @args: its operands
 * @doc: what it does, a line
 * @more: the rest of --help
 * @options: the long names of those that it takes
 * @run: does it, and returns an exit status
 * @min: how many operands it needs, NAME included
 * @max: and the most that it takes; 0: any number
 * @command: the last operand is COMMAND [ARG...]
 * @numbers: what follows NAME may begin with a minus sign and be no option
 */
struct verb {
	const char *name;
	const char *args;
	const char *doc;
	const char *more;
	const char *options[14];
	int (*run)(struct shell *sh);
	int min;
	int max;
	bool command;
	bool numbers;
};

/**
 * verbs_main() - a command
 * @argc: as main()
 * @argv: as main()
 * @verbs: its verbs, ended by one without run()
 * @doc: what they are good for, for --help
 *
 * Return: an exit status.
 */
int verbs_main(int argc, char **argv, const struct verb *verbs,
	       const char *doc);

/**
 * shell_usage() - end the program for an operand that will not do
 * @sh: the verb
 * @format: as printf()
 */
void shell_usage(const struct shell *sh, const char *format, ...)
	__attribute__((noreturn, format(printf, 2, 3)));

/**
 * shell_number() - an operand that is a number
 * @sh: the verb, which the program ends with if it is none
 * @text: the operand
 * @what: what it is, for the message
 * @min: the smallest and
 * @max: the largest number that will do
 *
 * Return: the number.
 */
int64_t shell_number(const struct shell *sh, const char *text,
		     const char *what, int64_t min, int64_t max);

/**
 * shell_say() - a message about the object
 * @sh: the verb
 * @format: as printf(); what follows "gosync VERB: NAME: "
 */
void shell_say(const struct shell *sh, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * shell_error() - tell that something cannot be done, and what to do
 * @sh: the verb
 * @op: the ioctl that failed
 * @err: -errno
 *
 * Return: an exit status, not 0.
 */
int shell_error(const struct shell *sh, unsigned int op, int err);

/**
 * shell_open() - open or create the object
 * @sh: the verb, with what the object is to be like
 * @type: &enum gosync_type, 0: any
 * @flags: GOSYNC_RDONLY; GOSYNC_CREATE and its further flags
 *
 * Ends the program, with advice, if that cannot be done.
 *
 * Return: the descriptor, close-on-exec.
 */
int shell_open(const struct shell *sh, unsigned int type, unsigned int flags);

/**
 * shell_try_open() - shell_open() for those who can go on without
 * @sh: the verb
 * @type: as shell_open()
 * @flags: as shell_open()
 *
 * The program ends if what is there has another mode than -m says.
 *
 * Return: the descriptor, or -errno.
 */
int shell_try_open(const struct shell *sh, unsigned int type,
		   unsigned int flags);

/**
 * shell_info() - what is known of the object
 * @sh: the verb; the program ends if that fails
 * @fd: a descriptor of the object
 * @info: where to put it
 */
void shell_info(const struct shell *sh, int fd, struct gosync_info *info);

/**
 * shell_deadline() - when the wait is to end
 * @sh: the verb
 *
 * Return: the absolute time, GOSYNC_FOREVER if never.
 */
uint64_t shell_deadline(const struct shell *sh);

/**
 * shell_gave_up() - tell that the wait was in vain, if that is to be told
 * @sh: the verb
 *
 * Return: the exit status for that.
 */
int shell_gave_up(const struct shell *sh);

/**
 * shell_read() - an operand, or standard input
 * @sh: the verb; the program ends if reading fails
 * @i: which operand; standard input if it is "-" or missing
 * @max: more bytes than this are an error
 * @len: how many they are
 *
 * Return: the bytes, never freed.
 */
const void *shell_read(const struct shell *sh, int i, size_t max, size_t *len);

/**
 * shell_write() - bytes to standard output, as they are
 * @data: the bytes
 * @len: how many
 *
 * A terminal gets a newline after what does not end with one.
 *
 * Return: an exit status.
 */
int shell_write(const void *data, size_t len);

/**
 * command_helper() - what a process begins with that is only there to help
 * @name: what it is to be called, for ps
 *
 * No signal but SIGKILL gets at it, and it is not taken for gosync.
 */
void command_helper(const char *name);

/**
 * command_run() - run COMMAND and wait for its end
 * @sh: the verb, with COMMAND
 * @killed: out: a signal ended it
 *
 * Signals that are sent to this process alone are passed on. Afterwards they
 * are blocked, so that whatever is to be put in order is.
 *
 * Return: its exit status, as shells have it: 126, 127, 128 + signal; EX_OSERR
 * if there was no process to be had for it.
 */
int command_run(const struct shell *sh, bool *killed);

/**
 * command_end() - end as COMMAND has, when all is in order
 * @status: from command_run()
 * @killed: likewise
 *
 * Return: @status, which the program is to exit with.
 */
int command_end(int status, bool killed);

/**
 * command_exec() - become COMMAND
 * @sh: the verb, with COMMAND
 *
 * Return: 126 or 127, if that fails. It has been told.
 */
int command_exec(const struct shell *sh);

/**
 * command_tell_death() - say that somebody died, here and to COMMAND
 * @sh: the verb
 * @died: so it is
 * @what: the message if it is
 */
void command_tell_death(const struct shell *sh, bool died, const char *what);

/**
 * command_keep() - have COMMAND inherit a descriptor, unless -o
 * @sh: the verb; the program ends if that can't be
 * @fd: the descriptor, closed
 *
 * To be called before anything is had with it. Those below 10 are left to
 * COMMAND's own redirections.
 *
 * Return: the descriptor.
 */
int command_keep(const struct shell *sh, int fd);

#endif /* GOSYNC_TOOL_SHELL_H */
