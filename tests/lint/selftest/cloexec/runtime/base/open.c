/* Calls without the flag, and such as carry it. */
int bad(const char *path)
{
	int fd = open(path, O_RDONLY);

	fd = openat(AT_FDCWD, path,
		    O_RDONLY | O_DIRECTORY);
	fd = dup(fd);
	return fcntl(fd, F_DUPFD, 3);
}

int bad_by_struct(const char *path, struct open_how *how)
{
	return (int)syscall(SYS_openat2, AT_FDCWD, path, how, sizeof(*how));
}

int good(const char *path)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC };
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	fd = openat(fd, path,
		    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (fcntl(fd, F_GETFD) < 0)
		return -1;
	return (int)syscall(SYS_openat2, fd, path, &how, sizeof(how));
}

int bad_nothing(const char *path)
{
	return open(path, 0);
}

int good_variable(const char *path)
{
	unsigned flags = OPEN_TREE_CLOEXEC;

	return open_tree(AT_FDCWD, path, flags);
}
