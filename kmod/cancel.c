// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cancelling commands of io_uring. Waiting commands are in a tree, in which
 * GOSYNC_IOC_CANCEL finds them.
 */
#include "command.h"

static DEFINE_SPINLOCK(tree_lock);
static struct rb_root tree = RB_ROOT;

/* The order in the tree: by file, ring, token, and the command's address */
struct cancel_key {
	const struct file *file;
	const void *ring;
	u64 token;
	const struct gosync_command *command;
};

static struct cancel_key key_of(const struct gosync_command *command)
{
	return (struct cancel_key) {
		.file = command->cmd->file,
		.ring = cmd_to_io_kiocb(command->cmd)->ctx,
		.token = command->token,
		.command = command,
	};
}

static bool key_is_before(const struct cancel_key *a,
			  const struct cancel_key *b)
{
	if (a->file != b->file)
		return a->file < b->file;
	if (a->ring != b->ring)
		return a->ring < b->ring;
	if (a->token != b->token)
		return a->token < b->token;
	return a->command < b->command;
}

static bool command_before(struct rb_node *a, const struct rb_node *b)
{
	struct cancel_key x = key_of(rb_entry(a, struct gosync_command, node));
	struct cancel_key y = key_of(rb_entry(b, struct gosync_command, node));

	return key_is_before(&x, &y);
}

/* The first that is not before @place, or NULL */
static struct gosync_command *find_command(const struct cancel_key *place)
{
	struct rb_node *node = tree.rb_node;
	struct gosync_command *found = NULL;

	lockdep_assert_held(&tree_lock);
	while (node) {
		struct gosync_command *command;
		struct cancel_key its;

		command = rb_entry(node, struct gosync_command, node);
		its = key_of(command);
		if (key_is_before(&its, place)) {
			node = node->rb_right;
		} else {
			found = command;
			node = node->rb_left;
		}
	}
	return found;
}

/**
 * gosync_cancel_list() - let a command be found, to be cancelled
 * @command: the command
 */
void gosync_cancel_list(struct gosync_command *command)
{
	spin_lock(&tree_lock);
	rb_add(&command->node, &tree, command_before);
	spin_unlock(&tree_lock);
}

/**
 * gosync_cancel_forget() - undo gosync_cancel_list()
 * @command: the command
 */
void gosync_cancel_forget(struct gosync_command *command)
{
	spin_lock(&tree_lock);
	rb_erase(&command->node, &tree);
	spin_unlock(&tree_lock);
}

/**
 * gosync_cancel() - GOSYNC_IOC_CANCEL
 * @cmd: the command that cancels others
 * @request: tells which commands to cancel
 *
 * Return: the number of cancelled commands, or an error.
 */
int gosync_cancel(struct io_uring_cmd *cmd,
		  const struct gosync_request *request)
{
	bool all = request->flags & GOSYNC_CANCEL_ALL;
	struct cancel_key place = {
		.file = cmd->file,
		.ring = cmd_to_io_kiocb(cmd)->ctx,
		.token = request->operand,
	};
	int n = 0;

	if (request->flags & ~GOSYNC_CANCEL_ALL || request->index ||
	    request->deadline || (all && request->operand))
		return -EINVAL;
	for (;;) {
		struct gosync_command *command;
		struct cancel_key its;
		bool ours;

		spin_lock(&tree_lock);
		command = find_command(&place);
		if (command)
			its = key_of(command);
		if (!command || its.file != place.file || its.ring != place.ring ||
		    (!all && its.token != request->operand)) {
			spin_unlock(&tree_lock);
			break;
		}
		ours = gosync_group_leave(&command->group);
		/* Go on behind this one, which may be gone by then. */
		place.token = its.token;
		place.command = (void *)command + 1;
		spin_unlock(&tree_lock);
		if (ours) {
			command->error = -ECANCELED;
			gosync_command_ended(command);
			n++;
		}
		cond_resched();
	}
	return n ?: -ENOENT;
}
