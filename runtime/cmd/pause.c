/*
 * hull pause and hull resume: all processes of a container stop, and go on, by the freezer of its
 * cgroup. The state's lock keeps the container from being deleted meanwhile.
 */
#include "cgroup/freeze.h"

#include "base/fd.h"
#include "cgroup/enter.h"
#include "cmd/container.h"

#define PAUSE_TIMEOUT_MS 10000

static const struct option no_options[] = { { 0 } };

/* It runs, or waits for its start: what runc pauses. */
static bool is_there(const struct container *c)
{
	return c->state.status == STATE_CREATED || c->state.status == STATE_RUNNING;
}

static int pause_command(struct cmd *cmd, void *options _unused_, struct err *err)
{
	_cleanup_container_ struct container c;
	_cleanup_close_ int cgroup = -EBADF;
	const char *id = cmd->args[0];

	int r = container_open(cmd, id, CONTAINER_LOCK, &c, err);
	if (r < 0)
		return r;
	if (!is_there(&c))
		return container_not_running(id, err);
	r = container_open_cgroup(&c, &cgroup, err);
	if (r < 0)
		return r;
	if (cgroup_is_frozen(cgroup)) {
		r = container_not_running(id, err);
		err_hint(err, "it is paused already");
		return r;
	}
	return cgroup_freeze(cgroup, PAUSE_TIMEOUT_MS, err);
}

static int resume_command(struct cmd *cmd, void *options _unused_, struct err *err)
{
	_cleanup_container_ struct container c;
	_cleanup_close_ int cgroup = -EBADF;

	int r = container_open(cmd, cmd->args[0], CONTAINER_LOCK, &c, err);
	if (r == 0)
		r = container_open_cgroup(&c, &cgroup, err);
	if (r < 0)
		return r;
	if (!is_there(&c) || !cgroup_is_frozen(cgroup))
		return err_say(err, ERR_CONFIG, EINVAL, "container not paused: '%s'", cmd->args[0]);
	return cgroup_thaw(cgroup, PAUSE_TIMEOUT_MS, err);
}

const struct command command_pause = {
	.name = "pause",
	.group = "lifecycle",
	.synopsis = "ID",
	.summary = "stop all processes of a container",
	.options = no_options,
	.options_size = 0,
	.min_args = 1,
	.max_args = 1,
	.run = pause_command,
	.failure = 1,
};

const struct command command_resume = {
	.name = "resume",
	.group = "lifecycle",
	.synopsis = "ID",
	.summary = "let the processes of a paused container go on",
	.options = no_options,
	.options_size = 0,
	.min_args = 1,
	.max_args = 1,
	.run = resume_command,
	.failure = 1,
};
