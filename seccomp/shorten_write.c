/*
 * Writing a program for shorten.c, from its end to its beginning: jumps go forward only, so where
 * they lead to stands already; and what stands already, with the same way on, is not written
 * again. Pure; runs in the parent.
 */
#include <string.h>

#include "seccomp/shorten.h"

static size_t put(struct shorten_target *target, struct sock_filter insn)
{
	if (target->at == 0)
		target->is_full = true;
	else
		target->insns[--target->at] = insn;
	return target->at;
}

size_t shorten_put_return(struct shorten_target *target, uint32_t value)
{
	for (size_t at = target->at; at < BPF_MAXINSNS; at++)
		if (target->insns[at].code == (BPF_RET | BPF_K) && target->insns[at].k == value)
			return at;
	return put(target, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, value));
}

size_t shorten_put_way(struct shorten_target *target, size_t to)
{
	uint32_t distance = (uint32_t)(to - target->at);
	return put(target, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, distance));
}

/* A place with the same effect that the next conditional jump reaches: 255 is the furthest. */
static size_t bring_near(struct shorten_target *target, size_t to)
{
	const struct sock_filter *insn = &target->insns[to];

	if (to - target->at < 250)
		return to;
	return insn->code == (BPF_RET | BPF_K) ? put(target, *insn) : shorten_put_way(target, to);
}

/* What goes on with `next`, and stands before it already or is put there. */
size_t shorten_put_before(struct shorten_target *target, struct sock_filter insn, size_t next)
{
	if (next > 0 && next - 1 >= target->at &&
	    memcmp(&target->insns[next - 1], &insn, sizeof(insn)) == 0)
		return next - 1;
	if (next != target->at)
		shorten_put_way(target, next);
	return put(target, insn);
}

static bool is_jump(const struct shorten_target *target, size_t at, const struct sock_filter *like,
		    size_t yes, size_t no)
{
	const struct sock_filter *insn = &target->insns[at];
	return insn->code == like->code && insn->k == like->k && at + 1 + insn->jt == yes &&
	       at + 1 + insn->jf == no;
}

size_t shorten_put_jump(struct shorten_target *target, const struct sock_filter *like, size_t yes,
			size_t no)
{
	if (yes == no)
		return yes;
	for (size_t at = target->at; at < BPF_MAXINSNS; at++)
		if (is_jump(target, at, like, yes, no))
			return at;
	yes = bring_near(target, yes);
	no = bring_near(target, no);
	return put(target,
		   (struct sock_filter)BPF_JUMP(like->code, like->k, (uint8_t)(yes - target->at),
						(uint8_t)(no - target->at)));
}
