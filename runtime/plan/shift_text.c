/*
 * The maps of an id-mapped mount in one mount option, as crun takes it and podman writes it
 *(S-090):
 *
 *	idmap=uids=FROM-TO-LENGTH[#FROM-TO-LENGTH...];gids=...
 *
 * FROM is an id of the file system, TO the host's id that it is shown as; with @ before a range TO
 * is an id of the container. Becomes the same lines as uidMappings and gidMappings. Pure.
 */
#include <string.h>

#include "base/str.h"
#include "plan/parts.h"

static int refuse(const struct plan_mount *m, const char *text, size_t n, struct err *err)
{
	err_say(err, ERR_CONFIG, EINVAL, "'%.*s' is no map of ids", (int)n, text);
	err_hint(err, "as in idmap=uids=0-100000-65536;gids=0-100000-65536: the first id of the "
		      "file system, the one that it is shown as, and how many");
	err_at(err, m->shift_at);
	return -EINVAL;
}

/* A number that ends with `stop` (0: the end), behind which *text then stands. */
static bool take_id(char **text, char stop, uint32_t *ret)
{
	uint64_t number;
	char *end = stop ? strchr(*text, stop) : *text + strlen(*text);
	if (!end)
		return false;
	*end = '\0';
	bool is_id = str_to_u64(*text, UINT32_MAX, &number) == 0;
	*text = end + (stop != '\0');
	*ret = (uint32_t)number;
	return is_id;
}

/* The host's ids of those of the container, which must be one piece of its map, too. */
static bool find_hosts(const struct plan_id_map *own, uint32_t size, uint32_t *id)
{
	uint32_t first, last;
	if (!own->lines || !plan_id_is_mapped(own, *id, &first) ||
	    !plan_id_is_mapped(own, *id + (size - 1), &last) || last - first != size - 1)
		return false;
	*id = first;
	return true;
}

static int parse_range(const struct planner *p, const struct plan_mount *m, const char *text,
		       const struct plan_id_map *own, struct spec_id_mapping *ret, struct err *err)
{
	bool is_relative = *text == '@';
	char *rest = arena_strdup(p->arena, text + is_relative);
	uint32_t from, to, size;
	if (!take_id(&rest, '-', &from) || !take_id(&rest, '-', &to) ||
	    !take_id(&rest, '\0', &size) || size == 0 || from + (size - 1) < from ||
	    to + (size - 1) < to)
		return refuse(m, text, strlen(text), err);
	if (is_relative && !find_hosts(own, size, &to)) {
		err_say(err, ERR_CONFIG, EINVAL,
			"'%s' is not within one line of the container's map", text);
		err_at(err, m->shift_at);
		return -EINVAL;
	}
	*ret = (struct spec_id_mapping) {
		.container_id = { from, m->shift_at },
		.host_id = { to, m->shift_at },
		.size = { size, m->shift_at },
		.at = m->shift_at,
	};
	return 0;
}

/* "0-1000-1#1-2000-5" */
static int parse_ranges(const struct planner *p, const struct plan_mount *m, const char *text,
			const struct plan_id_map *own, struct spec_id_mappings *ret,
			struct err *err)
{
	size_t n = 1;
	for (const char *c = text; *c; c++)
		n += *c == '#';
	ret->v = arena_array(p->arena, n, sizeof(*ret->v));
	ret->at = m->shift_at;
	for (ret->n = 0; ret->n < n; ret->n++) {
		size_t size = strcspn(text, "#");
		int r = parse_range(p, m, arena_strndup(p->arena, text, size), own, &ret->v[ret->n],
				    err);
		if (r < 0)
			return r;
		text += size + (text[size] == '#');
	}
	return 0;
}

int plan_parse_shift(const struct planner *p, const struct plan_mount *m,
		     struct spec_id_mappings *uids, struct spec_id_mappings *gids, struct err *err)
{
	const struct plan_user *user = &p->plan->user;
	const char *text = m->shift_text;
	while (*text) {
		size_t n = strcspn(text, ";");
		bool is_gids = str_has_prefix(text, "gids=");
		struct spec_id_mappings *lines = is_gids ? gids : uids;
		if ((!is_gids && !str_has_prefix(text, "uids=")) || lines->n > 0)
			return refuse(m, text, n, err);
		int r = parse_ranges(p, m, arena_strndup(p->arena, text + 5, n - 5),
				     is_gids ? &user->gids : &user->uids, lines, err);
		if (r < 0)
			return r;
		text += n + (text[n] == ';');
	}
	return 0;
}
