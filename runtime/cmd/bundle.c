/* Loading a bundle and planning it. */
#include "cmd/bundle.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"

int bundle_load(struct cmd *cmd, const struct bundle_options *options, struct bundle *ret,
		struct err *err)
{
	const char *path = options->bundle ? options->bundle : ".";
	int r = cmd_absolute(cmd, path, &ret->path, err);
	if (r < 0)
		return r;
	_cleanup_close_ int dir = open(ret->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0) {
		err_sys(err, errno, "cannot open the bundle '%s'", ret->path);
		err_hint(err, "a bundle is a directory with a config.json; --bundle DIR names it");
		return -err->code;
	}
	const char *config = options->config ? options->config : "config.json";
	r = spec_load(&cmd->arena, dir, config, &ret->spec, &cmd->problems, err);
	cmd->doc = ret->spec.doc;
	if (r == -ENOENT) {
		bool is_absolute = config[0] == '/';
		err_sys(err, ENOENT, "cannot open '%s%s%s'", is_absolute ? "" : ret->path,
			is_absolute ? "" : "/", config);
		err_hint(err, options->config
				      ? "--config FILE is looked for in the bundle; without it, "
					"config.json is"
				      : "--bundle DIR names another bundle; hull spec writes a "
					"template");
	}
	return r;
}

/* systemd's socket activation: descriptors for this process are handed on (sd_listen_fds(3)). */
static unsigned listen_fds(void)
{
	const char *pid = getenv("LISTEN_PID"), *n = getenv("LISTEN_FDS");
	uint64_t for_pid = 0, count = 0;
	if (!pid || !n || str_to_u64(pid, INT32_MAX, &for_pid) < 0 ||
	    str_to_u64(n, 1024, &count) < 0 || for_pid != (uint64_t)getpid())
		return 0;
	return (unsigned)count;
}

unsigned bundle_first_closed_fd(const struct bundle_options *options)
{
	return 3 + options->preserve_fds + listen_fds();
}

static unsigned plan_flags(const struct cmd *cmd, const struct bundle_options *options)
{
	bool annotations = !options->create || cmd->global.allow_rootfs_annotations;
	const char *manager = cmd->global.cgroup_manager;
	return (annotations ? PLAN_ROOTFS_ANNOTATIONS : 0) |
	       (manager && str_eq(manager, "disabled") ? PLAN_NO_CGROUP : 0) |
	       (cmd->global.systemd_cgroup ? PLAN_SYSTEMD : 0) |
	       (options->create ? PLAN_CREATE : 0) | (options->detach ? PLAN_DETACH : 0) |
	       (options->no_subreaper ? PLAN_NO_SUBREAPER : 0) | (options->keep ? PLAN_KEEP : 0) |
	       (options->no_pivot ? PLAN_NO_PIVOT : 0) |
	       (options->no_new_keyring ? PLAN_NO_NEW_KEYRING : 0) |
	       (options->overlay ? PLAN_OVERLAY : 0) | (options->init ? PLAN_INIT : 0);
}

static bool asks_for_time(const struct spec *spec)
{
	for (size_t i = 0; i < spec->linux.namespaces.n; i++)
		if (spec->linux.namespaces.v[i].type.v == SPEC_NS_TIME)
			return true;
	return false;
}

static bool asks_for_labels(const struct spec *spec)
{
	return spec->process.apparmor_profile.s || spec->process.selinux_label.s ||
	       spec->linux.mount_label.s;
}

int bundle_plan(struct cmd *cmd, const struct bundle_options *options, const char *id,
		struct bundle *bundle, struct err *err)
{
	struct plan_options po = {
		.id = id,
		.bundle = bundle->path,
		.flags = plan_flags(cmd, options),
		.console_socket = options->console_socket,
		.preserve_fds = options->preserve_fds,
		.listen_fds = listen_fds(),
		.listen_names = getenv("LISTEN_FDNAMES"),
		.net = options->net,
		.subnet = options->subnet,
	};
	int r = 0;
	if (options->overlay && *options->overlay)
		r = cmd_absolute(cmd, options->overlay, &po.overlay_dir, err);
	if (r == 0)
		r = host_probe(&bundle->host, err);
	if (r == 0 && cmd->global.systemd_cgroup)
		r = host_probe_systemd(&bundle->host, &cmd->arena, err);
	if (r == 0 && asks_for_time(&bundle->spec))
		host_probe_time(&bundle->host);
	if (r == 0 && bundle->spec.linux.memory_policy.at)
		host_probe_memory(&bundle->host);
	if (r == 0 && asks_for_labels(&bundle->spec))
		host_probe_modules(&bundle->host);
	if (r == 0)
		r = plan_make(&bundle->spec, &po, &bundle->host, &cmd->arena, &bundle->plan,
			      &cmd->problems, err);
	return r;
}
