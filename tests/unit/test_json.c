/*
 * JSON: every syntax error with its exact place and words, positions of values in texts with
 * characters of several bytes and with CRLF, duplicates, the depth limit, and the writer.
 */
#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static const struct json *parse(struct arena *a, const char *text, struct json_doc *doc)
{
	struct err err = { 0 };
	int r = json_parse(a, "config.json", text, strlen(text), doc, &err);
	if (r < 0)
		fail_msg("%u:%u %s", err.line, err.column, err.message);
	return doc->root;
}

/* ---- syntax errors ---- */

static const struct bad {
	const char *text;
	uint32_t line, column;
	const char *message;
} bads[] = {
	/* What stands between values. */
	{ "{\"a\":1 \"b\":2}", 1, 8, "expected ',' or '}' after the value of \"a\"" },
	{ "{\n  \"a\": \"x\"\n  \"b\": 1\n}", 3, 3,
	  "expected ',' or '}' after the value of \"a\" (line 2)" },
	{ "{\"a\":1]", 1, 7, "expected ',' or '}' after the value of \"a\"" },
	{ "{\"a\":{} []}", 1, 9, "expected ',' or '}' after the value of \"a\"" },
	{ "[1 2]", 1, 4, "expected ',' or ']' after the element" },
	{ "[1}", 1, 3, "expected ',' or ']' after the element" },
	{ "[\"one\"\n\"two\"]", 2, 1, "expected ',' or ']' after the element (line 1)" },
	{ "[01]", 1, 3, "expected ',' or ']' after the element" },
	{ "{\"a\" 1}", 1, 6, "expected ':' after the key" },
	{ "{\"a\"}", 1, 5, "expected ':' after the key" },
	{ "{\"a\",1}", 1, 5, "expected ':' after the key" },
	/* A key or a value is missing. */
	{ "{1:2}", 1, 2, "expected a key in double quotes" },
	{ "{,}", 1, 2, "expected a key in double quotes" },
	{ "{\"a\":1,}", 1, 8, "expected a key in double quotes" },
	{ "{\"a\":1 , ,\"b\":2}", 1, 10, "expected a key in double quotes" },
	{ "[,]", 1, 2, "expected a value" },
	{ "[1,]", 1, 4, "expected a value" },
	{ "[1,\n\n]", 3, 1, "expected a value" },
	{ "[1,,2]", 1, 4, "expected a value" },
	{ "{\"a\":}", 1, 6, "expected a value" },
	{ "{\"a\" : , \"b\":1}", 1, 8, "expected a value" },
	{ "]", 1, 1, "expected a value" },
	{ " }", 1, 2, "expected a value" },
	/* The end. */
	{ "", 1, 1, "the file ends too early" },
	{ "\n ", 2, 2, "the file ends too early" },
	{ "{", 1, 2, "the file ends, but the '{' of line 1 is not closed" },
	{ "{\n\"a\":[\n1,\n", 4, 1, "the file ends, but the '[' of line 2 is not closed" },
	{ "[1", 1, 3, "the file ends, but the '[' of line 1 is not closed" },
	{ "\"abc", 1, 1, "a string is not closed" },
	{ "{\"a\": \"b", 1, 7, "a string is not closed" },
	{ "{\"a", 1, 2, "a string is not closed" },
	{ "{} x", 1, 4, "expected nothing more after the document" },
	{ "{}\n{}", 2, 1, "expected nothing more after the document" },
	{ "[1]]", 1, 4, "expected nothing more after the document" },
	/* Inside strings. */
	{ "[\"ab\xff\"]", 1, 5, "a string has bytes that are not UTF-8" },
	{ "[\"\xc0\x80\"]", 1, 2, "a string has bytes that are not UTF-8" },
	{ "[\"\xed\xa0\x80\"]", 1, 2, "a string has bytes that are not UTF-8" },
	{ "{\"\xf5\x80\x80\x80\":1}", 1, 2, "a string has bytes that are not UTF-8" },
	{ "[\"a\tb\"]", 1, 4, "a string has a control character that must be escaped" },
	{ "[\"\303\251a\nb\"]", 1, 5, "a string has a control character that must be escaped" },
	{ "[\"a\\qb\"]", 1, 5, "a string has an unknown escape after '\\'" },
	{ "[1,\n \"\\u12g4\"]", 2, 7, "expected four hexadecimal digits after \\u" },
	{ "[\"\\u0000\"]", 1, 2, "a string must not contain \\u0000" },
	{ "{\"x\\u0000\":1}", 1, 2, "a string must not contain \\u0000" },
	{ "[\"a\", \"\\ud800\"]", 1, 7, "a string has half of a surrogate pair" },
	{ "[\"\\udc00\"]", 1, 2, "a string has half of a surrogate pair" },
	{ "[\"\\ud83d\\ud83d\"]", 1, 2, "a string has half of a surrogate pair" },
	{ "{\"\\uD83Dx\":1}", 1, 2, "a string has half of a surrogate pair" },
	/* What is no token. */
	{ "[tru]", 1, 2, "unexpected word; strings stand in double quotes" },
	{ "{\n  \"a\" : fals,\n}", 2, 9, "unexpected word; strings stand in double quotes" },
	{ "[abc]", 1, 2, "unexpected word; strings and keys stand in double quotes" },
	{ "{a: 1}", 1, 2, "unexpected word; strings and keys stand in double quotes" },
	{ "{'a': 1}", 1, 2, "unexpected word; strings and keys stand in double quotes" },
	{ "[1, \303\251]", 1, 5, "unexpected word; strings and keys stand in double quotes" },
	{ "[+1]", 1, 2, "unexpected character" },
	{ "[1, ;]", 1, 5, "unexpected character" },
	{ "[-]", 1, 2, "a number is malformed" },
	{ "[1, 2.]", 1, 5, "a number is malformed" },
	{ "[1e+]", 1, 2, "a number is malformed" },
	{ "// x\n{}", 1, 1, "comments are not allowed in JSON" },
	{ "[1, /* x */ 2]", 1, 5, "comments are not allowed in JSON" },
	{ "{\n# x\n}", 2, 1, "comments are not allowed in JSON" },
	{ "\xef\xbb\xbf{}", 1, 1, "unexpected byte order mark; save the file as UTF-8 without it" },
};

