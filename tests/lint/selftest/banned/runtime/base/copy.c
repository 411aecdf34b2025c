/* strcpy(in, a comment) is none, and "sprintf(" in a text is none. */
void copy(char *to, const char *from)
{
	puts("strcat(a, b)");
	strcpy(to, from);
	file_system(to);
	if (atoi (from))
		system(from);
}
