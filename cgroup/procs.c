/*
 * The processes of a container by its cgroup, which none can leave: for `ps`, and for a signal to
 * all of them. A number in cgroup.procs says nothing a moment later, so a process is first held by
 * a pidfd and then looked up again: what is still listed is what the pidfd refers to, or else that
 * is dead and gets no signal. Runs in a command, with the caller's rights.
 */
#include "cgroup/procs.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>

#include "base/fd.h"
#include "base/str.h"
#include "cgroup/path.h"

#define PROCS_SIZE_MAX ((size_t)64 * 1024 * 1024) /* all numbers that there can be */
/* A container can nest cgroups without end; each level costs us one descriptor. */
#define PROCS_DEPTH_MAX 256
#define PROCS_BATCH     64
#define PROCS_PASSES    20

/* ---- one cgroup ---- */

/* A list that grows; memory of its own, so that many readings do not add up. */
struct pids {
	pid_t *v;
	size_t n, room;
};

static void pids_done(struct pids *p)
{
	free(p->v);
	p->v = NULL;
}
#define _cleanup_pids_ _cleanup_(pids_done)

static int pids_add(struct pids *p, pid_t pid)
{
	if (p->n == p->room) {
		size_t room = p->room ? p->room * 2 : 64;
		pid_t *grown = realloc(p->v, room * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		p->v = grown;
		p->room = room;
	}
	p->v[p->n++] = pid;
	return 0;
}

static bool pids_have(const struct pids *p, pid_t pid)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->v[i] == pid)
			return true;
	return false;
}

/* "0" is a process of another pid namespace, which has no number here. */
static int parse_pids(char *text, struct pids *ret)
{
	int r = 0;
	for (char *line = text, *end; r == 0 && *line; line = end) {
		uint64_t pid = 0;
		end = line + strcspn(line, "\n");
		if (*end)
			*end++ = '\0';
		r = str_to_u64(line, INT32_MAX, &pid);
		if (r == 0 && pid > 0)
			r = pids_add(ret, (pid_t)pid);
	}
	return r;
}

/* Appends those of this cgroup alone. A threaded one has none: they count in the one above it. */
static int read_pids(int fd, struct pids *ret, struct err *err)
{
	_cleanup_arena_ struct arena arena;
	char *text;
	size_t size;
	struct err why = { 0 };

	arena_init(&arena);
	int r = fd_read_file(fd, "cgroup.procs", PROCS_SIZE_MAX, &arena, &text, &size, &why);
	if (r == -ENOENT || r == -ENODEV || r == -EOPNOTSUPP)
		return 0;
	if (r == 0)
		r = parse_pids(text, ret);
	return r < 0 ? err_sys(err, -r, "cannot list the processes of the cgroup") : 0;
}

/* ---- all below it ---- */

typedef int visit_fn(int fd, void *context, struct err *err);

static int walk(int fd, unsigned depth, visit_fn *visit, void *context, struct err *err);