static void test_syntax_errors(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bads); i++) {
		_cleanup_arena_ struct arena a;
		const struct bad *bad = &bads[i];
		struct json_doc doc;
		struct err err = { 0 };
		arena_init(&a);
		int r = json_parse(&a, "c", bad->text, strlen(bad->text), &doc, &err);
		if (r != -EINVAL || err.line != bad->line || err.column != bad->column ||
		    strcmp(err.message, bad->message) != 0)
			fail_msg("%s\ngives %d, %u:%u %s\nnot   %u:%u %s", bad->text, r, err.line,
				 err.column, err.message, bad->line, bad->column, bad->message);
		assert_int_equal(err.kind, ERR_CONFIG);
		assert_null(doc.root);
	}
}

static void test_comma_too_many(void **state)
{
	(void)state;
	static const char *const texts[] = { "[1,]", "{\"a\":1,\n}" };
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_arena_ struct arena a;
		struct json_doc doc;
		struct err err = { 0 };
		arena_init(&a);
		assert_int_equal(json_parse(&a, "c", texts[i], strlen(texts[i]), &doc, &err),
				 -EINVAL);
		assert_string_equal(err.hint, "the comma before it is one too many");
	}
}

/* A NUL in the text is a character like others, not its end. */
static void test_nul_in_text(void **state)
{
	(void)state;
	_cleanup_arena_ struct arena a;
	struct json_doc doc;
	struct err err = { 0 };
	arena_init(&a);
	assert_int_equal(json_parse(&a, "c", "[\"a\0b\"]", 7, &doc, &err), -EINVAL);
	assert_int_equal(err.column, 4);
	assert_string_equal(err.message, "a string has a control character that must be escaped");
	assert_int_equal(json_parse(&a, "c", "[1]\0", 4, &doc, &err), -EINVAL);
	assert_int_equal(err.column, 4);
}

/* ---- the tree ---- */

