/*
 * What the state keeps for hooks: the poststop hooks themselves, so that a container whose hull was
 * killed still gets them from `delete`, and the poststart hooks, which `start` runs; the text that
 * every hook finds on its standard input; and the lock of whoever runs the poststop hooks, which
 * nobody else may do meanwhile.
 */
#include "state/state.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/fd.h"
#include "state/parts.h"

/* ---- in the state file ---- */

static void put_strings(struct json_out *o, const char *key, const struct spec_strv *strings)
{
	json_out_key(o, key);
	json_out_array(o);
	for (size_t i = 0; i < strings->n; i++)
		json_out_string(o, strings->v[i].s);
	json_out_array_end(o);
}

void state_put_hooks(struct json_out *o, const char *kind, const struct spec_hook_list *hooks)
{
	if (!hooks || hooks->n == 0)
		return;
	json_out_key(o, kind);
	json_out_array(o);
	for (size_t i = 0; i < hooks->n; i++) {
		json_out_object(o);
		json_out_member(o, "path", hooks->v[i].path.s);
		put_strings(o, "args", &hooks->v[i].args);
		put_strings(o, "env", &hooks->v[i].env);
		json_out_key(o, "timeout");
		json_out_uint(o, hooks->v[i].timeout.v);
		/* In the config.json that is kept beside it. */
		json_out_key(o, "at");
		json_out_uint(o, hooks->v[i].path.at);
		json_out_key(o, "timeoutAt");
		json_out_uint(o, hooks->v[i].timeout.at);
		json_out_object_end(o);
	}
	json_out_array_end(o);
}

/* Only texts; an array with anything else was not written by hull. */
static bool get_strings(const struct json *array, struct arena *arena, struct spec_strv *ret)
{
	if (!array || array->type != JSON_ARRAY)
		return false;
	ret->v = arena_array(arena, array->count, sizeof(*ret->v));
	for (const struct json *m = array->child; m; m = m->next) {
		if (m->type != JSON_STRING)
			return false;
		ret->v[ret->n++].s = m->text;
	}
	return true;
}

static bool get_number(const struct json *object, const char *key, uint64_t max, uint64_t *ret)
{
	const struct json *number = json_get(object, key);
	return number && number->type == JSON_NUMBER && str_to_u64(number->text, max, ret) == 0;
}

/* Where it stands is missing in a state that an earlier hull has written. */
static uint32_t get_place(const struct json *object, const char *key)
{
	uint64_t at;
	return get_number(object, key, UINT32_MAX, &at) ? (uint32_t)at : 0;
}

static bool get_hook(const struct json *object, struct arena *arena, struct spec_hook *ret)
{
	const struct json *path = json_get(object, "path");
	if (!path || path->type != JSON_STRING || path->text[0] != '/')
		return false;
	ret->path.s = path->text;
	ret->path.at = get_place(object, "at");
	ret->timeout.at = get_place(object, "timeoutAt");
	return get_number(object, "timeout", INT32_MAX, &ret->timeout.v) &&
	       get_strings(json_get(object, "args"), arena, &ret->args) &&
	       get_strings(json_get(object, "env"), arena, &ret->env);
}

const struct spec_hook_list *state_get_hooks(const struct json *root, const char *kind,
					     struct arena *arena, const char **ret_problem)
{
	const struct json *array = json_get(root, kind);
	if (!array)
		return NULL;
	struct spec_hook_list *list = arena_new(arena, struct spec_hook_list);
	list->v = arena_array(arena, array->count, sizeof(*list->v));
	bool right = array->type == JSON_ARRAY;
	for (const struct json *m = array->child; right && m; m = m->next)
		right = get_hook(m, arena, &list->v[list->n++]);
	if (!right)
		*ret_problem = "its poststart or poststop hooks are none";
	return right ? list : NULL;
}

/* ---- what hooks are told ---- */

void state_print_for_hook(const struct state *state, enum state_status status, struct str *ret)
{
	struct json_out o;
	json_out_init(&o, ret, JSON_OUT_COMPACT);
	json_out_object(&o);
	state_put_identity(&o, state, status, "");
	json_out_object_end(&o);
	str_append(ret, "\n");
}

/* ---- the lock ---- */

int state_lock_hooks(const struct state_entry *entry, int *ret_lock, struct err *err)
{
	_cleanup_close_ int fd = openat(entry->fd, STATE_HOOKS_FILE,
					O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(err, errno, "cannot lock the hooks of '%s'", entry->id);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return err_sys(err, errno, "cannot lock the hooks of '%s'", entry->id);
		err_say(err, ERR_BUSY, EBUSY, "hooks of container '%s' are running", entry->id);
		err_hint(err, "hull delete --force %s does not wait for them", entry->id);
		return -EBUSY;
	}
	*ret_lock = fd_take(&fd);
	return 0;
}
