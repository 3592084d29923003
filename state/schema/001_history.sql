-- SPDX-License-Identifier: MIT
-- The history of one node: what each table answers is told in docs/history.md.
--
-- Lowest sqlite: 3.26, so types are held by CHECK(typeof()) and not by STRICT (3.37). Times are seconds since
-- 1970 in UTC; a name that ends in _ms counts milliseconds; digests are SHA-256 in hexadecimal. No table
-- but step refers to a run by a foreign key: what is known of a resource outlives the runs that taught it.

-- A run from start to end. A row without `finished` is a run under way, or one that was cut off: `pid` and
-- `starttime` tell which. The counts are NULL when the run ended before it had a plan.
CREATE TABLE run (
	id INTEGER PRIMARY KEY,
	command TEXT NOT NULL CHECK (typeof(command) = 'text'),
	started_by TEXT NOT NULL CHECK (typeof(started_by) = 'text'),
	who TEXT NOT NULL CHECK (typeof(who) = 'text'),
	version TEXT NOT NULL CHECK (typeof(version) = 'text'),
	node TEXT NOT NULL CHECK (typeof(node) = 'text'),
	boot_id TEXT NOT NULL CHECK (typeof(boot_id) = 'text'),
	mode TEXT NOT NULL CHECK (typeof(mode) = 'text'),
	tree_path TEXT NOT NULL CHECK (typeof(tree_path) = 'text'),
	stale_tree INTEGER NOT NULL CHECK (stale_tree IN (0, 1)),
	partial INTEGER NOT NULL CHECK (partial IN (0, 1)),
	tree TEXT CHECK (typeof(tree) IN ('text', 'null')),
	policies TEXT CHECK (typeof(policies) IN ('text', 'null')),
	facts TEXT CHECK (typeof(facts) IN ('text', 'null')),
	state TEXT CHECK (typeof(state) IN ('text', 'null')),
	pid INTEGER NOT NULL CHECK (typeof(pid) = 'integer'),
	starttime INTEGER NOT NULL CHECK (typeof(starttime) = 'integer'),
	started INTEGER NOT NULL CHECK (typeof(started) = 'integer'),
	started_boot_ms INTEGER NOT NULL CHECK (typeof(started_boot_ms) = 'integer'),
	finished INTEGER CHECK (typeof(finished) IN ('integer', 'null')),
	duration_ms INTEGER CHECK (typeof(duration_ms) IN ('integer', 'null')),
	exit_code INTEGER CHECK (typeof(exit_code) IN ('integer', 'null')),
	error TEXT CHECK (typeof(error) IN ('text', 'null')),
	kept INTEGER CHECK (typeof(kept) IN ('integer', 'null')),
	changed INTEGER CHECK (typeof(changed) IN ('integer', 'null')),
	to_change INTEGER CHECK (typeof(to_change) IN ('integer', 'null')),
	pending INTEGER CHECK (typeof(pending) IN ('integer', 'null')),
	blocked INTEGER CHECK (typeof(blocked) IN ('integer', 'null')),
	skipped INTEGER CHECK (typeof(skipped) IN ('integer', 'null')),
	failed INTEGER CHECK (typeof(failed) IN ('integer', 'null')),
	undetermined INTEGER CHECK (typeof(undetermined) IN ('integer', 'null')),
	-- Of a run that was taken over from the journal: what it was called there.
	journal TEXT UNIQUE CHECK (typeof(journal) IN ('text', 'null'))
);

