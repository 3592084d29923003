// SPDX-License-Identifier: MIT
/* See reboot_go.h. */
#include "provider/reboot_go.h"

#include "base/clock.h"
#include "base/str.h"
#include "provider/converge.h"
#include "provider/lines.h"
#include "provider/slurm_node.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

enum { LEDGER_MOST = 1 << 20, COMMAND_MS = 15000 };

static const char ledger_path[] = REBOOT_LEDGER_DIR "/" REBOOT_LEDGER_NAME;
/* Beside it only where this program has run before. */
static const char history_path[] = REBOOT_LEDGER_DIR "/history.db";

static int read_boot_id(struct host *host, struct arena *arena, const char **ret_id,
                        struct err *err)
{
	char *text;

	if (lines_read(host, "/proc/sys/kernel/random/boot_id", arena, &text, err)) {
		return -(int)err->code;
	}
	*ret_id = text ? lines_next(&text) : NULL;
	return *ret_id && **ret_id ? 0 : err_set(err, ERR_HOST, 0, "this boot has no boot id");
}

/* What will boot, as the boot loader has it: once, or from now on. Unset: it cannot be told. */
static int read_kernel(struct host *host, struct arena *arena, const struct kernel **ret_kernel,
                       const char **ret_why, struct err *err)
{
	struct resource *have;

	if (converge_observe(host, &kind_table[KIND_KERNEL], "", NULL, arena, &have, err)) {
		return -(int)err->code;
	}
	*ret_kernel = have->state == STATE_PRESENT ? &have->kernel : NULL;
	*ret_why = have->why;
	return 0;
}

static bool is_tried(const struct reboot_ledger *ledger)
{
	const struct reboot_entry *open = reboot_ledger_open(ledger);

	return open && open->trial && text_equal(open->result, REBOOT_ARRIVED);
}

static int missing(struct host *host, const char **ret_obstacle, struct err *err)
{
	struct file_look look;

	if (host->ops->look(host, history_path, &look, err)) {
		return -(int)err->code;
	}
	if (look.type != FILE_NONE) {
		*ret_obstacle = "the ledger of reboots is missing, though this node has run before; "
		                "`reconcile allow reboots` begins a new one";
	}
	return 0;
}

/* Trials are decided by what boots from now on: asked for only while there is one. */
static int settle(struct host *host, struct arena *arena, struct reboot_ledger *ledger,
                  struct err *err)
{
	const struct kernel *kernel = NULL;
	const char *boot_id, *why = NULL;
	struct utsname names;

	if (read_boot_id(host, arena, &boot_id, err)) {
		return -(int)err->code;
	}
	if (uname(&names)) {
		return err_set(err, ERR_HOST, errno, "uname");
	}
	struct reboot_boot boot = {
	    .id = boot_id,
	    .running = arena_strdup(arena, names.release),
	    .began = clock_now() - clock_ms() / 1000,
	};

	reboot_ledger_settle(ledger, &boot);
	if (is_tried(ledger)) {
		if (read_kernel(host, arena, &kernel, &why, err)) {
			return -(int)err->code;
		}
		boot.boot_default = kernel ? kernel->boot_default : NULL;
		reboot_ledger_settle(ledger, &boot);
	}
	return 0;
}

int reboot_go_read(struct host *host, struct arena *arena, struct reboot_ledger *ret_ledger,
                   const char **ret_obstacle, struct err *err)
{
	struct file_bytes bytes;
	struct err fault = {0};

	*ret_ledger = (struct reboot_ledger){0};
	*ret_obstacle = NULL;
	if (host->ops->read(host, ledger_path, LEDGER_MOST, arena, &bytes, &fault)) {
		if (fault.os == ENOENT || fault.os == ENOTDIR) {
			return missing(host, ret_obstacle, err);
		}
		*ret_obstacle = arena_strdup(arena, fault.text);
		return 0;
	}
	if (reboot_ledger_parse(bytes.data, bytes.length, arena, ret_ledger, &fault)) {
		*ret_obstacle = arena_printf(arena, "%s (%s); `reconcile allow reboots` begins a new one",
		                             fault.text, ledger_path);
		return 0;
	}
	return settle(host, arena, ret_ledger, err);
}

static int write_ledger(struct host *host, struct arena *arena, const struct reboot_ledger *ledger,
                        struct err *err)
{
	const char *text = reboot_ledger_text(arena, ledger);
	const struct file_write file = {.data = text, .length = strlen(text), .mode = 0600};
	struct file_look look;

	if (host->ops->look(host, REBOOT_LEDGER_DIR, &look, err) ||
	    (look.type == FILE_NONE && host->ops->make_directory(host, REBOOT_LEDGER_DIR, 0755, err))) {
		return -(int)err->code;
	}
	return host->ops->write(host, ledger_path, &file, err);
}

/* scontrol said that it failed, or nothing in time: slurmctld may have taken it all the same, and
 * reboots the node later. Only when it says that it will not is the drain taken back; whose it is
 * says the reason in Slurm. 0: it was taken. */
static int ask_if_taken(struct host *host, const struct slurm_node *drained,
                        const char *const *resume, struct arena *arena, struct applied *applied,
                        struct err *err)
{
	struct slurm_node node;
	const char *said;
	struct err fault = {0};

