// SPDX-License-Identifier: GPL-2.0-only
/*
 * gosync_dlm: objects that several machines share, by the kernel's distributed
 * lock manager (fs/dlm).
 *
 * Each object has a lock of the DLM on each node, under one name. A node that has
 * it in mode EX has the object: its processes use it as any other, without a word
 * to the other nodes. All other nodes have mode NL, and the object is away there
 * (kmod/cluster.c). Or several nodes have mode PR: they share it.
 *
 *   somebody wants it here      NL -> EX or PR. When that is granted the object is
 *				 given to this node.
 *   another node wants it       The DLM tells us. The cluster's holder waits for
 *				 the object here, in the ordinary queue; when it has
 *				 it, EX or PR -> NL, or EX -> PR if that will do.
 *				 Who is left waiting here wants it anew.
 *   PR is not enough here       The same, then NL -> EX. (PR -> EX would be a
 *				 deadlock if two nodes did it.)
 *
 * All requests go to the end of the DLM's queue (DLM_LKF_QUECVT), and a node gives
 * the object up only for a request that is in this queue, or that it is going to
 * make. So the nodes take turns.
 *
 * What all nodes have to agree upon travels in the lock's value block, which is
 * written with EX -> NL or PR, and read with NL -> EX or PR. If a node dies with EX, the next
 * finds the block marked as not valid: then the object is poisoned, and its owner
 * died, for all that anybody can know. For that the first node writes it at once.
 *
 * Fencing tokens. While a node has the object its tokens grow where the others do
 * not see it. What a dead node has not written is at most TOKENS_LOST above what
 * the block says: at 20 ns for each lock that is two months. So who comes after a
 * dead node begins that much higher, and writes it (EX -> EX) before anybody here
 * gets the object, so that a second death cannot take that back. Who has PR cannot
 * write, and gets EX first.
 *
 * What is final, that a Once is done, is written at once, by EX -> PR, and every node
 * keeps PR, because a block is lost with the last PR or EX.
 *
 * A Value and the like travel in the block, too. Each change is written through (EX ->
 * EX) before anybody sees it. So the DLM's master of the name has it when a node dies,
 * and this node has it when the master does: who comes next takes the newer of what the
 * DLM says and what he knows himself.
 *
 * One work item for each object makes all decisions. What calls us from outside,
 * the DLM's callbacks (in softirq) and gosync, sets a flag and queues it.
 */
#include <linux/completion.h>
#include <linux/dlm.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <crypto/sha2.h>

#include "cluster.h"

/*
 * There are two lockspaces, because one has value blocks of one length, and the DLM
 * keeps several for each lock.
 */
#define LOCKSPACE	"gosync"
#define DATA_LOCKSPACE	"gosync-data"

#define NAME_SIZE	(2 * SHA256_DIGEST_SIZE)

/* So many tokens may be lost with a node, see above */
#define TOKENS_LOST	BIT_ULL(48)

/* How long to wait after the DLM had no memory */
#define AGAIN_AFTER	msecs_to_jiffies(100)

/* Value blocks that nobody has written are zero. */
#define BLOCK_MAGIC	cpu_to_le32(0x636e7973)
#define BLOCK_POISONED	cpu_to_le32(1)
#define BLOCK_FINAL	cpu_to_le32(2)

/**
 * struct block - a lock's value block
 * @magic: BLOCK_MAGIC
 * @flags: BLOCK_POISONED, BLOCK_FINAL
 * @token: the last fencing token
 */
struct block {
	__le32 magic;
	__le32 flags;
	__le64 token;
};

