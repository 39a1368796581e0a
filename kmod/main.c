// SPDX-License-Identifier: GPL-2.0-only
/*
 * gosync: named synchronization objects between processes.
 *
 * The module and its device. Start reading at <linux/gosync.h>, then gosync.h,
 * then any primitive.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>

#include "gosync.h"
#include "page.h"
#include "wait.h"

static const struct file_operations device_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = gosync_device_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.uring_cmd = gosync_uring_cmd,
	.llseek = noop_llseek,
};

/* An object's descriptor: a holder */
static const struct file_operations holder_fops = {
	.owner = THIS_MODULE,
	.flush = gosync_holder_flush,
	.release = gosync_holder_release,
	.unlocked_ioctl = gosync_object_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = gosync_mmap,
	.poll = gosync_poll,
	.uring_cmd = gosync_uring_cmd,
	.show_fdinfo = gosync_holder_show_fdinfo,
	.llseek = noop_llseek,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "gosync",
	.fops = &device_fops,
	.mode = 0666,
};

static int __init gosync_init(void)
{
	int ret;

	gosync_holders_init(&holder_fops);
	ret = gosync_commands_init();
	if (ret)
		return ret;
	ret = gosync_page_init();
	if (ret)
		goto err_commands;
	ret = gosync_names_init();
	if (ret)
		goto err_page;
	ret = misc_register(&device);
	if (ret)
		goto err_names;
	return 0;
err_names:
	gosync_names_exit();
err_page:
	gosync_page_exit();
err_commands:
	gosync_commands_exit();
	return ret;
}

static void __exit gosync_exit(void)
{
	misc_deregister(&device);
	gosync_names_exit();
	gosync_page_exit();
	gosync_commands_exit();
	gosync_places_exit();
}

module_init(gosync_init);
module_exit(gosync_exit);

MODULE_DESCRIPTION("Named synchronization objects between processes");
MODULE_AUTHOR("The gosync authors");
MODULE_LICENSE("GPL");
