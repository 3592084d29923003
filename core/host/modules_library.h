// SPDX-License-Identifier: MIT
/*
 * libkmod, loaded when it is first needed: it pulls in libraries for compression and signatures
 * that cost more than all else in a run that changes nothing.
 */
#ifndef HOST_MODULES_LIBRARY_H
#define HOST_MODULES_LIBRARY_H

#include "base/err.h"

#include <libkmod.h>

#define MODULES_LIBRARY_FUNCTIONS(X)    \
	X(kmod_new)                         \
	X(kmod_unref)                       \
	X(kmod_set_log_fn)                  \
	X(kmod_load_resources)              \
	X(kmod_list_next)                   \
	X(kmod_config_get_blacklists)       \
	X(kmod_config_iter_next)            \
	X(kmod_config_iter_get_key)         \
	X(kmod_config_iter_free_iter)       \
	X(kmod_module_new_from_lookup)      \
	X(kmod_module_new_from_name)        \
	X(kmod_module_new_from_path)        \
	X(kmod_module_unref)                \
	X(kmod_module_unref_list)           \
	X(kmod_module_get_module)           \
	X(kmod_module_get_name)             \
	X(kmod_module_get_path)             \
	X(kmod_module_get_options)          \
	X(kmod_module_get_install_commands) \
	X(kmod_module_get_dependencies)     \
	X(kmod_module_get_info)             \
	X(kmod_module_info_get_key)         \
	X(kmod_module_info_get_value)       \
	X(kmod_module_info_free_list)       \
	X(kmod_module_get_versions)         \
	X(kmod_module_version_get_symbol)   \
	X(kmod_module_version_get_crc)      \
	X(kmod_module_versions_free_list)   \
	X(kmod_module_get_symbols)          \
	X(kmod_module_symbol_get_symbol)    \
	X(kmod_module_symbol_get_crc)       \
	X(kmod_module_symbols_free_list)    \
	X(kmod_module_probe_insert_module)  \
	X(kmod_module_remove_module)

/* The functions of the library, by their own names; the types are those of its header. */
struct modules_library {
#define MEMBER(name) __typeof__(&(name)) name; /* NOLINT(bugprone-macro-parentheses) */
	MODULES_LIBRARY_FUNCTIONS(MEMBER)
#undef MEMBER
};

/* NULL, and *err: it is not there. Lives as long as the process. */
const struct modules_library *modules_library(struct err *err);

/* A context for the modules of one release; freed by kmod_unref. It is never kept: it goes stale
 * when depmod or somebody else changes what it has read. Its messages go nowhere: the library would
 * write them to stderr. `config` as modules_inner.h says. NULL, and *err. */
struct kmod_ctx *modules_library_context(const struct modules_library *kmod, const char *folder,
                                         const char *const *config, struct err *err);

#endif
