// SPDX-License-Identifier: GPL-2.0-only
/*
 * gosync chmod, gosync chown: change the permissions and the owner of objects.
 * Modes, users and groups are written as for chmod(1) and chown(1).
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gosync.h"

#define NOBODY	((unsigned int)-1)

/* The first argument says what to change; the names follow it. */
struct job {
	const char *what;
	struct names names;
	unsigned int uid, gid;	/* chown: NOBODY if it is not to be changed */
};

static error_t job_parse(int key, char *arg, struct argp_state *state)
{
	struct job *job = state->input;

	(void)arg;
	if (key == ARGP_KEY_ARGS) {
		job->what = state->argv[state->next++];
		if (state->next == state->argc)
			argp_usage(state);
	}
	return names_parse(key, state, &job->names);
}

/* Call @change for each name. Return: an exit status. */
static int change_each(const struct job *job,
		       int (*change)(const char *name, const struct job *job))
{
	int i, ret, status = 0;

	close(device_open());
	for (i = 0; i < job->names.count; i++) {
		ret = change(job->names.names[i], job);
		if (!ret)
			continue;
		object_error(job->names.names[i], GOSYNC_IOC_CHANGE, ret);
		status = 1;
	}
	return status;
}

/* --- chmod --------------------------------------------------------------- */

/* Apply the actions at @s to the bits @who. Return: where the actions end. */
static const char *act(const char *s, unsigned int who, unsigned int *mode)
{
	do {
		char action = *s++;
		unsigned int bits = 0;

		for (; *s && strchr("rwx", *s); s++)
			bits |= *s == 'r' ? 0444 : *s == 'w' ? 0222 : 0111;
		bits &= who;
		if (action == '-')
			*mode &= ~bits;
		else
			*mode = (action == '=' ? *mode & ~who : *mode) | bits;
	} while (*s && strchr("+-=", *s));
	return s;
}

/* Change *@mode as @text says. Return: false if @text is no mode. */
static bool apply_mode(const char *text, unsigned int *mode)
{
	unsigned int mask = umask(0);
	const char *s = text;
	char *end;

	umask(mask);
	if (*s >= '0' && *s <= '7') {
		unsigned long n = strtoul(s, &end, 8);

		*mode = n;
		return !*end && n <= 0777;
	}
	for (;; s++) {
		unsigned int who = 0;

		for (; *s && strchr("ugoa", *s); s++)
			who |= *s == 'u' ? 0700 : *s == 'g' ? 0070 :
			       *s == 'o' ? 0007 : 0777;
		if (!*s || !strchr("+-=", *s))
			return false;
		s = act(s, who ? who : 0777 & ~mask, mode);
		if (!*s)
			return true;
		if (*s != ',')
			return false;
	}
}

static int change_mode(const char *name, const struct job *job)
{
	struct gosync_info info = { .size = sizeof(info) };
	const char *text = job->what;
	int object, ret = 0;

	/* A relative mode changes the present one. */
	if (*text < '0' || *text > '7') {
		object = object_open(name, 0, GOSYNC_RDONLY);
		if (object < 0)
			return object;
		if (ioctl(object, GOSYNC_IOC_INFO, &info))
			ret = -errno;
		close(object);
	}
	apply_mode(text, &info.mode);
	return ret ? ret : gosync_chmod(name, info.mode);
}

int chmod_main(int argc, char **argv)
{
	static const struct argp argp = {
		.parser = job_parse,
		.args_doc = "MODE NAME...",
		.doc = "Change the permissions of objects: read permission is to observe them,\n"
		       "write permission is to use them. MODE is octal, or like u=rw,g+r,o-rwx.\n"
		       "Processes that have the object open keep their access.",
	};
	struct job job = { .names.required = true };
	unsigned int any = 0;

	argp_parse(&argp, argc, argv, 0, NULL, &job);
	if (!apply_mode(job.what, &any)) {
		argp_help(&argp, stderr, ARGP_HELP_SEE, program_invocation_name);
		return 2;
	}
	return change_each(&job, change_mode);
}

/* --- chown --------------------------------------------------------------- */

static bool is_number(const char *text, unsigned int *number)
{
	unsigned long n;
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	n = strtoul(text, &end, 10);
	*number = n;
	return !errno && !*end && n < NOBODY;
}

/* As chown(1), try a name first: some names consist of digits. */
static bool find_owner(const char *text, unsigned int *uid, unsigned int *login)
{
	const struct passwd *user = getpwnam(text);

	if (!user)
		return is_number(text, uid);
	*uid = user->pw_uid;
	*login = user->pw_gid;
	return true;
}

static bool find_group(const char *text, unsigned int *gid)
{
	const struct group *group = getgrnam(text);

	if (!group)
		return is_number(text, gid);
	*gid = group->gr_gid;
	return true;
}

/* Ends the program if there is no such user or group. */
static void find_both(const char *text, unsigned int *uid, unsigned int *gid)
{
	char *owner = strdup(text), *group;
	unsigned int login = NOBODY;

	if (!owner)
		exit(exit_status(-ENOMEM));
	group = strchr(owner, ':');
	if (group)
		*group++ = 0;
	if (*owner && !find_owner(owner, uid, &login)) {
		fprintf(stderr, "%s: there is no user '%s'\n", program_invocation_name,
			owner);
		exit(2);
	}
	if (group && !*group) {
		*gid = login;
	} else if (group && !find_group(group, gid)) {
		fprintf(stderr, "%s: there is no group '%s'\n", program_invocation_name,
			group);
		exit(2);
	}
	free(owner);
	if (*uid == NOBODY && *gid == NOBODY) {
		fprintf(stderr, "%s: '%s' names neither a user nor a group\n",
			program_invocation_name, text);
		exit(2);
	}
}

static int change_owner(const char *name, const struct job *job)
{
	return gosync_chown(name, job->uid, job->gid);
}

int chown_main(int argc, char **argv)
{
	static const struct argp argp = {
		.parser = job_parse,
		.args_doc = "OWNER[:GROUP] NAME...",
		.doc = "Change the owner and the group of objects, by name or number. OWNER: also\n"
		       "sets the login group of OWNER; :GROUP changes only the group. Processes\n"
		       "that have the object open keep their access.",
	};
	struct job job = {
		.names.required = true, .uid = NOBODY, .gid = NOBODY,
	};

	argp_parse(&argp, argc, argv, 0, NULL, &job);
	find_both(job.what, &job.uid, &job.gid);
	return change_each(&job, change_owner);
}