static void test_values(void **state)
{
	(void)state;
	_cleanup_arena_ struct arena a;
	struct json_doc doc;
	arena_init(&a);
	const struct json *root = parse(
		&a,
		"{\"n\":null,\"t\":true,\"f\":false,\"i\":-1.5e3,\"s\":\"x\",\"a\":[1,2],\"o\":{}}",
		&doc);
	assert_int_equal(root->type, JSON_OBJECT);
	assert_int_equal(root->count, 7);
	assert_int_equal(json_get(root, "n")->type, JSON_NULL);
	assert_true(json_get(root, "t")->boolean);
	assert_false(json_get(root, "f")->boolean);
	assert_string_equal(json_get(root, "i")->text, "-1.5e3");
	assert_string_equal(json_get(root, "s")->text, "x");
	assert_int_equal(json_get(root, "a")->count, 2);
	assert_string_equal(json_get(root, "a")->child->next->text, "2");
	assert_int_equal(json_get(root, "a")->child->next->index, 1);
	assert_null(json_get(root, "a")->child->key);
	assert_int_equal(json_get(root, "o")->type, JSON_OBJECT);
	assert_ptr_equal(json_get(root, "o")->parent, root);
	assert_null(json_get(root, "x"));
	assert_null(json_get(json_get(root, "s"), "x"));
	assert_null(json_get(NULL, "x"));
	assert_string_equal(json_type_name(JSON_ARRAY), "an array");
}

static void test_escapes(void **state)
{
	(void)state;
	_cleanup_arena_ struct arena a;
	struct json_doc doc;
	arena_init(&a);
	const struct json *root = parse(
		&a, "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\", \"\\u00e9\\ud83d\\uDE00\", \"\\\\ud800\"]",
		&doc);
	assert_string_equal(root->child->text, "\"\\/\b\f\n\r\t");
	assert_string_equal(root->child->next->text, "\303\251\360\237\230\200");
	assert_string_equal(root->child->next->next->text, "\\ud800");
}

static void test_duplicates(void **state)
{
	(void)state;
	_cleanup_arena_ struct arena a;
	struct json_doc doc;
	arena_init(&a);
	const struct json *m =
		parse(&a, "{\"b\":1,\"a\":2,\"b\":3,\"c\":{\"b\":4},\"b\":5,\"A\":6}", &doc)->child;
	static const bool expected[] = { false, false, true, false, true, false };
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++, m = m->next)
		assert_int_equal(m->duplicate, expected[i]);
	assert_string_equal(json_get(doc.root, "b")->text, "1");
	assert_false(json_get(json_get(doc.root, "c"), "b")->duplicate);
}

static int parse_depth(unsigned depth, struct err *err)
{
	_cleanup_arena_ struct arena a;
	struct json_doc doc;
	char text[256];
	arena_init(&a);
	memset(text, '[', depth);
	memset(text + depth, ']', depth);
	return json_parse(&a, "c", text, 2 * depth, &doc, err);
}

static void test_depth(void **state)
{
	(void)state;
	struct err err = { 0 };
	assert_int_equal(parse_depth(JSON_MAX_DEPTH, &err), 0);
	assert_int_equal(parse_depth(JSON_MAX_DEPTH + 1, &err), -EINVAL);
	assert_string_equal(err.message, "the nesting is too deep");
	assert_int_equal(err.column, JSON_MAX_DEPTH + 1);
}

/* ---- positions ---- */

static void assert_place(const struct json_doc *doc, uint32_t at, uint32_t line, uint32_t column,
			 const char *token)
{
	uint32_t got_line, got_column;
	const char *text;
	size_t size;
	json_position(doc, at, &got_line, &got_column, &text, &size);
	assert_int_equal(got_line, line);
	assert_int_equal(got_column, column);
	assert_null(memchr(text, '\n', size));
	assert_int_equal(json_token_size(doc, at), strlen(token));
	assert_memory_equal(doc->text + at - 1, token, strlen(token));
}

static void test_positions(void **state)
{
	(void)state;
	_cleanup_arena_ struct arena a;
	struct json_doc doc;
	arena_init(&a);
	const struct json *root = parse(&a,
					"{\n"
					"\t\"a\" :\ttrue ,\n"
					"  \"n\":-12,\"s\":\"x\\\"y\",\n"
					"  \"list\": [ 1,\n     null]\n"
					"}",
					&doc);
	const struct json *list = json_get(root, "list");
	assert_place(&doc, root->at, 1, 1, "{");
	assert_place(&doc, json_get(root, "a")->key_at, 2, 2, "\"a\"");
	assert_place(&doc, json_get(root, "a")->at, 2, 8, "true");
	assert_place(&doc, json_get(root, "n")->at, 3, 7, "-12");
	assert_place(&doc, json_get(root, "s")->key_at, 3, 11, "\"s\"");
	assert_place(&doc, json_get(root, "s")->at, 3, 15, "\"x\\\"y\"");
	assert_place(&doc, list->at, 4, 11, "[");
	assert_place(&doc, list->child->at, 4, 13, "1");
	assert_place(&doc, list->child->next->at, 5, 6, "null");
	assert_int_equal(root->key_at, 0);
	assert_int_equal(list->child->key_at, 0);
}

