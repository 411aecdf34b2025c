/*
 * The names of the systemd driver: cgroupsPath as "slice:prefix:name", the scope's name, and where
 * systemd puts the cgroup of a slice. Pure; no privilege. The rules are those of systemd's
 * src/basic/unit-name.c (unit_name_is_valid, slice_name_is_valid) and src/basic/cgroup-util.c
 * (cg_slice_to_path); the form is that of runc's and crun's --systemd-cgroup.
 */
#include "cgroup/systemd_parts.h"

#include <string.h>

#define SLICE_SUFFIX ".slice"
#define SCOPE_SUFFIX ".scope"
/* Of systemd's VALID_CHARS; '@' would make an instance of a template. */
#define UNIT_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:-_.\\"

/* systemd gives a name that begins with '_' or '.' another directory. */
static bool is_unit(const char *s)
{
	size_t n = strlen(s);
	return n <= SYSTEMD_UNIT_MAX && strspn(s, UNIT_CHARS) == n && !strchr("_.:\\", s[0]);
}

const char *systemd_expand_slice(const char *slice, struct arena *arena)
{
	struct str path;
	if (str_eq(slice, "-" SLICE_SUFFIX))
		return "";
	if (!is_unit(slice) || !str_has_suffix(slice, SLICE_SUFFIX))
		return NULL;
	size_t n = strlen(slice) - strlen(SLICE_SUFFIX);
	/* Each part between dashes is a level, and none may be empty. */
	if (n == 0 || slice[0] == '-' || slice[n - 1] == '-' || strstr(slice, "--"))
		return NULL;
	str_init(&path, arena);
	for (size_t i = 1; i <= n; i++)
		if (i == n || slice[i] == '-')
			str_printf(&path, "/%.*s" SLICE_SUFFIX, (int)i, slice);
	return path.text;
}

/* What an id may have and a unit's name may not: '+', as systemd-escape(1) writes it. */
static const char *escape_id(const char *id, struct arena *arena)
{
	struct str s;
	str_init(&s, arena);
	for (; *id; id++)
		if (*id == '+')
			str_append(&s, "\\x2b");
		else
			str_append_n(&s, id, 1);
	return s.text;
}

static int bad_path(const char *path, const char *why, struct err *err)
{
	int r = err_say(err, ERR_CONFIG, EINVAL, "'%s' is not what systemd can make a scope of: %s",
			path, why);
	err_hint(err, "with --systemd-cgroup cgroupsPath is SLICE:PREFIX:NAME as in "
		      "\"system.slice:hull:web\", or absent");
	return r;
}

/* The three parts; the last is the rest of `path`. */
static bool split(const char *path, struct arena *arena, const char *parts[3])
{
	for (int i = 0; i < 2; i++) {
		const char *colon = strchr(path, ':');
		if (!colon)
			return false;
		parts[i] = arena_strndup(arena, path, (size_t)(colon - path));
		path = colon + 1;
	}
	parts[2] = path;
	return *path && !strchr(path, ':');
}

int systemd_plan_scope(const struct systemd_wish *wish, struct arena *arena,
		       struct systemd_scope *ret, struct err *err)
{
	const char *path = wish->cgroups_path && *wish->cgroups_path ? wish->cgroups_path : NULL;
	const char *parts[3] = { "", "hull", NULL };
	if (!path)
		parts[2] = escape_id(wish->id, arena);
	else if (!split(path, arena, parts))
		return bad_path(path, "it has not three parts with colons in between", err);
	/* The defaults of runc. */
	const char *slice = *parts[0]       ? parts[0]
			    : wish->is_user ? "user" SLICE_SUFFIX
					    : "system" SLICE_SUFFIX;
	if (str_has_suffix(parts[2], SLICE_SUFFIX))
		return bad_path(path, "hull makes scopes, and its name is that of a slice", err);
	const char *unit = arena_printf(arena, "%s%s%s" SCOPE_SUFFIX, parts[1],
					*parts[1] ? "-" : "", parts[2]);
	const char *above = systemd_expand_slice(slice, arena);
	if (!above)
		return bad_path(path ? path : slice,
				arena_printf(arena, "'%s' is not the name of a slice", slice), err);
	if (!is_unit(unit))
		return bad_path(path ? path : unit,
				arena_printf(arena, "'%.300s' is not the name of a unit", unit),
				err);
	*ret = (struct systemd_scope) {
		.unit = unit,
		.slice = slice,
		.id = wish->id,
		.path = arena_printf(arena, "%s%s/%s", wish->home, above, unit),
		.is_user = wish->is_user,
	};
	return 0;
}
