/*
 * The last signal that `hull kill` has sent to a container, for the one who sees its end: the
 * kernel does not tell who has sent it. Written without a lock by the sender, right before the
 * signal; a note that is missing, or of another process, says nothing. With the caller's rights.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "state/parts.h"

#define KILLED_NOTE_SIZE 128

/* Who has called hull; its name proves nothing. */
static void find_caller(char *buf, size_t size)
{
	char path[32];
	snprintf(path, sizeof(path), "/proc/%d/comm", (int)getppid());
	if (fd_read_value(AT_FDCWD, path, buf, size) < 0)
		buf[0] = '\0';
}

void state_note_kill(const struct state_store *store, const struct state *state, int signal)
{
	char path[STATE_ID_SIZE + sizeof("/" STATE_KILL_FILE)], note[KILLED_NOTE_SIZE], name[32];
	find_caller(name, sizeof(name));
	snprintf(path, sizeof(path), "%s/" STATE_KILL_FILE, state->id);
	int n = snprintf(note, sizeof(note), "%d %d %d %u %s\n", (int)state->pid, signal,
			 (int)getppid(), (unsigned)getuid(), name);
	_cleanup_close_ int fd = openat(
		store->fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0 && n > 0 && n < (int)sizeof(note))
		(void)!fd_write_all(fd, note, (size_t)n);
}

/* The next of the numbers that the note begins with. */
static uint64_t take_number(char **text)
{
	return strtoull(*text, text, 10);
}

bool state_find_kill(const struct state_entry *entry, pid_t pid, int signal,
		     struct exitinfo_origin *ret)
{
	char note[KILLED_NOTE_SIZE], *rest = note;
	if (entry->fd < 0 || fd_read_value(entry->fd, STATE_KILL_FILE, note, sizeof(note)) < 0)
		return false;
	if (take_number(&rest) != (uint64_t)pid || take_number(&rest) != (uint64_t)signal)
		return false;
	*ret = (struct exitinfo_origin) { .kind = EXITINFO_SENDER_KILL };
	ret->pid = take_number(&rest);
	ret->uid = take_number(&rest);
	rest += *rest == ' ';
	exitinfo_set_text(ret->name, sizeof(ret->name), rest, strlen(rest));
	return true;
}
