// SPDX-License-Identifier: MIT
#include "unit/support/scratch.h"

#include "host/packages_index.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct packages_index *index_of(const struct str *file)
{
	struct packages_index *index;
	struct err err;
	int fd = memfd_create("status", MFD_CLOEXEC);

	assert_int_equal(write(fd, str_text(file), file->length), file->length);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	if (packages_index_read(fd, &index, &err)) {
		fail_msg("%s", err.text);
	}
	return index;
}

static void assert_fetched(const struct packages_index *index, const char *name, const char *text)
{
	AUTO(str_free) struct str got = {0};
	struct err err;

	assert_int_equal(packages_index_fetch(index, &name, 1, &got, &err), 0);
	assert_string_equal(str_text(&got), text);
}

static void first_and_last_are_found_and_others_are_not(void **state)
{
	AUTO(str_free) struct str file = {0};

	(void)state;
	str_add(&file, "Package: a\nStatus: x\n\nPackage: ab\nStatus: y\n\nPackage: c\nStatus: z");
	struct packages_index *index = index_of(&file);

	assert_fetched(index, "a", "Package: a\nStatus: x\n\n\n");
	assert_fetched(index, "ab", "Package: ab\nStatus: y\n\n\n");
	assert_fetched(index, "c", "Package: c\nStatus: z\n");
	assert_fetched(index, "b", "");
	packages_index_free(index);
}

static void a_name_with_several_stanzas_brings_them_all(void **state)
{
	AUTO(str_free) struct str file = {0};

	(void)state;
	str_add(&file, "Package: a\nX: 1\n\nPackage: b\nX: 2\n\nPackage: a\nX: 3\n\n");
	struct packages_index *index = index_of(&file);

	assert_fetched(index, "a", "Package: a\nX: 1\n\n\nPackage: a\nX: 3\n\n\n");
	packages_index_free(index);
}

static void what_only_looks_like_a_stanza_is_none(void **state)
{
	AUTO(str_free) struct str file = {0};

	(void)state;
	str_add(&file, "Package: a\nDescription: d\n Package: b\nX-Package: c\n\n");
	struct packages_index *index = index_of(&file);

	assert_fetched(index, "b", "");
	assert_fetched(index, "c", "");
	packages_index_free(index);
}

/* Far more than the buffer, with stanzas of all lengths, so that its end falls everywhere. */
static void no_stanza_is_lost_where_the_buffer_ends(void **state)
{
	enum { COUNT = 6000 };
	AUTO(str_free) struct str file = {0};
	AUTO(str_free) struct str whole = {0};
	struct err err;

	(void)state;
	for (int i = 0; i < COUNT; i++) {
		str_addf(&file, "Package: p%d\nX: ", i);
		str_pad(&file, 'x', (size_t)(i * 7 % 131));
		str_add(&file, "\n\n");
	}
	struct packages_index *index = index_of(&file);

	for (int i = 0; i < COUNT; i++) {
		AUTO(str_free) struct str name = {0};
		AUTO(str_free) struct str wanted = {0};

		str_addf(&name, "p%d", i);
		str_addf(&wanted, "Package: p%d\nX: ", i);
		str_pad(&wanted, 'x', (size_t)(i * 7 % 131));
		str_add(&wanted, "\n\n\n");
		assert_fetched(index, str_text(&name), str_text(&wanted));
	}
	assert_int_equal(packages_index_whole(index, &whole, &err), 0);
	assert_int_equal(whole.length, file.length + 1);
	assert_memory_equal(whole.data, file.data, file.length);
	packages_index_free(index);
}

static void nothing_and_garbage_have_no_stanzas(void **state)
{
	static const char *const files[] = {
	    "", "\n", "\n\n\n", "Package:", "Package: ", "Packages: a\n", "\nPackage"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		AUTO(str_free) struct str file = {0};

		str_add(&file, files[i]);
		struct packages_index *index = index_of(&file);

		assert_fetched(index, "a", "");
		packages_index_free(index);
	}
}

static void a_name_that_never_ends_is_refused(void **state)
{
	AUTO(str_free) struct str file = {0};
	struct packages_index *index;
	struct err err;
	int fd = memfd_create("status", MFD_CLOEXEC);

	(void)state;
	str_add(&file, "Package: ");
	str_pad(&file, 'x', 100000);
	assert_int_equal(write(fd, str_text(&file), file.length), file.length);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(packages_index_read(fd, &index, &err), -ERR_HOST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(first_and_last_are_found_and_others_are_not),
	    cmocka_unit_test(a_name_with_several_stanzas_brings_them_all),
	    cmocka_unit_test(what_only_looks_like_a_stanza_is_none),
	    cmocka_unit_test(no_stanza_is_lost_where_the_buffer_ends),
	    cmocka_unit_test(nothing_and_garbage_have_no_stanzas),
	    cmocka_unit_test(a_name_that_never_ends_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
