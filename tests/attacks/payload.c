/*
 * payload WHAT: what the shell in a test's container cannot do by itself.
 *
 *	type TEXT  puts TEXT into the input of the terminal at descriptor 0
 *	keyring    prints the description of the session keyring
 *	rights     prints effective user and permitted capabilities
 *	groups FILE [new]
 *	           gives up all groups and prints FILE; `new`: in a new user namespace, whose maps
 *	           somebody writes before there is a line on standard input
 */
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int type(const char *text)
{
	for (; *text; text++)
		if (ioctl(0, TIOCSTI, text) < 0) {
			perror("TIOCSTI");
			return 1;
		}
	return 0;
}

static int keyring(void)
{
	char text[256] = "";
	long ring = syscall(SYS_keyctl, 0 /* GET_KEYRING_ID */, -3 /* session */, 0);
	if (syscall(SYS_keyctl, 6 /* DESCRIBE */, ring, text, sizeof(text) - 1) < 0)
		perror("keyctl");
	puts(text);
	return 0;
}

static int rights(void)
{
	char line[256];
	FILE *f = fopen("/proc/self/status", "re");
	printf("user %u\n", geteuid());
	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, "CapPrm:", 7) == 0)
			fputs(line, stdout);
	return f && fclose(f) == 0 ? 0 : 1;
}

static int groups(const char *path, int is_new)
{
	char text[256];
	if (is_new && (unshare(CLONE_NEWUSER) < 0 || read(0, text, sizeof(text)) <= 0))
		return 1;
	if (setgroups(0, NULL) < 0)
		perror("setgroups");
	FILE *f = fopen(path, "re");
	if (!f)
		perror("fopen");
	while (f && fgets(text, sizeof(text), f))
		fputs(text, stdout);
	return f && fclose(f) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	if (argc >= 3 && strcmp(argv[1], "groups") == 0)
		return groups(argv[2], argc > 3);
	if (argc == 3 && strcmp(argv[1], "type") == 0)
		return type(argv[2]);
	if (argc == 2 && strcmp(argv[1], "keyring") == 0)
		return keyring();
	if (argc == 2 && strcmp(argv[1], "rights") == 0)
		return rights();
	return 2;
}
