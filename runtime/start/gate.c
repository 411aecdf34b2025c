/*
 * The gate (gate.h), from its three sides: the parent of `create`, which makes it with the caller's
 * rights; the child, which waits there with no more rights than its program will have, holds no
 * other descriptor than the gate meanwhile, and allocates nothing; and `start`.
 *
 * Must not: let anybody wait who cannot be answered; take the word of a `start` that
 * is gone; keep anybody who connects and says nothing from being passed over.
 */
#include "start/gate.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "start/steps.h"

#define GATE_BACKLOG 8
/* Where process 1's page is in the memory: a multiple of every page size. */
#define GATE_INIT_AT  65536
#define GATE_MEMORY   (GATE_INIT_AT + sizeof(struct init_page))
#define GATE_WORD_MS  5000 /* for who has connected to say something */
#define GATE_PAUSE_NS 10000000

/* The word: from a hull that means the same by it, for another one may have been installed. */
struct gate_word {
	char message; /* CHANNEL_GO */
	uint32_t page_size, init_size;
};
static const struct gate_word word = { CHANNEL_GO, sizeof(struct channel_page),
				       sizeof(struct init_page) };

void gate_init(struct gate *gate)
{
	gate->fd = -EBADF;
}

void gate_done(struct gate *gate)
{
	fd_close(&gate->fd);
}

/* By descriptor: the path of the state directory may be longer than an address can be. */
static int address_of(const struct state_entry *entry, const char *name, struct sockaddr_un *ret)
{
	*ret = (struct sockaddr_un) { .sun_family = AF_UNIX };
	int n = snprintf(ret->sun_path, sizeof(ret->sun_path), "/proc/self/fd/%d/%s", entry->fd,
			 name);
	return n < 0 || (size_t)n >= sizeof(ret->sun_path) ? -ENAMETOOLONG : 0;
}

/* ---- parent of create ---- */

int gate_make(struct start *s, struct err *err)
{
	struct sockaddr_un address;

	if (!(s->plan->flags & PLAN_CREATE))
		return 0;
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	int r = fd < 0 ? -errno : address_of(&s->entry, STATE_GATE_FILE ".new", &address);
	if (r == 0 && (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
		       listen(fd, GATE_BACKLOG) < 0))
		r = -errno;
	if (r < 0)
		return err_sys(err, -r, "cannot make the gate of container '%s'", s->plan->id);
	s->gate.fd = fd_take(&fd);
	return 0;
}

/* From now on the container is a created one (state_status_now). */
int gate_show(struct start *s, struct err *err)
{
	if (renameat(s->entry.fd, STATE_GATE_FILE ".new", s->entry.fd, STATE_GATE_FILE) < 0)
		return err_sys(err, errno, "cannot open the gate of container '%s'", s->plan->id);
	return 0;
}

/* ---- child ---- */

static void *map(int fd, size_t size, off_t at)
{
	void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, at);
	return page == MAP_FAILED ? NULL : page;
}

static bool is_whole(int fd)
{
	struct stat st;
	return fd >= 0 && fstat(fd, &st) == 0 && st.st_size >= (off_t)GATE_MEMORY;
}

static void unmap_pages(struct channel_page *page, struct init_page *init)
{
	if (page)
		(void)munmap(page, sizeof(*page));
	if (init)
		(void)munmap(init, sizeof(*init));
}

/* A `start` that was killed; what it has sent can be read all the same. */
static bool is_gone(int connection)
{
	struct pollfd peer = { .fd = connection, .events = POLLRDHUP };
	return poll(&peer, 1, 0) != 0;
}

/* Who was killed before the word was claimed has not given it; the claim itself takes no time. */
static bool claim_word(struct channel_page *page, int connection)
{
	unsigned open = GATE_OPEN;
	return !is_gone(connection) &&
	       atomic_compare_exchange_strong(&page->claim, &open, GATE_TAKEN) &&
	       !is_gone(connection);
}

/* What was found out so far goes along; then the word is taken, if it still counts. */
static bool move_in(struct start *s, int fd, int connection)
{
	struct channel_page *page = map(fd, sizeof(*page), 0);
	struct init_page *init = s->init.page ? map(fd, sizeof(*init), GATE_INIT_AT) : NULL;

	if (page && (init || !s->init.page)) {
		memcpy(page, s->channel.page, offsetof(struct channel_page, claim));
		if (claim_word(page, connection)) {
			fd_close(&s->gate.fd); /* who is too late learns it at once */
			unmap_pages(s->channel.page, s->init.page);
			s->channel.page = page;
			s->init.page = init;
			return true;
		}
	}
	unmap_pages(page, init);
	return false;
}

