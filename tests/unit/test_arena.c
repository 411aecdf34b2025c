/* The arena: zeroed, aligned, apart from each other, freed as a whole; the end when there is none.
 */
#include "base/arena.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static void test_zeroed_and_aligned(void **state)
{
	(void)state;
	_cleanup_arena_ struct arena a;
	static const unsigned char zero[300];
	arena_init(&a);
	for (size_t size = 0; size < 300; size++) {
		unsigned char *p = arena_alloc(&a, size);
		assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
		assert_memory_equal(p, zero, size);
		memset(p, 0xff, size);
	}
}

/* What was given out before keeps its content, over small and very large pieces. */
static void test_pieces_do_not_overlap(void **state)
{
	(void)state;
	_cleanup_arena_ struct arena a;
	unsigned char *pieces[64];
	size_t sizes[64];
	arena_init(&a);
	for (unsigned i = 0; i < 64; i++) {
		sizes[i] = i % 8 == 7 ? 100000 : 1 + i * 37;
		pieces[i] = arena_alloc(&a, sizes[i]);
		memset(pieces[i], (int)i + 1, sizes[i]);
	}
	for (unsigned i = 0; i < 64; i++)
		for (size_t j = 0; j < sizes[i]; j++)
			assert_int_equal(pieces[i][j], i + 1);
}

static void test_strings(void **state)
{
	(void)state;
	_cleanup_arena_ struct arena a;
	char big[40000];
	arena_init(&a);
	memset(big, 'z', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	assert_string_equal(arena_strdup(&a, "hello"), "hello");
	assert_string_equal(arena_strdup(&a, ""), "");
	assert_string_equal(arena_strndup(&a, "hello", 2), "he");
	assert_string_equal(arena_printf(&a, "%s-%d", "a", 7), "a-7");
	assert_string_equal(arena_printf(&a, "%s", big), big);
}

static void test_new_and_array(void **state)
{
	(void)state;
	_cleanup_arena_ struct arena a;
	struct pair {
		uint64_t x, y;
	};
	arena_init(&a);
	struct pair *one = arena_new(&a, struct pair);
	struct pair *many = arena_array(&a, 1000, sizeof(*many));
	assert_true(one->x == 0 && one->y == 0);
	assert_true(many[999].x == 0 && many[999].y == 0);
	assert_non_null(arena_array(&a, 0, 8));
}

static void test_done_twice(void **state)
{
	(void)state;
	struct arena a;
	arena_init(&a);
	arena_done(&a);
	arena_strdup(&a, "x");
	arena_done(&a);
	arena_done(&a);
	assert_null(a.last);
}

static void take_product_overflow(struct arena *a)
{
	volatile size_t n = SIZE_MAX / 4;
	arena_array(a, n, 8);
}

static void take_half_of_everything(struct arena *a)
{
	volatile size_t n = SIZE_MAX / 2;
	arena_alloc(a, n);
}

static void take_string_of_everything(struct arena *a)
{
	volatile size_t n = SIZE_MAX;
	arena_strndup(a, "", n);
}

/* No memory ends the program with status 1 and one line, before anything was made. */
static void assert_ends(void (*take)(struct arena *))
{
	int status, pipes[2];
	char text[64] = "";
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct arena a;
		dup2(pipes[1], STDERR_FILENO);
		arena_init(&a);
		take(&a);
		_exit(0);
	}
	close(pipes[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(read(pipes[0], text, sizeof(text) - 1) >= 0);
	close(pipes[0]);
	assert_string_equal(text, "error: out of memory\n");
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
}

static void test_out_of_memory(void **state)
{
	(void)state;
	assert_ends(take_product_overflow);
	assert_ends(take_half_of_everything);
	assert_ends(take_string_of_everything);
}

static bool is_resident(const void *p, size_t page)
{
	unsigned char vector = 0;
	void *at = (void *)((uintptr_t)p / page * page);
	assert_int_equal(mincore(at, page, &vector), 0);
	return vector & 1;
}

/* Nothing that was there can be read any more, and whole pages are the kernel's again. */
static void test_discard(void **state)
{
	static const size_t sizes[] = { 10, 5000, 1, 70000, 300000, 24 };
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	unsigned char *pieces[ARRAY_SIZE(sizes)];
	struct arena a;
	(void)state;

	arena_init(&a);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		pieces[i] = arena_alloc(&a, sizes[i]);
		memset(pieces[i], 0xaa, sizes[i]);
	}
	assert_true(is_resident(pieces[4] + 150000, page));
	arena_discard(&a);
	assert_false(is_resident(pieces[4] + 150000, page));
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		for (size_t k = 0; k < sizes[i]; k++)
			assert_int_equal(pieces[i][k], 0);
	arena_done(&a);
}

/* The same contract as of any other. */
static void test_mapped(void **state)
{
	struct arena a;
	(void)state;

	arena_init_mapped(&a);
	char *small = arena_strdup(&a, "small");
	char *large = arena_alloc(&a, 200000);
	for (size_t i = 0; i < 200000; i++)
		assert_int_equal(large[i], 0);
	memset(large, 1, 200000);
	assert_string_equal(small, "small");
	arena_wipe(&a);
	assert_int_equal(small[0], 0);
	assert_int_equal(large[199999], 0);
	arena_done(&a);
	assert_null(a.last);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zeroed_and_aligned),
		cmocka_unit_test(test_pieces_do_not_overlap),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_new_and_array),
		cmocka_unit_test(test_done_twice),
		cmocka_unit_test(test_out_of_memory),
		cmocka_unit_test(test_discard),
		cmocka_unit_test(test_mapped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
