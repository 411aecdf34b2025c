/*
 * Loads a device program and attaches it to a cgroup, through bpf(2) itself. Runs in the parent
 * before the container exists, with CAP_BPF or CAP_SYS_ADMIN. There is no way on without it: a
 * program exists only when something is denied. RLIMIT_MEMLOCK is never touched: since
 * 5.11 the kernel does not count programs there.
 */
#include "cgroup/limits.h"

#include <assert.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/fd.h"

/*
 * The kernel may write back beyond the members that an old header knows, so bpf(2) always
 * gets the whole union.
 */
static_assert(sizeof(union bpf_attr) >= 64, "bpf_attr is too small for the kernel's answers");

static int bpf_call(int cmd, union bpf_attr *attr)
{
	long r = syscall(SYS_bpf, cmd, attr, sizeof(*attr));
	return r < 0 ? -errno : (int)r;
}

static int load(const struct bpf_insn *insns, size_t n, char *log, size_t log_size)
{
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	attr.insns = (uint64_t)(uintptr_t)insns;
	attr.insn_cnt = (uint32_t)n;
	attr.license = (uint64_t)(uintptr_t) "Apache-2.0";
	memcpy(attr.prog_name, "hull_devices", sizeof("hull_devices"));
	if (log) {
		attr.log_level = 1;
		attr.log_buf = (uint64_t)(uintptr_t)log;
		attr.log_size = (uint32_t)log_size;
	}
	return bpf_call(BPF_PROG_LOAD, &attr);
}

/* A program that the verifier refuses is loaded once more to hear why. */
static int load_error(const struct bpf_insn *insns, size_t n, int code, struct err *err)
{
	char log[4096] = "";
	if (code == EINVAL || code == EACCES) {
		int fd = load(insns, n, log, sizeof(log));
		fd_close(&fd);
	}
	int r = err_sys(err, code, "cannot load the device program into the kernel");
	if (log[0])
		err_kernel(err, "%.400s", log);
	if (code == EPERM)
		err_hint(err, "device rules need CAP_SYS_ADMIN or CAP_BPF and CAP_NET_ADMIN in the "
			      "initial user namespace");
	return r;
}

/* BPF_F_ALLOW_MULTI: programs of parents and of the container's own children still count. */
int device_attach(int fd, const struct bpf_insn *insns, size_t n, struct err *err)
{
	_cleanup_close_ int program = load(insns, n, NULL, 0);
	if (program < 0)
		return load_error(insns, n, -program, err);
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	attr.target_fd = (uint32_t)fd;
	attr.attach_bpf_fd = (uint32_t)program;
	attr.attach_type = BPF_CGROUP_DEVICE;
	attr.attach_flags = BPF_F_ALLOW_MULTI;
	int r = bpf_call(BPF_PROG_ATTACH, &attr);
	if (r < 0)
		return err_sys(err, -r, "cannot attach the device program to the cgroup");
	return 0;
}
