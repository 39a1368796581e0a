// SPDX-License-Identifier: GPL-2.0-only
/*
 * gosync: named synchronization objects between processes.
 *
 * The module and its device. Start reading at <linux/gosync.h>, then gosync.h,
 * then any primitive.
 */
#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uidgid.h>

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

/* --- /dev/gosync ---------------------------------------------------------- */

static unsigned short mode = 0666;
module_param(mode, ushort, 0444);
MODULE_PARM_DESC(mode, "permissions of /dev/gosync (default 0666)");

static unsigned int gid;
module_param(gid, uint, 0444);
MODULE_PARM_DESC(gid, "group of /dev/gosync (default 0)");

/* The node is born with them: there is no moment at which others may open it. */
static char *gosync_devnode(const struct device *dev, umode_t *node_mode,
			    kuid_t *node_uid, kgid_t *node_gid)
{
	/* Who removes the node asks for its name alone. */
	if (node_mode)
		*node_mode = mode;
	if (node_gid)
		*node_gid = KGIDT_INIT(gid);
	return NULL;
}

static const struct class gosync_class = { .name = "gosync" };
static const struct device_type gosync_type = { .devnode = gosync_devnode };
static struct cdev gosync_cdev;
static struct device *gosync_dev;

static void gosync_dev_release(struct device *dev)
{
	kfree(dev);
}

static int __init gosync_device_add(void)
{
	dev_t number;
	int ret;

	ret = class_register(&gosync_class);
	if (ret)
		return ret;
	ret = alloc_chrdev_region(&number, 0, 1, "gosync");
	if (ret)
		goto err_class;
	ret = -ENOMEM;
	gosync_dev = kzalloc(sizeof(*gosync_dev), GFP_KERNEL_ACCOUNT);
	if (!gosync_dev)
		goto err_number;
	device_initialize(gosync_dev);
	gosync_dev->class = &gosync_class;
	gosync_dev->type = &gosync_type;
	gosync_dev->devt = number;
	gosync_dev->release = gosync_dev_release;
	cdev_init(&gosync_cdev, &device_fops);
	gosync_cdev.owner = THIS_MODULE;
	ret = dev_set_name(gosync_dev, "gosync") ?:
	      cdev_device_add(&gosync_cdev, gosync_dev);
	if (!ret)
		return 0;
	put_device(gosync_dev);
err_number:
	unregister_chrdev_region(number, 1);
err_class:
	class_unregister(&gosync_class);
	return ret;
}

static void gosync_device_remove(void)
{
	dev_t number = gosync_dev->devt;

	cdev_device_del(&gosync_cdev, gosync_dev);
	put_device(gosync_dev);
	unregister_chrdev_region(number, 1);
	class_unregister(&gosync_class);
}

/* --- The module ----------------------------------------------------------- */

static int __init gosync_init(void)
{
	int ret;

	if (mode & ~0777 || gid == (gid_t)-1) {
		pr_err("mode is at most 0777, and gid is a group\n");
		return -EINVAL;
	}
	gosync_holders_init(&holder_fops);
	ret = gosync_places_init();
	if (ret)
		return ret;
	ret = gosync_commands_init();
	if (ret)
		goto err_places;
	ret = gosync_page_init();
	if (ret)
		goto err_commands;
	ret = gosync_names_init();
	if (ret)
		goto err_page;
	ret = gosync_device_add();
	if (ret)
		goto err_names;
	return 0;
err_names:
	gosync_names_exit();
err_page:
	gosync_page_exit();
err_commands:
	gosync_commands_exit();
err_places:
	gosync_places_exit();
	return ret;
}

static void __exit gosync_exit(void)
{
	gosync_device_remove();
	gosync_names_exit();
	gosync_page_exit();
	gosync_commands_exit();
	gosync_places_exit();
}

module_init(gosync_init);
module_exit(gosync_exit);

MODULE_DESCRIPTION("Named synchronization objects between processes");
MODULE_AUTHOR("The gosync authors");
MODULE_VERSION("0.1.0");
MODULE_LICENSE("GPL");
