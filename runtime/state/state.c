/* The state file: written whole under a second name and renamed, read and judged. */
#include "state/state.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "state/parts.h"

#define STATE_FILE "state.json"
/* More than annotations and hooks of the largest config.json can grow to: a DEL to the sixfold. */
#define STATE_MAX_SIZE (8 * SPEC_MAX_SIZE)

static const struct str_name status_names[] = {
	{ "creating", STATE_CREATING }, { "created", STATE_CREATED }, { "running", STATE_RUNNING },
	{ "stopped", STATE_STOPPED },   { "paused", STATE_PAUSED },   { NULL, 0 },
};

const char *state_status_name(enum state_status status)
{
	return str_name_of(status_names, status);
}

/* ---- writing ---- */

static void put_annotations(struct json_out *o, const struct spec_map *annotations)
{
	if (!annotations || annotations->n == 0)
		return;
	json_out_key(o, "annotations");
	json_out_object(o);
	for (size_t i = 0; i < annotations->n; i++)
		json_out_member(o, annotations->v[i].key, annotations->v[i].value);
	json_out_object_end(o);
}

/* runc's keys, so that what reads its state can read hull's. */
void state_put_identity(struct json_out *o, const struct state *state, enum state_status status,
			const char *owner)
{
	json_out_member(o, "ociVersion", STATE_OCI_VERSION);
	json_out_member(o, "id", state->id);
	json_out_member(o, "status", state_status_name(status));
	json_out_member(o, "bundle", state->bundle);
	json_out_member(o, "rootfs", state->rootfs ? state->rootfs : "");
	json_out_member(o, "created", state->created);
	put_annotations(o, state->annotations);
	json_out_member(o, "owner", owner);
}

static void put_common(struct json_out *o, const struct state *state, enum state_status status,
		       const char *owner)
{
	json_out_key(o, "pid");
	json_out_int(o, status == STATE_STOPPED ? 0 : state->pid);
	state_put_identity(o, state, status, owner);
}

void state_put_public(struct json_out *o, const struct state *state, enum state_status status)
{
	json_out_object(o);
	put_common(o, state, status, "");
	json_out_object_end(o);
}

/* Both as paths, for people; what stays is the beginning of what is used. */
static void put_cgroup(struct json_out *o, const struct state *state)
{
	if (!state->cgroup)
		return;
	_cleanup_arena_ struct arena arena;
	arena_init(&arena);
	json_out_member(o, "cgroup", state->cgroup);
	json_out_member(o, "cgroupKept",
			state->cgroup_kept
				? arena_strndup(&arena, state->cgroup, state->cgroup_kept)
				: "/");
	if (!state->unit)
		return;
	json_out_member(o, "systemdUnit", state->unit);
	json_out_key(o, "systemdUser");
	json_out_bool(o, state->unit_is_user);
}

static void put_rdt(struct json_out *o, const struct state *state)
{
	if (!state->rdt_class)
		return;
	json_out_member(o, "rdtClass", state->rdt_class);
	json_out_key(o, "rdtOwned");
	json_out_bool(o, state->rdt_is_owned);
	json_out_key(o, "rdtMonitored");
	json_out_bool(o, state->rdt_is_monitored);
	if (!state->rdt_ino)
		return;
	json_out_key(o, "rdtInode");
	json_out_uint(o, state->rdt_ino);
}

static void put_own(struct json_out *o, const struct state *state, enum state_status status)
{
	json_out_key(o, "hull");
	json_out_object(o);
	put_cgroup(o, state);
	json_out_key(o, "uid");
	json_out_uint(o, state->owner);
	if (state->has_init) {
		json_out_key(o, "init");
		json_out_bool(o, true);
	}
	if (state->no_process) {
		json_out_key(o, "noProcess");
		json_out_bool(o, true);
	}
	if (state->has_listener) {
		json_out_key(o, "listener");
		json_out_bool(o, true);
	}
	put_rdt(o, state);
	if (state->layer_ino) {
		json_out_key(o, "layerDevice");
		json_out_uint(o, state->layer_dev);
		json_out_key(o, "layerInode");
		json_out_uint(o, state->layer_ino);
	}
	if (state->boot_id) {
		json_out_member(o, "bootId", state->boot_id);
		json_out_key(o, "pidStart");
		json_out_uint(o, state->pid_start);
		json_out_key(o, "pidNamespace");
		json_out_uint(o, state->pid_ns);
		json_out_key(o, "timeNamespace");
		json_out_uint(o, state->time_ns);
	}
	if (state->poststart && (status == STATE_RUNNING || status == STATE_PAUSED)) {
		json_out_key(o, "poststartPending");
		json_out_bool(o, true);
	}
	if (state->exit) {
		json_out_key(o, "exit");
		exitinfo_write(state->exit, o);
	}
	json_out_object_end(o);
}

void state_put(struct json_out *o, const struct state *state, enum state_status status,
	       const char *owner)
{
	json_out_object(o);
	put_common(o, state, status, owner);
	put_own(o, state, status);
	json_out_object_end(o);
}

