/* From a position to what people read: line and column, the path of keys, the text to underline. */
#include "base/json.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const struct json *find_in(const struct json *node, uint32_t at)
{
	if (node->at == at || (node->key_at && node->key_at == at))
		return node;
	for (const struct json *c = node->child; c; c = c->next) {
		const struct json *found = find_in(c, at);
		if (found)
			return found;
	}
	return NULL;
}

const struct json *json_find(const struct json_doc *doc, uint32_t at)
{
	return doc->root && at ? find_in(doc->root, at) : NULL;
}

static bool is_plain_key(const char *key)
{
	if (!*key)
		return false;
	for (; *key; key++)
		if (!isalnum((unsigned char)*key) && *key != '_' && *key != '-')
			return false;
	return true;
}

void json_path(const struct json *node, char *buf, size_t size)
{
	if (!node->parent) {
		buf[0] = '\0';
		return;
	}
	json_path(node->parent, buf, size);
	size_t n = strlen(buf);
	if (!node->key)
		snprintf(buf + n, size - n, "[%u]", node->index);
	else if (is_plain_key(node->key))
		snprintf(buf + n, size - n, "%s%s", n ? "." : "", node->key);
	else
		snprintf(buf + n, size - n, "[\"%s\"]", node->key);
}

void json_position(const struct json_doc *doc, uint32_t at, uint32_t *ret_line,
		   uint32_t *ret_column, const char **ret_text, size_t *ret_size)
{
	size_t offset = at ? at - 1 : 0;
	if (offset > doc->size)
		offset = doc->size;
	uint32_t line = 1;
	size_t start = 0;
	for (size_t i = 0; i < offset; i++)
		if (doc->text[i] == '\n') {
			line++;
			start = i + 1;
		}
	uint32_t column = 1;
	for (size_t i = start; i < offset; i++)
		column += ((unsigned char)doc->text[i] & 0xc0) != 0x80; /* not a UTF-8 follow-up */
	const char *end = memchr(doc->text + start, '\n', doc->size - start);
	*ret_line = line;
	*ret_column = column;
	*ret_text = doc->text + start;
	size_t size = end ? (size_t)(end - doc->text) - start : doc->size - start;
	*ret_size = size > 0 && doc->text[start + size - 1] == '\r' ? size - 1 : size;
}

static size_t string_size(const char *s, size_t limit)
{
	size_t i = 1;
	while (i < limit && s[i] != '"')
		i += s[i] == '\\' ? 2 : 1;
	return i < limit ? i + 1 : limit;
}

size_t json_token_size(const struct json_doc *doc, uint32_t at)
{
	size_t offset = at ? at - 1 : 0;
	if (offset >= doc->size)
		return 1;
	const char *s = doc->text + offset;
	const char *end = memchr(s, '\n', doc->size - offset);
	size_t limit = end ? (size_t)(end - s) : doc->size - offset;
	if (limit == 0)
		return 1;
	if (*s == '"')
		return string_size(s, limit);
	size_t n = 0;
	while (n < limit && s[n] && !strchr(" \t\r\n,:[]{}\"", s[n]))
		n++;
	return n == 0 ? 1 : n;
}

void json_locate(const struct json_doc *doc, struct err *err)
{
	if (!err || !err->at)
		return;
	if (err->at >= JSON_OPTIONS) {
		if (doc->options && err->at != JSON_ELSEWHERE)
			snprintf(err->path, sizeof(err->path), "%s",
				 doc->options[err->at - JSON_OPTIONS]);
		err->at = 0;
		return;
	}
	const char *text;
	size_t size;
	json_position(doc, err->at, &err->line, &err->column, &text, &size);
	const struct json *node = json_find(doc, err->at);
	if (node && !err->path[0])
		json_path(node, err->path, sizeof(err->path));
}
