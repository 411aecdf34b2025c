/*
 * inject: runs a command and lets exactly one of its system calls fail, or kills it there, or stops
 * the process (SIGSTOP) behind that call, to see what others do meanwhile. For tests/faults/run;
 * x86-64, needs the right to trace the command.
 *
 *	inject [-t SECONDS] [-g MS] [-e NAME]... [-u ID] [-o FILE] [-r TREE -k KEPT] list COMMAND...
 *	inject ...                                 P:CALL:K[:ERRNO] COMMAND...
 *	inject ...                                 kill:P:CALL:K COMMAND...
 *	inject ...                                 stop:P:CALL:K COMMAND...
 *
 * A call is named by its process, its name, and how often that process has made it: that hardly
 * changes from run to run, while the order of the calls of two processes does. Process 0 is the
 * command's own; the others are named by their descent: 0f2c1 is what 0f2 has made first by clone
 * or clone3 without SIGCHLD, and 0f2 is the second that 0 has made by fork or its like (f; v: by
 * vfork). Calls count from the entry point of the
 * program on, when the dynamic loader has done its work; and until a process executes a program
 * called NAME, which is then let go: it is the container's. With -u the command is run by that
 * user and group, who have no privilege.
 *
 * FILE (default: standard error) gets the list or what was hit, and how the command ended:
 * "exit N", "signal N", or "hang" when it took longer than SECONDS and was killed. What the command
 * has left running is followed for MS milliseconds more (2000), and then let go.
 *
 * -r: TREE, of plain files, is what the kernel would show as resctrl (resctrl.c).
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "errnos.h"
#include "resctrl.h"

#define MAX_TASKS     256
#define MAX_PROCESSES 64
#define MAX_CALLS     512
#define NAME_SIZE     48
#define OPTIONS                                                                                   \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | \
	 PTRACE_O_TRACEEXEC)

enum mode { MODE_LIST, MODE_FAIL, MODE_KILL, MODE_STOP };

/* What is to be hit. */
static struct {
	enum mode mode;
	char process[NAME_SIZE];
	unsigned k;
	long nr;
	int code; /* errno */
	bool done;
} aim;

struct process {
	pid_t pid;
	char name[NAME_SIZE];
	unsigned made[3];          /* children, by each of `ways` */
	bool counts;               /* its program has begun */
	unsigned calls[MAX_CALLS]; /* of each number, so far */
	uint64_t entry;            /* a breakpoint stands there; 0: none */
	long entry_word;
};
struct task {
	pid_t tid;
	struct process *process;
	bool inside; /* of a system call: the next stop is its end */
	bool marked; /* that one shall fail, or be the last for now */
};

/* Who has stopped before its parent could be asked for its name. */
struct newcomer {
	pid_t tid, parent;
	int status;
};

static struct process processes[MAX_PROCESSES];
static unsigned processes_n;
static struct task tasks[MAX_TASKS];
static struct newcomer newcomers[MAX_TASKS];
static const struct {
	int event;
	char letter;
} ways[] = {
	{ PTRACE_EVENT_FORK, 'f' },
	{ PTRACE_EVENT_CLONE, 'c' },
	{ PTRACE_EVENT_VFORK, 'v' },
};
static const char *programs[8]; /* -e */
static unsigned programs_n;
static unsigned grace_ms = 2000; /* -g */
static unsigned user;            /* -u; 0: as this process */
static FILE *out;

static _Noreturn void give_up(const char *what)
{
	fprintf(stderr, "inject: %s: %s\n", what, strerror(errno));
	exit(125);
}

/* ---- who is traced ---- */

/* "Tgid:" or "PPid:" of a task; 0: it is gone. */
static pid_t status_of(pid_t tid, const char *key)
{
	char path[64], line[128];
	size_t size = strlen(key);
	pid_t found = 0;
	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	FILE *f = fopen(path, "re");
	while (f && !found && fgets(line, sizeof(line), f))
		if (strncmp(line, key, size) == 0)
			found = (pid_t)strtol(line + size, NULL, 10);
	if (f)
		fclose(f);
	return found;
}

