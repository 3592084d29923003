// SPDX-License-Identifier: MIT
#include "desired/final.h"

#include "unit/desired/given.h"

static const struct {
	const char *defaults, *faults;
} cases[] = {
    {"kernel: {strategy: pin}\n",
     "nodes/n.yaml:4:20: kernel.strategy: pin needs kernel.release, which is not given\n"},
    {"kernel: {strategy: pin, release: 6.1*}\n", ""},
    {"kernel: {strategy: none}\n", ""},
    {"reboot: {when: window}\n",
     "nodes/n.yaml:4:16: reboot.when: window needs reboot.window, which is not given\n"},
    {"reboot: {when: window, window: \"Sun 02:00-05:00 Asia/Seoul\"}\n", ""},
    {"mounts: {/m: {type: tmpfs}}\n",
     "nodes/n.yaml:4:10: mounts./m: source is missing: what is mounted: a device, LABEL=, UUID=, "
     "host:/path, NID:/name, a folder to bind\n"},
    {"mounts: {/m: {state: absent}}\n", ""},
    {"mounts: {/m: {source: s, type: t, options: [ro, rw]}}\n",
     "nodes/n.yaml:4:44: mounts./m: options: rw contradicts an option before it\n"},
    {"data_repositories: {/l/d: {repository: 's3://bucket/'}}\n"
     "mounts: {/l: {source: s, type: t}, /l/d/x/y: {source: s, type: t}}\n",
     "nodes/n.yaml:5:36: mounts./l/d/x/y: lies within data_repositories./l/d (nodes/n.yaml:4)\n"},
    {"data_repositories: {/l/d: {repository: 's3://bucket/'}}\n"
     "mounts: {/l/d/x: {state: absent}, /l/data: {source: s, type: t}}\n",
     ""},
    {"data_repositories: {/l/d: {state: absent}}\n",
     "nodes/n.yaml:4:35: data_repositories./l/d: state: a data_repository cannot be wanted "
     "absent\n"},
    {"resources: [{kind: command, name: c, argv: [/bin/true]}]\n",
     "nodes/n.yaml:4:13: resources.command:c: a command needs a guard: unless or creates says when "
     "there is nothing to do\n"},
    {"resources: [{kind: mount, target: /m, source: s}, {kind: hold, package: aa}]\n",
     "nodes/n.yaml:4:13: resources.mount:/m: type is missing: file system type; none for a bind "
     "mount\n"},
    {"modules: {m: {}}\npackages: {aa: {version: '2.*'}}\nholds: [aa]\n", ""},
};

static void final_state_is_whole_and_does_not_contradict_itself(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct given g;
		struct desired_identity identity = {.name = "n"};
		struct desired desired;

		given_init(&g);
		given_file(&g, "defaults.yaml", "version: 1\n");
		given_file(
		    &g, "nodes/n.yaml",
		    arena_printf(g.arena, "version: 1\nnodes: [n]\nmode: safe\n%s", cases[i].defaults));
		struct desired_tree *tree = desired_load(g.arena, g.files, g.count, &g.diags);

		assert_non_null(tree);
		int r = desired_effective(g.arena, tree, &identity, &desired, &g.diags);

		assert_int_equal(r, *cases[i].faults ? -ERR_INPUT : 0);
		assert_string_equal(given_faults(&g), cases[i].faults);
		given_done(&g);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(final_state_is_whole_and_does_not_contradict_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