/* Columns count characters, and escapes are as long as they are written. */
static void test_positions_utf8(void **state)
{
	(void)state;
	_cleanup_arena_ struct arena a;
	struct json_doc doc;
	arena_init(&a);
	const struct json *root = parse(
		&a, "{\"\303\251\342\202\254\360\237\230\200\": \"\\u00e9\", \"b\": 1}", &doc);
	assert_place(&doc, root->child->key_at, 1, 2, "\"\303\251\342\202\254\360\237\230\200\"");
	assert_place(&doc, root->child->at, 1, 9, "\"\\u00e9\"");
	assert_place(&doc, root->child->next->key_at, 1, 19, "\"b\"");
	assert_place(&doc, root->child->next->at, 1, 24, "1");
}

/* Lines that end in CRLF have the same numbers, and their text does not contain the CR. */
static void test_positions_crlf(void **state)
{
	(void)state;
	_cleanup_arena_ struct arena a;
	struct json_doc doc;
	uint32_t line, column;
	const char *text;
	size_t size;
	arena_init(&a);
	parse(&a, "{\r\n  \"a\": 1,\r\n  \"b\": true\r\n}", &doc);
	json_position(&doc, doc.root->child->at, &line, &column, &text, &size);
	assert_int_equal(line, 2);
	assert_int_equal(column, 8);
	assert_int_equal(size, 9);
	assert_memory_equal(text, "  \"a\": 1,", 9);
}

static void test_position_edges(void **state)
{
	(void)state;
	struct json_doc doc = { .name = "c", .text = "ab\n\ncd", .size = 6 };
	uint32_t line, column;
	const char *text;
	size_t size;
	json_position(&doc, 0, &line, &column, &text, &size);
	assert_true(line == 1 && column == 1 && size == 2);
	json_position(&doc, 3, &line, &column, &text, &size);
	assert_true(line == 1 && column == 3 && size == 2);
	json_position(&doc, 4, &line, &column, &text, &size);
	assert_true(line == 2 && column == 1 && size == 0);
	json_position(&doc, 7, &line, &column, &text, &size);
	assert_true(line == 3 && column == 3 && size == 2);
	json_position(&doc, 1000, &line, &column, &text, &size);
	assert_true(line == 3 && column == 3);
	assert_int_equal(json_token_size(&doc, 0), 2);
	assert_int_equal(json_token_size(&doc, 3), 1);
	assert_int_equal(json_token_size(&doc, 1000), 1);
	/* The text has no NUL behind it. */
	const char word[] = { '[', 't', 'r', 'u' };
	struct json_doc bare = { .name = "c", .text = word, .size = sizeof(word) };
	assert_int_equal(json_token_size(&bare, 2), 3);
	struct json_doc open = { .name = "c", .text = "\"a\\\n\"", .size = 5 };
	assert_int_equal(json_token_size(&open, 1), 3);
}

static void test_find_and_path(void **state)
{
	(void)state;
	_cleanup_arena_ struct arena a;
	struct json_doc doc;
	char path[64], tiny[8];
	struct err err = { 0 };
	arena_init(&a);
	const struct json *root = parse(
		&a,
		"{\"mounts\":[{},{\"options\":[\"a\",\"b\"]}],\"linux\":{\"sysctl\":{\"a.b\":\"1\"}}}",
		&doc);
	const struct json *option = json_get(root, "mounts")->child->next->child->child->next;
	const struct json *sysctl = json_get(json_get(root, "linux"), "sysctl");
	json_path(option, path, sizeof(path));
	assert_string_equal(path, "mounts[1].options[1]");
	json_path(sysctl->child, path, sizeof(path));
	assert_string_equal(path, "linux.sysctl[\"a.b\"]");
	json_path(root, path, sizeof(path));
	assert_string_equal(path, "");
	json_path(option, tiny, sizeof(tiny));
	assert_string_equal(tiny, "mounts[");
	assert_ptr_equal(json_find(&doc, option->at), option);
	assert_ptr_equal(json_find(&doc, sysctl->child->key_at), sysctl->child);
	assert_null(json_find(&doc, 0));
	assert_null(json_find(&doc, 2000));
	err_at(&err, option->at);
	json_locate(&doc, &err);
	assert_string_equal(err.path, "mounts[1].options[1]");
	assert_true(err.line == 1 && err.column == option->at);
}