/**
 * struct node - an object at this node
 * @cluster: gosync's side of it
 * @work: does what is to be done
 * @rcu: frees it after a grace period, because a callback may just be leaving
 * @lock: protects what follows; taken inside the object's lock, and in softirq
 * @lksb: the DLM's view of its lock
 * @state: what the nodes have agreed upon, when the object is given to this node
 * @token: the last token that is known to this node
 * @mode: the mode that was granted
 * @asked: the mode that was asked for last
 * @busy: the DLM has not answered yet
 * @wanted: the mode that somebody wants here; or NL
 * @blocked: the mode that another node waits for; or NL
 * @down: the mode in which it is to be let go
 * @here: this node has the object, as far as @mode says
 * @taking: gosync_cluster_take() waits for it
 * @leaving: it was taken, and is to be let go
 * @written: @block is what the next node is to see
 * @renewing: the block is being written before anybody here has the object
 * @renewed: it was
 * @writing: there is a draft in @state, which is being written or is to be
 * @served: something was drafted since the object is here
 * @ending: nobody uses it any more
 * @block: its value block
 * @data: GOSYNC_CLUSTER_DATA bytes behind @block, in the lockspace that has them
 */
struct node {
	struct gosync_cluster *cluster;
	struct delayed_work work;
	struct rcu_head rcu;
	spinlock_t lock; /* what follows */
	struct dlm_lksb lksb;
	struct gosync_cluster_state state;
	u64 token;
	int mode;
	int asked;
	int wanted;
	int blocked;
	int down;
	bool busy;
	bool here;
	bool taking;
	bool leaving;
	bool written;
	bool renewing;
	bool renewed;
	bool writing;
	bool served;
	bool ending;
	struct block block;
	u8 data[];
};

static struct workqueue_struct *workqueue;
static dlm_lockspace_t *lockspace, *data_lockspace;

static dlm_lockspace_t *lockspace_of(const struct node *node)
{
	return node->state.data ? data_lockspace : lockspace;
}

/* With @node->lock, or by who has a holder of the object */
static void look_again(struct node *node)
{
	mod_delayed_work(workqueue, &node->work, 0);
}

/* Its modes grow with what they are: NL is 0, PR is 3, EX is 5. */
static int mode_of(enum gosync_cluster_mode mode)
{
	static const int modes[] = {
		[GOSYNC_AWAY] = DLM_LOCK_NL,
		[GOSYNC_SHARED] = DLM_LOCK_PR,
		[GOSYNC_HERE] = DLM_LOCK_EX,
	};

	return modes[mode];
}

/* --- The DLM's answers, in softirq ----------------------------------------- */

static void note_answer(struct node *node, int status)
{
	lockdep_assert_held(&node->lock);
	node->busy = false;
	if (status == -DLM_EUNLOCK) {
		node->mode = DLM_LOCK_IV;
		status = 0;
	} else if (!status) {
		/* If others wait the DLM says so after this. */
		if (node->mode != node->asked) {
			node->blocked = DLM_LOCK_NL;
			node->written = false;
			node->leaving = false;
		}
		node->mode = node->asked;
	}
	node->renewed = !status && node->renewing;
	node->renewing = false;
	mod_delayed_work(workqueue, &node->work, status ? AGAIN_AFTER : 0);
}

static void dlm_answered(void *arg)
{
	struct node *node = arg;

	/* All of it under the lock, because the work may free the node. */
	scoped_guard(spinlock_bh, &node->lock)
		note_answer(node, node->lksb.sb_status);
}

static void dlm_blocks(void *arg, int mode)
{
	struct node *node = arg;

	scoped_guard(spinlock_bh, &node->lock) {
		node->blocked = max(node->blocked, mode);
		look_again(node);
	}
}

/* --- What is asked of it --------------------------------------------------- */

static void begin_to_ask(struct node *node, int mode)
{
	scoped_guard(spinlock_bh, &node->lock) {
		node->busy = true;
		node->asked = mode;
		node->renewing = mode == DLM_LOCK_EX &&
				 node->mode == DLM_LOCK_EX;
	}
}

static void asked(struct node *node, int ret)
{
	if (!ret)
		return;
	/* There is no answer then. */
	scoped_guard(spinlock_bh, &node->lock) {
		node->busy = false;
		node->renewing = false;
		mod_delayed_work(workqueue, &node->work, AGAIN_AFTER);
	}
}

