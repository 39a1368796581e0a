// SPDX-License-Identifier: GPL-2.0-only
/*
 * Orphans: holders without a descriptor, which only commands of io_uring keep.
 *
 * A command keeps the files of the objects that it waits for. io_uring has a
 * reference to the file that it was submitted on, gosync to those of a wait's
 * entries and of a Cond's lock. If nothing else keeps a holder, whatever it is
 * granted could never be released, and two such commands could keep each
 * other's. So each holder counts the references of commands
 * (&gosync_holder.kept) and lists the commands. When there are no other
 * references it is an orphan, and its commands end: they are granted nothing
 * any more. A grant of which the program was not told yet is given back.
 *
 * The reference of a registered file does not count as a command's. As long as
 * the ring has that file, commands that release things may be submitted on it.
 *
 * A holder becomes an orphan when a descriptor is closed. The descriptor's own
 * reference is still there at that time. So we keep the file, count that
 * reference as if it were a command's, and look when the descriptor's has gone,
 * on the way back to user space. If several threads close descriptors at the
 * same time, the last of them finds no other reference. A command that begins
 * to wait, or is granted something, looks as well: the close may have come
 * before it.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/slab.h>
#include <linux/task_work.h>

#include "command.h"

/* All holders' links and counts */
static DEFINE_SPINLOCK(links_lock);

static void add_link(struct gosync_link *link, struct gosync_holder *holder,
		     struct gosync_command *command, bool keeps)
{
	lockdep_assert_held(&links_lock);
	link->holder = holder;
	link->command = command;
	link->keeps = keeps;
	holder->kept += keeps;
	hlist_add_head(&link->node, &holder->links);
}

static void remove_link(struct gosync_link *link)
{
	lockdep_assert_held(&links_lock);
	hlist_del_init(&link->node);
	link->holder->kept -= link->keeps;
}

/* The command's link number @i, or NULL */
static struct gosync_link *link_at(struct gosync_command *command, u32 i)
{
	if (!command->set)
		return i ? NULL : &command->link;
	return i < command->set->count ? &command->set->entries[i].link :
					  NULL;
}

/**
 * gosync_orphan_link() - count the references of a command that begins
 * @command: the command
 */
void gosync_orphan_link(struct gosync_command *command)
{
	const struct io_kiocb *req = cmd_to_io_kiocb(command->cmd);
	struct gosync_wait_set *set = command->set;
	u32 i;

	spin_lock(&links_lock);
	if (command->relock)
		add_link(&command->link, command->relock->lock, command, true);
	else if (!set)
		add_link(&command->link, command->waiter.holder, command,
			 !(req->flags & REQ_F_FIXED_FILE));
	else
		for (i = 0; i < set->count; i++)
			add_link(&set->entries[i].link,
				 set->entries[i].waiter.holder, command, true);
	spin_unlock(&links_lock);
}

/**
 * gosync_orphan_unlink() - undo gosync_orphan_link(), before its references go
 * @command: the command; from now on it is not recalled
 */
void gosync_orphan_unlink(struct gosync_command *command)
{
	struct gosync_link *link;
	u32 i;

	spin_lock(&links_lock);
	for (i = 0; (link = link_at(command, i)); i++)
		remove_link(link);
	spin_unlock(&links_lock);
}

/**
 * gosync_orphan_take() - take a command's grant for the program
 * @command: the command, which is linked and has ended
 *
 * If it was recalled, it stays so. From now on nobody recalls it. An earlier
 * recall has queued the worker by now: it does both under the lock. Otherwise
 * the worker could come later, and do what the caller does.
 */
void gosync_orphan_take(struct gosync_command *command)
{
	int was = GOSYNC_TOLD;

	spin_lock(&links_lock);
	try_cmpxchg(&command->group.claim, &was, GOSYNC_TAKEN);
	spin_unlock(&links_lock);
}

/**
 * gosync_is_orphan() - has a holder no descriptor any more
 * @holder: the holder; a command keeps it
 *
 * The file's count and @kept change together under the lock only. A look
 * without the lock could see a reference that has gone, but its count in @kept
 * no more. Then the last of several threads that close descriptors would leave
 * the orphan to another thread.
 *
 * Return: true if it has none, so that nobody could release what it is granted.
 */
bool gosync_is_orphan(const struct gosync_holder *holder)
{
	bool ret;

	/*
	 * O-A, pairs with orphan_closed(): it sees that we were told, or we
	 * see it. It comes here, too, and looks for commands under the lock.
	 */
	spin_lock(&links_lock);
	/* A reference is taken before it is counted, and dropped after that. */
	ret = file_count(holder->file) <= holder->kept;
	spin_unlock(&links_lock);
	return ret;
}