static int walk_children(DIR *dir, unsigned depth, visit_fn *visit, void *context, struct err *err)
{
	struct dirent *e;
	while ((e = readdir(dir))) {
		if (e->d_type != DT_DIR || str_eq(e->d_name, ".") || str_eq(e->d_name, ".."))
			continue;
		_cleanup_close_ int child = path_open_child(dirfd(dir), e->d_name);
		if (child == -ENOENT || child == -ENODEV)
			continue;
		int r = child < 0 ? err_sys(err, -child, "cannot open a cgroup of the container")
				  : walk(fd_take(&child), depth + 1, visit, context, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Takes `fd`. */
static int walk(int fd, unsigned depth, visit_fn *visit, void *context, struct err *err)
{
	_cleanup_close_ int own = fd;
	if (depth > PROCS_DEPTH_MAX)
		return err_say(err, ERR_LIMIT, ELOOP,
			       "the container has nested its cgroups more than %d deep",
			       PROCS_DEPTH_MAX);
	int r = visit(own, context, err);
	if (r < 0)
		return r;
	DIR *dir = fdopendir(own);
	if (!dir)
		return err_sys(err, errno, "cannot list the cgroups of the container");
	own = -EBADF;
	r = walk_children(dir, depth, visit, context, err);
	closedir(dir);
	return r;
}

static int walk_all(int fd, visit_fn *visit, void *context, struct err *err)
{
	int copy = path_open_child(fd, ".");
	if (copy == -ENOENT || copy == -ENODEV)
		return 0;
	return copy < 0 ? err_sys(err, -copy, "cannot open the cgroup")
			: walk(copy, 0, visit, context, err);
}

/* ---- listing ---- */

static int collect(int fd, void *context, struct err *err)
{
	return read_pids(fd, context, err);
}

static int compare(const void *a, const void *b)
{
	const pid_t *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

int cgroup_list_processes(int fd, struct arena *arena, struct cgroup_pids *ret, struct err *err)
{
	_cleanup_pids_ struct pids pids = { 0 };
	int r = walk_all(fd, collect, &pids, err);
	if (r < 0)
		return r;
	ret->n = pids.n;
	ret->v = arena_array(arena, pids.n, sizeof(*ret->v));
	if (pids.n > 0) {
		qsort(pids.v, pids.n, sizeof(*pids.v), compare);
		memcpy(ret->v, pids.v, pids.n * sizeof(*pids.v));
	}
	return 0;
}

/* ---- signals ---- */

struct signalling {
	int signal;
	struct pids done; /* have got it */
};

struct batch {
	pid_t pids[PROCS_BATCH];
	int pidfds[PROCS_BATCH];
	size_t n;
};

static void batch_close(struct batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		fd_close(&b->pidfds[i]);
	b->n = 0;
}
#define _cleanup_batch_ _cleanup_(batch_close)

/* Holds the next ones that have not had the signal, from *index on. */
static int fill_batch(const struct signalling *s, const struct pids *pids, size_t *index,
		      struct batch *b, struct err *err)
{
	for (; *index < pids->n && b->n < PROCS_BATCH; ++*index) {
		pid_t pid = pids->v[*index];
		if (pids_have(&s->done, pid))
			continue;
		int pidfd = pidfd_open(pid, 0);
		if (pidfd < 0 && (errno == ESRCH || errno == EINVAL))
			continue;
		if (pidfd < 0)
			return err_sys(err, errno, "cannot open process %d of the container",
				       (int)pid);
		b->pids[b->n] = pid;
		b->pidfds[b->n++] = pidfd;
	}
	return 0;
}

/* The list is read again behind the pidfds' back. */
static int signal_batch(int fd, struct signalling *s, const struct batch *b, struct err *err)
{
	_cleanup_pids_ struct pids now = { 0 };
	int r = read_pids(fd, &now, err);
	for (size_t i = 0; r == 0 && i < b->n; i++) {
		if (!pids_have(&now, b->pids[i]))
			continue;
		if (pidfd_send_signal(b->pidfds[i], s->signal, NULL, 0) < 0 && errno != ESRCH)
			return err_sys(err, errno, "cannot signal process %d of the container",
				       (int)b->pids[i]);
		if (pids_add(&s->done, b->pids[i]) < 0)
			return err_sys(err, ENOMEM, "cannot signal all processes");
	}
	return r;
}

static int signal_cgroup(int fd, void *context, struct err *err)
{
	struct signalling *s = context;
	_cleanup_pids_ struct pids pids = { 0 };
	size_t index = 0;
	int r = read_pids(fd, &pids, err);
	while (r == 0 && index < pids.n) {
		_cleanup_batch_ struct batch batch = { 0 };
		r = fill_batch(s, &pids, &index, &batch, err);
		if (r == 0)
			r = signal_batch(fd, s, &batch, err);
	}
	return r;
}

/* One that forks before its signal arrives leaves a child for the next pass. */
int cgroup_signal_all(int fd, int signal, struct err *err)
{
	struct signalling s = { .signal = signal };
	size_t before = 0;
	int r = 0, passes = 0;
	do {
		before = s.done.n;
		r = walk_all(fd, signal_cgroup, &s, err);
	} while (r == 0 && s.done.n > before && ++passes < PROCS_PASSES);
	if (r == 0 && s.done.n > before)
		r = err_say(err, ERR_BUSY, EBUSY,
			    "the container makes processes faster than they can be signalled");
	pids_done(&s.done);
	return r;
}
