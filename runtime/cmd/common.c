/* What several commands do with what the caller gives: make paths absolute, open the state store,
 * close descriptors. */
#include "cmd/cmd.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/userns.h"

/* Where the state of a caller is who may not use /run: NULL for the host's root. */
static int find_runtime_dir(const char **ret, struct err *err)
{
	const char *dir = getenv("XDG_RUNTIME_DIR");
	bool has_dir = dir && dir[0] == '/';
	*ret = NULL;
	if (geteuid() == 0 && (userns_is_first() || !has_dir))
		return 0;
	*ret = dir;
	if (has_dir)
		return 0;
	if (dir && *dir)
		err_say(err, ERR_CONFIG, EINVAL,
			"XDG_RUNTIME_DIR is '%s', which is not an absolute path", dir);
	else
		err_say(err, ERR_CONFIG, EINVAL,
			"XDG_RUNTIME_DIR is not set, below which the state of a user's containers is");
	err_hint(err, "a login session sets it to /run/user/%u; or name a directory: --root DIR",
		 geteuid());
	return -EINVAL;
}

int cmd_open_store(struct cmd *cmd, enum state_store_flags flags, struct state_store *ret,
		   struct err *err)
{
	const char *root = cmd->global.root, *runtime_dir = NULL;
	if (root) {
		int r = cmd_absolute(cmd, root, &root, err);
		if (r < 0)
			return r;
	} else {
		int r = find_runtime_dir(&runtime_dir, err);
		if (r < 0)
			return r;
	}
	return state_store_open(ret, root, runtime_dir, flags, &cmd->arena, err);
}

int cmd_parse_format(const char *format, bool *ret_is_wide, bool *ret_is_json, struct err *err)
{
	bool is_wide = ret_is_wide && format && str_eq(format, "wide");
	*ret_is_json = format && str_eq(format, "json");
	if (ret_is_wide)
		*ret_is_wide = is_wide;
	if (!format || *ret_is_json || is_wide || str_eq(format, "table"))
		return 0;
	return err_say(err, ERR_CONFIG, EINVAL, "--format takes table%s or json, not '%s'",
		       ret_is_wide ? ", wide" : "", format);
}

int cmd_absolute(struct cmd *cmd, const char *path, const char **ret, struct err *err)
{
	char cwd[4096];
	if (path[0] == '/') {
		*ret = path;
		return 0;
	}
	if (!getcwd(cwd, sizeof(cwd)))
		return err_sys(err, errno, "cannot find out the current directory");
	*ret = str_eq(path, ".") || !*path ? arena_strdup(&cmd->arena, cwd)
					   : arena_printf(&cmd->arena, "%s/%s", cwd, path);
	return 0;
}

/* As Go writes durations, but one unit only; "5" are seconds. */
int cmd_parse_interval(const char *text, int *ret_ms, struct err *err)
{
	static const struct str_name units[] = {
		{ "ms", 1 },        { "s", 1000 },    { "", 1000 },
		{ "m", 60 * 1000 }, { "h", 3600000 }, { NULL, 0 },
	};
	uint64_t number = 0;
	char digits[16];
	size_t n = strspn(text, "0123456789");
	const struct str_name *unit = str_name_find(units, text + n);
	if (unit && n > 0 && n < sizeof(digits)) {
		memcpy(digits, text, n);
		digits[n] = '\0';
		if (str_to_u64(digits, INT32_MAX / (uint64_t)unit->value, &number) < 0)
			number = 0;
	}
	*ret_ms = unit ? (int)(number * (uint64_t)unit->value) : 0;
	if (*ret_ms > 0)
		return 0;
	err_say(err, ERR_CONFIG, EINVAL, "'%s' is not a time", text);
	err_hint(err, "--interval takes a time above zero such as 500ms, 5s or 2m");
	return -EINVAL;
}

/* The lowest number that is free is given to what is opened next. */
static int fill_gaps(unsigned end)
{
	for (unsigned fd = 3; fd < end; fd++)
		if (fcntl((int)fd, F_GETFD) < 0 && eventfd(0, EFD_CLOEXEC) < 0)
			return -errno;
	return 0;
}

int cmd_close_inherited(unsigned first, struct err *err)
{
	if (close_range(first, ~0U, 0) < 0)
		return err_sys(err, errno, "cannot close inherited descriptors");
	int r = fill_gaps(first);
	if (r == 0)
		return 0;
	err_sys(err, -r, "cannot pass the descriptors 3 to %u on", first - 1);
	err_hint(err, "--preserve-fds and LISTEN_FDS say how many there are");
	return r;
}

int cmd_die_by(int signal)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, signal);
	raise(signal);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	return 128 + signal;
}
