// SPDX-License-Identifier: GPL-2.0-only
/*
 * Holders of which nobody has a descriptor, kept by commands of io_uring alone.
 *
 * A command keeps the files of what it waits for: io_uring has a reference to
 * the one that it was submitted on, gosync to a wait's entries and to a Cond's
 * lock. What is granted to a holder that nothing else keeps could never be
 * released, and two such commands would keep each other's. So each holder counts
 * the references that commands have (&gosync_holder.kept) and knows the
 * commands. When there are no others it is an orphan, and its commands end: they
 * are granted nothing any more, and what they were granted and nobody has been
 * told of is given back.
 *
 * A registered file is no such reference: as long as the ring knows it, commands
 * may be submitted on it that release things.
 *
 * That a holder becomes an orphan is found where a descriptor is closed. The
 * descriptor's own reference is still there then; so we keep the file, count
 * that as if a command did, and look when the reference has gone, on the way
 * back to user space: of several that close descriptors at the same time the
 * last one finds no others. Who begins to wait, or is granted something, looks
 * as well: it may have been too late to be found.
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

/* Each of the command's links, or NULL */
static struct gosync_link *link_at(struct gosync_command *command, u32 i)
{
	if (!command->set)
		return i ? NULL : &command->link;
	return i < command->set->count ? &command->set->entries[i].link :
					  NULL;
}

/**
 * gosync_orphan_link() - a command begins, and keeps files
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
 * gosync_orphan_unlink() - it is about to let go of them
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
 * gosync_is_orphan() - does nobody have a descriptor any more
 * @holder: of this; a command keeps it
 *
 * The file's count and @kept change together under the lock only. A look without it
 * could see a reference that has gone, and its count no more: then the last of
 * several that close descriptors would leave it to another one.
 *
 * Return: whether what is granted to it could not be released.
 */
bool gosync_is_orphan(const struct gosync_holder *holder)
{
	bool ret;

	spin_lock(&links_lock);
	/*
	 * O-A, pairs with orphan_closed(): it sees that we were told, or we
	 * see it.
	 */
	smp_mb__after_spinlock();
	/* References come before they are counted, and go after that. */
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
 * End so many of a holder's commands, in this list.
 *
 * Return: whether there are others.
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
			/* It can't go as long as it is linked, or our claim. */
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
 * @holder: the holder; it does not go meanwhile
 *
 * It is no descriptor's.
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
	/* With the lock: never seen when it isn't counted. */
	fput(holder->file);
	spin_unlock(&links_lock);
}

/**
 * gosync_orphan_break() - end the commands of a holder that was broken
 * @holder: the holder; those that come later see that it was
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

	/* O-A, pairs with command_tell(): the descriptor's reference is gone. */
	while (gosync_is_orphan(holder) &&
	       orphan_end_batch(&holder->links, -ECANCELED))
		cond_resched();
	gosync_orphan_let_go(holder);
	kfree(closing);
}

/**
 * gosync_orphan_flush() - a descriptor is being closed
 * @holder: whose
 *
 * The descriptor leads nowhere any more, but its reference to the file is still
 * there. If it is the only one the holder is about to end, and most are closed
 * so. Another reference may be that of a command which begins at this moment and
 * is not counted in @kept yet. It looks for itself, but may do so before our
 * reference has gone. So we look again after that.
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
	/* A kernel's thread has no way back to user space. */
	if (current->flags & PF_KTHREAD ||
	    task_work_add(current, &closing->work, TWA_RESUME))
		orphan_closed(&closing->work);
}
