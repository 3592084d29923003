# The rooms of core/ and the arrows between them, top room first.
#
# Two readers: the Makefile, which links a unit test with the rooms its own room can reach and no
# others, and tests/checks/arrows.awk, which reads every line of core/. One assignment a line.

ROOMS := cli engine desired policy store provider model host helper base

# ARROWS_<room>: what its files may include besides their own room.
ARROWS_cli := engine desired policy store provider model host base
ARROWS_engine := desired policy store provider model base host/self.h host/self_watch.h
ARROWS_desired := model base
ARROWS_policy := model base
ARROWS_store := model base
ARROWS_provider := model host base
ARROWS_model := base
ARROWS_host := base
# Programs of their own, which others only run.
ARROWS_helper := base
ARROWS_base :=

# DOOR_<header>: the files that may include this foreign header.
DOOR_lua.h := core/policy/*
DOOR_lauxlib.h := core/policy/*
DOOR_lualib.h := core/policy/*
DOOR_yaml.h := core/desired/yaml.c
DOOR_sqlite3.h := core/store/db.c
DOOR_libmount.h := core/host/mounts*.c core/host/mounts_library.h
DOOR_libkmod.h := core/host/module*.c core/host/modules_library.h
DOOR_jansson.h := core/base/json.c
DOOR_sha2.h := core/base/digest.c
DOOR_curl/curl.h := core/helper/http.c

# HOME_<function>: the files that may call it.
HOME_fork := core/base/child.c
HOME_vfork := core/base/child.c
HOME_clone := core/base/child.c
HOME_posix_spawn := core/base/child.c
HOME_posix_spawnp := core/base/child.c
HOME_daemon := core/base/child.c
HOME_system := nowhere
HOME_popen := nowhere

# PRINTS: the files that may write to stdout and stderr by stdio.
PRINTS := core/cli/* core/helper/main.c
