/*
 * pty STEP... -- COMMAND...: runs a command on a terminal of its own, as a person would, and prints
 * all that the terminal shows. The exit status is the command's (128 and the number of a signal);
 * 99 with a line on standard error when a step did not come true in time. Steps, in this order:
 *
 *   wait:TEXT    until the terminal shows TEXT, behind what the last wait has found
 *   type:TEXT    types it
 *   size:R,C     makes the window R rows high and C columns wide
 *   mode:raw     until the terminal is in raw mode; mode:cooked: until it is not
 *   do:COMMAND   runs a shell command and waits for it; PTY_PID is the process on the terminal
 *   flow:off     stops its output, as ^S; flow:on
 *   close        hangs it up
 *   limit:N      from here on N seconds for each step and the end
 *   lazy         from here on nobody reads what is shown, until the command has ended
 *
 * Each step and the end of the command take ten seconds at most, or N, then everything is killed.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define TICK_MS   20
#define SHOWN_MAX (1024 * 1024)

struct run {
	int master, slave;
	pid_t pid;
	int status; /* of waitpid(), once ended */
	int ended, lazy, closed;
	long limit_ms;
	size_t used, seen; /* of shown */
	char shown[SHOWN_MAX + 1];
};

static _Noreturn void give_up(const struct run *run, const char *why, const char *what)
{
	fprintf(stderr, "pty: %s: %s\n", why, what);
	fflush(stdout);
	if (run && run->pid > 0 && !run->ended)
		kill(-run->pid, SIGKILL);
	_exit(99);
}

static long now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Takes in what is shown, for a tick at most, and notices the end. */
static void tick(struct run *run)
{
	struct pollfd fd = { .fd = run->lazy ? -1 : run->master, .events = POLLIN };
	char buf[4096];

	if (poll(&fd, 1, TICK_MS) > 0) {
		ssize_t n = read(run->master, buf, sizeof(buf));
		if (n > 0) {
			fwrite(buf, 1, (size_t)n, stdout);
			if (run->used + (size_t)n > SHOWN_MAX)
				run->used = run->seen = 0;
			memcpy(run->shown + run->used, buf, (size_t)n);
			run->used += (size_t)n;
			run->shown[run->used] = '\0';
		} else {
			usleep(TICK_MS * 1000);
		}
	}
	if (!run->ended && waitpid(run->pid, &run->status, WNOHANG) == run->pid)
		run->ended = 1;
}

static int is_shown(struct run *run, const char *text)
{
	char *found = strstr(run->shown + run->seen, text);
	if (found)
		run->seen = (size_t)(found - run->shown) + strlen(text);
	return found != NULL;
}

static int is_mode(struct run *run, const char *mode)
{
	struct termios t;
	if (tcgetattr(run->slave, &t) < 0)
		give_up(run, "mode", strerror(errno));
	return strcmp(mode, "raw") == 0 ? !(t.c_lflag & (ICANON | ECHO | ISIG))
					: (t.c_lflag & ICANON) && (t.c_lflag & ECHO);
}

/* A program that does not read must not hold this one up. */
static int is_typed(struct run *run, const char *text)
{
	static size_t done;
	ssize_t n = write(run->master, text + done, strlen(text + done));
	if (n > 0)
		done += (size_t)n;
	if (text[done])
		return 0;
	done = 0;
	return 1;
}

static void until(struct run *run, int (*is_true)(struct run *, const char *), const char *step,
		  const char *value)
{
	long limit = now_ms() + run->limit_ms;
	while (!is_true(run, value)) {
		if (now_ms() > limit)
			give_up(run, "not in time", step);
		tick(run);
	}
}

static int has_ended(struct run *run, const char *value)
{
	(void)value;
	return run->ended;
}

static void set_size(struct run *run, const char *value)
{
	char *end;
	struct winsize size = { .ws_row = (unsigned short)strtoul(value, &end, 10) };
	if (*end != ',')
		give_up(run, "no size", value);
	size.ws_col = (unsigned short)strtoul(end + 1, NULL, 10);
	if (ioctl(run->master, TIOCSWINSZ, &size) < 0)
		give_up(run, "size", strerror(errno));
}

static void do_command(struct run *run, const char *command)
{
	char pid_text[32];
	int status = 0;
	long limit = now_ms() + run->limit_ms;

	snprintf(pid_text, sizeof(pid_text), "%d", (int)run->pid);
	pid_t pid = fork();
	if (pid == 0) {
		setenv("PTY_PID", pid_text, 1);
		dup2(STDERR_FILENO, STDOUT_FILENO);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (now_ms() > limit) {
			kill(pid, SIGKILL);
			give_up(run, "not in time", command);
		}
		tick(run);
	}
	if (status != 0)
		give_up(run, "failed", command);
}

/* "name:value"; returns the value, or NULL when it is another step. */
static const char *is_step(const char *step, const char *name)
{
	size_t n = strlen(name);
	return strncmp(step, name, n) == 0 ? step + n : NULL;
}

static void take_step(struct run *run, const char *step)
{
	const char *value;

	if ((value = is_step(step, "wait:")))
		until(run, is_shown, step, value);
	else if ((value = is_step(step, "type:")))
		until(run, is_typed, step, value);
	else if ((value = is_step(step, "mode:")))
		until(run, is_mode, step, value);
	else if ((value = is_step(step, "size:")))
		set_size(run, value);
	else if ((value = is_step(step, "do:")))
		do_command(run, value);
	else if ((value = is_step(step, "flow:")))
		tcflow(run->slave, strcmp(value, "off") == 0 ? TCOOFF : TCOON);
	else if ((value = is_step(step, "limit:")))
		run->limit_ms = strtol(value, NULL, 10) * 1000;
	else if (strcmp(step, "lazy") == 0)
		run->lazy = 1;
	else if (strcmp(step, "close") == 0) {
		close(run->slave);
		close(run->master);
		run->lazy = run->closed = 1;
	} else
		give_up(run, "no such step", step);
}

static _Noreturn void become(struct run *run, char **command)
{
	setsid();
	ioctl(run->slave, TIOCSCTTY, 0);
	for (int fd = 0; fd <= 2; fd++)
		dup2(run->slave, fd);
	execvp(command[0], command);
	_exit(127);
}

static void open_terminal(struct run *run)
{
	run->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (run->master < 0 || grantpt(run->master) < 0 || unlockpt(run->master) < 0)
		give_up(NULL, "no terminal", strerror(errno));
	run->slave = open(ptsname(run->master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (run->slave < 0)
		give_up(NULL, "no terminal", strerror(errno));
	set_size(run, "24,80");
}

int main(int argc, char **argv)
{
	static struct run run = { .limit_ms = 10000 };
	int end = 1;

	while (end < argc && strcmp(argv[end], "--") != 0)
		end++;
	if (end + 1 >= argc)
		give_up(NULL, "usage", "pty STEP... -- COMMAND...");
	open_terminal(&run);
	fflush(stdout);
	run.pid = fork();
	if (run.pid == 0)
		become(&run, argv + end + 1);
	for (int i = 1; i < end; i++)
		take_step(&run, argv[i]);
	until(&run, has_ended, "the end of the command", NULL);
	for (run.lazy = run.closed; !run.lazy;) {
		size_t before = run.used;
		tick(&run);
		if (run.used == before)
			break;
	}
	return WIFEXITED(run.status) ? WEXITSTATUS(run.status) : 128 + WTERMSIG(run.status);
}
