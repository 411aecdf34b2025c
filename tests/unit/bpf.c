/*
 * The interpreter: see the header. The instructions are those that seccomp filters may have
 * (seccomp_check_filter() in the kernel); A, X and the memory are as in Documentation/networking/
 * filter.rst. Runs in a test, with no privilege.
 */
#include "bpf.h"

#include <errno.h>
#include <linux/bpf_common.h>
#include <stdbool.h>
#include <string.h>

struct machine {
	uint32_t a, x;
	uint32_t memory[BPF_MEMWORDS];
	const struct seccomp_data *data;
};

static int load(struct machine *m, const struct sock_filter *i)
{
	switch (i->code) {
	case BPF_LD | BPF_W | BPF_ABS:
		if (i->k % 4 != 0 || i->k >= sizeof(*m->data))
			return -EINVAL;
		memcpy(&m->a, (const char *)m->data + i->k, sizeof(m->a));
		return 0;
	case BPF_LD | BPF_W | BPF_LEN:
		m->a = sizeof(*m->data);
		return 0;
	case BPF_LD | BPF_IMM:
		m->a = i->k;
		return 0;
	case BPF_LDX | BPF_IMM:
		m->x = i->k;
		return 0;
	case BPF_LD | BPF_MEM:
	case BPF_LDX | BPF_MEM:
		if (i->k >= BPF_MEMWORDS)
			return -EINVAL;
		*(BPF_CLASS(i->code) == BPF_LD ? &m->a : &m->x) = m->memory[i->k];
		return 0;
	default:
		return -EINVAL;
	}
}

static int store(struct machine *m, const struct sock_filter *i)
{
	if (i->k >= BPF_MEMWORDS)
		return -EINVAL;
	m->memory[i->k] = BPF_CLASS(i->code) == BPF_ST ? m->a : m->x;
	return 0;
}

static int calculate(struct machine *m, const struct sock_filter *i)
{
	uint32_t v = BPF_SRC(i->code) == BPF_X ? m->x : i->k;

	switch (BPF_OP(i->code)) {
	case BPF_ADD:
		m->a += v;
		return 0;
	case BPF_SUB:
		m->a -= v;
		return 0;
	case BPF_AND:
		m->a &= v;
		return 0;
	case BPF_OR:
		m->a |= v;
		return 0;
	case BPF_XOR:
		m->a ^= v;
		return 0;
	case BPF_NEG:
		m->a = -m->a;
		return 0;
	default: /* libseccomp has no use for the others */
		return -EINVAL;
	}
}

/* How far to jump from the next instruction. */
static int jump(const struct machine *m, const struct sock_filter *i, size_t *ret)
{
	uint32_t v = BPF_SRC(i->code) == BPF_X ? m->x : i->k;
	bool holds;

	switch (BPF_OP(i->code)) {
	case BPF_JA:
		*ret = i->k;
		return 0;
	case BPF_JEQ:
		holds = m->a == v;
		break;
	case BPF_JGT:
		holds = m->a > v;
		break;
	case BPF_JGE:
		holds = m->a >= v;
		break;
	case BPF_JSET:
		holds = (m->a & v) != 0;
		break;
	default:
		return -EINVAL;
	}
	*ret = holds ? i->jt : i->jf;
	return 0;
}

static int step(struct machine *m, const struct sock_filter *i, size_t *ret_skip)
{
	*ret_skip = 0;
	switch (BPF_CLASS(i->code)) {
	case BPF_LD:
	case BPF_LDX:
		return load(m, i);
	case BPF_ST:
	case BPF_STX:
		return store(m, i);
	case BPF_ALU:
		return calculate(m, i);
	case BPF_JMP:
		return jump(m, i, ret_skip);
	case BPF_MISC:
		*(BPF_MISCOP(i->code) == BPF_TAX ? &m->x : &m->a) = BPF_MISCOP(i->code) == BPF_TAX
									    ? m->a
									    : m->x;
		return 0;
	default:
		return -EINVAL;
	}
}

int bpf_run(const struct sock_filter *insns, size_t n, const struct seccomp_data *data,
	    uint32_t *ret_value, unsigned *ret_steps)
{
	struct machine m = { .data = data };
	unsigned steps = 0;

	/* Jumps only go forward, so it ends. */
	for (size_t pc = 0; pc < n; pc++) {
		const struct sock_filter *i = &insns[pc];
		size_t skip = 0;
		steps++;
		if (BPF_CLASS(i->code) == BPF_RET) {
			*ret_value = BPF_RVAL(i->code) == BPF_A ? m.a : i->k;
			if (ret_steps)
				*ret_steps = steps;
			return 0;
		}
		if (step(&m, i, &skip) < 0)
			return -EINVAL;
		pc += skip;
	}
	return -EINVAL; /* ran off the end */
}