void state_print(const struct state *state, enum state_status status, struct str *ret)
{
	struct json_out o;
	json_out_init(&o, ret, JSON_OUT_PRETTY);
	state_put(&o, state, status, "");
	str_append(ret, "\n");
}

static void file_text(const struct state *state, struct str *ret)
{
	struct json_out o;
	json_out_init(&o, ret, JSON_OUT_COMPACT);
	json_out_object(&o);
	json_out_key(&o, "version");
	json_out_int(&o, STATE_VERSION);
	put_common(&o, state, state->status, "");
	put_own(&o, state, state->status);
	state_put_hooks(&o, "poststart", state->poststart);
	state_put_hooks(&o, "poststop", state->poststop);
	json_out_object_end(&o);
	str_append(ret, "\n");
}

int state_write(const struct state_entry *entry, const struct state *state, struct err *err)
{
	_cleanup_arena_ struct arena arena;
	struct str text;
	arena_init(&arena);
	str_init(&text, &arena);
	file_text(state, &text);
	if (text.used > STATE_MAX_SIZE) /* what cannot be read back must not be begun */
		return err_say(err, ERR_LIMIT, EFBIG, "the state of '%s' is larger than %zu bytes",
			       entry->id, STATE_MAX_SIZE);

	_cleanup_close_ int fd = openat(entry->fd, STATE_FILE ".new",
					O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
					0600);
	if (fd < 0)
		return err_sys(err, errno, "cannot write the state of '%s'", entry->id);
	int r = fd_write_all(fd, text.text, text.used);
	if (r == 0 && renameat(entry->fd, STATE_FILE ".new", entry->fd, STATE_FILE) < 0)
		r = -errno;
	/* No fsync: /run is a tmpfs, and no container survives a reboot. */
	if (r < 0) {
		(void)!unlinkat(entry->fd, STATE_FILE ".new", 0);
		return err_sys(err, -r, "cannot write the state of '%s'", entry->id);
	}
	return 0;
}

/* ---- reading ---- */

static const char *get_string(const struct json *object, const char *key)
{
	const struct json *m = json_get(object, key);
	return m && m->type == JSON_STRING ? m->text : NULL;
}

static uint64_t get_uint(const struct json *object, const char *key, uint64_t max)
{
	const struct json *m = json_get(object, key);
	uint64_t v = 0;
	if (!m || m->type != JSON_NUMBER || str_to_u64(m->text, max, &v) < 0)
		return 0;
	return v;
}

static bool get_bool(const struct json *object, const char *key)
{
	const struct json *m = json_get(object, key);
	return m && m->type == JSON_BOOL && m->boolean;
}

static const struct spec_map *get_annotations(const struct json *root, struct arena *arena)
{
	const struct json *object = json_get(root, "annotations");
	if (!object || object->type != JSON_OBJECT)
		return NULL;
	struct spec_map *map = arena_new(arena, struct spec_map);
	map->v = arena_array(arena, object->count, sizeof(*map->v));
	for (const struct json *m = object->child; m; m = m->next)
		if (m->type == JSON_STRING)
			map->v[map->n++] = (struct spec_pair) { .key = m->key, .value = m->text };
	return map;
}

static const struct exitinfo *get_exit(const struct json *own, struct arena *arena)
{
	const struct json *object = json_get(own, "exit");
	if (!object || object->type != JSON_OBJECT)
		return NULL;
	struct exitinfo *exit = arena_new(arena, struct exitinfo);
	exitinfo_read(object, exit);
	return exit->cause == EXITINFO_NONE ? NULL : exit;
}

/* A path in normal form begins with a slash; anything else was not written by hull. */
static const char *get_cgroup(const struct json *own)
{
	const char *cgroup = get_string(own, "cgroup");
	return cgroup && cgroup[0] == '/' && cgroup[1] ? cgroup : NULL;
}

/*
 * How many bytes of the cgroup's path are not hull's to remove. A record that does not say so
 * claims nothing: then it is all of them, and *ret_problem is set.
 */
static size_t get_kept(const struct json *own, const char *cgroup, const char **ret_problem)
{
	const char *kept = get_string(own, "cgroupKept");
	if (!cgroup)
		return 0;
	size_t n = kept && !str_eq(kept, "/") ? strlen(kept) : 0;
	if (kept && kept[0] == '/' && strncmp(cgroup, kept, n) == 0 &&
	    (cgroup[n] == '/' || cgroup[n] == '\0'))
		return n;
	*ret_problem = "its cgroupKept is no part of its cgroup";
	return strlen(cgroup);
}

/* The name of a directory, or "/", which nobody can own; anything else was not written by hull. */
static void get_rdt(const struct json *own, struct state *ret)
{
	const char *class = get_string(own, "rdtClass");
	bool is_root = class && str_eq(class, "/");
	if (!class || !*class || (!is_root && strchr(class, '/')) || str_eq(class, ".") ||
	    str_eq(class, ".."))
		return;
	ret->rdt_class = class;
	ret->rdt_is_owned = !is_root && get_bool(own, "rdtOwned");
	ret->rdt_is_monitored = get_bool(own, "rdtMonitored");
	ret->rdt_ino = get_uint(own, "rdtInode", UINT64_MAX);
}

