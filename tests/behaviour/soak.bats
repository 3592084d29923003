#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# timeout: 900
# takes: 70
#
# A minute of what `make soak` does for as long as one likes: a node under `reconcile run`, and a
# companion that breaks it in every way it knows (tests/soak).

load support/common

@test "whatever is broken, the node converges, nothing is lost, and the agent does not grow" {
	need_root
	local status=0 spent=${SOAK:-60s}

	sanitizer_frees
	is_sanitized && spent=20s
	SOAK=$spent "$TOP/tests/soak/run" --seed "$TEST_SEED" 3>&- 4>&- || status=$?
	((status != 77)) || skip "needs what tests/soak/run names"
	((status == 0))
}
