/* A path below the root file system, joined and used by name; *at calls are what is wanted. */
int bad(const char *path)
{
	if (mkdir(path, 0755) < 0)
		return -1;
	return mount("tmpfs", path, "tmpfs", 0, "");
}

int good(int dirfd)
{
	return mkdirat(dirfd, "a", 0755) + cgroup_open(dirfd);
}
