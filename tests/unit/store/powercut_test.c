// SPDX-License-Identifier: MIT
/*
 * The power fails while the history is written. A layer below sqlite writes down each write,
 * truncation and sync; for every one of them the files are made as a disk may leave them: what was
 * synced is there, of what was written since, each sector of 512 bytes is there or not. POWERCUTS=N
 * makes N different disks of each cut (1).
 */
#include "unit/store/fixture.h"

enum { FILES_MOST = 4, SECTOR = 512, OPS_MOST = 20000 };

enum op_kind { OP_WRITE, OP_TRUNCATE, OP_SYNC, OP_DELETE };

struct op {
	enum op_kind kind;
	int file;
	int64_t at;
	int n;
	char *bytes;
};

/* What was done to the files, in order. */
static struct {
	bool on;
	const char *names[FILES_MOST];           /* what stands behind the path of the database */
	bool made[FILES_MOST], gone[FILES_MOST]; /* and its folder was not synced since */
	int file_count;
	struct op ops[OPS_MOST];
	int count;
	/* What a caller was told is on disk, and after how many operations. */
	struct {
		int after, intents, outcomes, ended;
	} told[4000];
	int told_count;
} tape;

static void add_op(struct op op, const void *bytes)
{
	if (!tape.on) {
		return;
	}
	assert_true(tape.count < OPS_MOST);
	if (op.n) {
		op.bytes = malloc((size_t)op.n);
		assert_non_null(op.bytes);
		memcpy(op.bytes, bytes, (size_t)op.n);
	}
	tape.ops[tape.count++] = op;
}

/* ---- the layer: sqlite.org/vfs.html. Behind each file of ours lies the real one. */

struct layer_file {
	sqlite3_file base;
	int file; /* on the tape, or -1 */
	sqlite3_file *real;
};

static sqlite3_vfs *real_vfs;
static sqlite3_io_methods layer_methods;

static sqlite3_file *real_of(sqlite3_file *file)
{
	return ((struct layer_file *)file)->real;
}

#define PASS(name, parameters, ...)                                          \
	static int layer_##name parameters                                       \
	{                                                                        \
		return real_of(file)->pMethods->x##name(real_of(file), __VA_ARGS__); \
	}
PASS(Read, (sqlite3_file * file, void *bytes, int n, sqlite3_int64 at), bytes, n, at)
PASS(FileSize, (sqlite3_file * file, sqlite3_int64 *ret), ret)
PASS(Lock, (sqlite3_file * file, int level), level)
PASS(Unlock, (sqlite3_file * file, int level), level)
PASS(CheckReservedLock, (sqlite3_file * file, int *ret), ret)
PASS(FileControl, (sqlite3_file * file, int op, void *arg), op, arg)
PASS(ShmMap, (sqlite3_file * file, int page, int size, int extend, void volatile **ret), page, size,
     extend, ret)
PASS(ShmLock, (sqlite3_file * file, int at, int n, int flags), at, n, flags)
PASS(ShmUnmap, (sqlite3_file * file, int drop), drop)

static void layer_ShmBarrier(sqlite3_file *file)
{
	real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int layer_SectorSize(sqlite3_file *file)
{
	(void)file;
	return SECTOR;
}

/* A disk that promises nothing: no write of it is atomic, and none waits for another. */
static int layer_DeviceCharacteristics(sqlite3_file *file)
{
	(void)file;
	return 0;
}

static int layer_Close(sqlite3_file *file)
{
	int rc = real_of(file)->pMethods->xClose(real_of(file));

	free(real_of(file));
	return rc;
}

static int layer_Write(sqlite3_file *file, const void *bytes, int n, sqlite3_int64 at)
{
	add_op((struct op){OP_WRITE, ((struct layer_file *)file)->file, at, n, NULL}, bytes);
	return real_of(file)->pMethods->xWrite(real_of(file), bytes, n, at);
}

static int layer_Truncate(sqlite3_file *file, sqlite3_int64 size)
{
	add_op((struct op){OP_TRUNCATE, ((struct layer_file *)file)->file, size, 0, NULL}, NULL);
	return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static void sync_folder(void)
{
	for (int i = 0; i < tape.file_count; i++) {
		if (tape.gone[i]) {
			add_op((struct op){OP_SYNC, i, 0, 0, NULL}, NULL);
		}
		tape.made[i] = tape.gone[i] = false;
	}
}

/* The real one is spared: what is on disk is what the tape says. The first sync of a new log or
 * journal syncs their folder as well (unixSync of sqlite), and with that also what was deleted
 * there before. */
static int layer_Sync(sqlite3_file *file, int flags)
{
	int number = ((struct layer_file *)file)->file;

	(void)flags;
	add_op((struct op){OP_SYNC, number, 0, 0, NULL}, NULL);
	if (tape.made[number]) {
		sync_folder();
	}
	return SQLITE_OK;
}

static int number_of_file(const char *path)
{
	const char *name = path ? strstr(path, ".db") : NULL;

	if (!name) {
		return -1;
	}
	name += 3;
	for (int i = 0; i < tape.file_count; i++) {
		if (!strcmp(tape.names[i], name)) {
			return i;
		}
	}
	assert_true(tape.file_count < FILES_MOST);
	tape.names[tape.file_count] = strdup(name);
	return tape.file_count++;
}

static int layer_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags,
                      int *ret_flags)
{
	struct layer_file *layer = (struct layer_file *)file;

	(void)vfs;
	*layer = (struct layer_file){.file = number_of_file(path)};
	struct stat st;
	bool there = path && lstat(path, &st) == 0;

	layer->real = calloc(1, (size_t)real_vfs->szOsFile);
	assert_non_null(layer->real);
	int rc = real_vfs->xOpen(real_vfs, path, layer->real, flags, ret_flags);

	if (rc) {
		free(layer->real);
		return rc;
	}
	layer->base.pMethods = &layer_methods;
	if (layer->file >= 0 && !there && (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL))) {
		tape.made[layer->file] = true;
	}
	return SQLITE_OK;
}

