/*
 * hull exec: one more process in a container that is there. The command line or a process file says
 * which one; all else is as the container was started with (plan/exec.c), and start/join.c makes
 * it.
 */
#include <string.h>
#include <sys/capability.h>
#include <unistd.h>

#include "base/fd.h"
#include "cgroup/enter.h"
#include "cmd/container.h"
#include "cmd/outcome.h"
#include "plan/exec.h"

struct exec_options {
	struct option_list env, caps, gids;
	const char *process, *pid_file, *console_socket, *cwd, *user, *apparmor, *label, *cgroup,
		*pidfd_socket;
	const char *no_new_privs; /* "" without a value */
	bool detach, tty, ignore_paused;
	unsigned preserve_fds;
};

#define EXEC(member) offsetof(struct exec_options, member)

static const struct option exec_table[] = {
	{ "process", 'p', OPTION_TEXT, EXEC(process), "FILE",
	  "what to run, as JSON like process of config.json" },
	{ "detach", 'd', OPTION_FLAG, EXEC(detach), NULL, "return when the program runs" },
	{ "pid-file", 0, OPTION_TEXT, EXEC(pid_file), "FILE", "write the process's pid to FILE" },
	{ "console-socket", 0, OPTION_TEXT, EXEC(console_socket), "PATH",
	  "send the terminal to who listens there" },
	{ "tty", 't', OPTION_FLAG, EXEC(tty), NULL, "give the program a terminal" },
	{ "user", 'u', OPTION_TEXT, EXEC(user), "UID[:GID]",
	  "run as this user, by number; of group 0 unless one is given" },
	{ "additional-gids", 'g', OPTION_LIST, EXEC(gids), "GID",
	  "one more group; may be repeated" },
	{ "cwd", 0, OPTION_TEXT, EXEC(cwd), "DIR", "the working directory" },
	{ "env", 'e', OPTION_LIST, EXEC(env), "NAME=VALUE", "set a variable; may be repeated" },
	{ "cap", 'c', OPTION_LIST, EXEC(caps), "CAP_NAME",
	  "add a capability that is not inherited; may be repeated" },
	{ "no-new-privs", 0, OPTION_TEXT_OPT, EXEC(no_new_privs), "false",
	  "no program gives more rights (or, with false, it may)" },
	{ "apparmor", 0, OPTION_TEXT, EXEC(apparmor), "PROFILE", "AppArmor profile" },
	{ "process-label", 0, OPTION_TEXT, EXEC(label), "LABEL", "SELinux label" },
	{ "preserve-fds", 0, OPTION_NUMBER, EXEC(preserve_fds), "N",
	  "let the program keep N descriptors from 3 on" },
	{ "ignore-paused", 0, OPTION_FLAG, EXEC(ignore_paused), NULL,
	  "also in a paused container, where it waits until that is resumed" },
	{ "cgroup", 0, OPTION_TEXT, EXEC(cgroup), "PATH",
	  "an existing cgroup below the container's" },
	{ "pidfd-socket", 0, OPTION_TEXT, EXEC(pidfd_socket), "PATH",
	  "send a pidfd of the process to who listens there" },
	{ 0 },
};

/* ---- the command line ---- */

static int parse_id(const char *option, const char *text, uint32_t *ret, struct err *err)
{
	uint64_t id;
	/* The largest one means "none" to the kernel. */
	if (str_to_u64(text, UINT32_MAX - 1, &id) < 0) {
		err_say(err, ERR_CONFIG, EINVAL, "--%s takes numbers from 0 to %u, not '%s'",
			option, UINT32_MAX - 1, text);
		err_hint(err, "names are not looked up: they would be the image's to choose");
		return -EINVAL;
	}
	*ret = (uint32_t)id;
	return 0;
}

static int parse_user(struct cmd *cmd, const char *text, struct plan_exec_options *ret,
		      struct err *err)
{
	if (!text)
		return 0;
	size_t n = strcspn(text, ":");
	ret->has_uid = true;
	int r = parse_id("user", arena_strndup(&cmd->arena, text, n), &ret->uid, err);
	if (r < 0 || !text[n])
		return r;
	ret->has_gid = true;
	return parse_id("user", text + n + 1, &ret->gid, err);
}

static int parse_groups(struct cmd *cmd, const struct option_list *list,
			struct plan_exec_options *ret, struct err *err)
{
	uint32_t *gids = arena_array(&cmd->arena, list->n + 1, sizeof(*gids));
	int r = 0;
	for (size_t i = 0; r == 0 && i < list->n; i++)
		r = parse_id("additional-gids", list->v[i], &gids[i], err);
	ret->gids = gids;
	ret->gids_n = list->n;
	return r;
}