	if (slurm_node_ask(host, COMMAND_MS, arena, &node, &fault)) {
		const char *before = arena_strdup(arena, err->text);

		return err_set(err, ERR_HOST, 0,
		               "%s; %s stays drained, since Slurm does not say whether it will reboot it: "
		               "%s",
		               before, drained->name, fault.text);
	}
	if (node.reboots) {
		return 0;
	}
	if (slurm_node_run(host, resume, COMMAND_MS, arena, &said, &fault)) {
		applied->detail = said;
	}
	return -(int)err->code;
}

/* DRAIN is what keeps the node from work, before and after: a node that is merely DOWN is taken
 * back when it registers, where ReturnToService is 2. Any nextstate, and ASAP, would end the drain
 * when the node is back (DOWN as well: seen with 22.05); without them it stays. */
static int by_slurm(struct host *host, const char *into, struct arena *arena,
                    struct applied *applied, struct err *err)
{
	struct slurm_node node;

	if (slurm_node_ask(host, COMMAND_MS, arena, &node, err)) {
		return -(int)err->code;
	}
	const char *name = arena_printf(arena, "NodeName=%s", node.name);
	const char *reason = arena_printf(arena, "Reason=" SLURM_REBOOT "%s", into);
	const char *const drain[] = {node.scontrol, "update", name, "State=DRAIN", reason, NULL};
	const char *const reboot[] = {node.scontrol, "reboot", node.name, NULL};
	const char *const resume[] = {node.scontrol, "update", name, "State=RESUME", NULL};

	if (slurm_node_run(host, drain, COMMAND_MS, arena, &applied->detail, err)) {
		return -(int)err->code;
	}
	return slurm_node_run(host, reboot, COMMAND_MS, arena, &applied->detail, err)
	           ? ask_if_taken(host, &node, resume, arena, applied, err)
	           : 0;
}

static int by_systemd(struct host *host, struct arena *arena, struct applied *applied,
                      struct err *err)
{
	static const char *const argv[] = {"systemctl", "reboot", NULL};

	return slurm_node_run(host, argv, COMMAND_MS, arena, &applied->detail, err);
}

static int refuse(struct applied *applied, const char *why)
{
	*applied = (struct applied){.outcome = OUTCOME_BLOCKED, .why = why};
	return 0;
}

/* Why it is not to be done after all, now that it is about to happen. */
static int last_look(struct host *host, const struct reboot *want, struct arena *arena,
                     const char **ret_why, struct err *err)
{
	const char *why = NULL;
	struct slurm_node node;
	const struct kernel *kernel = NULL;

	if (read_kernel(host, arena, &kernel, &why, err)) {
		return -(int)err->code;
	}
	const char *boots = !kernel                                   ? NULL
	                    : kernel->boot_next && *kernel->boot_next ? kernel->boot_next
	                                                              : kernel->boot_default;

	if (!boots) {
		*ret_why = arena_printf(arena, "what will boot next cannot be told%s%s", why ? ": " : "",
		                        why ? why : "");
		return 0;
	}
	if (strcmp(boots, want->into) != 0) {
		*ret_why = arena_printf(arena, "%s would boot, not %s", boots, want->into);
		return 0;
	}
	if (!text_equal(want->when, "slurm")) {
		return 0;
	}
	if (slurm_node_ask(host, COMMAND_MS, arena, &node, err)) {
		return err_wrap(err, "whether this node may be drained cannot be told");
	}
	*ret_why = slurm_node_taken(&node, arena);
	return 0;
}

/* Says in the ledger what became of asking. */
static int note(struct host *host, struct arena *arena, struct reboot_ledger *ledger, bool asked,
                struct err *err)
{
	struct reboot_entry *entry = &ledger->list[ledger->count - 1];

	entry->asked = asked;
	entry->result = asked ? NULL : REBOOT_FAILED;
	return write_ledger(host, arena, ledger, err);
}

int reboot_go(struct host *host, const struct change *change, struct arena *arena,
              struct applied *ret_applied, struct err *err)
{
	const struct reboot *want = &change->want->reboot;
	struct reboot_ledger ledger;
	struct reboot_entry entry = {
	    .from = change->have->reboot.into,
	    .into = want->into,
	    .how = want->when,
	    .at = clock_now(),
	    .uptime = clock_ms() / 1000,
	    .trial = want->trial.value,
	    .renew = want->renew,
	};
	const char *why = NULL;
	struct err fault = {0}, ignored = {0};

	if (reboot_go_read(host, arena, &ledger, &why, err) ||
	    (!why && last_look(host, want, arena, &why, err))) {
		return -(int)err->code;
	}
	if (why) {
		return refuse(ret_applied, why);
	}
	if (read_boot_id(host, arena, &entry.boot_id, err)) {
		return -(int)err->code;
	}
	reboot_ledger_add(&ledger, &entry);
	if (write_ledger(host, arena, &ledger, err)) {
		return err_wrap(err, "nothing is rebooted without its place in the ledger");
	}
	int r = text_equal(want->when, "slurm") ? by_slurm(host, want->into, arena, ret_applied, &fault)
	                                        : by_systemd(host, arena, ret_applied, &fault);

	/* What cannot be noted now is told by the next boot id, or by its absence. */
	if (note(host, arena, &ledger, !r, &ignored)) {
		ret_applied->detail = arena_strdup(arena, ignored.text);
	}
	if (r) {
		return err_copy(err, &fault);
	}
	ret_applied->outcome = OUTCOME_PENDING;
	ret_applied->why =
	    arena_printf(arena, "the node is going down, to come up with %s", want->into);
	return 0;
}