-- What a run set out to do, one row a step: written before the step, completed after it. A row without
-- `outcome` is what a crash leaves.
CREATE TABLE step (
	intent INTEGER PRIMARY KEY,
	run INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
	id TEXT NOT NULL CHECK (typeof(id) = 'text'),
	action TEXT NOT NULL CHECK (typeof(action) = 'text'),
	marks TEXT NOT NULL CHECK (typeof(marks) = 'text'),
	differences TEXT NOT NULL CHECK (typeof(differences) = 'text'), -- JSON: [{field, from, to}]
	origins TEXT NOT NULL CHECK (typeof(origins) = 'text'), -- JSON: [{policy, lua, yaml, reason}]
	intent_at INTEGER CHECK (typeof(intent_at) IN ('integer', 'null')), -- NULL: no intent could be stored
	outcome TEXT CHECK (outcome IN ('kept', 'change', 'changed', 'pending', 'blocked', 'skipped', 'failed',
	                                'undetermined', 'interrupted')),
	finished_at INTEGER CHECK (typeof(finished_at) IN ('integer', 'null')),
	duration_ms INTEGER CHECK (typeof(duration_ms) IN ('integer', 'null')),
	why TEXT CHECK (typeof(why) IN ('text', 'null')),
	detail TEXT CHECK (typeof(detail) IN ('text', 'null')), -- what the tool said
	found TEXT CHECK (typeof(found) IN ('text', 'null')), -- of an interrupted one: what was observed later
	journal TEXT UNIQUE CHECK (typeof(journal) IN ('text', 'null'))
);
CREATE INDEX step_run ON step (run, id);
CREATE INDEX step_id ON step (id);
CREATE INDEX step_open ON step (run) WHERE outcome IS NULL;

-- How each resource stands, written only when that changes: `run` is the first run that found it so, `since`
-- and `since_run` when the outcome (not its reason) became what it is.
CREATE TABLE resource (
	id TEXT PRIMARY KEY NOT NULL CHECK (typeof(id) = 'text'),
	outcome TEXT NOT NULL CHECK (typeof(outcome) = 'text'),
	why TEXT CHECK (typeof(why) IN ('text', 'null')),
	action TEXT NOT NULL CHECK (typeof(action) = 'text'),
	differences TEXT CHECK (typeof(differences) IN ('text', 'null')), -- NULL: none
	origins TEXT CHECK (typeof(origins) IN ('text', 'null')), -- NULL of what is right
	run INTEGER NOT NULL CHECK (typeof(run) = 'integer'),
	since INTEGER NOT NULL CHECK (typeof(since) = 'integer'),
	since_run INTEGER NOT NULL CHECK (typeof(since_run) = 'integer')
) WITHOUT ROWID;

-- How it stood before: from `run` on until `until_run`, which found it otherwise.
CREATE TABLE resource_past (
	id TEXT NOT NULL CHECK (typeof(id) = 'text'),
	outcome TEXT NOT NULL CHECK (typeof(outcome) = 'text'),
	why TEXT CHECK (typeof(why) IN ('text', 'null')),
	action TEXT NOT NULL CHECK (typeof(action) = 'text'),
	differences TEXT CHECK (typeof(differences) IN ('text', 'null')),
	origins TEXT CHECK (typeof(origins) IN ('text', 'null')),
	run INTEGER NOT NULL CHECK (typeof(run) = 'integer'),
	since INTEGER NOT NULL CHECK (typeof(since) = 'integer'),
	since_run INTEGER NOT NULL CHECK (typeof(since_run) = 'integer'),
	until_run INTEGER NOT NULL CHECK (typeof(until_run) = 'integer')
);
CREATE INDEX resource_past_until ON resource_past (until_run);
CREATE INDEX resource_past_id ON resource_past (id);

-- What reconcile created and has not removed.
CREATE TABLE made (
	id TEXT PRIMARY KEY NOT NULL CHECK (typeof(id) = 'text'),
	run INTEGER NOT NULL CHECK (typeof(run) = 'integer'),
	at INTEGER NOT NULL CHECK (typeof(at) = 'integer')
) WITHOUT ROWID;

-- Trees, policies, facts and effective states, once each.
CREATE TABLE blob (
	digest TEXT PRIMARY KEY NOT NULL CHECK (typeof(digest) = 'text'),
	kind TEXT NOT NULL CHECK (typeof(kind) = 'text'),
	kept_at INTEGER NOT NULL CHECK (typeof(kept_at) = 'integer'),
	content TEXT NOT NULL CHECK (typeof(content) = 'text')
);

-- About the history itself: "created", "set_aside".
CREATE TABLE meta (
	key TEXT PRIMARY KEY NOT NULL CHECK (typeof(key) = 'text'),
	value TEXT NOT NULL CHECK (typeof(value) = 'text'),
	at INTEGER NOT NULL CHECK (typeof(at) = 'integer')
) WITHOUT ROWID;
