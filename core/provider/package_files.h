// SPDX-License-Identifier: MIT
/* What dpkg finds wrong with the files of an installed package. */
#ifndef PROVIDER_PACKAGE_FILES_H
#define PROVIDER_PACKAGE_FILES_H

#include "provider/provider.h"

/* Paths that are missing or have another content than the package brought. Configuration is the
 * operator's, and documentation may have been left out on purpose (path-exclude of dpkg.cfg):
 * neither counts. *ret_why: it cannot be told, else NULL. Reads all files of the package. */
int package_files_damaged(struct host *host, const char *package, struct arena *arena,
                          struct list *ret_damaged, const char **ret_why,
                          struct err *err) MUST_CHECK;

#endif
