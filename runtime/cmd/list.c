/*
 * hull list: all containers of the state directory, without their locks, so that none can hold it
 * up. A state that cannot be read is shown as such: it is there, and wants to be deleted.
 */
#include "cmd/container.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "cmd/list_wide.h"
#include "cmd/table.h"

#define PASSWD          "/etc/passwd"
#define PASSWD_SIZE_MAX ((size_t)1024 * 1024)

struct list_options {
	const char *format;
	bool quiet;
};
#define LIST(member) offsetof(struct list_options, member)

static const struct option list_table[] = {
	{ "format", 'f', OPTION_TEXT, LIST(format), "FORMAT",
	  "table (default), wide (with ages, memory and ends) or json" },
	{ "quiet", 'q', OPTION_FLAG, LIST(quiet), NULL, "only the ids" },
	{ 0 },
};

/* ---- reading ---- */

static void read_passwd(struct list *list)
{
	char *text;
	size_t size;
	int r = fd_read_file(AT_FDCWD, PASSWD, PASSWD_SIZE_MAX, list->arena, &text, &size, NULL);
	list->passwd = r < 0 ? "" : text;
}

/* "root", by the third field of a line; "#4711" for whom the file does not know. */
static const char *owner_name(const struct list *list, uid_t uid)
{
	char number[16];
	size_t n = (size_t)snprintf(number, sizeof(number), "%u", uid);
	for (const char *line = list->passwd; *line; line += *line == '\n') {
		size_t name = strcspn(line, ":\n");
		const char *field = line + name + (line[name] == ':');
		field += strcspn(field, ":\n");
		if (*field == ':' && strncmp(field + 1, number, n) == 0 && field[n + 1] == ':')
			return arena_strndup(list->arena, line, name);
		line += strcspn(line, "\n");
	}
	return arena_printf(list->arena, "#%s", number);
}

/* What is known of a broken one: its name, and when and by whom its directory was made. */
static void fill_broken(const struct state_store *store, const char *id, struct row *row)
{
	struct stat st;
	struct state *state = &row->state;
	if (fstatat(store->fd, id, &st, AT_SYMLINK_NOFOLLOW) < 0)
		memset(&st, 0, sizeof(st));
	*state = (struct state) { .id = id, .bundle = "", .owner = st.st_uid };
	clock_format(st.st_mtim, state->created);
}

/* A container that is gone by now is none. */
static void read_rows(struct cmd *cmd, const struct state_store *store, const struct state_ids *ids,
		      struct list *ret)
{
	ret->rows = arena_array(ret->arena, ids->n, sizeof(*ret->rows));
	for (size_t i = 0; i < ids->n; i++) {
		struct row *row = &ret->rows[ret->n];
		struct err err = { 0 };
		int r = state_read_settled(store, ids->v[i], &cmd->arena, &row->state, &err);
		if (r == -ENOENT)
			continue;
		ret->n++;
		if (r == 0) {
			row->status = state_status_shown(&row->state, NULL);
			continue;
		}
		row->problem = arena_strdup(ret->arena, err.message);
		fill_broken(store, ids->v[i], row);
	}
}

/* A store that does not exist has no containers. */
static int read_list(struct cmd *cmd, struct list *ret, struct err *err)
{
	struct state_store store;
	struct state_ids ids;

	*ret = (struct list) { .arena = &cmd->arena };
	int r = cmd_open_store(cmd, STATE_STORE_EXISTING, &store, err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = state_list(&store, &cmd->arena, &ids, err);
	if (r == 0)
		read_rows(cmd, &store, &ids, ret);
	state_store_close(&store);
	return r;
}

/* ---- showing ---- */

static void print_quiet(const struct list *list, struct str *out)
{
	for (size_t i = 0; i < list->n; i++)
		str_printf(out, "%s\n", list->rows[i].state.id);
}

static const char *status_text(const struct row *row)
{
	return row->problem ? STATUS_BROKEN : state_status_name(row->status);
}

static void print_table(const struct list *list, struct str *out)
{
	static const char *const heads[] = { "ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER" };
	struct table table;
	char pid[16];

	table_init(&table, list->arena, ARRAY_SIZE(heads));
	for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
		table_add(&table, heads[i]);
	for (size_t i = 0; i < list->n; i++) {
		const struct row *row = &list->rows[i];
		bool has_pid = !row->problem && row->status != STATE_STOPPED;
		snprintf(pid, sizeof(pid), "%d", has_pid ? (int)row->state.pid : 0);
		table_add(&table, row->state.id);
		table_add(&table, pid);
		table_add(&table, status_text(row));
		table_add(&table, row->state.bundle);
		table_add(&table, row->state.created);
		table_add(&table, owner_name(list, row->state.owner));
	}
	table_print(&table, out);
}

/* The keys of a container's state that can be told of a broken one. */
static void put_broken(struct json_out *o, const struct row *row, const char *owner)
{
	json_out_object(o);
	json_out_member(o, "ociVersion", STATE_OCI_VERSION);
	json_out_member(o, "id", row->state.id);
	json_out_key(o, "pid");
	json_out_int(o, 0);
	json_out_member(o, "status", STATUS_BROKEN);
	json_out_member(o, "bundle", "");
	json_out_member(o, "created", row->state.created);
	json_out_member(o, "owner", owner);
	json_out_key(o, "hull");
	json_out_object(o);
	json_out_member(o, "problem", row->problem);
	json_out_object_end(o);
	json_out_object_end(o);
}

static void print_json(const struct list *list, struct str *out)
{
	struct json_out o;
	json_out_init(&o, out, JSON_OUT_COMPACT);
	json_out_array(&o);
	for (size_t i = 0; i < list->n; i++) {
		const struct row *row = &list->rows[i];
		const char *owner = owner_name(list, row->state.owner);
		if (row->problem)
			put_broken(&o, row, owner);
		else
			state_put(&o, &row->state, row->status, owner);
	}
	json_out_array_end(&o);
	str_append(out, "\n");
}

static int list_command(struct cmd *cmd, void *options, struct err *err)
{
	const struct list_options *o = options;
	bool is_wide = false, is_json = false;
	struct list list;
	struct str out;

	int r = cmd_parse_format(o->format, &is_wide, &is_json, err);
	if (r == 0)
		r = read_list(cmd, &list, err);
	if (r < 0)
		return r;
	str_init(&out, &cmd->arena);
	read_passwd(&list);
	if (o->quiet)
		print_quiet(&list, &out);
	else if (is_json)
		print_json(&list, &out);
	else if (is_wide)
		list_print_wide(&list, &out);
	else
		print_table(&list, &out);
	return cmd_print(&out, err);
}

const struct command command_list = {
	.name = "list",
	.group = "look",
	.synopsis = "[--quiet] [--format FORMAT]",
	.summary = "list all containers",
	.options = list_table,
	.options_size = sizeof(struct list_options),
	.min_args = 0,
	.max_args = 0,
	.run = list_command,
	.failure = 1,
};
