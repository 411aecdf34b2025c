/* What several commands do with the caller's paths: make them absolute, and open the state store.
 */
#include "cmd/cmd.h"

#include <unistd.h>

int cmd_open_store(struct cmd *cmd, enum state_store_flags flags, struct state_store *ret,
		   struct err *err)
{
	const char *root = cmd->global.root;
	if (root) {
		int r = cmd_absolute(cmd, root, &root, err);
		if (r < 0)
			return r;
	}
	return state_store_open(ret, root, getenv("XDG_RUNTIME_DIR"), flags, &cmd->arena, err);
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
