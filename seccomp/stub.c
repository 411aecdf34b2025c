/*
 * A program before the program: system calls newer than the profile fail with ENOSYS instead of
 * the profile's errno. A C library tries a new call and falls back to an old one on ENOSYS, but
 * takes EPERM for an answer; so a profile written before the call existed would break programs
 * that only ask. "Newer" is: a number above all that the profile names on that architecture, for
 * numbers are given in the order of time. Only for profiles whose default is another errno; those
 * that kill, trap, trace or notify by default mean it. Pure; runs in the parent.
 */
#include "seccomp/profile.h"

#include <linux/audit.h>
#include <linux/bpf_common.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <string.h>

#define STUB_X32_BIT   0x40000000u /* x32 calls have x86_64's architecture and this bit */
#define STUB_UNLIMITED UINT32_MAX

/* The highest number named, per architecture as the kernel counts them. */
struct stub_limit {
	uint32_t audit_arch;
	uint32_t plain;    /* for numbers without the x32 bit */
	uint32_t with_x32; /* for those with it */
};

/* The highest number, or STUB_UNLIMITED when the profile names no call of this architecture. */
static uint32_t highest_number(const struct spec_seccomp *spec, uint32_t token)
{
	int highest = -1;

	for (size_t i = 0; i < spec->syscalls.n; i++) {
		const struct spec_strv *names = &spec->syscalls.v[i].names;
		for (size_t k = 0; k < names->n; k++) {
			/* Negative numbers stand for calls of other architectures. */
			int n = seccomp_syscall_resolve_name_arch(token, names->v[k].s);
			if (n > highest)
				highest = n;
		}
	}
	return highest < 0 ? STUB_UNLIMITED : (uint32_t)highest;
}

static struct stub_limit *find_limit(struct stub_limit *limits, size_t *n, uint32_t audit_arch)
{
	for (size_t i = 0; i < *n; i++)
		if (limits[i].audit_arch == audit_arch)
			return &limits[i];
	limits[*n] = (struct stub_limit) { audit_arch, STUB_UNLIMITED, STUB_UNLIMITED };
	return &limits[(*n)++];
}

/* An x32 call that the profile does not care for is left to libseccomp, which kills it. */
static size_t find_limits(const struct spec_seccomp *spec, const struct profile_arches *arches,
			  struct stub_limit *limits)
{
	size_t n = 0;

	for (size_t i = 0; i < arches->n; i++) {
		uint32_t token = arches->tokens[i];
		uint32_t highest = highest_number(spec, token);
		bool is_x32 = token == SCMP_ARCH_X32;
		struct stub_limit *limit = find_limit(limits, &n,
						      is_x32 ? (uint32_t)SCMP_ARCH_X86_64 : token);
		if (!is_x32)
			limit->plain = highest;
		if (token != SCMP_ARCH_X86_64)
			limit->with_x32 = highest;
	}
	return n;
}

#define STUB_PER_ARCH 7

/*
 * One architecture; jumps count from the next instruction. `rest` is what follows of the stub:
 * a call that is not newer leaves it for libseccomp's program, which loads what it looks at.
 */
static void write_arch(struct sock_filter *to, const struct stub_limit *limit, uint32_t rest)
{
	const struct sock_filter insns[STUB_PER_ARCH] = {
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, limit->audit_arch, 0, 6),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, STUB_X32_BIT, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, limit->plain, 1, 2),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, limit->with_x32, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_JMP | BPF_JA, rest),
	};
	memcpy(to, insns, sizeof(insns));
}

static bool is_wanted(const struct spec_seccomp *spec)
{
	const struct spec_uint *code = &spec->default_errno_ret;
	return spec->default_action.v == SCMP_ACT_ERRNO(0) && !(code->at && code->v == ENOSYS);
}

struct sock_fprog stub_build(const struct spec_seccomp *spec, const struct profile_arches *arches,
			     struct arena *arena)
{
	if (!is_wanted(spec))
		return (struct sock_fprog) { 0 };
	struct stub_limit *limits = arena_array(arena, arches->n, sizeof(*limits));
	size_t n = find_limits(spec, arches, limits);
	size_t size = 1 + n * STUB_PER_ARCH;
	struct sock_filter *insns = arena_array(arena, size, sizeof(*insns));

	insns[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						offsetof(struct seccomp_data, arch));
	for (size_t i = 0; i < n; i++)
		write_arch(&insns[1 + i * STUB_PER_ARCH], &limits[i],
			   (uint32_t)((n - 1 - i) * STUB_PER_ARCH));
	return (struct sock_fprog) { .len = (unsigned short)size, .filter = insns };
}
