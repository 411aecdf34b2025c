/*
 * hull ps: the processes of a container, found by its cgroup, with the host's numbers; as JSON, or
 * as those lines of the host's ps(1) that are about them, with the options that ps(1) is given.
 */
#include "cmd/container.h"

#include <string.h>

#include "base/fd.h"
#include "cgroup/procs.h"
#include "cmd/capture.h"
#include "cmd/ps_wide.h"

struct ps_options {
	const char *format;
};
static const struct option ps_table[] = {
	{ "format", 'f', OPTION_TEXT, offsetof(struct ps_options, format), "FORMAT",
	  "table (default, of the host's ps), wide (a tree, by hull) or json" },
	{ 0 },
};

static int print_json(struct cmd *cmd, const struct cgroup_pids *pids, struct err *err)
{
	struct json_out o;
	struct str out;
	str_init(&out, &cmd->arena);
	json_out_init(&o, &out, JSON_OUT_COMPACT);
	json_out_array(&o);
	for (size_t i = 0; i < pids->n; i++)
		json_out_int(&o, pids->v[i]);
	json_out_array_end(&o);
	str_append(&out, "\n");
	return cmd_print(&out, err);
}

/* ---- the host's ps(1) ---- */

/* The word of that index in a line, and its size; 0: there are fewer. */
static size_t word_at(const char *line, size_t index, const char **ret)
{
	for (;; index--) {
		line += strspn(line, " \t");
		size_t n = strcspn(line, " \t\n");
		if (n == 0 || index == 0) {
			*ret = line;
			return n;
		}
		line += n;
	}
}

static int find_column(const char *header, size_t *ret, struct err *err)
{
	const char *word;
	size_t n;
	for (size_t i = 0; (n = word_at(header, i, &word)) > 0; i++)
		if (n == 3 && strncmp(word, "PID", 3) == 0) {
			*ret = i;
			return 0;
		}
	err_say(err, ERR_CONFIG, EINVAL, "what ps shows has no column PID");
	err_hint(err, "add it to the options, as in: hull ps ID -o pid,comm");
	return -EINVAL;
}

static bool is_listed(const struct cgroup_pids *pids, const char *line, size_t column)
{
	uint64_t pid;
	const char *word;
	char number[16];
	size_t n = word_at(line, column, &word);
	if (n == 0 || n >= sizeof(number))
		return false;
	memcpy(number, word, n);
	number[n] = '\0';
	if (str_to_u64(number, INT32_MAX, &pid) < 0)
		return false;
	for (size_t i = 0; i < pids->n; i++)
		if ((uint64_t)pids->v[i] == pid)
			return true;
	return false;
}

/* The header, and the lines of the container's processes. */
static int filter(const char *text, const struct cgroup_pids *pids, struct str *out,
		  struct err *err)
{
	size_t column = 0;
	int r = find_column(text, &column, err);
	for (const char *line = text; r == 0 && *line;) {
		size_t n = strcspn(line, "\n");
		if (line == text || is_listed(pids, line, column)) {
			str_append_n(out, line, n);
			str_append(out, "\n");
		}
		line += n + (line[n] == '\n');
	}
	return r;
}

static int print_table(struct cmd *cmd, const struct cgroup_pids *pids, struct err *err)
{
	char **argv = arena_array(&cmd->arena, (size_t)cmd->args_n + 2, sizeof(*argv));
	struct str text, out;
	argv[0] = arena_strdup(&cmd->arena, "ps");
	argv[1] = arena_strdup(&cmd->arena, "-ef");
	for (int i = 1; i < cmd->args_n; i++)
		argv[i] = cmd->args[i];
	str_init(&text, &cmd->arena);
	str_init(&out, &cmd->arena);
	int r = capture_run(argv, &text, err);
	if (r == 0)
		r = filter(text.text, pids, &out, err);
	return r < 0 ? r : cmd_print(&out, err);
}

static int print_wide(struct cmd *cmd, const struct cgroup_pids *pids, struct err *err)
{
	struct str out;
	if (cmd->args_n > 1)
		return err_say(err, ERR_CONFIG, EINVAL,
			       "options of ps(1) are for --format table alone");
	str_init(&out, &cmd->arena);
	ps_print_wide(pids, &cmd->arena, &out);
	return cmd_print(&out, err);
}

static int ps_command(struct cmd *cmd, void *options, struct err *err)
{
	const struct ps_options *o = options;
	_cleanup_container_ struct container c;
	_cleanup_close_ int cgroup = -EBADF;
	struct cgroup_pids pids = { 0 };
	bool is_wide = false, is_json = false;

	int r = cmd_parse_format(o->format, &is_wide, &is_json, err);
	if (r < 0)
		return r;
	r = container_open(cmd, cmd->args[0], CONTAINER_READ, &c, err);
	if (r < 0)
		return r;
	r = container_open_cgroup(&c, &cgroup, err);
	/* A container that has ended may have no cgroup any more, and so no processes. */
	if (r == -ENOENT && c.state.status == STATE_STOPPED)
		r = 0;
	else if (r == 0)
		r = cgroup_list_processes(cgroup, &cmd->arena, &pids, err);
	if (r < 0)
		return r;
	if (is_wide)
		return print_wide(cmd, &pids, err);
	return is_json ? print_json(cmd, &pids, err) : print_table(cmd, &pids, err);
}

const struct command command_ps = {
	.name = "ps",
	.group = "look",
	.synopsis = "[--format FORMAT] ID [PS OPTION...]",
	.summary = "show the processes of a container",
	.options = ps_table,
	.options_size = sizeof(struct ps_options),
	.min_args = 1,
	.max_args = INT32_MAX,
	.run = ps_command,
	.failure = 1,
};
