// SPDX-License-Identifier: MIT
/*
 * A file system of the type "lustre" for tests: as far as a node can tell without a server it
 * behaves as the client does. Its source has a ":/", its root shows four directories, statfs says
 * Lustre's magic. It keeps nothing.
 *
 *	refuse=SOURCE	mounting SOURCE fails with EHOSTUNREACH, as when the server is away
 *	error=NUMBER	or with this error instead: 22, EINVAL, as when the server knows no such name
 *	stall=SECONDS	mounting takes that long, and does not end for any signal
 */
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/version.h>

#define MAGIC_LUSTRE 0x0BD00BD0

static char *refuse = "";
module_param(refuse, charp, 0644);
MODULE_PARM_DESC(refuse, "the source that cannot be reached");

static int error = EHOSTUNREACH;
module_param(error, int, 0644);
MODULE_PARM_DESC(error, "what mounting that source fails with");

static unsigned int stall;
module_param(stall, uint, 0644);
MODULE_PARM_DESC(stall, "seconds that mounting takes");

static void set_times(struct inode *inode)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	simple_inode_init_ts(inode);
#else
	inode->i_atime = inode->i_mtime = inode->i_ctime = current_time(inode);
#endif
}

static int add_directory(struct dentry *root, const char *name)
{
	struct inode *inode = new_inode(root->d_sb);
	struct dentry *entry;

	if (!inode)
		return -ENOMEM;
	inode->i_ino = get_next_ino();
	inode->i_mode = S_IFDIR | 0755;
	inode->i_op = &simple_dir_inode_operations;
	inode->i_fop = &simple_dir_operations;
	set_times(inode);
	set_nlink(inode, 2);
	entry = d_alloc_name(root, name);
	if (!entry) {
		iput(inode);
		return -ENOMEM;
	}
	d_add(entry, inode);
	inc_nlink(d_inode(root));
	return 0;
}

static int fill_super(struct super_block *sb, void *options, int silent)
{
	static const char *const names[] = {"data", "checkpoints", "logs", "results"};
	static const struct tree_descr no_files[] = {{""}};
	int result = simple_fill_super(sb, MAGIC_LUSTRE, no_files);

	for (size_t i = 0; !result && i < ARRAY_SIZE(names); i++)
		result = add_directory(sb->s_root, names[i]);
	return result;
}

static struct dentry *mount(struct file_system_type *type, int flags, const char *source,
                            void *options)
{
	if (!source || !strstr(source, ":/"))
		return ERR_PTR(-EINVAL);
	if (*refuse && strcmp(source, refuse) == 0)
		return ERR_PTR(-error);
	if (stall)
		msleep(stall * 1000);
	return mount_nodev(type, flags, options, fill_super);
}

static struct file_system_type lustre = {
    .owner = THIS_MODULE,
    .name = "lustre",
    .mount = mount,
    .kill_sb = kill_litter_super,
};

static int __init load(void)
{
	return register_filesystem(&lustre);
}

static void __exit unload(void)
{
	unregister_filesystem(&lustre);
}

module_init(load);
module_exit(unload);
MODULE_ALIAS_FS("lustre");
MODULE_VERSION("2.15.6");
MODULE_DESCRIPTION("file system of the type lustre for tests");
MODULE_LICENSE("Dual MIT/GPL");