static struct process *process_find(pid_t pid)
{
	for (unsigned i = processes_n; i-- > 0;) /* a number may be used again */
		if (processes[i].pid == pid)
			return &processes[i];
	return NULL;
}

static struct process *process_add(pid_t pid, bool counts)
{
	if (processes_n == MAX_PROCESSES) {
		errno = E2BIG;
		give_up("processes");
	}
	processes[processes_n] = (struct process) { .pid = pid, .counts = counts, .name = "0" };
	return &processes[processes_n++];
}

static struct task *task_find(pid_t tid)
{
	for (unsigned i = 0; i < MAX_TASKS; i++)
		if (tasks[i].tid == tid)
			return &tasks[i];
	return NULL;
}

static void task_add(pid_t tid, struct process *process)
{
	struct task *vacant = task_find(0);
	if (!vacant) {
		errno = E2BIG;
		give_up("tasks");
	}
	*vacant = (struct task) { .tid = tid, .process = process };
}

/* Of a process whose program has begun; without `parent` nobody knows whose it is. */
static void child_add(pid_t pid, struct process *parent, size_t way)
{
	struct process *process = process_add(pid, true);
	if (!parent)
		snprintf(process->name, NAME_SIZE, "?");
	else if (snprintf(process->name, NAME_SIZE, "%s%c%u", parent->name, ways[way].letter,
			  ++parent->made[way]) >= NAME_SIZE)
		give_up("name");
	task_add(pid, process);
}

static bool task_forget(pid_t tid)
{
	bool any = false;
	for (unsigned i = 0; i < MAX_TASKS; i++) {
		if (tasks[i].tid == tid)
			tasks[i] = (struct task) { 0 };
		any = any || tasks[i].tid || (newcomers[i].tid && WIFSTOPPED(newcomers[i].status));
	}
	return any;
}

/* ---- where a program begins ---- */

static uint64_t entry_of(pid_t pid)
{
	char path[64];
	Elf64_auxv_t entry = { 0 };
	snprintf(path, sizeof(path), "/proc/%d/auxv", pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && read(fd, &entry, sizeof(entry)) == sizeof(entry))
		if (entry.a_type == AT_ENTRY)
			break;
	close(fd);
	return entry.a_type == AT_ENTRY ? entry.a_un.a_val : 0;
}

static void plant_breakpoint(struct process *p)
{
	p->counts = false;
	p->entry = entry_of(p->pid);
	errno = 0;
	p->entry_word = ptrace(PTRACE_PEEKTEXT, p->pid, (void *)p->entry, NULL);
	if (errno || ptrace(PTRACE_POKETEXT, p->pid, (void *)p->entry,
			    (void *)((p->entry_word & ~0xffL) | 0xcc)) < 0)
		give_up("breakpoint");
}

/* Whether the stop is that of the breakpoint, which goes away. */
static bool reached_entry(struct process *p)
{
	struct user_regs_struct regs;
	if (!p->entry || ptrace(PTRACE_GETREGS, p->pid, NULL, &regs) < 0 ||
	    regs.rip != p->entry + 1)
		return false;
	regs.rip = p->entry;
	if (ptrace(PTRACE_POKETEXT, p->pid, (void *)p->entry, (void *)p->entry_word) < 0 ||
	    ptrace(PTRACE_SETREGS, p->pid, NULL, &regs) < 0)
		give_up("breakpoint");
	p->entry = 0;
	p->counts = true;
	return true;
}

static bool is_program(pid_t pid)
{
	char path[64], comm[32] = "";
	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	FILE *f = fopen(path, "re");
	if (f && fgets(comm, sizeof(comm), f))
		comm[strcspn(comm, "\n")] = '\0';
	if (f)
		fclose(f);
	for (unsigned i = 0; i < programs_n; i++)
		if (strcmp(programs[i], comm) == 0)
			return true;
	return false;
}

