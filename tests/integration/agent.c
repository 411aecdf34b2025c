/*
 * agent SOCKET LOG [OPTION...]: a seccomp agent as the specification has it. It listens on SOCKET
 * and takes a container process state by each connection, which it keeps in LOG.1, LOG.2, ...; then
 * it answers what it is notified of, by default that the call may go on. LOG tells what came:
 *
 *   connection 1: 1 descriptors with message 1, 0 later, 512 bytes, anon_inode:seccomp notify
 *   call mkdir
 *
 *   NAME=ERRNO  the call fails; NAME=0: it succeeds, and is not made; NAME=-1: no answer, ever
 *   deaf        never accepts; mute: accepts, and reads nothing; hang-up: accepts, and closes
 *   crumbs      reads a byte at a time, with pauses
 *   drop        closes the listener as soon as it has it
 *
 * It ends after sixty seconds, and all that it has made with it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define DESCRIPTORS_MAX 16
#define STATE_MAX       (8 * 1024 * 1024)
#define LIFE_S          60

static const struct {
	const char *name;
	int number;
} calls[] = {
#ifdef SYS_mkdir
	{ "mkdir", SYS_mkdir },
#endif
	{ "mkdirat", SYS_mkdirat },   { "execve", SYS_execve }, { "sendmsg", SYS_sendmsg },
	{ "sendto", SYS_sendto },     { "close", SYS_close },   { "exit_group", SYS_exit_group },
	{ "recvfrom", SYS_recvfrom }, { "uname", SYS_uname },   { "write", SYS_write },
};

static const char *log_path;
static int log_fd;
static char **options;

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...)
{
	char line[512];
	va_list args;

	va_start(args, format);
	int n = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (n > 0 && write(log_fd, line, (size_t)n) < 0)
		exit(3);
}

static bool has_option(const char *name)
{
	for (char **o = options; *o; o++)
		if (strcmp(*o, name) == 0)
			return true;
	return false;
}

static const char *name_of(int number)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i].number == number)
			return calls[i].name;
	return "another";
}

/* What the options say to this call; true: there is something. */
static bool find_answer(const char *name, int *ret)
{
	size_t n = strlen(name);
	for (char **o = options; *o; o++)
		if (strncmp(*o, name, n) == 0 && (*o)[n] == '=') {
			*ret = (int)strtol(*o + n + 1, NULL, 10);
			return true;
		}
	return false;
}

/* ---- the state ---- */

struct state {
	char *text;
	size_t size;
	int fd;
	unsigned messages, first_n, later_n; /* descriptors with the first message, and later */
};

static unsigned take_descriptors(struct msghdr *message, int *ret_fd)
{
	unsigned n = 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		int fds[DESCRIPTORS_MAX];
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		size_t size = c->cmsg_len - CMSG_LEN(0);
		memcpy(fds, CMSG_DATA(c), size);
		n += (unsigned)(size / sizeof(int));
		*ret_fd = fds[0];
	}
	return n;
}

/* Until the other side hangs up. */
static bool receive(int fd, struct state *s)
{
	const size_t room = has_option("crumbs") ? 1 : STATE_MAX;

	s->text = malloc(STATE_MAX);
	while (s->text && s->size < STATE_MAX) {
		union {
			struct cmsghdr header;
			char room[CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int))];
		} control;
		size_t left = STATE_MAX - s->size;
		struct iovec iov = { s->text + s->size, left < room ? left : room };
		struct msghdr message = { .msg_iov = &iov,
					  .msg_iovlen = 1,
					  .msg_control = control.room,
					  .msg_controllen = sizeof(control.room) };
		ssize_t n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
		if (n <= 0)
			return n == 0;
		unsigned got = take_descriptors(&message, &s->fd);
		*(s->messages++ == 0 ? &s->first_n : &s->later_n) += got;
		s->size += (size_t)n;
		if (room == 1)
			usleep(20000);
	}
	return false;
}

static void keep(const struct state *s, unsigned number)
{
	char path[512], link[64], target[128] = "none";

	snprintf(path, sizeof(path), "%s.%u.new", log_path, number);
	FILE *f = fopen(path, "we");
	if (!f || fwrite(s->text, 1, s->size, f) != s->size || fclose(f) != 0)
		exit(3);
	char final[512];
	snprintf(final, sizeof(final), "%s.%u", log_path, number);
	if (rename(path, final) < 0)
		exit(3);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", s->fd);
	ssize_t n = readlink(link, target, sizeof(target) - 1);
	if (n > 0)
		target[n] = '\0';
	say("connection %u: %u descriptors with message 1, %u later, %zu bytes, %s\n", number,
	    s->first_n, s->later_n, s->size, target);
}

/* ---- notifications ---- */

static void answer(int listener, const struct seccomp_notif *request)
{
	struct seccomp_notif_resp response = { .id = request->id };
	const char *name = name_of(request->data.nr);
	int code = 0;

	say("call %s\n", name);
	if (!find_answer(name, &code))
		response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	else if (code < 0)
		return;
	else
		response.error = -code;
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response); /* ENOENT: the caller is dead */
}

/* Until the last process with the filter has ended. */
static void serve(int listener)
{
	for (;;) {
		struct pollfd fd = { .fd = listener, .events = POLLIN };
		struct seccomp_notif request = { 0 };
		if (poll(&fd, 1, -1) < 0 || (fd.revents & (POLLHUP | POLLERR | POLLNVAL)))
			return;
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) == 0)
			answer(listener, &request);
	}
}

/* A process for each connection: it has the connection and the listener. */
static void take(int fd, unsigned number)
{
	struct state state = { .fd = -1 };

	if (fork() != 0) {
		close(fd);
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(LIFE_S);
	if (has_option("hang-up")) {
		close(fd);
		say("hung up %u\n", number);
		exit(0);
	}
	if (has_option("mute"))
		pause();
	if (!receive(fd, &state))
		say("connection %u: broken\n", number);
	else
		keep(&state, number);
	close(fd);
	if (has_option("drop"))
		close(state.fd);
	else if (state.fd >= 0)
		serve(state.fd);
	say("end %u\n", number);
	exit(0);
}

int main(int argc, char **argv)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (argc < 3)
		return 2;
	log_path = argv[2];
	options = argv + 3;
	log_fd = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", argv[1]);
	if (log_fd < 0 || fd < 0 ||
	    bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, has_option("deaf") ? 0 : 8) < 0) {
		perror(argv[1]);
		return 2;
	}
	signal(SIGCHLD, SIG_IGN);
	alarm(LIFE_S);
	say("listening\n");
	if (has_option("deaf"))
		pause();
	for (unsigned number = 1;; number++) {
		int connection = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
		if (connection < 0)
			return 1;
		take(connection, number);
	}
}
