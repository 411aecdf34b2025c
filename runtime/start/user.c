/*
 * The user namespace, from both sides. The parent writes the maps, since nobody inside may, for the
 * child, which waits for them, or for who is there before it (ahead_user.c); the child
 * becomes the namespace's root to build the container.
 *
 * Everything about that process is written below its own directory of a /proc that was checked,
 * with no link and no mount in between. Its number cannot become another
 * process's: it is our child, and not reaped.
 *
 * Must not: leave the child visible to a namespace that it joins; let it go on without
 * maps.
 */
#include "start/steps.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/str.h"
#include "start/idmap.h"
#include "start/proc.h"

#define USER_UNSHARE_MS 10000 /* for the child to make its namespaces */

#define HAS_USER_NAMESPACE(plan) ((plan)->user.is_new || (plan)->user.is_joined)

/* ---- parent: writing ---- */

static int write_failed(const struct start *s, const char *file, int code, struct err *err)
{
	err_sys(err, code, "cannot write the container's %s", file);
	if (code == EPERM)
		err_hint(err, "the caller may not map these ids; for users without privilege "
			      "/etc/subuid and /etc/subgid say which ones they may");
	if (code == EACCES && s->plan->user.hides_late)
		err_hint(err, "the file of hull's program must be readable for the caller");
	err_at(err, s->plan->user.at);
	return -code;
}

/* What the writing of both maps has in common. */
struct map_writing {
	const struct start *start;
	int proc_fd;
	pid_t pid;        /* who is in the namespace */
	int64_t deadline; /* for helpers */
};

static int write_file(const struct map_writing *w, const char *file, const char *text,
		      struct err *err)
{
	char path[64];
	snprintf(path, sizeof(path), "%d/%s", (int)w->pid, file);
	int r = proc_write(w->proc_fd, path, text);
	return r < 0 ? write_failed(w->start, file, -r, err) : 0;
}

static int write_map(const struct map_writing *w, const struct plan_id_map *map, const char *file,
		     struct err *err)
{
	if (map->writer == PLAN_MAP_BY_HULL)
		return write_file(w, file, map->text, err);
	int r = idmap_run_helper(w->start, w->pid, map, w->deadline, err);
	if (r < 0)
		err_at(err, map->lines->at);
	return r;
}

/* ---- parent: comparing (S-127) ---- */

/* The lines of a uid_map are in the kernel's order, with other blanks. */
static bool has_line(const char *text, const struct spec_id_mapping *m)
{
	unsigned long long a, b, n;
	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (sscanf(line, "%llu %llu %llu", &a, &b, &n) == 3 && a == m->container_id.v &&
		    b == m->host_id.v && n == m->size.v)
			return true;
	}
	return false;
}

static size_t count_lines(const char *text)
{
	size_t n = *text != '\0';
	for (; *text; text++)
		n += text[0] == '\n' && text[1];
	return n;
}

static int compare_map(const struct start *s, int proc_fd, const struct plan_id_map *map,
		       const char *file, struct err *err)
{
	char path[64], text[16 * 1024];
	if (!map->lines || map->lines->n == 0)
		return 0;
	snprintf(path, sizeof(path), "%d/%s", (int)s->pid, file);
	int r = proc_read(proc_fd, path, text, sizeof(text));
	if (r < 0)
		return err_sys(err, -r, "cannot read the maps of the joined user namespace");
	bool same = count_lines(text) == map->lines->n;
	for (size_t i = 0; same && i < map->lines->n; i++)
		same = has_line(text, &map->lines->v[i]);
	if (same)
		return 0;
	err_say(err, ERR_CONFIG, EINVAL,
		"these mappings are not those of the user namespace that is joined");
	err_hint(err, "leave them out, or give those of its %s", file);
	err_at(err, map->lines->at);
	return -EINVAL;
}

/* That nobody may set groups is known of a joined namespace only by now. */
static int look_at_setgroups(const struct start *s, int proc_fd, struct err *err)
{
	char path[64], text[16];
	snprintf(path, sizeof(path), "%d/setgroups", (int)s->pid);
	int r = proc_read(proc_fd, path, text, sizeof(text));
	if (r < 0)
		return err_sys(err, -r, "cannot read whether the joined user namespace has groups");
	atomic_store(&s->channel.page->keeps_groups, str_eq(text, "deny"));
	return 0;
}

