/*
 * A classic-BPF interpreter for seccomp filters: what the kernel would answer for a system call,
 * without a kernel. It checks what the kernel's verifier checks as it goes.
 */
#ifndef HULL_TESTS_BPF_H
#define HULL_TESTS_BPF_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Runs the program over one system call. 0 and the SECCOMP_RET_* value with its data, or -EINVAL
 * for a program that the kernel would not take. *ret_steps (may be NULL): instructions executed.
 */
int bpf_run(const struct sock_filter *insns, size_t n, const struct seccomp_data *data,
	    uint32_t *ret_value, unsigned *ret_steps);

#endif
