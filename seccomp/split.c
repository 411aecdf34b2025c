/*
 * A filter that notifies, as two. The listener comes with the filter, and must be passed on before
 * the program runs, by system calls that the profile may forbid. So the child loads first what
 * notifies and forbids nothing, passes the listener on, and then loads what forbids. The kernel
 * runs both for each call and does the stricter thing; and as both are copies of the one program
 * with other last words, each call ends at the same instruction of both: at most one of them has
 * something to say. Pure; runs in the parent.
 */
#include "seccomp/listen.h"

#include <linux/bpf_common.h>
#include <linux/seccomp.h>
#include <string.h>

static bool notifies(const struct sock_filter *insn)
{
	return (insn->k & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_USER_NOTIF;
}

/* A copy in which all that is returned is "allowed", but to notify, or else but all the rest. */
static struct seccomp_filter copy(const struct seccomp_filter *whole, bool keeps_notify,
				  struct arena *arena)
{
	struct seccomp_filter part = *whole;

	part.insns = arena_array(arena, whole->len, sizeof(*part.insns));
	for (size_t i = 0; i < whole->len; i++) {
		part.insns[i] = whole->insns[i];
		if (part.insns[i].code == (BPF_RET | BPF_K) &&
		    notifies(&part.insns[i]) != keeps_notify)
			part.insns[i].k = SECCOMP_RET_ALLOW;
	}
	return part;
}

void seccomp_split(const struct seccomp_filter *whole, struct arena *arena,
		   struct seccomp_pair *ret)
{
	ret->notify = copy(whole, true, arena);
	ret->rest = copy(whole, false, arena);
	ret->rest.has_notify = false;
}