/*
 * One hash for names of all lengths: those of the DLM have 64 bytes, and its files
 * in debugfs show text.
 */
static void make_name(const struct node *node, char name[NAME_SIZE])
{
	const struct gosync_object *obj = node->cluster->holder.obj;
	u8 hash[SHA256_DIGEST_SIZE];
	struct sha256_state sha;

	sha256_init(&sha);
	sha256_update(&sha, &obj->type, sizeof(obj->type));
	sha256_update(&sha, gosync_object_name(obj), obj->name_len);
	sha256_final(&sha, hash);
	bin2hex(name, hash, sizeof(hash));
}

static void ask(struct node *node, int mode)
{
	u32 flags = DLM_LKF_VALBLK;
	char name[NAME_SIZE] = {};

	/* Afterwards it is known by its number. */
	if (node->mode == DLM_LOCK_IV)
		make_name(node, name);
	else
		flags |= DLM_LKF_CONVERT;
	if (node->mode == DLM_LOCK_NL)
		flags |= DLM_LKF_QUECVT;
	begin_to_ask(node, mode);
	asked(node, dlm_lock(lockspace_of(node), mode, &node->lksb, flags, name, sizeof(name),
			     0, dlm_answered, node, dlm_blocks));
}

static void let_go(struct node *node)
{
	u32 flags = node->written ? DLM_LKF_VALBLK : 0;

	begin_to_ask(node, DLM_LOCK_IV);
	asked(node, dlm_unlock(lockspace_of(node), node->lksb.sb_lkid, flags,
			       &node->lksb, node));
}

static void write_block(struct node *node,
			const struct gosync_cluster_state *state)
{
	node->token = state->token;
	node->written = true;
	node->block = (struct block) {
		.magic = BLOCK_MAGIC,
		.flags = (state->poisoned ? BLOCK_POISONED : 0) |
			 (state->final ? BLOCK_FINAL : 0),
		.token = cpu_to_le64(state->token),
	};
}

/* --- What is to be done ---------------------------------------------------- */

/*
 * EX or PR was granted: find out what the nodes have agreed upon. Return: true if
 * it has to be written before this node may have the object.
 */
static bool read_block(struct node *node, struct gosync_cluster_state *state)
{
	const struct block *block = &node->block;
	bool was_final, write;

	gosync_cluster_get(node->cluster, state);
	was_final = state->final;
	state->died = false;
	/* The DLM tells nobody that a block is not valid which is not there. */
	write = block->magic != BLOCK_MAGIC && node->mode == DLM_LOCK_EX;
	if (block->magic == BLOCK_MAGIC) {
		state->token = max(le64_to_cpu(block->token), node->token);
		state->poisoned = block->flags & BLOCK_POISONED;
		state->final = block->flags & BLOCK_FINAL;
	}
	/* This node has known it, and all others who have are dead. */
	write |= was_final && !state->final;
	state->final |= was_final;
	if (state->data && state->token > le64_to_cpu(block->token)) {
		gosync_cluster_save(node->cluster, state->data);
		write = true;
	}
	if (!(node->lksb.sb_flags & DLM_SBF_VALNOTVALID))
		return write;
	state->token += TOKENS_LOST;
	state->poisoned = true;
	state->died = true;
	return true;
}

/* EX or PR was granted, and the object is not here yet. */
static void give(struct node *node)
{
	struct gosync_cluster_state *state = &node->state;

	if (!node->renewed && read_block(node, state)) {
		if (node->mode == DLM_LOCK_EX) {
			write_block(node, state);
			ask(node, DLM_LOCK_EX);
			return;
		}
		scoped_guard(spinlock_bh, &node->lock)
			node->wanted = DLM_LOCK_EX;
		ask(node, DLM_LOCK_NL);
		return;
	}
	node->renewed = false;
	node->token = state->token;
	scoped_guard(spinlock_bh, &node->lock) {
		node->here = true;
		node->served = false;
		if (node->wanted <= node->mode)
			node->wanted = DLM_LOCK_NL;
	}
	gosync_cluster_give(node->cluster, state, node->mode != DLM_LOCK_EX);
	state->died = false;
}

