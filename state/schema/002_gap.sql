-- SPDX-License-Identifier: MIT
-- Times of which the history tells nothing: it could not be written (`runs` of them went unrecorded between
-- `since` and `until`), or what it told until then was set aside as the file `set_aside`.
CREATE TABLE gap (
	id INTEGER PRIMARY KEY,
	since INTEGER NOT NULL CHECK (typeof(since) = 'integer'),
	until INTEGER NOT NULL CHECK (typeof(until) = 'integer'),
	runs INTEGER NOT NULL CHECK (typeof(runs) = 'integer'),
	why TEXT NOT NULL CHECK (typeof(why) = 'text'),
	set_aside TEXT CHECK (typeof(set_aside) IN ('text', 'null')),
	UNIQUE (since, why)
);

-- Until now the last one that was set aside stood in meta, as "FILE (WHY)".
INSERT INTO gap (since, until, runs, why, set_aside)
SELECT at, at, 0, rtrim(substr(value, instr(value, ' (') + 2), ')'), substr(value, 1, instr(value, ' (') - 1)
FROM meta WHERE key = 'set_aside' AND instr(value, ' (') > 0;
DELETE FROM meta WHERE key = 'set_aside';
