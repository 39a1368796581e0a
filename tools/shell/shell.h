/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The primitives for shells: declarations for the files of this folder. shell.c
 * has the functions shell_...() and verbs_main(), run.c has command_...().
 *
 * A verb is something that a command does with one object, as `get' in `gosync
 * value get NAME'. shell.c parses the options into &struct shell; the verb
 * itself parses the operands after NAME.
 */
#ifndef GOSYNC_TOOL_SHELL_H
#define GOSYNC_TOOL_SHELL_H

#include <stdbool.h>

#include "gosync.h"

struct verb;

/**
 * struct shell - a verb with its options and operands
 * @verb: the verb
 * @who: the command and the verb, for messages
 * @name: the object's name
 * @args: the operands after it
 * @count: the number of @args
 * @command: COMMAND and its arguments, NULL if there is none
 * @line: the shell's command line for -c
 * @timeout: nanoseconds to wait, 0: not at all, -1: for ever
 * @until: the deadline, counted from the start
 * @await: --wait-for-name
 * @conflict: exit status if the wait fails
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
 * @cluster: --cluster
 * @mode_given: -m
 * @mode: permissions of an object that is created
 * @capacity: of an object that is created; 0: not given
 * @key_size: of a Map that is created; 0: not given
 * @value_size: of a Map that is created; 0: not given
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
	bool cluster;
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
 * struct verb - a verb of a command
 * @name: its word; NULL: the command has no verbs
 * @args: its operands, for --help
 * @doc: the first line of --help
 * @more: the rest of --help
 * @options: the long names of its options
 * @run: runs it, and returns an exit status
 * @min: the smallest number of operands, NAME included
 * @max: the largest number of operands; 0: any number
 * @command: the last operand is COMMAND [ARG...]
 * @numbers: an operand after NAME may be a negative number
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
 * verbs_main() - run a command that has verbs
 * @argc: as main()
 * @argv: as main()
 * @verbs: its verbs, ended by one without run()
 * @doc: the text for --help
 *
 * Return: an exit status.
 */
int verbs_main(int argc, char **argv, const struct verb *verbs,
	       const char *doc);

/**
 * shell_usage() - end the program because of a wrong operand
 * @sh: the verb
 * @format: as printf()
 */
void shell_usage(const struct shell *sh, const char *format, ...)
	__attribute__((noreturn, format(printf, 2, 3)));

/**
 * shell_number() - parse an operand that is a number
 * @sh: the verb; the program ends if the operand is wrong
 * @text: the operand
 * @what: the name of the operand, for the message
 * @min: the smallest valid number
 * @max: the largest valid number
 *
 * Return: the number.
 */
int64_t shell_number(const struct shell *sh, const char *text,
		     const char *what, int64_t min, int64_t max);

/**
 * shell_say() - print a message about the object
 * @sh: the verb
 * @format: as printf(); the text after "gosync VERB: NAME: "
 */
void shell_say(const struct shell *sh, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * shell_error() - print the message for a failed operation, with advice
 * @sh: the verb
 * @op: the ioctl that failed
 * @err: -errno
 *
 * Return: an exit status, not 0.
 */
int shell_error(const struct shell *sh, unsigned int op, int err);

/**
 * shell_open() - open or create the object
 * @sh: the verb, with the properties of an object that is created
 * @type: &enum gosync_type, 0: any
 * @flags: GOSYNC_RDONLY; GOSYNC_CREATE and its further flags
 *
 * Ends the program, with advice, if that cannot be done.
 *
 * Return: the descriptor, close-on-exec.
 */
int shell_open(const struct shell *sh, unsigned int type, unsigned int flags);

/**
 * shell_try_open() - shell_open() for callers that can go on without the object
 * @sh: the verb
 * @type: as shell_open()
 * @flags: as shell_open()
 *
 * The program ends if the object has another mode than that of -m.
 *
 * Return: the descriptor, or -errno.
 */
int shell_try_open(const struct shell *sh, unsigned int type,
		   unsigned int flags);

/**
 * shell_info() - get the properties of the object
 * @sh: the verb; the program ends if that fails
 * @fd: a descriptor of the object
 * @info: where to put it
 */
void shell_info(const struct shell *sh, int fd, struct gosync_info *info);

/**
 * shell_deadline() - the deadline of the wait
 * @sh: the verb
 *
 * Return: the absolute time, GOSYNC_FOREVER if never.
 */
uint64_t shell_deadline(const struct shell *sh);

/**
 * shell_gave_up() - the wait has failed: print a message, unless -n forbids it
 * @sh: the verb
 *
 * Return: the exit status.
 */
int shell_gave_up(const struct shell *sh);

/**
 * shell_read() - get the bytes of an operand, or of standard input
 * @sh: the verb; the program ends if reading fails
 * @i: the index of the operand; standard input if it is "-" or missing
 * @max: more bytes than this are an error
 * @len: out: the number of bytes
 *
 * Return: the bytes, never freed.
 */
const void *shell_read(const struct shell *sh, int i, size_t max, size_t *len);

/**
 * shell_write() - write bytes to standard output, as they are
 * @data: the bytes
 * @len: how many
 *
 * A terminal gets a newline after bytes that do not end with one.
 *
 * Return: an exit status.
 */
int shell_write(const void *data, size_t len);

/**
 * command_helper() - make this process a helper
 * @name: its new name, for ps
 *
 * Only SIGKILL ends it, and a search for gosync does not find it.
 */
void command_helper(const char *name);

/**
 * command_run() - run COMMAND and wait for its end
 * @sh: the verb, with COMMAND
 * @killed: out: a signal ended it
 *
 * Signals that are sent to this process alone are passed on. Afterwards they
 * are blocked, so that the caller can clean up.
 *
 * Return: the exit status of COMMAND, as in shells: 126, 127, 128 + signal;
 * EX_OSERR if no process could be created for it.
 */
int command_run(const struct shell *sh, bool *killed);

/**
 * command_end() - end in the same way as COMMAND, after cleaning up
 * @status: from command_run()
 * @killed: from command_run()
 *
 * Return: @status, the exit status for this program.
 */
int command_end(int status, bool killed);

/**
 * command_exec() - become COMMAND
 * @sh: the verb, with COMMAND
 *
 * Return: 126 or 127 if that fails, after a message.
 */
int command_exec(const struct shell *sh);

/**
 * command_tell_death() - tell the user and COMMAND of a death
 * @sh: the verb
 * @died: an owner died; otherwise nothing is told
 * @what: the message
 */
void command_tell_death(const struct shell *sh, bool died, const char *what);

/**
 * command_keep() - let COMMAND inherit a descriptor, unless -o
 * @sh: the verb; the program ends if that is not possible
 * @fd: the descriptor, which is closed
 *
 * Call it before anything is acquired by the descriptor. Descriptors below 10
 * are left to the redirections of COMMAND.
 *
 * Return: the descriptor.
 */
int command_keep(const struct shell *sh, int fd);

#endif /* GOSYNC_TOOL_SHELL_H */
