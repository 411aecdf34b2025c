/*
 * The interpreter: eleven 64-bit registers, loads from the context, 32-bit arithmetic and jumps,
 * forward only. Everything else is EBPF_BAD, so a new instruction in device.c must be added here.
 */
#include "ebpf.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct machine {
	uint64_t reg[11];
	const struct bpf_cgroup_dev_ctx *ctx;
};

static bool load(struct machine *m, const struct bpf_insn *i)
{
	uint32_t word;
	if (i->src_reg != BPF_REG_1 || i->off < 0 || (size_t)i->off + 4 > sizeof(*m->ctx))
		return false;
	memcpy(&word, (const char *)m->ctx + i->off, sizeof(word));
	m->reg[i->dst_reg] = word;
	return true;
}

static bool alu(struct machine *m, const struct bpf_insn *i)
{
	uint64_t *dst = &m->reg[i->dst_reg];
	switch (i->code) {
	case BPF_ALU64 | BPF_MOV | BPF_K:
		*dst = (uint64_t)(int64_t)i->imm;
		return true;
	case BPF_ALU | BPF_AND | BPF_K:
		*dst = (uint32_t)*dst & (uint32_t)i->imm;
		return true;
	case BPF_ALU | BPF_RSH | BPF_K:
		*dst = (uint32_t)*dst >> i->imm;
		return true;
	default:
		return false;
	}
}

/* 1: jumps, 0: goes on, EBPF_BAD: not a jump that is known. */
static int jumps(const struct machine *m, const struct bpf_insn *i)
{
	uint32_t dst = (uint32_t)m->reg[i->dst_reg];
	switch (i->code) {
	case BPF_JMP | BPF_JA:
		return 1;
	case BPF_JMP32 | BPF_JNE | BPF_K:
		return dst != (uint32_t)i->imm;
	case BPF_JMP32 | BPF_JSET | BPF_K:
		return (dst & (uint32_t)i->imm) != 0;
	default:
		return EBPF_BAD;
	}
}

int ebpf_run(const struct bpf_insn *insns, size_t n, const struct bpf_cgroup_dev_ctx *ctx)
{
	struct machine m = { .ctx = ctx };
	for (size_t pc = 0; pc < n; pc++) {
		const struct bpf_insn *i = &insns[pc];
		int class = BPF_CLASS(i->code);
		if (i->code == (BPF_JMP | BPF_EXIT))
			return (int)m.reg[0];
		if (class == BPF_JMP || class == BPF_JMP32) {
			int jump = jumps(&m, i);
			if (jump < 0 || i->off < 0)
				return EBPF_BAD;
			pc += jump ? (size_t)i->off : 0;
		} else if (class == BPF_LDX ? !load(&m, i) : !alu(&m, i)) {
			return EBPF_BAD;
		}
	}
	return EBPF_BAD;
}

/* Jumps only lead forward, so one pass finds all that can be reached. */
int ebpf_check(const struct bpf_insn *insns, size_t n)
{
	int r = 0;
	bool *reached = calloc(n + 1, sizeof(*reached));
	if (!reached)
		return EBPF_BAD;
	reached[0] = true;
	for (size_t pc = 0; pc < n && r == 0; pc++) {
		const struct bpf_insn *i = &insns[pc];
		int class = BPF_CLASS(i->code);
		bool is_jump = class == BPF_JMP || class == BPF_JMP32;
		if (!reached[pc])
			r = EBPF_UNREACHABLE;
		if (i->code == (BPF_JMP | BPF_EXIT))
			continue;
		if (i->code != (BPF_JMP | BPF_JA))
			reached[pc + 1] = true;
		if (!is_jump)
			continue;
		if (i->off < 0 || pc + 1 + (size_t)i->off >= n)
			r = EBPF_BAD;
		else
			reached[pc + 1 + (size_t)i->off] = true;
	}
	if (r == 0 && reached[n])
		r = EBPF_BAD; /* runs over the end */
	free(reached);
	return r;
}