static int check_values(const struct exec_options *o, struct err *err)
{
	cap_value_t value;
	for (size_t i = 0; i < o->env.n; i++)
		if (!strchr(o->env.v[i], '=') || o->env.v[i][0] == '=')
			return err_say(err, ERR_CONFIG, EINVAL, "--env takes NAME=VALUE, not '%s'",
				       o->env.v[i]);
	for (size_t i = 0; i < o->caps.n; i++) {
		const char *name = o->caps.v[i], *near;
		if (cap_from_name(name, &value) == 0)
			continue;
		err_say(err, ERR_CONFIG, EINVAL, "--cap takes names such as CAP_CHOWN, not '%s'",
			name);
		near = spec_nearest_capability(name);
		if (near)
			err_hint(err, "did you mean '%s'?", near);
		return -EINVAL;
	}
	if (o->cwd && o->cwd[0] != '/')
		return err_say(err, ERR_CONFIG, EINVAL,
			       "--cwd takes an absolute path in the container, not '%s'", o->cwd);
	return 0;
}

static int parse_no_new_privs(const char *text, enum plan_choice *ret, struct err *err)
{
	static const struct str_name words[] = {
		{ "", PLAN_YES },     { "true", PLAN_YES }, { "1", PLAN_YES },
		{ "false", PLAN_NO }, { "0", PLAN_NO },     { NULL, 0 },
	};
	const struct str_name *word = text ? str_name_find(words, text) : NULL;
	if (text && !word)
		return err_say(err, ERR_CONFIG, EINVAL,
			       "--no-new-privs takes true or false, not '%s'", text);
	*ret = word ? (enum plan_choice)word->value : PLAN_AS_IS;
	return 0;
}

static int check_args(const struct cmd *cmd, const struct exec_options *o, struct err *err)
{
	if (!o->process && cmd->args_n < 2) {
		err_say(err, ERR_CONFIG, EINVAL, "there is no program to execute");
		err_hint(err, "hull exec %s PROGRAM..., or --process FILE", cmd->args[0]);
		return -EINVAL;
	}
	return 0;
}

static int parse_options(struct cmd *cmd, const struct exec_options *o,
			 struct plan_exec_options *ret, struct err *err)
{
	*ret = (struct plan_exec_options) {
		.flags = o->detach ? PLAN_DETACH : 0,
		.args = (const char *const *)cmd->args + 1,
		.args_n = (size_t)(cmd->args_n - 1),
		.env = o->env.v,
		.env_n = o->env.n,
		.caps = o->caps.v,
		.caps_n = o->caps.n,
		.cwd = o->cwd,
		.apparmor = o->apparmor,
		.label = o->label,
		.has_tty = o->tty,
		.console_socket = o->console_socket,
		.preserve_fds = o->preserve_fds,
	};
	int r = check_args(cmd, o, err);
	if (r == 0)
		r = check_values(o, err);
	if (r == 0)
		r = parse_user(cmd, o->user, ret, err);
	if (r == 0)
		r = parse_groups(cmd, &o->gids, ret, err);
	return r < 0 ? r : parse_no_new_privs(o->no_new_privs, &ret->no_new_privs, err);
}

/* ---- the container ---- */

static int not_there(const char *id, enum state_status status, struct err *err)
{
	if (status == STATE_CREATING) {
		err_say(err, ERR_BUSY, EBUSY,
			"cannot exec in container '%s', which is not there yet", id);
		err_hint(err, "its start has not come to an end");
		return -EBUSY;
	}
	/* The words of runc. */
	err_say(err, ERR_NOT_FOUND, ESRCH,
		"cannot exec in a stopped container: the first process of '%s' has ended", id);
	err_hint(err, "hull delete %s removes it; then it can be run again", id);
	return -ESRCH;
}

static int check_paused(const struct state *state, struct err *err)
{
	_cleanup_close_ int fd = -EBADF;
	int r = state->cgroup ? cgroup_find(state->cgroup, &fd, err) : 0;
	if (r < 0 || !state->cgroup)
		return r;
	if (!cgroup_is_frozen(fd))
		return 0;
	err_say(err, ERR_BUSY, EBUSY,
		"cannot exec in a paused container (use --ignore-paused to override)");
	err_hint(err, "a process there waits until the container is resumed");
	return -EBUSY;
}

/* Its first process, beyond doubt; what it was started with; and where it is. */
static int find_container(struct cmd *cmd, const struct exec_options *o,
			  const struct state_store *store, struct start *start,
			  struct plan_container *ret, struct err *err)
{
	const char *id = cmd->args[0];
	struct spec *config = arena_new(&cmd->arena, struct spec);
	struct spec_problems told; /* when it was started */

