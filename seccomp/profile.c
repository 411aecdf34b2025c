/*
 * From a profile to BPF: the values of config.json become libseccomp's, libseccomp makes the
 * program, the stub (stub.c) is put before it, and shorten.c makes it short. Runs in the parent
 * before anything is created, with the caller's privilege; it changes nothing outside the arena.
 */
#include "seccomp/profile.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/fd.h"

#define PROFILE_ARGS      6     /* of a system call, and so of a rule */
#define PROFILE_RULES_MAX 16384 /* of one name and one condition or none */

static void defer_release(scmp_filter_ctx *ctx)
{
	seccomp_release(*ctx);
}
#define _cleanup_filter_ _cleanup_(defer_release)

/* ---- rules ---- */

/* One rule of the profile on its way to libseccomp, for one architecture. */
struct profile_rule {
	scmp_filter_ctx ctx;
	uint32_t arch;
	const struct spec_seccomp_rule *spec;
	uint32_t action;
	unsigned n; /* conditions that must all hold */
	struct scmp_arg_cmp conditions[PROFILE_ARGS];
};

static int read_condition(const struct spec_seccomp_arg *arg, struct scmp_arg_cmp *ret,
			  struct err *err)
{
	if (arg->index.v >= PROFILE_ARGS) {
		int r = err_say(err, ERR_CONFIG, EINVAL,
				"a system call has no argument %llu, only 0 to %d",
				(unsigned long long)arg->index.v, PROFILE_ARGS - 1);
		err_at(err, arg->index.at);
		return r;
	}
	*ret = (struct scmp_arg_cmp) { .arg = (unsigned)arg->index.v,
				       .op = (enum scmp_compare)arg->op.v,
				       .datum_a = arg->value.v,
				       /* MASKED_EQ: value is the mask, valueTwo what must remain */
				       .datum_b = arg->value_two.v };
	return 0;
}

static bool repeats_index(const struct spec_seccomp_rule *rule)
{
	uint64_t seen = 0;
	for (size_t i = 0; i < rule->args.n; i++) {
		uint64_t bit = 1ull << (rule->args.v[i].index.v & 63);
		if (seen & bit)
			return true;
		seen |= bit;
	}
	return false;
}

/*
 * Where calls go through a multiplexer (socketcall of i386), libseccomp adds every rule a second
 * time for that, but cannot look at the arguments behind its pointer: rules that differ only in
 * these contradict each other there. podman's rules for `socket` do, without CAP_AUDIT_WRITE. An
 * ALLOW may then be left out on this architecture: less is allowed, never more.
 */
static bool is_spared(const struct profile_rule *rule, const char *name, int code)
{
	return code == EEXIST && rule->n > 0 && rule->action == SCMP_ACT_ALLOW &&
	       seccomp_syscall_resolve_name_arch(rule->arch, name) < 0;
}

static int refuse_rule(const struct profile_rule *rule, const struct spec_str *name, int code,
		       struct err *err)
{
	int r = code == EEXIST
			? err_say(err, ERR_CONFIG, code,
				  "the seccomp rule for '%s' contradicts an earlier one with the "
				  "same condition",
				  name->s)
			: err_sys(err, code, "cannot add the seccomp rule for '%s'", name->s);
	err_at(err, name->at ? name->at : rule->spec->at);
	return r;
}

/*
 * Names that this libseccomp does not know are passed over (S-210; seccomp_check() tells about
 * them). One that exists on other architectures only is a negative number, which it takes too.
 */
static int add_names(const struct profile_rule *rule, struct err *err)
{
	const struct spec_strv *names = &rule->spec->names;

	for (size_t i = 0; i < names->n; i++) {
		int number = seccomp_syscall_resolve_name(names->v[i].s);
		if (number == __NR_SCMP_ERROR)
			continue;
		int r = seccomp_rule_add_array(rule->ctx, rule->action, number, rule->n,
					       rule->conditions);
		if (r < 0 && !is_spared(rule, names->v[i].s, -r))
			return refuse_rule(rule, &names->v[i], -r, err);
	}
	return 0;
}

