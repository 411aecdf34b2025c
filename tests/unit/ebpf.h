/*
 * An interpreter for the few eBPF instructions that hull's device programs use, so that they can
 * be tested without the kernel. Shared by the unit tests.
 */
#ifndef HULL_TESTS_EBPF_H
#define HULL_TESTS_EBPF_H

#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>

enum {
	EBPF_BAD = -1,         /* an unknown instruction or a jump out of the program */
	EBPF_UNREACHABLE = -2, /* an instruction that no path reaches: the kernel refuses it */
};

/* What the program returns for a request, or EBPF_BAD. */
int ebpf_run(const struct bpf_insn *insns, size_t n, const struct bpf_cgroup_dev_ctx *ctx);

/* The kernel's rules for jumps: 0, EBPF_BAD or EBPF_UNREACHABLE. */
int ebpf_check(const struct bpf_insn *insns, size_t n);

#endif