static int layer_delete(sqlite3_vfs *vfs, const char *path, int with_folder)
{
	int file = number_of_file(path);

	(void)vfs;
	add_op((struct op){OP_DELETE, file, 0, 0, NULL}, NULL);
	tape.gone[file] = true;
	if (with_folder) {
		sync_folder();
	}
	return real_vfs->xDelete(real_vfs, path, 0);
}

static void layer_begin(void)
{
	static sqlite3_vfs vfs;

	real_vfs = sqlite3_vfs_find(NULL);
	layer_methods = (sqlite3_io_methods){
	    2,
	    layer_Close,
	    layer_Read,
	    layer_Write,
	    layer_Truncate,
	    layer_Sync,
	    layer_FileSize,
	    layer_Lock,
	    layer_Unlock,
	    layer_CheckReservedLock,
	    layer_FileControl,
	    layer_SectorSize,
	    layer_DeviceCharacteristics,
	    layer_ShmMap,
	    layer_ShmLock,
	    layer_ShmBarrier,
	    layer_ShmUnmap,
	    NULL,
	    NULL,
	};
	vfs = *real_vfs;
	vfs.zName = "tape";
	vfs.szOsFile = sizeof(struct layer_file);
	vfs.xOpen = layer_open;
	vfs.xDelete = layer_delete;
	assert_int_equal(sqlite3_vfs_register(&vfs, 1), SQLITE_OK);
	tape.on = true;
}

static void layer_end(void)
{
	tape.on = false;
	assert_int_equal(sqlite3_vfs_register(real_vfs, 1), SQLITE_OK);
}

/* ---- what the disk holds after a cut */

struct image {
	char *bytes;
	size_t size, room;
	bool there;
};

static void image_write(struct image *image, int64_t at, const char *bytes, size_t n)
{
	size_t end = (size_t)at + n;

	if (end > image->room) {
		image->bytes = mem_realloc(image->bytes, end * 2);
		memset(image->bytes + image->room, 0, end * 2 - image->room);
		image->room = end * 2;
	}
	memcpy(image->bytes + at, bytes, n);
	image->size = end > image->size ? end : image->size;
}

static void image_truncate(struct image *image, int64_t size)
{
	if ((size_t)size < image->size) {
		memset(image->bytes + size, 0, image->size - (size_t)size);
		image->size = (size_t)size;
	}
}

/* One operation; `some`: only those of its sectors on which the dice fall. */
static void image_apply(struct image *image, const struct op *op, bool some)
{
	if (op->kind == OP_TRUNCATE && (!some || rand() % 2)) {
		image_truncate(image, op->at);
	}
	if (op->kind == OP_DELETE && (!some || rand() % 2)) {
		image_truncate(image, 0);
		image->there = false;
	}
	image->there |= op->kind == OP_WRITE;
	for (int at = 0; op->kind == OP_WRITE && at < op->n; at += SECTOR) {
		int n = op->n - at < SECTOR ? op->n - at : SECTOR;

		if (!some || rand() % 2) {
			image_write(image, op->at + at, op->bytes + at, (size_t)n);
		}
	}
}

/* The files of the database as the disk has them after `count` operations. A file is there once it
 * was synced; before, perhaps. */