/**
 * gosync_orphan_check() - end a command that waits for an orphan
 * @command: the command, linked before; its gate is the caller's
 */
void gosync_orphan_check(struct gosync_command *command)
{
	struct gosync_link *link;
	u32 i;

	for (i = 0; (link = link_at(command, i)); i++)
		if (gosync_is_orphan(link->holder) &&
		    !gosync_command_end(command, -ECANCELED))
			gosync_command_recall(command, link->holder);
}

/*
 * End up to GOSYNC_WAKE_BATCH of a holder's commands, which are in this list.
 *
 * Return: true if there are more.
 */
static bool orphan_end_batch(struct hlist_head *links, int error)
{
	struct gosync_command *batch[GOSYNC_WAKE_BATCH];
	unsigned int n = 0, seen = 0, i;
	bool more;

	scoped_guard(spinlock, &links_lock) {
		while (!hlist_empty(links) &&
		       seen++ < GOSYNC_WAKE_BATCH) {
			struct gosync_link *link;

			link = hlist_entry(links->first, struct gosync_link,
					   node);
			hlist_del_init(&link->node);
			/* It exists while it is linked or we have its claim. */
			if (gosync_group_leave(&link->command->group))
				batch[n++] = link->command;
			else
				gosync_command_recall(link->command,
						      link->holder);
		}
		more = !hlist_empty(links);
	}
	for (i = 0; i < n; i++) {
		batch[i]->error = error;
		gosync_command_ended(batch[i]);
	}
	return more;
}

/**
 * gosync_orphan_keep() - take a reference to a holder's file
 * @holder: the holder; the caller makes sure that it exists
 *
 * The reference does not count as a descriptor's.
 *
 * Return: false if it is about to end.
 */
bool gosync_orphan_keep(struct gosync_holder *holder)
{
	bool got;

	spin_lock(&links_lock);
	got = get_file_active(&holder->file);
	holder->kept += got;
	spin_unlock(&links_lock);
	return got;
}

/**
 * gosync_orphan_let_go() - undo gosync_orphan_keep()
 * @holder: the holder
 */
void gosync_orphan_let_go(struct gosync_holder *holder)
{
	spin_lock(&links_lock);
	holder->kept--;
	/* Under the lock: nobody sees the reference without its count. */
	fput(holder->file);
	spin_unlock(&links_lock);
}

/**
 * gosync_orphan_break() - end the commands of a broken holder
 * @holder: the holder; commands that come later see that it was broken
 */
void gosync_orphan_break(struct gosync_holder *holder)
{
	HLIST_HEAD(links);

	scoped_guard(spinlock, &links_lock)
		hlist_move_list(&holder->links, &links);
	while (orphan_end_batch(&links, -ESTALE))
		cond_resched();
}

struct closing {
	struct callback_head work;
	struct gosync_holder *holder;
};

static void orphan_closed(struct callback_head *work)
{
	struct closing *closing = container_of(work, struct closing, work);
	struct gosync_holder *holder = closing->holder;

	/*
	 * O-A, pairs with command_tell(): the descriptor's reference is gone.
	 */
	while (gosync_is_orphan(holder) &&
	       orphan_end_batch(&holder->links, -ECANCELED))
		cond_resched();
	gosync_orphan_let_go(holder);
	kfree(closing);
}

/**
 * gosync_orphan_flush() - a descriptor is being closed
 * @holder: the descriptor's holder
 *
 * The descriptor leads nowhere any more, but its reference to the file is still
 * there. Mostly it is the only one: then the holder is about to end, and there
 * is nothing to do. Another reference may be that of a command that begins at
 * this moment and is not counted in @kept yet. The command looks for itself,
 * but may do so before the descriptor's reference has gone. So we look again
 * after that.
 */
void gosync_orphan_flush(struct gosync_holder *holder)
{
	struct closing *closing;

	/*
	 * O-B, pairs with the full barrier in __fget_files_rcu() of the kernel:
	 * either we see the reference of a submitter, or it sees that the
	 * descriptor is gone.
	 */
	smp_mb();
	if (likely(file_count(holder->file) == 1))
		return;
	closing = kmalloc(sizeof(*closing), GFP_KERNEL_ACCOUNT | __GFP_NOFAIL);
	closing->holder = holder;
	init_task_work(&closing->work, orphan_closed);
	gosync_orphan_keep(holder);
	/* A kernel thread does not return to user space. */
	if (current->flags & PF_KTHREAD ||
	    task_work_add(current, &closing->work, TWA_RESUME))
		orphan_closed(&closing->work);
}