static int broken(struct err *err, const char *why)
{
	return err_say(err, ERR_INTERNAL, EUCLEAN, "its state file is broken: %s", why);
}

int state_parse(const char *text, size_t size, struct arena *arena, struct state *ret,
		struct err *err)
{
	struct json_doc doc;
	struct err syntax;
	const char *problem = NULL;
	*ret = (struct state) { 0 };
	if (json_parse(arena, STATE_FILE, text, size, &doc, &syntax) < 0)
		return broken(err, syntax.message);
	const struct json *own = json_get(doc.root, "hull");
	const char *status = get_string(doc.root, "status");
	const struct str_name *known = status ? str_name_find(status_names, status) : NULL;
	const char *created = get_string(doc.root, "created");
	ret->id = get_string(doc.root, "id");
	ret->bundle = get_string(doc.root, "bundle");
	ret->rootfs = get_string(doc.root, "rootfs");
	ret->pid = (pid_t)get_uint(doc.root, "pid", INT32_MAX);
	ret->cgroup = get_cgroup(own);
	ret->cgroup_kept = get_kept(own, ret->cgroup, &problem);
	ret->unit = ret->cgroup ? get_string(own, "systemdUnit") : NULL;
	ret->unit_is_user = get_bool(own, "systemdUser");
	ret->owner = (uid_t)get_uint(own, "uid", UINT32_MAX);
	get_rdt(own, ret);
	ret->has_init = get_bool(own, "init");
	ret->no_process = get_bool(own, "noProcess");
	ret->has_listener = get_bool(own, "listener");
	ret->layer_dev = get_uint(own, "layerDevice", UINT64_MAX);
	ret->layer_ino = get_uint(own, "layerInode", UINT64_MAX);
	ret->boot_id = get_string(own, "bootId");
	ret->pid_start = get_uint(own, "pidStart", UINT64_MAX);
	ret->pid_ns = get_uint(own, "pidNamespace", UINT64_MAX);
	ret->time_ns = get_uint(own, "timeNamespace", UINT64_MAX);
	ret->annotations = get_annotations(doc.root, arena);
	ret->exit = get_exit(own, arena);
	ret->poststart = state_get_hooks(doc.root, "poststart", arena, &problem);
	ret->poststop = state_get_hooks(doc.root, "poststop", arena, &problem);
	if (get_uint(doc.root, "version", UINT32_MAX) != STATE_VERSION)
		return broken(err, "it has another version");
	if (!ret->id || !ret->bundle || !known || known->value == STATE_PAUSED || !created || !own)
		return broken(err, "a member is missing");
	if (problem)
		return broken(err, problem);
	ret->status = (enum state_status)known->value;
	snprintf(ret->created, sizeof(ret->created), "%s", created);
	return 0;
}

/*
 * Will it never be readable? A lack of memory or descriptors and an error of the disk do not say
 * so: after them the file is as good as ever, and nobody may act as if it was lost.
 */
static bool is_beyond_repair(int code)
{
	static const int codes[] = { ENOENT, EFBIG, ELOOP, EISDIR, EINVAL, ENXIO };
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (codes[i] == code)
			return true;
	return false;
}

int state_read(const struct state_store *store, const char *id, struct arena *arena,
	       struct state *ret, struct err *err)
{
	_cleanup_close_ int dir = openat(store->fd, id,
					 O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	*ret = (struct state) { 0 };
	if (dir < 0 && errno == ENOENT)
		return state_no_such(id, err);
	if (dir < 0)
		return err_sys(err, errno, "cannot open the state of '%s'", id);
	char *text;
	size_t size;
	struct err why = { 0 };
	int r = fd_read_file(dir, STATE_FILE, STATE_MAX_SIZE, arena, &text, &size, &why);
	if (r < 0 && !is_beyond_repair(-r))
		return err_sys(err, -r, "cannot read the state of '%s'", id);
	if (r < 0)
		err_say(err, ERR_INTERNAL, EUCLEAN, "its state file cannot be read: %s",
			why.message);
	else if (state_parse(text, size, arena, ret, err) == 0) {
		ret->has_gate = ret->status == STATE_CREATING && ret->pid > 0 &&
				faccessat(dir, STATE_GATE_FILE, F_OK, 0) == 0;
		return 0;
	}
	err_wrap(err, "container '%s'", id);
	err_hint(err, "hull delete --force %s removes what is left of it", id);
	return -EUCLEAN;
}

int state_read_settled(const struct state_store *store, const char *id, struct arena *arena,
		       struct state *ret, struct err *err)
{
	struct state_entry entry;
	int r = state_read(store, id, arena, ret, err);
	if (r != -EUCLEAN)
		return r;
	r = state_lock(store, id, &entry, err);
	if (r < 0)
		return r;
	r = state_read(store, id, arena, ret, err);
	state_entry_close(&entry);
	return r;
}

bool state_cgroup_existed(const struct state *state)
{
	return state->cgroup && state->cgroup[state->cgroup_kept] == '\0';
}