static bool take_word(struct start *s, int connection)
{
	struct pollfd talks = { .fd = connection, .events = POLLIN };
	struct gate_word got = { 0 };
	_cleanup_close_ int fd = -EBADF;

	if (poll(&talks, 1, GATE_WORD_MS) != 1 ||
	    channel_receive_text(connection, &got, sizeof(got), &fd) != sizeof(got) ||
	    got.message != word.message || got.page_size != word.page_size ||
	    got.init_size != word.init_size)
		return false;
	return is_whole(fd) && move_in(s, fd, connection);
}

/* Nobody is left to be told of a failure: it ends the container, which everybody can see. */
static int await_word(struct start *s)
{
	const struct timespec pause = { .tv_nsec = GATE_PAUSE_NS };

	for (;;) {
		int connection = accept4(s->gate.fd, NULL, NULL, SOCK_CLOEXEC);
		if (connection >= 0 && take_word(s, connection))
			return connection;
		if (connection < 0 && (errno == EBADF || errno == EINVAL))
			_exit(1);
		if (connection < 0) /* this host has no memory or no files left */
			(void)nanosleep(&pause, NULL);
		fd_close(&connection);
	}
}

static void end_by(int signal)
{
	_exit(128 + signal);
}

/* The first process of a pid namespace does not even get a signal that it does not handle. */
static void handle_ends(const struct start *s, void (*handler)(int))
{
	static const int ends[] = { SIGTERM, SIGINT, SIGQUIT };
	struct sigaction action = { .sa_handler = handler };

	if (!(s->plan->ns.clone_flags & CLONE_NEWPID))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		(void)sigaction(ends[i], &action, NULL);
}

/* Created, it can be ended by a signal: it has nothing that would have to be asked. */
void gate_wait(struct start *s)
{
	sigset_t none, all;

	fd_close(&s->channel.child_fd);
	park_take(s);
	sigemptyset(&none);
	sigfillset(&all);
	handle_ends(s, end_by);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	park_shrink(s, (const void *)await_word);
	s->channel.child_fd = await_word(s);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	handle_ends(s, SIG_DFL);
}

/* ---- start, and who asks ---- */

static int connect_to(int fd, const struct state_entry *entry)
{
	struct sockaddr_un address;
	int r = address_of(entry, STATE_GATE_FILE, &address);
	if (r == 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		r = -errno;
	return r;
}

/* Who connects and says nothing is passed over; where too many do, there is a gate all the same. */
int gate_ask(const struct state_entry *entry, bool *ret_waits, struct err *err)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r = fd < 0 ? -errno : connect_to(fd, entry);
	*ret_waits = r == 0 || r == -EAGAIN;
	if (*ret_waits || r == -ECONNREFUSED)
		return 0;
	return err_sys(err, -r, "cannot ask whether container '%s' is being started", entry->id);
}

static int make_memory(struct start *s, int *ret_fd, struct err *err)
{
	/* Its size is fixed: nobody can take away what is mapped here, which would be a SIGBUS. */
	const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
	_cleanup_close_ int fd = memfd_create("hull:start", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0 || ftruncate(fd, GATE_MEMORY) < 0 || fcntl(fd, F_ADD_SEALS, seals) < 0)
		return err_sys(err, errno, "cannot make the memory shared with the container");
	s->channel.page = map(fd, sizeof(*s->channel.page), 0);
	if (s->state.has_init)
		s->init.page = map(fd, sizeof(*s->init.page), GATE_INIT_AT);
	if (!s->channel.page || (s->state.has_init && !s->init.page))
		return err_sys(err, errno, "cannot map the memory shared with the container");
	*ret_fd = fd_take(&fd);
	return 0;
}

static int not_reached(const struct start *s, int code, struct err *err)
{
	if (code == ECONNREFUSED || code == EPIPE ||
	    code == ECONNRESET) /* launch.c finds out why */
		return 0;
	err_sys(err, code, "cannot reach the gate of container '%s'", s->state.id);
	if (code == EAGAIN)
		err_hint(err, "others are starting it, or its process is stopped");
	return -code;
}

int gate_knock(struct start *s, struct err *err)
{
	_cleanup_close_ int memory = -EBADF;

	int r = make_memory(s, &memory, err);
	if (r < 0)
		return r;
	s->channel.parent_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	r = s->channel.parent_fd < 0 ? -errno : connect_to(s->channel.parent_fd, &s->entry);
	if (r == 0)
		r = channel_send_text(s->channel.parent_fd, &word, sizeof(word), memory);
	return r < 0 ? not_reached(s, -r, err) : 0;
}

bool gate_is_taken(const struct start *s)
{
	return s->channel.page && atomic_load(&s->channel.page->claim) == GATE_TAKEN;
}

bool gate_revoke(struct start *s)
{
	unsigned open = GATE_OPEN;
	return !s->channel.page ||
	       atomic_compare_exchange_strong(&s->channel.page->claim, &open, GATE_REVOKED) ||
	       open == GATE_REVOKED;
}
