/*
 * Planning the terminal (S-093 to S-095, S-139): which devpts it comes from, its size, and who gets
 * its other side. A terminal of the host's devpts would be open to the host's users, and the host's
 * to the container: so only a devpts that config.json mounts newly will do.
 */
#include "base/str.h"
#include "plan/parts.h"

/* The last one that no later mount covers. */
static const struct plan_mount *find_devpts(const struct plan *plan)
{
	const struct plan_mount *found = NULL;
	for (size_t i = 0; i < plan->mounts_n; i++) {
		const struct plan_mount *m = &plan->mounts[i];
		if (m->kind == PLAN_MOUNT_NEW && str_eq(m->type, "devpts"))
			found = m;
		else if (found && m->kind != PLAN_MOUNT_REMOUNT &&
			 plan_path_is_below(found->destination, m->destination))
			found = NULL;
	}
	return found;
}

/* --console-socket without a terminal to send is a misunderstanding, most often of config.json. */
static int check_socket(const struct planner *p, struct err *err)
{
	if (!p->options->console_socket || p->spec->process.terminal.v)
		return 0;
	err_say(err, ERR_CONFIG, EINVAL, "--console-socket is given, but there is no terminal");
	err_hint(err, p->options->flags & PLAN_EXEC
			      ? "--tty asks for one, or \"terminal\": true in the process file"
			      : "\"terminal\": true in process of config.json asks for one");
	err_at(err, p->spec->process.terminal.at);
	return -EINVAL;
}

/* A terminal that nobody serves would stop the program at its first words (runc's text). */
static int check_served(const struct planner *p, struct err *err)
{
	if (p->options->console_socket || !(p->options->flags & (PLAN_CREATE | PLAN_DETACH)))
		return 0;
	err_say(err, ERR_CONFIG, EINVAL,
		"cannot allocate tty if hull will detach without setting console socket");
	err_hint(err, "--console-socket PATH sends the terminal to who listens there");
	err_at(err, p->spec->process.terminal.at);
	return -EINVAL;
}

static int make_terminal(const struct planner *p, const struct plan_mount *devpts, struct err *err)
{
	const struct spec_process *process = &p->spec->process;
	struct plan_terminal *t = &p->plan->terminal;

	if (!devpts) {
		err_say(err, ERR_CONFIG, ENODEV, "a terminal needs a mount of type devpts");
		err_hint(err,
			 "add {\"destination\": \"/dev/pts\", \"type\": \"devpts\", \"source\": "
			 "\"devpts\", \"options\": [\"nosuid\", \"noexec\", \"newinstance\", "
			 "\"ptmxmode=0666\", \"mode=0620\"]} to mounts, behind the one on /dev");
		err_at(err, process->terminal.at);
		return -ENODEV;
	}
	t->is_wanted = true;
	t->at = process->terminal.at;
	t->devpts = devpts->destination;
	t->socket = p->options->console_socket;
	t->size_at = process->console_size.at;
	t->rows = (unsigned short)process->console_size.height.v; /* the parser knows their limit */
	t->columns = (unsigned short)process->console_size.width.v;
	return 0;
}

int plan_make_terminal(const struct planner *p, struct err *err)
{
	struct plan_terminal *t = &p->plan->terminal;

	int r = check_socket(p, err);
	if (r < 0 || !p->spec->process.terminal.v)
		return r;
	t->is_console = true;
	t->console_must_exist = plan_dev_is_bound(p->plan);
	r = check_served(p, err);
	return r < 0 ? r : make_terminal(p, find_devpts(p->plan), err);
}

int plan_make_exec_terminal(const struct planner *p, const struct plan *container, struct err *err)
{
	int r = check_socket(p, err);
	if (r < 0 || !p->spec->process.terminal.v)
		return r;
	r = check_served(p, err);
	return r < 0 ? r : make_terminal(p, find_devpts(container), err);
}