/*
 * Another node wants it in mode @blocked, or this one wants more of it. Return:
 * false if it is not to be had yet.
 */
static bool take(struct node *node, int blocked)
{
	struct gosync_cluster_state state;
	int wanted;

	if (!node->taking) {
		node->taking = true;
		if (!gosync_cluster_take(node->cluster))
			return false;
	} else if (!gosync_cluster_has(node->cluster)) {
		return false;
	}
	node->taking = false;
	/* From here on who comes wants it anew; who was here before is counted. */
	scoped_guard(spinlock_bh, &node->lock)
		node->here = false;
	wanted = mode_of(gosync_cluster_get(node->cluster, &state));
	scoped_guard(spinlock_bh, &node->lock)
		node->wanted = max(node->wanted, wanted);
	node->down = DLM_LOCK_NL;
	if (node->mode == DLM_LOCK_EX) {
		write_block(node, &state);
		if (blocked == DLM_LOCK_PR)
			node->down = DLM_LOCK_PR;
	}
	return true;
}

/*
 * Operations wait for what this node has. Return: false if the DLM has to answer first
 */
static bool serve(struct node *node, bool blocked)
{
	bool all = node->mode == DLM_LOCK_EX;

	if (node->renewed) {
		node->renewed = false;
		node->writing = false;
		gosync_cluster_commit(node->cluster, &node->state);
	}
	/* Another node waits: here they have had their turn. */
	if (!node->writing && (!blocked || !node->served)) {
		node->served = true;
		node->writing = gosync_cluster_draft(node->cluster, &node->state,
						     all);
	}
	if (!node->writing)
		return true;
	write_block(node, &node->state);
	ask(node, DLM_LOCK_EX);
	return false;
}

static void end(struct node *node)
{
	struct gosync_cluster_state state;

	if (node->mode == DLM_LOCK_IV) {
		cancel_delayed_work(&node->work);
		gosync_cluster_end(node->cluster);
		kfree_rcu(node, rcu);
		return;
	}
	if (node->here) {
		gosync_cluster_get(node->cluster, &state);
		if (node->mode == DLM_LOCK_EX)
			write_block(node, &state);
		node->here = false;
	}
	let_go(node);
}

/* Return: true if there may be more to do */
static bool do_step(struct node *node)
{
	int wanted, blocked;
	bool busy, ending;

	scoped_guard(spinlock_bh, &node->lock) {
		busy = node->busy;
		wanted = node->wanted;
		blocked = node->blocked;
		ending = node->ending;
	}
	if (busy)
		return false;
	if (ending) {
		end(node);
		return false;
	}
	switch (node->mode) {
	case DLM_LOCK_IV:
		ask(node, DLM_LOCK_NL);
		return false;
	case DLM_LOCK_NL:
		if (wanted != DLM_LOCK_NL)
			ask(node, wanted);
		return false;
	}
	if (node->here) {
		if (node->state.data && !serve(node, blocked != DLM_LOCK_NL))
			return false;
		node->leaving = (blocked != DLM_LOCK_NL || wanted > node->mode) &&
				take(node, blocked);
		return node->leaving;
	}
	if (node->leaving) {
		ask(node, node->down);
		return false;
	}
	give(node);
	return true;
}

static void do_work(struct work_struct *work)
{
	struct node *node = container_of(work, struct node, work.work);

	while (do_step(node))
		cond_resched();
}

/* --- What gosync asks ------------------------------------------------------ */

static void *node_begin(struct gosync_cluster *cluster)
{
	const bool has_data = cluster->holder.obj->ops->cluster->save;
	struct node *node;

	node = kzalloc(struct_size(node, data, has_data * GOSYNC_CLUSTER_DATA),
		       GFP_KERNEL_ACCOUNT);
	if (!node)
		return ERR_PTR(-ENOMEM);
	if (has_data)
		node->state.data = node->data;
	node->cluster = cluster;
	INIT_DELAYED_WORK(&node->work, do_work);
	spin_lock_init(&node->lock);
	node->lksb.sb_lvbptr = (char *)&node->block;
	node->mode = DLM_LOCK_IV;
	node->asked = DLM_LOCK_IV;
	return node;
}

