/* A test's own directory: see the header. */
#include "tmpdir.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

static void must(int ok, const char *what, const char *name)
{
	if (ok)
		return;
	perror("tmpdir");
	fprintf(stderr, "tmpdir: %s '%s' failed\n", what, name);
	abort();
}

void tmpdir_init(struct tmpdir *t)
{
	snprintf(t->path, sizeof(t->path), "/tmp/hull-unit-XXXXXX");
	must(mkdtemp(t->path) != NULL, "mkdtemp", t->path);
	t->fd = open(t->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	must(t->fd >= 0, "open", t->path);
}

static int remove_one(const char *path, _unused_ const struct stat *st, int type,
		      _unused_ struct FTW *ftw)
{
	return type == FTW_DP ? rmdir(path) : unlink(path);
}

void tmpdir_done(struct tmpdir *t)
{
	fd_close(&t->fd);
	nftw(t->path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

void tmpdir_chmod(struct tmpdir *t, const char *name, mode_t mode)
{
	must(fchmodat(t->fd, name, mode, 0) == 0, "chmod", name);
}

void tmpdir_mkdir(struct tmpdir *t, const char *name, mode_t mode)
{
	must(mkdirat(t->fd, name, 0700) == 0, "mkdir", name);
	tmpdir_chmod(t, name, mode);
}

static void write_file(struct tmpdir *t, const char *name, const void *data, size_t size)
{
	_cleanup_close_ int fd = openat(t->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
					0600);
	must(fd >= 0, "open", name);
	must(fd_write_all(fd, data, size) == 0, "write", name);
}

void tmpdir_write(struct tmpdir *t, const char *name, mode_t mode, const char *text)
{
	write_file(t, name, text, strlen(text));
	tmpdir_chmod(t, name, mode);
}

void tmpdir_write_bytes(struct tmpdir *t, const char *name, const void *data, size_t size)
{
	write_file(t, name, data, size);
	tmpdir_chmod(t, name, 0755);
}

void tmpdir_symlink(struct tmpdir *t, const char *target, const char *name)
{
	must(symlinkat(target, t->fd, name) == 0, "symlink", name);
}

static int is_visible(const struct dirent *e)
{
	return strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
}

static void list_dir(const char *path, const char *prefix, char *buf, size_t size)
{
	struct dirent **entries;
	int n = scandir(path, &entries, is_visible, alphasort);
	must(n >= 0, "scandir", path);
	for (int i = 0; i < n; i++) {
		char sub[4096], name[4096];
		snprintf(sub, sizeof(sub), "%s/%s", path, entries[i]->d_name);
		snprintf(name, sizeof(name), "%s%s", prefix, entries[i]->d_name);
		struct stat st;
		must(lstat(sub, &st) == 0, "lstat", sub);
		size_t used = strlen(buf);
		snprintf(buf + used, size - used, "%s%s%s", used ? " " : "", name,
			 S_ISDIR(st.st_mode)   ? "/"
			 : S_ISLNK(st.st_mode) ? "@"
					       : "");
		if (S_ISDIR(st.st_mode)) {
			strncat(name, "/", sizeof(name) - strlen(name) - 1);
			list_dir(sub, name, buf, size);
		}
		free(entries[i]);
	}
	free(entries);
}

void tmpdir_list(struct tmpdir *t, const char *name, char *buf, size_t size)
{
	char path[4096];
	snprintf(path, sizeof(path), "%s/%s", t->path, name);
	buf[0] = '\0';
	list_dir(path, "", buf, size);
}
