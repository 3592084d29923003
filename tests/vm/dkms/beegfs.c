// SPDX-License-Identifier: MIT
/*
 * A file system of the type "beegfs" for tests, built by DKMS. It uses <asm/unaligned.h> as the
 * client 7.4.4 does: kernel 6.12 has moved that header, so that the build fails there for the same
 * reason.
 */
#include <asm/unaligned.h>
#include <linux/fs.h>
#include <linux/module.h>

static const u8 magic[] = {0x19, 0x83, 0x03, 0x07};

static int fill_super(struct super_block *sb, void *options, int silent)
{
	static const struct tree_descr no_files[] = {{""}};

	return simple_fill_super(sb, get_unaligned_be32(magic), no_files);
}

static struct dentry *mount(struct file_system_type *type, int flags, const char *source,
                            void *options)
{
	return mount_nodev(type, flags, options, fill_super);
}

static struct file_system_type beegfs = {
    .owner = THIS_MODULE,
    .name = "beegfs",
    .mount = mount,
    .kill_sb = kill_litter_super,
};

static int __init load(void)
{
	return register_filesystem(&beegfs);
}

static void __exit unload(void)
{
	unregister_filesystem(&beegfs);
}

module_init(load);
module_exit(unload);
MODULE_ALIAS_FS("beegfs");
MODULE_VERSION("7.4.4");
MODULE_DESCRIPTION("file system of the type beegfs for tests");
MODULE_LICENSE("Dual MIT/GPL");
