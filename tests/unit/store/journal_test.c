// SPDX-License-Identifier: MIT
/* The journal of intents that the history could not take. */
#include "unit/store/fixture.h"

#include "store/journal.h"

static const char *journal_path(struct fixture *f)
{
	return arena_printf(f->arena, "%s/intents", f->folder);
}

static size_t list(struct fixture *f, const char *path, struct journal_entry **ret_list)
{
	struct journal journal;

	if (journal_list(path, f->arena, &journal, &f->err)) {
		fail_msg("%s", f->err.text);
	}
	*ret_list = journal.entries;
	return journal.entry_count;
}

static void append_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void intents_and_outcomes_come_back(void **state)
{
	struct fixture *f = *state;
	const char *path = journal_path(f);
	struct step a = fixture_step(f, "file:/a", ACTION_CREATE, OUTCOME_CHANGED, NULL);
	struct step b = fixture_step(f, "file:/b", ACTION_UPDATE, OUTCOME_FAILED, "no \xff room");
	struct journal_entry *entries;
	struct stat st;
	int64_t first, second;

	assert_int_equal(list(f, path, &entries), 0);
	assert_int_equal(journal_intent(path, 0, "b1", &a, &first, &f->err), 0);
	assert_int_equal(journal_intent(path, 7, "b1", &b, &second, &f->err), 0);
	b.detail = "line one\nline two";
	assert_int_equal(journal_outcome(path, second, &b, &f->err), 0);
	assert_int_equal(list(f, path, &entries), 2);
	assert_string_equal(entries[0].id, "file:/a");
	assert_string_equal(entries[0].action, "create");
	assert_null(entries[0].outcome);
	assert_int_equal(entries[0].number, first);
	assert_int_equal(entries[0].pid, getpid());
	assert_int_equal(entries[1].run, 7);
	assert_string_equal(entries[1].outcome, "failed");
	assert_string_equal(entries[1].detail, "line one\nline two");
	assert_non_null(strstr(entries[1].why, "room"));
	assert_non_null(strstr(entries[1].differences, "\"0644\""));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(journal_clear(path, &f->err), 0);
	assert_int_equal(journal_clear(path, &f->err), 0);
	assert_int_equal(list(f, path, &entries), 0);
}

static void a_line_cut_short_spoils_no_other(void **state)
{
	struct fixture *f = *state;
	const char *path = journal_path(f);
	struct step a = fixture_step(f, "file:/a", ACTION_CREATE, OUTCOME_CHANGED, NULL);
	struct journal_entry *entries;
	int64_t first, second;

	assert_int_equal(journal_intent(path, 0, "b1", &a, &first, &f->err), 0);
	append_text(path, "{\"intent\":\"file:/cut\",\"run\":0,\"at");
	assert_int_equal(list(f, path, &entries), 1);
	assert_int_equal(journal_intent(path, 0, "b1", &a, &second, &f->err), 0);
	assert_int_equal(journal_outcome(path, second, &a, &f->err), 0);
	assert_int_equal(list(f, path, &entries), 2);
	assert_null(entries[0].outcome);
	assert_int_equal(entries[1].number, second);
	assert_string_equal(entries[1].outcome, "changed");
}

static void garbage_is_left_out(void **state)
{
	struct fixture *f = *state;
	const char *path = journal_path(f);
	struct step a = fixture_step(f, "file:/a", ACTION_CREATE, OUTCOME_CHANGED, NULL);
	struct journal_entry *entries;
	int64_t number;

	append_text(path, "\n\n{}\n[]\n7\nnot json\n{\"intent\":5}\n{\"intent\":\"x\"}\n"
	                  "{\"of\":1,\"outcome\":\"changed\"}\n");
	assert_int_equal(journal_intent(path, 0, "b1", &a, &number, &f->err), 0);
	append_text(path, "{\"of\":999,\"outcome\":\"changed\"}\n{\"of\":1}\n");
	append_text(path, arena_printf(f->arena, "{\"of\":%lld,\"outcome\":\"wonderful\"}\n",
	                               (long long)number));
	assert_int_equal(list(f, path, &entries), 1);
	assert_string_equal(entries[0].id, "file:/a");
	assert_null(entries[0].outcome);
}

static void what_is_not_ours_is_refused(void **state)
{
	struct fixture *f = *state;
	const char *path = journal_path(f), *other = arena_printf(f->arena, "%s/other", f->folder);
	struct step a = fixture_step(f, "file:/a", ACTION_CREATE, OUTCOME_CHANGED, NULL);
	struct journal journal;
	struct stat st;
	int64_t number;

	fixture_write_file(other, "x", 1);
	assert_int_equal(symlink(other, path), 0);
	assert_int_equal(journal_intent(path, 0, "b1", &a, &number, &f->err), -ERR_STORE);
	assert_int_equal(journal_list(path, f->arena, &journal, &f->err), -ERR_STORE);
	assert_int_equal(stat(other, &st), 0);
	assert_int_equal(st.st_size, 1);
	assert_int_equal(unlink(path), 0);
	fixture_write_file(path, "", 0);
	assert_int_equal(chmod(path, 0666), 0);
	assert_int_equal(journal_intent(path, 0, "b1", &a, &number, &f->err), -ERR_STORE);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	alarm(30); /* whoever waits for a writer waits for ever */
	assert_int_equal(journal_list(path, f->arena, &journal, &f->err), -ERR_STORE);
	alarm(0);
	assert_int_equal(journal_intent(path, 0, "b1", &a, &number, &f->err), -ERR_STORE);
	assert_int_equal(journal_intent("/dev/null/intents", 0, "b1", &a, &number, &f->err),
	                 -ERR_STORE);
}

static void a_full_disk_leaves_no_half_line(void **state)
{
	struct fixture *f = *state;
	const char *path = journal_path(f);
	struct step a = fixture_step(f, "file:/a", ACTION_CREATE, OUTCOME_CHANGED, NULL);
	struct journal_entry *entries;
	int64_t number;
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct rlimit limit = {3000, 3000};
		int r = 0;

		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &limit);
		for (int i = 0; i < 100 && !r; i++) {
			r = journal_intent(path, 0, "b1", &a, &number, &f->err);
		}
		_exit(r == -ERR_STORE && f->err.os == EFBIG ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	size_t before = list(f, path, &entries);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char last = 0;

	assert_true(before > 2);
	assert_true(lseek(fd, -1, SEEK_END) > 0);
	assert_int_equal(read(fd, &last, 1), 1);
	assert_int_equal(last, '\n');
	close(fd);
	assert_int_equal(journal_intent(path, 0, "b1", &a, &number, &f->err), 0);
	assert_int_equal(list(f, path, &entries), before + 1);
	assert_int_equal(entries[before].number, number);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    FIXTURE_TEST(intents_and_outcomes_come_back),
	    FIXTURE_TEST(a_line_cut_short_spoils_no_other),
	    FIXTURE_TEST(garbage_is_left_out),
	    FIXTURE_TEST(what_is_not_ours_is_refused),
	    FIXTURE_TEST(a_full_disk_leaves_no_half_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
