/*
 * What the kernel does in its file system resctrl, done by the tracer to a tree of plain files: it
 * calls itself resctrl, it fills a directory that is made, and one that is removed goes with its
 * files. The runtime's calls are its own, and so can fail one by one. What was in the files that
 * went is kept, to see afterwards that the container was there: class/tasks as class.tasks.
 */
#include "resctrl.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PATH_SIZE 512

const char *resctrl_tree, *resctrl_kept;

static const struct {
	const char *name, *text; /* NULL: a directory */
} files[] = {
	{ "tasks", "" },
	{ "schemata", "L3:0=ff\n" },
	{ "mon_groups", NULL },
};
#define FILES_N (sizeof(files) / sizeof(files[0]))

bool resctrl_is_wanted(void)
{
	return resctrl_tree != NULL;
}

/* What is below the tree at that descriptor: "" for the tree itself; false: it is elsewhere. */
static bool find(pid_t tid, int fd, char ret[static PATH_SIZE])
{
	char path[64], target[PATH_SIZE];
	size_t size = strlen(resctrl_tree);

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", tid, fd);
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	if (n < (ssize_t)size)
		return false;
	target[n] = '\0';
	if (strncmp(target, resctrl_tree, size) != 0 || (target[size] && target[size] != '/'))
		return false;
	snprintf(ret, PATH_SIZE, "%s", target + size);
	return true;
}

/* The same for a name at that descriptor. */
static bool find_name(pid_t tid, const struct user_regs_struct *regs, char ret[static PATH_SIZE])
{
	char below[PATH_SIZE], path[64], name[128] = "";

	snprintf(path, sizeof(path), "/proc/%d/mem", tid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : pread(fd, name, sizeof(name) - 1, (off_t)regs->rsi);
	if (fd >= 0)
		close(fd);
	if (n <= 0 || strchr(name, '/') || !find(tid, (int)regs->rdi, below))
		return false;
	return snprintf(ret, PATH_SIZE, "%s/%s", below, name) < PATH_SIZE;
}

static void file_path(const char *below, const char *name, char ret[static PATH_SIZE * 2])
{
	snprintf(ret, (size_t)PATH_SIZE * 2, "%s%s/%s", resctrl_tree, below, name);
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");
	if (!f || fputs(text, f) < 0 || fclose(f) != 0) {
		perror(path);
		exit(125);
	}
}

/* ---- what is made ---- */

static bool is_group(const char *below)
{
	return strstr(below, "/mon_groups/") != NULL;
}

static void fill(const char *below)
{
	char path[PATH_SIZE * 2];
	for (size_t i = 0; i < FILES_N; i++) {
		file_path(below, files[i].name, path);
		if (files[i].text && !(is_group(below) && i > 0))
			write_file(path, files[i].text);
		else if (!files[i].text && !is_group(below) && mkdir(path, 0755) < 0)
			perror(path);
	}
}

static void call_itself_resctrl(pid_t tid, const struct user_regs_struct *regs)
{
	(void)!ptrace(PTRACE_POKEDATA, tid, (void *)regs->rsi, (void *)RDTGROUP_SUPER_MAGIC);
}

void resctrl_call_ends(pid_t tid, const struct user_regs_struct *regs)
{
	char below[PATH_SIZE];
	if (regs->rax != 0)
		return;
	if (regs->orig_rax == SYS_fstatfs && find(tid, (int)regs->rdi, below))
		call_itself_resctrl(tid, regs);
	else if (regs->orig_rax == SYS_mkdirat && find_name(tid, regs, below))
		fill(below);
}

/* ---- what goes ---- */

static void keep(const char *below, const char *name, const char *path)
{
	char text[4096], kept[PATH_SIZE * 2];
	snprintf(kept, sizeof(kept), "%s/%s.%s", resctrl_kept, below + 1, name);
	for (char *c = kept + strlen(resctrl_kept) + 1; *c; c++)
		if (*c == '/')
			*c = '.';
	FILE *f = fopen(path, "re");
	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;
	text[n] = '\0';
	if (f)
		fclose(f);
	if (n > 0)
		write_file(kept, text);
}

static void empty(const char *below);

/* A class goes with the groups that are in it. */
static void remove_groups(const char *below, const char *path)
{
	const struct dirent *entry;
	char group[PATH_SIZE];
	DIR *dir = opendir(path);
	while (dir && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.' || snprintf(group, sizeof(group), "%s/mon_groups/%s",
							below, entry->d_name) >= PATH_SIZE)
			continue;
		empty(group);
		(void)!unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR);
	}
	if (dir)
		closedir(dir);
	(void)!rmdir(path);
}

static void empty(const char *below)
{
	char path[PATH_SIZE * 2];
	struct stat st;
	for (size_t i = 0; i < FILES_N; i++) {
		file_path(below, files[i].name, path);
		if (lstat(path, &st) < 0)
			continue;
		if (S_ISDIR(st.st_mode)) {
			remove_groups(below, path);
			continue;
		}
		keep(below, files[i].name, path);
		unlink(path);
	}
}

/* Who has died is in no class. */
static void forget_dead(const char *path)
{
	char text[4096], left[4096] = "", proc[64];
	size_t used = 0;
	FILE *f = fopen(path, "re");
	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;
	text[n] = '\0';
	if (f)
		fclose(f);
	for (const char *line = text; *line;) {
		int size = (int)strcspn(line, "\n");
		snprintf(proc, sizeof(proc), "/proc/%.*s", size, line);
		if (access(proc, F_OK) == 0)
			used += (size_t)snprintf(left + used, sizeof(left) - used, "%.*s\n", size,
						 line);
		line += size + (line[size] == '\n');
	}
	write_file(path, left);
}

static void look_at_tasks(const char *below)
{
	char path[PATH_SIZE * 2], class[PATH_SIZE];
	const char *name = strrchr(below, '/');
	if (strcmp(name, "/tasks") != 0)
		return;
	snprintf(class, sizeof(class), "%.*s", (int)(name - below), below);
	file_path(class, "tasks", path);
	if (access(path, F_OK) < 0)
		return;
	keep(class, "tasks", path);
	forget_dead(path);
}

void resctrl_call_begins(pid_t tid, const struct user_regs_struct *regs)
{
	char below[PATH_SIZE];
	if (regs->orig_rax == SYS_openat && find_name(tid, regs, below))
		look_at_tasks(below);
	if (regs->orig_rax == SYS_unlinkat && (regs->rdx & AT_REMOVEDIR) &&
	    find_name(tid, regs, below))
		empty(below);
}