/* ---- writing ---- */

static void write_sample(struct json_out *o)
{
	json_out_object(o);
	json_out_member(o, "name", "web");
	json_out_key(o, "list");
	json_out_array(o);
	json_out_int(o, -1);
	json_out_uint(o, UINT64_MAX);
	json_out_bool(o, true);
	json_out_object(o);
	json_out_object_end(o);
	json_out_array_end(o);
	json_out_key(o, "empty");
	json_out_array(o);
	json_out_array_end(o);
	json_out_key(o, "last");
	json_out_bool(o, false);
	json_out_object_end(o);
}

static void test_writer_forms(void **state)
{
	(void)state;
	_cleanup_arena_ struct arena a;
	struct json_out o;
	struct str s;
	arena_init(&a);
	str_init(&s, &a);
	json_out_init(&o, &s, JSON_OUT_COMPACT);
	write_sample(&o);
	assert_string_equal(s.text, "{\"name\":\"web\",\"list\":[-1,18446744073709551615,true,{}],"
				    "\"empty\":[],\"last\":false}");
	str_init(&s, &a);
	json_out_init(&o, &s, JSON_OUT_PRETTY);
	write_sample(&o);
	assert_string_equal(s.text, "{\n"
				    "  \"name\": \"web\",\n"
				    "  \"list\": [\n"
				    "    -1,\n"
				    "    18446744073709551615,\n"
				    "    true,\n"
				    "    {}\n"
				    "  ],\n"
				    "  \"empty\": [],\n"
				    "  \"last\": false\n"
				    "}");
}

/* What is written is read back as it was. */
static void test_round_trip(void **state)
{
	(void)state;
	_cleanup_arena_ struct arena a;
	char all[256];
	struct json_out o;
	struct json_doc doc;
	struct str s;
	arena_init(&a);
	for (int i = 1; i < 128; i++)
		all[i - 1] = (char)i;
	memcpy(all + 127, "\303\251\342\202\254\360\237\230\200", 10);
	str_init(&s, &a);
	json_out_init(&o, &s, JSON_OUT_PRETTY);
	json_out_object(&o);
	json_out_member(&o, all, all);
	json_out_object_end(&o);
	const struct json *root = parse(&a, s.text, &doc);
	assert_string_equal(root->child->key, all);
	assert_string_equal(root->child->text, all);
}

static void test_writer_replaces_bad_bytes(void **state)
{
	(void)state;
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "a\xff", "\"a\\ufffd\"" },
		{ "\xc0\x80", "\"\\ufffd\\ufffd\"" },
		{ "\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"" },
		{ "\xe2\x82", "\"\\ufffd\\ufffd\"" },
		{ "\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"" },
		{ "\x7f\x1b", "\"\\u007f\\u001b\"" },
		{ "\xc2\x9b"
		  "31m\xc3\xa9",
		  "\"\\u009b31m\xc3\xa9\"" },
		{ "\xe2\x80\xae", "\"\\u202e\"" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_arena_ struct arena a;
		struct json_out o;
		struct str s;
		arena_init(&a);
		str_init(&s, &a);
		json_out_init(&o, &s, JSON_OUT_COMPACT);
		json_out_string(&o, rows[i].in);
		assert_string_equal(s.text, rows[i].out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_syntax_errors),
		cmocka_unit_test(test_comma_too_many),
		cmocka_unit_test(test_nul_in_text),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_positions),
		cmocka_unit_test(test_positions_utf8),
		cmocka_unit_test(test_positions_crlf),
		cmocka_unit_test(test_position_edges),
		cmocka_unit_test(test_find_and_path),
		cmocka_unit_test(test_writer_forms),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_writer_replaces_bad_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
