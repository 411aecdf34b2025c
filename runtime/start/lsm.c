/*
 * Child, stage 4: tells the security modules which label the program gets by its execve. hull's
 * own process stays what it was; process 1 of --init takes the label when it has nothing else left.
 *
 * Should: write through a procfs that nothing of the container is mounted in, and see that the
 * kernel has understood the same: a label that went elsewhere would leave the
 * program unconfined. Before pivot, and before the sysctls, which close that procfs.
 * Must not: go on when a label that was asked for is not set.
 */
#include "start/steps.h"

#include <string.h>

#include "base/str.h"
#include "start/proc.h"

static const struct {
	int code;
	const char *hint;
} hints[] = {
	{ ENOENT, "no such profile is loaded; apparmor_parser -r FILE loads one" },
	{ EINVAL, "the policy that is loaded does not know it" },
	{ EACCES, "the policy does not let hull's own process change to it" },
	{ EPERM, "the policy does not let hull's own process change to it" },
};

static int label_failed(const struct plan_label *label, int code, struct err *err)
{
	int r = err_sys(err, code, "cannot set the %s '%s'", label->module, label->name);
	for (size_t i = 0; i < ARRAY_SIZE(hints); i++)
		if (hints[i].code == code)
			err_hint(err, "%s", hints[i].hint);
	err_at(err, label->at);
	return r;
}

/*
 * AppArmor answers "NAME (mode)", SELinux with its own way to write the same label; a name that
 * has more in it than letters may be written in another way by the former, too.
 */
static bool is_understood(const struct plan_label *label, const char *answer)
{
	size_t n = strlen(label->name);
	if (!*answer)
		return false;
	if (label->name == label->value || strpbrk(label->name, ":&/ "))
		return true;
	return strncmp(answer, label->name, n) == 0 && (answer[n] == ' ' || answer[n] == '\0');
}

static int set_label(struct start *s, size_t index, struct err *err)
{
	const struct plan_label *label = &s->plan->labels[index];
	char answer[4096];

	int r = proc_write(s->proc_fd, label->file, label->value);
	if (r < 0)
		return label_failed(label, -r, err);
	r = proc_read(s->proc_fd, label->file, answer, sizeof(answer));
	if (r < 0)
		return label_failed(label, -r, err);
	if (is_understood(label, answer)) {
		r = init_open_label(s, index);
		return r < 0 ? label_failed(label, -r, err) : 0;
	}
	err_say(err, ERR_HOST, EPROTO, "the %s '%s' is not set: the kernel says '%.200s'",
		label->module, label->name, answer);
	err_at(err, label->at);
	return -EPROTO;
}

int lsm_set_labels(struct start *s, struct err *err)
{
	for (size_t i = 0; i < s->plan->labels_n; i++) {
		int r = set_label(s, i, err);
		if (r < 0)
			return r;
	}
	return 0;
}