/* ---- calls ---- */

/*
 * Each stop costs two changes of the running process, which take long on a busy machine: nobody is
 * stopped at calls that do not matter.
 */
static void proceed(const struct task *t, int signal)
{
	const struct process *p = t->process;
	bool matters = p->counts && !aim.done &&
		       (aim.mode == MODE_LIST || strcmp(p->name, aim.process) == 0);
	ptrace(matters || t->marked || resctrl_is_wanted() ? PTRACE_SYSCALL : PTRACE_CONT, t->tid,
	       NULL, (void *)(intptr_t)signal);
}

static const char *call_name(long nr)
{
	static char name[64];
	char *found = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, (int)nr);
	snprintf(name, sizeof(name), "%s", found ? found : "unknown");
	free(found);
	return name;
}

static void fail_call(struct task *t, struct user_regs_struct *regs)
{
	t->marked = true;
	fprintf(out, "hit %s %s\n", call_name((long)regs->orig_rax), strerrorname_np(aim.code));
	/* A descriptor is closed whatever close(2) returns: that one is made all the same. */
	if (regs->orig_rax == SYS_close)
		return;
	regs->orig_rax = (unsigned long long)-1;
	if (ptrace(PTRACE_SETREGS, t->tid, NULL, regs) < 0)
		give_up("setregs");
}

static void call_begins(struct task *t)
{
	struct process *p = t->process;
	struct user_regs_struct regs;

	if (!p->counts || ptrace(PTRACE_GETREGS, t->tid, NULL, &regs) < 0)
		return;
	long nr = (long)regs.orig_rax;
	if (nr < 0 || nr >= MAX_CALLS)
		return;
	unsigned k = ++p->calls[nr];
	if (aim.mode == MODE_LIST)
		fprintf(out, "%s %s %u\n", p->name, call_name(nr), k);
	if (aim.mode == MODE_LIST || aim.done || nr != aim.nr || k != aim.k ||
	    strcmp(p->name, aim.process) != 0)
		return;
	aim.done = true;
	if (aim.mode == MODE_FAIL) {
		fail_call(t, &regs);
		return;
	}
	fprintf(out, "hit %s %s\n", call_name(nr), aim.mode == MODE_KILL ? "SIGKILL" : "SIGSTOP");
	if (aim.mode == MODE_KILL)
		kill(p->pid, SIGKILL);
	else
		t->marked = true;
}

static void call_ends(struct task *t)
{
	struct user_regs_struct regs;
	if (!t->marked)
		return;
	t->marked = false;
	if (aim.mode == MODE_STOP) {
		kill(t->process->pid, SIGSTOP);
		return;
	}
	if (ptrace(PTRACE_GETREGS, t->tid, NULL, &regs) < 0)
		return;
	regs.rax = (unsigned long long)-(long long)aim.code;
	(void)!ptrace(PTRACE_SETREGS, t->tid, NULL, &regs);
}

/* ---- stops ---- */

/* The kernel's part, of a call that is really made. */
static void resctrl_stop(const struct task *t, bool ends)
{
	struct user_regs_struct regs;
	if (!resctrl_is_wanted() || t->marked || ptrace(PTRACE_GETREGS, t->tid, NULL, &regs) < 0)
		return;
	if (ends)
		resctrl_call_ends(t->tid, &regs);
	else
		resctrl_call_begins(t->tid, &regs);
}

static void call_stop(struct task *t)
{
	struct __ptrace_syscall_info info;
	if (ptrace(PTRACE_GET_SYSCALL_INFO, t->tid, sizeof(info), &info) <= 0)
		return;
	bool was_done = aim.done;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
		call_begins(t);
		if (was_done == aim.done) /* else the process is dead, or the call fails */
			resctrl_stop(t, false);
	} else if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
		resctrl_stop(t, true);
		call_ends(t);
	}
}

static void stop(struct task *t, int status);