static void node_wanted(void *arg, enum gosync_cluster_mode mode)
{
	struct node *node = arg;
	int wanted = mode_of(mode);

	scoped_guard(spinlock_bh, &node->lock) {
		if (wanted > node->wanted &&
		    (!node->here || wanted > node->mode)) {
			node->wanted = wanted;
			look_again(node);
		}
	}
}

/* As if another node wanted to share it */
static void node_settled(void *arg)
{
	struct node *node = arg;

	scoped_guard(spinlock_bh, &node->lock) {
		if (node->here && node->mode == DLM_LOCK_EX) {
			node->blocked = max(node->blocked, DLM_LOCK_PR);
			look_again(node);
		}
	}
}

static void node_look(void *arg)
{
	look_again(arg);
}

static void node_end(void *arg)
{
	struct node *node = arg;

	scoped_guard(spinlock_bh, &node->lock) {
		node->ending = true;
		look_again(node);
	}
}

/* --- Becoming a member ----------------------------------------------------- */

/* The DLM waits for user space, and cannot be interrupted: so a worker joins. */
static void do_join(struct work_struct *work);
static DECLARE_WORK(join, do_join);
static DECLARE_COMPLETION(joined);
static int join_error;

static int join_lockspace(const char *name, size_t data_size,
			  dlm_lockspace_t **space)
{
	return dlm_new_lockspace(name, NULL, DLM_LSFL_SOFTIRQ,
				 sizeof(struct block) + data_size, NULL, NULL,
				 NULL, space);
}

static void leave_lockspace(dlm_lockspace_t **space)
{
	if (*space)
		dlm_release_lockspace(*space, 2);
	*space = NULL;
}

static void do_join(struct work_struct *work)
{
	join_error = join_lockspace(LOCKSPACE, 0, &lockspace) ?:
		     join_lockspace(DATA_LOCKSPACE, GOSYNC_CLUSTER_DATA,
				    &data_lockspace);
	if (join_error) {
		pr_warn("cannot join the cluster: %d\n", join_error);
		leave_lockspace(&lockspace);
	}
	complete_all(&joined);
}

static int node_ready(void)
{
	static DEFINE_SPINLOCK(lock);
	static bool asked;

	scoped_guard(spinlock, &lock) {
		/* Without a cluster there may be one the next time. */
		if (!asked || (completion_done(&joined) && join_error)) {
			reinit_completion(&joined);
			asked = true;
			schedule_work(&join);
		}
	}
	if (wait_for_completion_killable(&joined))
		return -EINTR;
	return join_error ? -ENOTCONN : 0;
}

static const struct gosync_cluster_ops ops = {
	.owner = THIS_MODULE,
	.ready = node_ready,
	.begin = node_begin,
	.wanted = node_wanted,
	.settled = node_settled,
	.look = node_look,
	.end = node_end,
};

static int __init gosync_dlm_init(void)
{
	int ret;

	workqueue = alloc_workqueue("gosync_dlm", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!workqueue)
		return -ENOMEM;
	ret = gosync_cluster_register(&ops);
	if (ret)
		destroy_workqueue(workqueue);
	return ret;
}

/* There are no objects any more: each of them has a reference to the module. */
static void __exit gosync_dlm_exit(void)
{
	gosync_cluster_unregister();
	flush_work(&join);
	destroy_workqueue(workqueue);
	leave_lockspace(&data_lockspace);
	leave_lockspace(&lockspace);
}

module_init(gosync_dlm_init);
module_exit(gosync_dlm_exit);

MODULE_DESCRIPTION("gosync's objects of several machines, by the kernel's DLM");
MODULE_AUTHOR("The gosync authors");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(GOSYNC);