static void materialise(const char *path, int count, struct arena *arena)
{
	for (int file = 0; file < tape.file_count; file++) {
		struct image image = {0};
		int synced = 0;
		bool none = rand() % 3 == 0, all = rand() % 3 == 0;

		for (int i = 0; i < count; i++) {
			synced = tape.ops[i].kind == OP_SYNC && tape.ops[i].file == file ? i + 1 : synced;
		}
		for (int i = 0; i < count; i++) {
			if (tape.ops[i].file == file && (i < synced || !none)) {
				image_apply(&image, &tape.ops[i], i >= synced && !all);
			}
		}
		if (image.there && (synced || rand() % 2)) {
			fixture_write_file(arena_printf(arena, "%s%s", path, tape.names[file]), image.bytes,
			                   image.size);
		}
		free(image.bytes);
	}
}

/* ---- what is done, and what must be true after a cut */

static void tell(int intents, int outcomes, int ended)
{
	assert_true((size_t)tape.told_count < ARRAY_LEN(tape.told));
	tape.told[tape.told_count].after = tape.count;
	tape.told[tape.told_count].intents = intents;
	tape.told[tape.told_count].outcomes = outcomes;
	tape.told[tape.told_count++].ended = ended;
}

static void work(struct fixture *f)
{
	int intents = 0, outcomes = 0, ended = 0;

	for (int run = 0; run < 8; run++) {
		struct store *store = fixture_write(f);
		struct step steps[3];
		int64_t number = fixture_begin(f, store, false), intent;

		for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
			steps[i] = fixture_step(f, arena_printf(f->arena, "file:/%zu", i), ACTION_UPDATE,
			                        OUTCOME_CHANGED, NULL);
			assert_int_equal(fixture_intent(store, number, &steps[i], &intent, &f->err), 0);
			tell(++intents, outcomes, ended);
			assert_int_equal(fixture_outcome(store, intent, &steps[i], &f->err), 0);
			tell(intents, ++outcomes, ended);
		}
		struct plan plan = fixture_plan(steps, ARRAY_LEN(steps));

		assert_int_equal(store_run_end(store, number, 0, &plan, NULL, &f->err), 0);
		tell(intents, outcomes, ++ended);
		if (run % 3 == 1) {
			assert_int_equal(store_checkpoint(store, &f->err), 0);
		}
		store_close(store);
	}
}

static void expect_whole(struct fixture *f, int count)
{
	struct store *store = fixture_open(f, STORE_WRITE);
	int last = -1;

	for (int i = 0; i < tape.told_count && tape.told[i].after <= count; i++) {
		last = i;
	}
	/* Of what was only begun, the log may be there without its database. */
	if (!store || (f->condition.problem && last >= 0)) {
		fail_msg("after %d of %d: %s", count, tape.count, f->condition.problem);
	}
	fixture_begin(f, store, false);
	store_close(store);
	assert_int_equal(
	    fixture_ask(f->path, "SELECT count(*) FROM pragma_quick_check WHERE quick_check <> 'ok'"),
	    0);
	if (last < 0) {
		return;
	}
	int64_t intents = fixture_ask(f->path, "SELECT count(*) FROM step");
	int64_t outcomes = fixture_ask(f->path, "SELECT count(*) FROM step WHERE outcome = 'changed'");
	int64_t ended = fixture_ask(f->path, "SELECT count(*) FROM run WHERE finished NOT NULL");

	if (intents < tape.told[last].intents || outcomes < tape.told[last].outcomes ||
	    ended < tape.told[last].ended) {
		fail_msg("after %d of %d: %d intents, %d outcomes, %d ends were said to be on disk, there"
		         " are %d, %d, %d",
		         count, tape.count, tape.told[last].intents, tape.told[last].outcomes,
		         tape.told[last].ended, (int)intents, (int)outcomes, (int)ended);
	}
}

static void forget(struct fixture *f)
{
	static const char *const names[] = {"", "-wal", "-shm", "-journal"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		unlink(arena_printf(f->arena, "%s%s", f->path, names[i]));
	}
}

static void whatever_was_said_to_be_on_disk_is_there_after_any_cut(void **state)
{
	struct fixture *f = *state;
	const char *rounds = getenv("POWERCUTS");
	const char *chosen = getenv("TEST_SEED");
	unsigned seed = chosen ? (unsigned)strtoul(chosen, NULL, 10) : (unsigned)time(NULL);

	layer_begin();
	work(f);
	layer_end();
	forget(f);
	assert_true(tape.count > 200);
	print_message("# %d operations, seed %u\n", tape.count, seed);
	srand(seed);
	for (int round = 0; round < (rounds ? atoi(rounds) : 1); round++) {
		for (int count = 1; count <= tape.count; count++) {
			AUTO(arena_auto) struct arena *arena = arena_create();

			materialise(f->path, count, arena);
			expect_whole(f, count);
			forget(f);
		}
	}
	for (int i = 0; i < tape.count; i++) {
		free(tape.ops[i].bytes);
	}
	for (int i = 0; i < tape.file_count; i++) {
		free((char *)tape.names[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    FIXTURE_TEST(whatever_was_said_to_be_on_disk_is_there_after_any_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
