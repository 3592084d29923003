// SPDX-License-Identifier: MIT
/* Runs that the history could not record are counted in the run-dir, and told to it later. */
#include "engine/inner.h"

#include "base/clock.h"
#include "base/json.h"
#include "host/self.h"

#include <string.h>

/* Runs that left no trace in the history, for the day on which that can be said in it. */
static const char *gap_path(struct engine *engine)
{
	return arena_printf(engine->arena, "%s/history-gap.json", engine->options->run_dir);
}

/* *ret_gap has no runs when there is no gap. */
static int read_gap(struct engine *engine, struct store_gap *ret_gap, struct err *err)
{
	const char *text;
	struct value map;

	*ret_gap = (struct store_gap){0};
	if (self_state_read(gap_path(engine), engine->arena, &text, err)) {
		return -(int)err->code;
	}
	if (!text || json_parse(text, strlen(text), "history-gap.json", engine->arena, &map, err) ||
	    !value_text(&map, "why")) {
		return 0; /* what cannot be read says nothing */
	}
	*ret_gap = (struct store_gap){.since = value_number(&map, "since", 0),
	                              .until = value_number(&map, "until", 0),
	                              .runs = value_number(&map, "runs", 0),
	                              .why = value_text(&map, "why")};
	return 0;
}

void history_gap_widen(struct engine *engine)
{
	AUTO(str_free) struct str text = {0};
	struct value map = value_map();
	struct store_gap gap;
	struct err err = {0};
	int64_t now = clock_now();

	if (read_gap(engine, &gap, &err)) {
		gap = (struct store_gap){0};
	}
	value_put(engine->arena, &map, "since", value_int(gap.runs ? gap.since : now));
	value_put(engine->arena, &map, "until", value_int(now));
	value_put(engine->arena, &map, "runs", value_int(gap.runs + 1));
	value_put(engine->arena, &map, "why",
	          value_string(gap.runs                    ? gap.why
	                       : engine->condition.problem ? engine->condition.problem
	                                                   : "no history"));
	json_print(&text, &map, 0);
	if (self_state_write(gap_path(engine), str_text(&text), text.length, &err)) {
		engine_note(engine, "history: that it has a gap could not be noted: %s", err.text);
	}
}

int history_gap_tell(struct engine *engine, struct err *err)
{
	struct store_gap gap;

	if (read_gap(engine, &gap, err) || (gap.runs && store_gap(engine->store, &gap, err))) {
		return -(int)err->code;
	}
	return self_state_remove(gap_path(engine), err);
}
