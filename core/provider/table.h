// SPDX-License-Identifier: MIT
/* The providers, one per kind, each at the end of its own file. Only table.c and tests name them.
 * */
#ifndef PROVIDER_TABLE_H
#define PROVIDER_TABLE_H

#include "provider/provider.h"

extern const struct provider provider_node;
extern const struct provider provider_kernel;
extern const struct provider provider_scheduler;
extern const struct provider provider_filesystem;
extern const struct provider provider_candidate;
extern const struct provider provider_package_index;
extern const struct provider provider_hold;
extern const struct provider provider_package;
extern const struct provider provider_module;
extern const struct provider provider_directory;
extern const struct provider provider_mount;
extern const struct provider provider_file;
extern const struct provider provider_data_repository;
extern const struct provider provider_service;
extern const struct provider provider_command;
extern const struct provider provider_space;
extern const struct provider provider_port;
extern const struct provider provider_package_files;
extern const struct provider provider_archive;
extern const struct provider provider_rival;
extern const struct provider provider_boot_entry;
extern const struct provider provider_loadable;
extern const struct provider provider_package_source;
extern const struct provider provider_cached_package;
extern const struct provider provider_apt_option;
extern const struct provider provider_dkms;
extern const struct provider provider_reboot;

#endif
