/* hull spec: a config.json to begin with. */
#include "cmd/cmd.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"

struct spec_options {
	const char *bundle, *file;
	bool rootless, terminal;
};

static const struct option spec_table[] = {
	{ "bundle", 'b', OPTION_TEXT, offsetof(struct spec_options, bundle), "DIR",
	  "where to write it (default: the current directory)" },
	{ "file", 'f', OPTION_TEXT, offsetof(struct spec_options, file), "FILE",
	  "its name (default config.json; - is the standard output)" },
	{ "rootless", 0, OPTION_FLAG, offsetof(struct spec_options, rootless), NULL,
	  "for the calling user, without privilege" },
	{ "terminal", 0, OPTION_FLAG, offsetof(struct spec_options, terminal), NULL,
	  "with a terminal of its own for the program" },
	{ 0 },
};

static int spec(struct cmd *cmd, void *options, struct err *err)
{
	const struct spec_options *o = options;
	const char *file = o->file ? o->file : "config.json";
	struct str text;

	str_init(&text, &cmd->arena);
	if (o->rootless)
		spec_write_rootless(&text, geteuid(), getegid(), o->terminal);
	else
		spec_write_default(&text, o->terminal);
	if (str_eq(file, "-"))
		return cmd_print(&text, err);
	_cleanup_close_ int dir = open(o->bundle ? o->bundle : ".",
				       O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0) {
		int r = err_sys(err, errno, "cannot open the bundle '%s'",
				o->bundle ? o->bundle : ".");
		err_hint(err, "make the directory first: config.json is written into it");
		return r;
	}
	_cleanup_close_ int fd = openat(dir, file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0) {
		int r = err_sys(err, errno, "cannot write '%s'", file);
		if (r == -EEXIST)
			err_hint(err, "remove it first, or name another one with --file");
		return r;
	}
	int r = fd_write_all(fd, text.text, text.used);
	return r < 0 ? err_sys(err, -r, "cannot write '%s'", file) : 0;
}

const struct command command_spec = {
	.name = "spec",
	.group = "diagnose",
	.synopsis = "[options]",
	.summary = "write a config.json to begin with",
	.options = spec_table,
	.options_size = sizeof(struct spec_options),
	.min_args = 0,
	.max_args = 0,
	.run = spec,
	.failure = 1,
};