static int examine_joined(const struct start *s, struct err *err)
{
	const struct plan_user *user = &s->plan->user;
	_cleanup_close_ int proc_fd = -EBADF;

	int r = proc_open_plain(&proc_fd, err);
	if (r == 0)
		r = compare_map(s, proc_fd, &user->uids, "uid_map", err);
	if (r == 0)
		r = compare_map(s, proc_fd, &user->gids, "gid_map", err);
	return r < 0 ? r : look_at_setgroups(s, proc_fd, err);
}

/* ---- parent: both maps ---- */

int user_write_maps(const struct start *s, int proc_fd, pid_t pid, struct err *err)
{
	const struct plan_user *user = &s->plan->user;
	const struct map_writing w = { s, proc_fd, pid, clock_ms() + IDMAP_TIMEOUT_MS };

	int r = user->denies_setgroups ? write_file(&w, "setgroups", "deny", err) : 0;
	if (r == 0)
		r = write_map(&w, &user->gids, "gid_map", err);
	return r < 0 ? r : write_map(&w, &user->uids, "uid_map", err);
}

/* ---- parent: the step ---- */

static int write_childs_maps(const struct start *s, struct err *err)
{
	_cleanup_close_ int proc_fd = -EBADF;

	int r = proc_open_plain(&proc_fd, err);
	if (r == 0 && pidfd_send_signal(s->pidfd, 0, NULL, 0) < 0)
		r = err_sys(err, errno, "the container's process is gone");
	return r < 0 ? r : user_write_maps(s, proc_fd, s->pid, err);
}

/* The child makes it itself, or says in the page why it could not; or is gone; or is stopped. */
static int wait_for_namespace(const struct start *s, struct err *err)
{
	struct pollfd fd = { .fd = s->channel.parent_fd, .events = POLLIN };

	int n;

	if (!plan_unshares(s->plan))
		return 0;
	do
		n = poll(&fd, 1, USER_UNSHARE_MS);
	while (n < 0 && errno == EINTR);
	if (n == 0)
		return err_say(err, ERR_HOST, ETIMEDOUT,
			       "the container's process did not make its namespaces in %d s",
			       USER_UNSHARE_MS / 1000);
	if (channel_receive(s->channel.parent_fd) == CHANNEL_UNSHARED)
		return 0;
	return err_say(err, ERR_HOST, ECANCELED,
		       "the container's process was killed before it had its namespaces");
}

int user_make_maps(struct start *s, struct err *err)
{
	if (!HAS_USER_NAMESPACE(s->plan) || ahead_has_user(s))
		return 0;
	int r = wait_for_namespace(s, err);
	if (r == 0)
		r = s->plan->user.is_new ? write_childs_maps(s, err) : examine_joined(s, err);
	/* The child may have failed first, which says more. */
	if (r < 0)
		return channel_error(&s->channel, err) ? -err->code : r;
	/* Otherwise it can be done while the child goes on, unless that will be another process. */
	if (s->plan->user.hides_late || plan_moves(s->plan))
		record_namespaces(s);
	r = channel_tell(&s->channel, CHANNEL_MAPPED, -EBADF);
	if (r < 0)
		return err_sys(err, -r, "cannot tell the container that its ids are mapped");
	return 0;
}

/* ---- child ---- */

/*
 * Root of the namespace if it has one, else the program's user: capabilities are what counts, but
 * what is made must belong to somebody. In a namespace without maps neither exists, so this cannot
 * succeed too early.
 */
int user_become_root(const struct start *s, struct err *err)
{
	const struct plan_process *process = &s->plan->process;

	if (setresgid(0, 0, 0) < 0 &&
	    (errno != EINVAL || setresgid(process->gid, process->gid, process->gid) < 0)) {
		int r = err_sys(err, errno, "cannot become a group of the user namespace");
		err_at(err, process->user_at);
		return r;
	}
	if (setresuid(0, 0, 0) < 0 &&
	    (errno != EINVAL || setresuid(process->uid, process->uid, process->uid) < 0)) {
		int r = err_sys(err, errno, "cannot become a user of the user namespace");
		err_at(err, process->user_at);
		return r;
	}
	return isolate_hide(err);
}

int user_enter(struct start *s, struct err *err)
{
	if (!HAS_USER_NAMESPACE(s->plan))
		return 0;
	if (!ahead_has_user(s) && channel_receive(s->channel.child_fd) != CHANNEL_MAPPED)
		return channel_given_up(err);
	int r = isolate_hide(err);
	if (r == 0)
		r = user_become_root(s, err);
	return r < 0 ? r : ahead_make(s, err);
}