/* The task's name is known by now: what is known of it is done. */
static void go_on(struct newcomer *n)
{
	struct newcomer kept = *n;
	*n = (struct newcomer) { 0 };
	if (WIFSTOPPED(kept.status))
		stop(task_find(kept.tid), kept.status);
	else
		(void)task_forget(kept.tid);
}

static void child_made(struct task *t, size_t way)
{
	unsigned long tid = 0;
	if (ptrace(PTRACE_GETEVENTMSG, t->tid, NULL, &tid) < 0 || tid == 0)
		return;
	pid_t tgid = status_of((pid_t)tid, "Tgid:");
	if (tgid && tgid != (pid_t)tid) /* a thread is one more task of its process */
		return;
	child_add((pid_t)tid, t->process, way);
	for (unsigned i = 0; i < MAX_TASKS; i++)
		if (newcomers[i].tid == (pid_t)tid)
			go_on(&newcomers[i]);
}

/* A parent that was killed before it could say the name of its child. */
static void release_children_of(pid_t parent)
{
	for (unsigned i = 0; i < MAX_TASKS; i++)
		if (newcomers[i].tid && newcomers[i].parent == parent) {
			child_add(newcomers[i].tid, NULL, 0);
			go_on(&newcomers[i]);
		}
}

/* Its parent knows its name, and will say it: the kernel wakes the two in either order. */
static void keep(pid_t tid, int status)
{
	struct newcomer *n = NULL;
	for (unsigned i = 0; i < MAX_TASKS && !(n && n->tid == tid); i++)
		if (newcomers[i].tid == tid || (!n && newcomers[i].tid == 0))
			n = &newcomers[i];
	if (!n) {
		errno = E2BIG;
		give_up("newcomers");
	}
	pid_t parent = n->tid == tid ? n->parent : status_of(tid, "PPid:");
	*n = (struct newcomer) { tid, parent, status };
	if (WIFSTOPPED(status) && !task_find(parent))
		release_children_of(parent);
}

static void met(pid_t tid, int status)
{
	struct process *process = process_find(status_of(tid, "Tgid:"));
	if (process && process->pid != tid && WIFSTOPPED(status)) {
		task_add(tid, process);
		stop(task_find(tid), status);
	} else {
		keep(tid, status);
	}
}

static void stop(struct task *t, int status)
{
	int event = status >> 16, signal = WSTOPSIG(status);

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (event == ways[i].event)
			child_made(t, i);
	if (event == PTRACE_EVENT_EXEC) {
		if (is_program(t->tid)) {
			ptrace(PTRACE_DETACH, t->tid, NULL, NULL);
			(void)task_forget(t->tid);
			return;
		}
		plant_breakpoint(t->process);
	} else if (event == PTRACE_EVENT_STOP && signal != SIGTRAP) {
		ptrace(PTRACE_LISTEN, t->tid, NULL, NULL);
		return;
	} else if (event == 0 && signal == (SIGTRAP | 0x80)) {
		call_stop(t);
	} else if (event == 0 && !(signal == SIGTRAP && reached_entry(t->process))) {
		proceed(t, signal);
		return;
	}
	proceed(t, 0);
}

static void on_alarm(int signal)
{
	(void)signal;
}

static void set_alarm(unsigned ms)
{
	/* Again and again: one that comes while nobody waits would be missed. */
	struct itimerval timer = { { 0, 100000 }, { ms / 1000, ms % 1000 * 1000 } };
	setitimer(ITIMER_REAL, &timer, NULL);
}

static void kill_all(void)
{
	for (unsigned i = 0; i < processes_n; i++)
		kill(processes[i].pid, SIGKILL);
}

/* Returns the command's status as of waitpid(); what it has left is let go when this process ends.
 */
