/*
 * Loads a device program and attaches it to a cgroup, and detaches those of earlier containers,
 * through bpf(2) itself. Runs in the parent
 * before the container exists, with CAP_BPF or CAP_SYS_ADMIN. There is no way on without it: a
 * program exists only when something is denied. RLIMIT_MEMLOCK is never touched: since
 * 5.11 the kernel does not count programs there.
 */
#include "cgroup/limits.h"

#include <assert.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/fd.h"
#include "base/str.h"

#define PROGRAM_NAME "hull_devices" /* at most 15 characters; "" would be nobody's */
#define PROGRAMS_MAX 64             /* of a cgroup: the kernel's BPF_CGROUP_MAX_PROGS */

static_assert(sizeof(PROGRAM_NAME) <= BPF_OBJ_NAME_LEN, "the kernel would refuse the name");

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
	memcpy(attr.prog_name, PROGRAM_NAME, sizeof(PROGRAM_NAME));
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

int device_load(const struct bpf_insn *insns, size_t n, struct err *err)
{
	int program = load(insns, n, NULL, 0);
	return program < 0 ? load_error(insns, n, -program, err) : program;
}

/*
 * BPF_F_ALLOW_MULTI: programs of parents and of the container's own children still count.
 * `replaced` is one that is attached there, or -EBADF.
 */
static int attach(int fd, int program, int replaced, struct err *err)
{
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	attr.target_fd = (uint32_t)fd;
	attr.attach_bpf_fd = (uint32_t)program;
	attr.attach_type = BPF_CGROUP_DEVICE;
	attr.attach_flags = BPF_F_ALLOW_MULTI;
	if (replaced >= 0) {
		attr.attach_flags |= BPF_F_REPLACE;
		attr.replace_bpf_fd = (uint32_t)replaced;
	}
	int r = bpf_call(BPF_PROG_ATTACH, &attr);
	if (r < 0)
		return err_sys(err, -r, "cannot attach the device program to the cgroup");
	return 0;
}

int device_attach(int fd, const struct bpf_insn *insns, size_t n, struct err *err)
{
	_cleanup_close_ int program = device_load(insns, n, err);
	return program < 0 ? program : attach(fd, program, -EBADF, err);
}

/* ---- detaching ---- */

/* Failures of BPF_PROG_QUERY that are none, and why. */
static const struct {
	int code;
	const char *why;
} query_tolerated[] = {
	{ EPERM, "who may not look cannot have attached anything; what others have only denies" },
	{ EINVAL, "a kernel without CONFIG_CGROUP_BPF has no programs" },
	{ ENOSYS, "a kernel without bpf(2) has no programs" },
};

/* The ids of the device programs that are attached to the cgroup itself. Their number, or -errno.
 */
static int query(int fd, uint32_t ids[PROGRAMS_MAX])
{
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	attr.query.target_fd = (uint32_t)fd;
	attr.query.attach_type = BPF_CGROUP_DEVICE;
	attr.query.prog_ids = (uint64_t)(uintptr_t)ids;
	attr.query.prog_cnt = PROGRAMS_MAX;
	int r = bpf_call(BPF_PROG_QUERY, &attr);
	for (size_t i = 0; i < ARRAY_SIZE(query_tolerated); i++)
		if (r == -query_tolerated[i].code)
			return 0;
	return r < 0 ? r : (int)attr.query.prog_cnt;
}

static int open_program(uint32_t id)
{
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	attr.prog_id = id;
	return bpf_call(BPF_PROG_GET_FD_BY_ID, &attr);
}

/* 1 when the program is one of hull's, 0 when it is not, or -errno. */
static int is_own(int program)
{
	struct bpf_prog_info info;
	union bpf_attr attr;
	memset(&info, 0, sizeof(info));
	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = (uint32_t)program;
	attr.info.info_len = sizeof(info);
	attr.info.info = (uint64_t)(uintptr_t)&info;
	int r = bpf_call(BPF_OBJ_GET_INFO_BY_FD, &attr);
	return r < 0 ? r : str_eq(info.name, PROGRAM_NAME);
}

static int detach_own(int fd, uint32_t id)
{
	_cleanup_close_ int program = open_program(id);
	if (program == -ENOENT) /* somebody else has detached it meanwhile */
		return 0;
	int r = program < 0 ? program : is_own(program);
	if (r <= 0)
		return r;
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	attr.target_fd = (uint32_t)fd;
	attr.attach_bpf_fd = (uint32_t)program;
	attr.attach_type = BPF_CGROUP_DEVICE;
	r = bpf_call(BPF_PROG_DETACH, &attr);
	return r == -ENOENT ? 0 : r;
}

int cgroup_device_detach(int fd, struct err *err)
{
	uint32_t ids[PROGRAMS_MAX] = { 0 };
	int n = query(fd, ids);
	if (n < 0)
		return err_sys(err, -n, "cannot list the device programs of the cgroup");
	for (int i = 0; i < n; i++) {
		int r = detach_own(fd, ids[i]);
		if (r < 0)
			return err_sys(err, -r,
				       "cannot detach an old device program from the cgroup");
	}
	return 0;
}

/* ---- replacing ---- */

/* The first of hull's own among them; *ret_fd is -EBADF when there is none. */
static int find_own(const uint32_t *ids, int n, int *ret_fd)
{
	for (int i = 0; i < n; i++) {
		_cleanup_close_ int program = open_program(ids[i]);
		if (program == -ENOENT)
			continue;
		int r = program < 0 ? program : is_own(program);
		if (r < 0)
			return r;
		if (r == 0)
			continue;
		*ret_fd = fd_take(&program);
		return i;
	}
	return n;
}

/* There is one earlier program, but for what a killed update has left. */
int device_swap(int fd, int program, struct err *err)
{
	uint32_t ids[PROGRAMS_MAX] = { 0 };
	_cleanup_close_ int old = -EBADF;
	int n = query(fd, ids);
	if (n < 0)
		return err_sys(err, -n, "cannot list the device programs of the cgroup");
	int first = find_own(ids, n, &old);
	if (first < 0)
		return err_sys(err, -first, "cannot look at the device programs of the cgroup");
	int r = program < 0 ? 0 : attach(fd, program, old, err);
	for (int i = program < 0 ? first : first + 1; r == 0 && i < n; i++) {
		r = detach_own(fd, ids[i]);
		if (r < 0)
			r = err_sys(err, -r, "cannot detach an old device program from the cgroup");
	}
	return r;
}