	int r = state_read_settled(store, id, &cmd->arena, &start->state, err);
	if (r < 0)
		return r;
	enum state_status status = state_status_now(&start->state, &start->join.pidfd);
	if (status != STATE_RUNNING && status != STATE_CREATED)
		return not_there(id, status, err);
	if (start->join.pidfd < 0) /* nobody knows: why not? */
		r = state_open_process(&start->state, &start->join.pidfd);
	if (r == -ESRCH)
		return not_there(id, STATE_STOPPED, err);
	if (r < 0)
		return state_process_unknown(&start->state, -r, err);
	r = o->ignore_paused ? 0 : check_paused(&start->state, err);
	if (r == 0)
		r = state_read_config(store, id, &cmd->arena, config, &told, err);
	start->join.pid = start->state.pid;
	start->join.has_init = start->state.has_init;
	start->join.cgroup = start->state.cgroup;
	start->join.sub_cgroup = o->cgroup;
	*ret = (struct plan_container) { .id = id,
					 .bundle = start->state.bundle,
					 .config = config };
	if (r == 0)
		r = join_examine(&start->join, ret, err);
	return r < 0 && join_has_ended(&start->join, r) ? not_there(id, STATE_STOPPED, err) : r;
}

/* ---- the process ---- */

static int load_process(struct cmd *cmd, const char *path, struct plan_exec_options *ret,
			struct err *err)
{
	struct spec_process_file *file = arena_new(&cmd->arena, struct spec_process_file);
	if (!path)
		return 0;
	int r = spec_load_process(&cmd->arena, path, file, &cmd->problems, err);
	cmd->doc = file->doc;
	ret->file = file;
	return r;
}

static bool asks_for_labels(const struct plan_container *c, const struct plan_exec_options *o)
{
	const struct spec_process *own = &c->config->process;
	return own->apparmor_profile.s || own->selinux_label.s || c->config->linux.mount_label.s ||
	       o->apparmor || o->label ||
	       (o->file &&
		(o->file->process.apparmor_profile.s || o->file->process.selinux_label.s));
}

static int make_plan(struct cmd *cmd, const struct plan_container *container,
		     const struct plan_exec_options *po, struct plan *ret, struct err *err)
{
	struct host *host = arena_new(&cmd->arena, struct host);
	int r = host_probe(host, err);
	if (r < 0)
		return r;
	if (asks_for_labels(container, po))
		host_probe_modules(host);
	r = plan_make_exec(container, po, host, &cmd->arena, ret, &cmd->problems, err);
	if (!po->file)
		cmd->doc = container->config->doc;
	cmd->doc.options = plan_exec_option_names;
	return r;
}

static int run_process(struct cmd *cmd, struct start *start, struct err *err)
{
	struct start_result result;
	struct spec_problems late = { 0 };

	outcome_prepare(cmd, start, &late);
	int r = start_exec(start, &result, err);
	outcome_show(cmd, start);
	return outcome_tell(cmd, start, &result, r, err);
}

static int exec_in(struct cmd *cmd, const struct exec_options *o, struct plan_exec_options *po,
		   struct state_store *store, struct err *err)
{
	struct plan plan = { 0 };
	struct plan_container container;
	struct start start;

	start_init(&start, &plan, &cmd->arena, store);
	start.pid_file = o->pid_file;
	start.pidfd_socket = o->pidfd_socket;
	int r = find_container(cmd, o, store, &start, &container, err);
	if (r == 0)
		r = load_process(cmd, o->process, po, err);
	if (r == 0)
		r = make_plan(cmd, &container, po, &plan, err);
	if (r == 0)
		r = run_process(cmd, &start, err);
	/* What a namespace answers whose processes the kernel has ended meanwhile. */
	if ((r == -ESRCH || r == -ENOMEM) && join_has_ended(&start.join, r))
		r = not_there(cmd->args[0], STATE_STOPPED, err);
	start_done(&start);
	return r;
}

static int exec(struct cmd *cmd, void *options, struct err *err)
{
	const struct exec_options *o = options;
	struct plan_exec_options po;
	struct state_store store = { .fd = -EBADF };

	int r = state_check_id(cmd->args[0], err);
	if (r == 0)
		r = parse_options(cmd, o, &po, err);
	if (r == 0)
		r = cmd_close_inherited(3 + o->preserve_fds, err);
	if (r == 0)
		r = start_block_signals(err);
	if (r == 0)
		r = container_open_store(cmd, cmd->args[0], &store, err);
	if (r == 0)
		r = exec_in(cmd, o, &po, &store, err);
	state_store_close(&store);
	return r;
}

const struct command command_exec = {
	.name = "exec",
	.group = "lifecycle",
	.synopsis = "[options] ID PROGRAM [ARGUMENT...]",
	.summary = "run one more process in a container",
	.options = exec_table,
	.options_size = sizeof(struct exec_options),
	.min_args = 1,
	.max_args = INT32_MAX,
	.run = exec,
	.failure = 255,
	.seals = true,
};
