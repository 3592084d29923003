// SPDX-License-Identifier: MIT
/* A node that exists as a recording only: what the doctor, import and check say of it. */
#ifndef TEST_RECORDED_H
#define TEST_RECORDED_H

#include "node.h"

#include "engine/doctor.h"

#define KERNEL(running, next)                                                               \
	"{\"kind\": \"kernel\", \"key\": \"\", \"state\": \"present\", \"running\": \"" running \
	"\", \"boot_default\": \"" next "\", \"installed\": [\"6.8.0-1039-aws\", \"6.8.0-1042-aws\"]}"
#define LOADS_OLD                                                                           \
	"{\"kind\": \"loadable\", \"key\": \"lustre@6.8.0-1039-aws\", \"state\": \"present\", " \
	"\"verdict\": \"yes\"}"
#define NOT_NEW                                                                             \
	"{\"kind\": \"loadable\", \"key\": \"lustre@6.8.0-1042-aws\", \"state\": \"present\", " \
	"\"verdict\": \"no\", \"cause\": \"missing\", \"reason\": \"no lustre.ko\"}"
#define FSTAB_LUSTRE                                                                    \
	"\"fstab\": true, \"fstab_source\": \"10.1.30.23@tcp:/czrc3amv\", \"fstab_type\": " \
	"\"lustre\""
#define MOUNTED(more)                                                                        \
	"{\"kind\": \"mount\", \"key\": \"/lustre\", \"state\": \"present\", \"live\": true, "   \
	"\"automount\": false, \"source\": \"10.1.30.23@tcp:/czrc3amv\", \"type\": \"lustre\", " \
	"\"options\": [\"rw\", \"flock\"], " FSTAB_LUSTRE more "}"
#define UNMOUNTED(more)                                                                     \
	"{\"kind\": \"mount\", \"key\": \"/lustre\", \"state\": \"present\", \"live\": false, " \
	"\"automount\": false, \"beneath\": \"empty\", " FSTAB_LUSTRE more "}"

/* An engine that knows these facts (JSON, separated by commas) and no more. */
static inline struct engine *recorded_engine(const char *facts)
{
	const char *path = node_path("facts.json");

	scratch_write(
	    path, arena_printf(node.arena, "{\"reconcile_facts\": 1, \"facts\": [%s]}", facts), 0644);
	node_close();
	node.options.facts = path;
	node.options.tree = doctor_default_tree;
	node.options.write_state = false;
	node.engine = engine_open(&node.options, &node.watch);
	return node.engine;
}

static inline struct doctor *recorded_doctor(const char *facts)
{
	struct doctor *doctor;

	if (doctor_look(recorded_engine(facts), NULL, &doctor, &node.err)) {
		fail_msg("%s", node.err.text);
	}
	return doctor;
}

#endif