/* libseccomp takes one condition per argument; several for one are alternatives (S-211). */
static int add_alternatives(struct profile_rule *rule, struct err *err)
{
	rule->n = 1;
	for (size_t i = 0; i < rule->spec->args.n; i++) {
		int r = read_condition(&rule->spec->args.v[i], &rule->conditions[0], err);
		if (r == 0)
			r = add_names(rule, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The rule has its filter and architecture; this reads the rest and adds it. */
static int add_rule(struct profile_rule *rule, uint32_t default_action, struct err *err)
{
	const struct spec_seccomp_rule *spec = rule->spec;

	int r = profile_action(&spec->action, &spec->errno_ret, &rule->action, err);
	if (r < 0)
		return r;
	if (rule->action == default_action) /* says nothing new, and libseccomp refuses it */
		return 0;
	if (repeats_index(spec))
		return add_alternatives(rule, err);
	for (size_t i = 0; i < spec->args.n; i++) {
		r = read_condition(&spec->args.v[i], &rule->conditions[i], err);
		if (r < 0)
			return r;
	}
	rule->n = (unsigned)spec->args.n;
	return add_names(rule, err);
}

/* ---- the program ---- */

/*
 * The binary tree is for programs that shorten.c leaves alone. no_new_privs is the plan's
 * to set, not the filter's. A foreign architecture keeps libseccomp's answer, the death of the
 * thread: its numbers mean other calls than those that the profile allows.
 */
static int set_attributes(scmp_filter_ctx ctx, struct err *err)
{
	static const struct {
		enum scmp_filter_attr attr;
		uint32_t value;
	} attributes[] = {
		{ SCMP_FLTATR_API_SYSRAWRC, 1 }, /* true errnos instead of ECANCELED */
		{ SCMP_FLTATR_CTL_NNP, 0 },
		{ SCMP_FLTATR_CTL_OPTIMIZE, 2 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++) {
		int r = seccomp_attr_set(ctx, attributes[i].attr, attributes[i].value);
		if (r < 0)
			return err_sys(err, -r, "cannot set up libseccomp");
	}
	return 0;
}

/* An empty filter for one architecture. */
static int new_context(const struct spec_seccomp *spec, uint32_t arch, uint32_t action,
		       scmp_filter_ctx *ret, struct err *err)
{
	_cleanup_filter_ scmp_filter_ctx ctx = seccomp_init(action);
	if (!ctx)
		return err_say(err, ERR_HOST, EINVAL,
			       "libseccomp refuses the default action 0x%08x", action);
	int r = set_attributes(ctx, err);
	if (r < 0)
		return r;
	if (arch != seccomp_arch_native()) {
		r = seccomp_arch_add(ctx, arch);
		if (r == 0)
			r = seccomp_arch_remove(ctx, seccomp_arch_native());
	}
	if (r < 0) {
		r = err_sys(err, -r, "cannot add a seccomp architecture");
		err_at(err, spec->architectures.at);
		return r;
	}
	*ret = ctx;
	ctx = NULL;
	return 0;
}

static int build_for_arch(const struct spec_seccomp *spec, uint32_t arch, scmp_filter_ctx *ret,
			  struct err *err)
{
	_cleanup_filter_ scmp_filter_ctx ctx = NULL;
	uint32_t action;

	int r = profile_action(&spec->default_action, &spec->default_errno_ret, &action, err);
	if (r == 0)
		r = new_context(spec, arch, action, &ctx, err);
	for (size_t i = 0; r == 0 && i < spec->syscalls.n; i++) {
		struct profile_rule rule = { .ctx = ctx,
					     .arch = arch,
					     .spec = &spec->syscalls.v[i] };
		r = add_rule(&rule, action, err);
	}
	if (r < 0)
		return r;
	*ret = ctx;
	ctx = NULL;
	return 0;
}

/*
 * A filter has at most 4096 instructions. Many more rules fit only when they are the same again and
 * again, which would keep libseccomp, and with it hull, at work for minutes.
 */
static int check_size(const struct spec_seccomp *spec, struct err *err)
{
	size_t n = 0;
	for (size_t i = 0; i < spec->syscalls.n; i++) {
		const struct spec_seccomp_rule *rule = &spec->syscalls.v[i];
		n += rule->names.n * (rule->args.n ? rule->args.n : 1);
		if (n <= PROFILE_RULES_MAX)
			continue;
		err_say(err, ERR_LIMIT, E2BIG, "the seccomp profile has more than %d rules",
			PROFILE_RULES_MAX);
		err_hint(err, "the kernel takes no filter of more than 4096 instructions");
		err_at(err, rule->at);
		return -E2BIG;
	}
	return 0;
}

/* A filter for each architecture, so that one that cannot take a rule does not stop the others. */
static int build_context(const struct spec_seccomp *spec, const struct profile_arches *arches,
			 scmp_filter_ctx *ret, struct err *err)
{
	_cleanup_filter_ scmp_filter_ctx all = NULL;

	int r = build_for_arch(spec, arches->tokens[0], &all, err);
	for (size_t i = 1; r == 0 && i < arches->n; i++) {
		_cleanup_filter_ scmp_filter_ctx one = NULL;
		r = build_for_arch(spec, arches->tokens[i], &one, err);
		if (r < 0)
			break;
		r = seccomp_merge(all, one);
		if (r < 0)
			return err_sys(err, -r, "cannot join the filters of two architectures");
		one = NULL; /* released by the merge */
	}
	if (r < 0)
		return r;
	*ret = all;
	all = NULL;
	return 0;
}

/* libseccomp writes to a file only (2.5); one in memory that nobody else can open. */
static int export_to_file(scmp_filter_ctx ctx, int *ret_fd, size_t *ret_n, struct err *err)
{
	struct stat st;
	_cleanup_close_ int fd = memfd_create("seccomp", MFD_CLOEXEC);
	if (fd < 0)
		return err_sys(err, errno, "cannot make a file in memory");
	int r = seccomp_export_bpf(ctx, fd);
	if (r < 0)
		return err_sys(err, -r, "cannot generate the seccomp filter");
	if (fstat(fd, &st) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(err, errno, "cannot read the seccomp filter back");
	*ret_n = (size_t)st.st_size / sizeof(struct sock_filter);
	*ret_fd = fd_take(&fd);
	return 0;
}

static int refuse_size(size_t n, struct err *err)
{
	return err_say(err, ERR_LIMIT, E2BIG,
		       "the seccomp profile makes %zu instructions, the kernel takes %d", n,
		       BPF_MAXINSNS);
}

/* The stub and libseccomp's program as one. */
static int generate(scmp_filter_ctx ctx, const struct sock_fprog *stub, struct arena *arena,
		    struct seccomp_filter *filter, struct err *err)
{
	_cleanup_close_ int fd = -EBADF;
	size_t n = 0;

	int r = export_to_file(ctx, &fd, &n, err);
	if (r < 0)
		return r;
	if (stub->len + n > UINT16_MAX)
		return refuse_size(stub->len + n, err);
	struct sock_filter *insns = arena_array(arena, stub->len + n, sizeof(*insns));
	if (stub->len > 0)
		memcpy(insns, stub->filter, stub->len * sizeof(*insns));
	ssize_t size = fd_read_all(fd, insns + stub->len, n * sizeof(*insns));
	if (size != (ssize_t)(n * sizeof(*insns)))
		return err_sys(err, size < 0 ? (int)-size : EIO,
			       "cannot read the seccomp filter back");
	filter->insns = insns;
	filter->len = (unsigned short)(stub->len + n);
	return 0;
}

int seccomp_compile(const struct spec_seccomp *spec, struct arena *arena,
		    struct seccomp_filter *ret, struct err *err)
{
	_cleanup_filter_ scmp_filter_ctx ctx = NULL;
	struct seccomp_filter filter = { 0 };
	struct profile_arches arches = { 0 };

	if (!spec->at) {
		*ret = filter;
		return 0;
	}
	int r = profile_flags(spec, &filter, err);
	if (r == 0)
		r = profile_arches(spec, arena, &arches, err);
	if (r == 0)
		r = check_size(spec, err);
	if (r == 0)
		r = build_context(spec, &arches, &ctx, err);
	if (r < 0)
		return r;
	filter.has_unknown = profile_has_unknown(spec);
	const struct sock_fprog stub = stub_build(spec, &arches, arena);
	r = generate(ctx, &stub, arena, &filter, err);
	if (r < 0)
		return r;
	shorten_program(&filter, arena);
	if (filter.len > BPF_MAXINSNS)
		return refuse_size(filter.len, err);
	*ret = filter;
	return 0;
}

int seccomp_prepare(const struct spec_seccomp *spec, int cache_dirfd, struct arena *arena,
		    struct seccomp_filter *ret, struct err *err)
{
	struct seccomp_filter filter = { 0 };
	struct str key;

	if (!spec->at || cache_dirfd < 0)
		return seccomp_compile(spec, arena, ret, err);
	int r = profile_flags(spec, &filter, err);
	if (r < 0)
		return r;
	str_init(&key, arena);
	key_write(spec, &key);
	if (cache_load(cache_dirfd, &key, arena, &filter)) {
		filter.from_cache = true;
		*ret = filter;
		return 0;
	}
	r = seccomp_compile(spec, arena, ret, err);
	if (r == 0)
		cache_store(cache_dirfd, &key, ret);
	return r;
}
