/*
 * payload WHAT: what the shell in a test's container cannot do by itself.
 *
 *	type TEXT  puts TEXT into the input of the terminal at descriptor 0
 *	keyring    prints the description of the session keyring
 *	rights     prints effective user and permitted capabilities
 */
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

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "type") == 0)
		return type(argv[2]);
	if (argc == 2 && strcmp(argv[1], "keyring") == 0)
		return keyring();
	if (argc == 2 && strcmp(argv[1], "rights") == 0)
		return rights();
	return 2;
}
