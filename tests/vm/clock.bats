#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# timeout: 900
# The clock of the node is wrong by a day.

load support/vm
setup() { vm_restore; }
teardown() { vm_show; }

@test "a clock a day ahead keeps nothing from being mended" {
	guest "date -s '+1 day'"
	apply
	assert_status 0
	assert_lustre_mounted
	settled
}

@test "a clock a day behind keeps nothing from being mended" {
	guest "date -s '-1 day'"
	apply
	assert_status 0
	assert_lustre_mounted
	settled
}

@test "a clock that is put right after a run leaves a history that can be read, in order" {
	guest "date -s '+1 day'"
	apply
	assert_status 0
	guest "date -s '-1 day'; umount /lustre"
	apply
	assert_status 0
	assert_lustre_mounted
	reconcile history
	assert_status 0
	assert_line -e '^ +2 .*1 changed'
	assert_line -e '^ +1 .*changed'
	settled
}
