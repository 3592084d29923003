// SPDX-License-Identifier: MIT
/* See doctor.h: what was found as values, for JSON. */
#include "engine/doctor_inner.h"

static struct value number(const struct resource *space, const struct number *n)
{
	return space && space->state == STATE_PRESENT && n->set ? value_int(n->value) : value_null();
}

static struct value mount_value(struct arena *arena, const struct doctor_mount *m)
{
	static const struct space nothing = {0};
	const struct space *s = m->space ? &m->space->space : &nothing;
	struct value v = value_map();

	value_put(arena, &v, "target", value_string(m->target));
	value_put(arena, &v, "source", value_string(m->source));
	value_put(arena, &v, "type", value_string(m->type));
	value_put(arena, &v, "module", value_string(m->module));
	value_put(arena, &v, "wanted_by", value_string(m->wanted_by));
	value_put(arena, &v, "standing", value_string(doctor_standing_name(m->standing)));
	value_put(arena, &v, "health", value_string(doctor_health_name(m->health)));
	value_put(arena, &v, "why", value_string(m->why));
	value_put(arena, &v, "size", number(m->space, &s->size));
	value_put(arena, &v, "used", number(m->space, &s->used));
	value_put(arena, &v, "available", number(m->space, &s->available));
	value_put(arena, &v, "percent", number(m->space, &s->percent));
	return v;
}

static struct value kernels_value(struct arena *arena, const struct doctor *d)
{
	struct value list = value_list();

	for (size_t i = 0; i < d->kernel_count; i++) {
		const struct doctor_kernel *k = &d->kernels[i];
		struct value v = value_map();

		value_put(arena, &v, "release", value_string(k->release));
		value_put(arena, &v, "running", value_bool(k->running));
		value_put(arena, &v, "default", value_bool(k->is_default));
		value_put(arena, &v, "next", value_bool(k->next));
		value_put(arena, &v, "installed", value_string(k->installed));
		value_put(arena, &v, "brought", value_string(k->brought));
		value_put(arena, &v, "incomplete", value_string(k->incomplete));
		value_append(arena, &list, v);
	}
	return list;
}

static struct value modules_value(struct arena *arena, const struct doctor *d)
{
	struct value list = value_list();

	for (size_t i = 0; i < d->verdict_count; i++) {
		const struct doctor_verdict *m = &d->verdicts[i];
		struct value v = value_map();

		value_put(arena, &v, "module", value_string(m->module));
		value_put(arena, &v, "release", value_string(m->release));
		value_put(arena, &v, "verdict", value_string(m->verdict));
		value_put(arena, &v, "cause", value_string(m->cause));
		value_put(arena, &v, "reason", value_string(m->reason));
		value_append(arena, &list, v);
	}
	return list;
}

static struct value rivals_value(struct arena *arena, const struct doctor *d)
{
	struct value list = value_list();

	for (size_t i = 0; i < d->rival_count; i++) {
		const struct doctor_rival *r = &d->rivals[i];
		struct value v = value_map();

		value_put(arena, &v, "name", value_string(r->name));
		value_put(arena, &v, "kind", value_string(r->kind));
		value_put(arena, &v, "where", value_string(r->where));
		value_put(arena, &v, "does", value_string(r->does));
		value_put(arena, &v, "why", value_string(r->why));
		value_append(arena, &list, v);
	}
	return list;
}

struct value doctor_to_value(struct arena *arena, const struct doctor *d)
{
	struct value v = value_map(), mounts = value_list(), next = value_list();
	struct value faults = value_list();

	for (size_t i = 0; i < d->count; i++) {
		value_append(arena, &mounts, mount_value(arena, &d->list[i]));
	}
	for (size_t i = 0; i < ARRAY_LEN(d->next) && d->next[i].line; i++) {
		value_append(arena, &next, value_string(d->next[i].line));
	}
	value_put(arena, &v, "node", value_string(d->node));
	value_put(arena, &v, "health", value_string(doctor_health_name(d->health)));
	value_put(arena, &v, "exit_code", value_int((int64_t)d->health));
	value_put(arena, &v, "root", value_bool(d->root));
	value_put(arena, &v, "kernels", kernels_value(arena, d));
	value_put(arena, &v, "kernel_why", value_string(d->kernel_why));
	value_put(arena, &v, "mounts", mounts);
	value_put(arena, &v, "fstab_why", value_string(d->fstab_why));
	for (size_t i = 0; i < d->fstab_faults.count; i++) {
		value_append(arena, &faults, value_string(d->fstab_faults.items[i]));
	}
	value_put(arena, &v, "fstab_faults", faults);
	value_put(arena, &v, "modules", modules_value(arena, d));
	value_put(arena, &v, "rivals", rivals_value(arena, d));
	value_put(arena, &v, "rivals_why", value_string(d->rivals_why));
	value_put(arena, &v, "index_age", d->index_age < 0 ? value_null() : value_int(d->index_age));
	value_put(arena, &v, "index_why", value_string(d->index_why));
	value_put(arena, &v, "next_boot",
	          d->next_boot ? next_boot_to_value(arena, d->next_boot) : value_null());
	value_put(arena, &v, "unjudged", value_string(d->unjudged));
	value_put(arena, &v, "run_next", next);
	value_seal(&v);
	return v;
}
