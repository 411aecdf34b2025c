/*
 * The loopback interface of a new network namespace exists, but is down. Two ioctls bring it up
 * (netdevice(7)): they need no message to be built, no answer to be waited for, and no library.
 * Runs in the child between clone and exec, with CAP_NET_ADMIN over the new namespace.
 */
#include "netns/netns.h"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static int set_up(void)
{
	struct ifreq request = { .ifr_name = "lo" };
	/* Any socket will do: it only says which network namespace is meant. */
	_cleanup_close_ int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock < 0 || ioctl(sock, SIOCGIFFLAGS, &request) < 0)
		return -errno;
	request.ifr_flags |= IFF_UP;
	return ioctl(sock, SIOCSIFFLAGS, &request) < 0 ? -errno : 0;
}

int netns_loopback_up(struct err *err)
{
	int r = set_up();
	if (r == 0)
		return 0;
	err_sys(err, -r, "cannot bring up the loopback interface of the new network namespace");
	if (r == -EPERM)
		err_hint(err, "this takes CAP_NET_ADMIN in the user namespace that owns it");
	return r;
}
