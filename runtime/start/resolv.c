/*
 * Parent: the resolv.conf(5) of a container on a bridge, a file in its state directory that is
 * mounted over the image's. What the host has, but for servers on its loopback, which a container
 * does not reach; where none is left the bridge's own address, for a server of the host's there.
 */
#include "start/bridge.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"

#define RESOLV_SIZE_MAX ((size_t)64 * 1024)

/* "nameserver 192.0.2.1": the address; NULL: the line says something else. */
static const char *server_of(const char *line)
{
	static const char word[] = "nameserver";
	size_t n = strlen(word);
	if (strncmp(line, word, n) != 0 || !strchr(" \t", line[n]) || !line[n])
		return NULL;
	return line + n + strspn(line + n, " \t");
}

static bool is_loopback(const char *server)
{
	return str_has_prefix(server, "127.") || str_has_prefix(server, "::1") ||
	       str_has_prefix(server, "0.0.0.0");
}

/* Whether a server is among what was copied. */
static bool copy(const char *text, struct str *out)
{
	bool found = false;
	for (const char *line = text; *line;) {
		size_t n = strcspn(line, "\n");
		const char *server = server_of(line);
		if (!server || !is_loopback(server)) {
			str_append_n(out, line, n);
			str_append(out, "\n");
			found = found || server;
		}
		line += n + (line[n] == '\n');
	}
	return found;
}

/* A host without the file has no servers to tell of; one that cannot be read may have some. */
static int make_text(const struct start *s, struct str *out, struct err *err)
{
	char *text = NULL;
	size_t size;
	int r = fd_read_file(AT_FDCWD, PLAN_RESOLV_CONF, RESOLV_SIZE_MAX, s->arena, &text, &size,
			     NULL);
	if (r < 0 && r != -ENOENT)
		return err_sys(err, -r, "cannot read the host's '%s'", PLAN_RESOLV_CONF);
	if (!text || !copy(text, out))
		str_printf(out, "nameserver %s\n", bridge_address_text(s->bridge.gateway).s);
	return 0;
}

int resolv_write(const struct start *s, struct err *err)
{
	struct str text;

	str_init(&text, s->arena);
	int r = make_text(s, &text, err);
	if (r < 0)
		return r;
	_cleanup_close_ int fd = openat(s->entry.fd, STATE_RESOLV_FILE,
					O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
					0600);
	r = fd < 0 ? -errno : fd_write_all(fd, text.text, text.used);
	if (r == 0 && fchmod(fd, 0644) < 0) /* the program's user reads it, whatever the umask */
		r = -errno;
	return r < 0 ? err_sys(err, -r, "cannot write the container's resolv.conf") : 0;
}