static int follow(pid_t root)
{
	int status, result = -1;
	bool any = true;

	while (any) {
		pid_t tid = waitpid(-1, &status, __WALL);
		if (tid < 0 && errno == EINTR && result < 0) {
			fprintf(out, "hang\n");
			kill_all();
			return -1;
		}
		if (tid < 0)
			return result; /* nobody is left, or the time of grace is over */
		struct task *t = task_find(tid);
		if (!t)
			met(tid, status);
		else if (WIFSTOPPED(status))
			stop(t, status);
		if (WIFSTOPPED(status))
			continue;
		any = task_forget(tid);
		release_children_of(tid);
		if (tid == root) {
			result = status;
			set_alarm(grace_ms);
		}
	}
	return result;
}

/* Waits for the tracer, so that it is there before the first instruction of the command. */
static _Noreturn void begin(char *const argv[], const int gate[2])
{
	char byte;
	close(gate[1]);
	if (read(gate[0], &byte, 1) != 1)
		_exit(126);
	close(gate[0]);
	if (user && (setgroups(0, NULL) < 0 || setresgid(user, user, user) < 0 ||
		     setresuid(user, user, user) < 0))
		_exit(126);
	execvp(argv[0], argv);
	_exit(127);
}

static int run(char *const argv[], unsigned seconds)
{
	int gate[2];
	struct sigaction action = { .sa_handler = on_alarm };

	if (pipe2(gate, O_CLOEXEC) < 0)
		give_up("pipe");
	sigaction(SIGALRM, &action, NULL);
	pid_t pid = fork();
	if (pid == 0)
		begin(argv, gate);
	if (pid < 0 || ptrace(PTRACE_SEIZE, pid, NULL, (void *)(intptr_t)OPTIONS) < 0)
		give_up("seize");
	close(gate[0]);
	task_add(pid, process_add(pid, false));
	set_alarm(seconds * 1000);
	if (write(gate[1], "", 1) != 1)
		give_up("gate");
	close(gate[1]);
	return follow(pid);
}

/* ---- the command line ---- */

static bool parse_aim(const char *text)
{
	char name[64] = "";
	if (strcmp(text, "list") == 0)
		return true;
	aim.mode = strncmp(text, "kill:", 5) == 0   ? MODE_KILL
		   : strncmp(text, "stop:", 5) == 0 ? MODE_STOP
						    : MODE_FAIL;
	text += aim.mode == MODE_FAIL ? 0 : 5;
	if (sscanf(text, "%47[^:]:%63[^:]:%u:%d", aim.process, name, &aim.k, &aim.code) < 3)
		return false;
	aim.nr = seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86_64, name);
	if (aim.code == 0)
		aim.code = errno_for(name);
	return aim.nr >= 0 && aim.k > 0;
}

int main(int argc, char **argv)
{
	unsigned seconds = 10;
	int option;

	out = stderr;
	while ((option = getopt(argc, argv, "+t:g:e:u:o:r:k:")) != -1) {
		if (option == 't')
			seconds = (unsigned)strtoul(optarg, NULL, 10);
		else if (option == 'g')
			grace_ms = (unsigned)strtoul(optarg, NULL, 10);
		else if (option == 'e' && programs_n < 8)
			programs[programs_n++] = optarg;
		else if (option == 'u')
			user = (unsigned)strtoul(optarg, NULL, 10);
		else if (option == 'r')
			resctrl_tree = optarg;
		else if (option == 'k')
			resctrl_kept = optarg;
		else if (option == 'o' && (out = fopen(optarg, "we")) == NULL)
			give_up(optarg);
		else if (option == '?')
			return 125;
	}
	if (optind + 2 > argc || !parse_aim(argv[optind])) {
		fprintf(stderr, "inject: see the top of its source\n");
		return 125;
	}
	int status = run(argv + optind + 1, seconds);
	if (aim.mode != MODE_LIST && !aim.done)
		fprintf(out, "missed\n");
	if (status >= 0 && WIFEXITED(status))
		fprintf(out, "exit %d\n", WEXITSTATUS(status));
	else if (status >= 0)
		fprintf(out, "signal %d\n", WTERMSIG(status));
	return fclose(out) == 0 ? 0 : 125;
}
