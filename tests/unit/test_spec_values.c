/*
 * What a config.json says arrives in struct spec: values, places, what is absent, and the
 * constants that names stand for. Also the template of `hull spec`.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/ioprio.h>
#include <linux/mempolicy.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <cmocka.h>

#include "spec/spec.h"

struct fixture {
	struct arena arena;
	struct spec spec;
	struct spec_problems problems;
	struct err err;
};

/* Parses a config that must be fine; ' stands for ". */
static void parse(struct fixture *f, const char *text)
{
	memset(f, 0, sizeof(*f));
	arena_init(&f->arena);
	char *json = arena_strdup(&f->arena, text);
	for (char *c = json; *c; c++)
		if (*c == '\'')
			*c = '"';
	int r = spec_parse(&f->arena, "config.json", json, strlen(json), &f->spec, &f->problems,
			   &f->err);
	if (r != 0)
		fail_msg("%u:%u: %s: %s", f->err.line, f->err.column, f->err.path, f->err.message);
	assert_int_equal(f->problems.warnings, 0);
}

#define CONFIG(members) \
	"{'ociVersion': '1.3.0', 'root': {'path': 'r', 'readonly': true}," members "}"

static void test_absent(void **state _unused_)
{
	struct fixture f;
	parse(&f, CONFIG("'hostname': null, 'domainname': ''"));
	assert_string_equal(f.spec.oci_version.s, "1.3.0");
	assert_int_equal(f.spec.oci_version.at, 16);
	assert_string_equal(f.spec.root.path.s, "r");
	assert_true(f.spec.root.readonly.v);
	assert_int_equal(f.spec.hostname.at, 0);
	assert_null(f.spec.hostname.s);
	assert_int_equal(f.spec.domainname.at, 0);
	assert_int_equal(f.spec.process.at, 0);
	assert_int_equal(f.spec.mounts.at, 0);
	assert_int_equal(f.spec.linux.at, 0);
	assert_null(spec_find_namespace(&f.spec, SPEC_NS_PID));
	assert_null(spec_find_annotation(&f.spec, "x"));
	arena_done(&f.arena);
}

static void test_process(void **state _unused_)
{
	struct fixture f;
	parse(&f,
	      CONFIG("'process': {'terminal': true, 'consoleSize': {'height': 24, 'width': 80},"
		     "'user': {'uid': 1, 'gid': 2, 'umask': 63, 'additionalGids': [3, 4]},"
		     "'args': ['sh', '-c'], 'env': ['A=b', 'C'], 'cwd': '/x',"
		     "'noNewPrivileges': false, 'oomScoreAdj': -5, 'apparmorProfile': 'a',"
		     "'selinuxLabel': 's',"
		     "'rlimits': [{'type': 'RLIMIT_NOFILE', 'soft': 1, 'hard': 2}],"
		     "'capabilities': {'bounding': ['CAP_KILL'], 'ambient': []},"
		     "'scheduler': {'policy': 'SCHED_DEADLINE', 'runtime': 1024,"
		     "'deadline': 2000, 'period': 3000, 'flags': ['SCHED_FLAG_RECLAIM', 'SCHED_FLAG_DL_OVERRUN']},"
		     "'ioPriority': {'class': 'IOPRIO_CLASS_RT', 'priority': 7},"
		     "'execCPUAffinity': {'initial': '0-3', 'final': ''}}"));
	const struct spec_process *p = &f.spec.process;
	assert_true(p->terminal.v);
	assert_int_equal(p->console_size.width.v, 80);
	assert_int_equal(p->user.uid.v, 1);
	assert_int_equal(p->user.gid.v, 2);
	assert_int_equal(p->user.umask.v, 077);
	assert_int_equal(p->user.additional_gids.n, 2);
	assert_int_equal(p->user.additional_gids.v[1].v, 4);
	assert_int_equal(p->args.n, 2);
	assert_string_equal(p->args.v[1].s, "-c");
	assert_int_equal(f.spec.doc.text[p->args.v[1].at], '-'); /* behind the quote */
	assert_string_equal(p->env.v[1].s, "C");
	assert_string_equal(p->cwd.s, "/x");
	assert_true(p->no_new_privileges.at && !p->no_new_privileges.v);
	assert_int_equal(p->oom_score_adj.v, -5);
	assert_string_equal(p->apparmor_profile.s, "a");
	assert_string_equal(p->selinux_label.s, "s");
	assert_int_equal(p->rlimits.v[0].type.v, RLIMIT_NOFILE);
	assert_int_equal(p->rlimits.v[0].hard.v, 2);
	assert_string_equal(p->capabilities.bounding.v[0].s, "CAP_KILL");
	assert_true(p->capabilities.ambient.at && p->capabilities.ambient.n == 0);
	assert_int_equal(p->capabilities.inheritable.at, 0);
	assert_int_equal(p->scheduler.policy.v, SCHED_DEADLINE);
	assert_int_equal(p->scheduler.flags, SCHED_FLAG_RECLAIM | SCHED_FLAG_DL_OVERRUN);
	assert_int_equal(p->scheduler.period.v, 3000);
	assert_int_equal(p->io_priority.class.v, IOPRIO_CLASS_RT);
	assert_int_equal(p->io_priority.priority.v, 7);
	assert_string_equal(p->exec_cpu_affinity.initial.s, "0-3");
	assert_int_equal(p->exec_cpu_affinity.final.at, 0);
	arena_done(&f.arena);
}

static void test_mounts_hooks_annotations(void **state _unused_)
{
	struct fixture f;
	parse(&f, CONFIG("'mounts': [{'destination': '/p', 'type': 'proc', 'source': 'proc'},"
			 "{'destination': 'd', 'source': '/s', 'options': ['bind', 'idmap'],"
			 "'uidMappings': [{'containerID': 0, 'hostID': 1, 'size': 2}],"
			 "'gidMappings': [{'containerID': 3, 'hostID': 4, 'size': 5}]}],"
			 "'hooks': {'prestart': [{'path': '/a', 'args': ['a', 'b'], 'env': ['E=1'],"
			 "'timeout': 9}], 'createRuntime': [], 'poststop': [{'path': '/z'}]},"
			 "'annotations': {'k.one': 'v', 'k.two': ''}"));
	assert_int_equal(f.spec.mounts.n, 2);
	const struct spec_mount *m = &f.spec.mounts.v[1];
	assert_string_equal(m->destination.s, "d");
	assert_int_equal(m->type.at, 0);
	assert_string_equal(m->options.v[1].s, "idmap");
	assert_int_equal(m->uid_mappings.v[0].host_id.v, 1);
	assert_int_equal(m->gid_mappings.v[0].size.v, 5);
	const struct spec_hook *h = &f.spec.hooks.prestart.v[0];
	assert_string_equal(h->path.s, "/a");
	assert_int_equal(h->args.n, 2);
	assert_string_equal(h->env.v[0].s, "E=1");
	assert_int_equal(h->timeout.v, 9);
	assert_true(f.spec.hooks.create_runtime.at && f.spec.hooks.create_runtime.n == 0);
	assert_string_equal(f.spec.hooks.poststop.v[0].path.s, "/z");
	assert_int_equal(f.spec.annotations.n, 2);
	assert_string_equal(spec_find_annotation(&f.spec, "k.one")->value, "v");
	assert_string_equal(spec_find_annotation(&f.spec, "k.two")->value, "");
	assert_null(spec_find_annotation(&f.spec, "k"));
	arena_done(&f.arena);
}

static void test_linux(void **state _unused_)
{
	struct fixture f;
	parse(&f,
	      CONFIG("'hostname': 'h', 'linux': {'namespaces': [{'type': 'uts'}, {'type': 'time'},"
		     "{'type': 'user'}, {'type': 'network', 'path': '/n'}],"
		     "'uidMappings': [{'containerID': 0, 'hostID': 1000, 'size': 65536}],"
		     "'gidMappings': [{'containerID': 0, 'hostID': 1000, 'size': 65536}],"
		     "'timeOffsets': {'monotonic': {'secs': -7, 'nanosecs': 5}},"
		     "'devices': [{'type': 'c', 'path': '/d', 'major': 1, 'minor': 3,"
		     "'fileMode': 8630, 'uid': 1, 'gid': 2}],"
		     "'netDevices': {'eth0': {'name': 'c%d'}, 'eth1': {}},"
		     "'cgroupsPath': '/a/b', 'rootfsPropagation': 'slave', 'mountLabel': 'l',"
		     "'sysctl': {'net.a': '1'}, 'maskedPaths': ['/m'], 'readonlyPaths': [],"
		     "'personality': {'domain': 'LINUX32'},"
		     "'memoryPolicy': {'mode': 'MPOL_INTERLEAVE', 'nodes': '0-1',"
		     "'flags': ['MPOL_F_STATIC_NODES']},"
		     "'intelRdt': {'closID': '/', 'memBwSchema': 'MB:0=20', 'schemata': ['L3:0=f'],"
		     "'enableMonitoring': true}}"));
	const struct spec_linux *l = &f.spec.linux;
	assert_string_equal(spec_find_namespace(&f.spec, SPEC_NS_NETWORK)->path.s, "/n");
	assert_int_equal(spec_find_namespace(&f.spec, SPEC_NS_UTS)->path.at, 0);
	assert_string_equal(spec_ns_name(SPEC_NS_CGROUP), "cgroup");
	assert_int_equal(l->uid_mappings.v[0].size.v, 65536);
	assert_string_equal(l->time_offsets.v[0].clock, "monotonic");
	assert_int_equal(l->time_offsets.v[0].secs.v, -7);
	assert_int_equal(l->time_offsets.v[0].nanosecs.v, 5);
	assert_int_equal(l->devices.v[0].file_mode.v, 0666);
	assert_int_equal(l->devices.v[0].minor.v, 3);
	assert_int_equal(l->devices.v[0].gid.v, 2);
	assert_int_equal(l->net_devices.n, 2);
	assert_string_equal(l->net_devices.v[0].host_name, "eth0");
	assert_string_equal(l->net_devices.v[0].name.s, "c%d");
	assert_int_equal(l->net_devices.v[1].name.at, 0);
	assert_true(l->net_devices.v[1].key_at && l->net_devices.v[1].at);
	assert_string_equal(l->cgroups_path.s, "/a/b");
	assert_string_equal(l->rootfs_propagation.s, "slave");
	assert_string_equal(l->mount_label.s, "l");
	assert_string_equal(l->sysctl.v[0].key, "net.a");
	assert_string_equal(l->masked_paths.v[0].s, "/m");
	assert_true(l->readonly_paths.at && l->readonly_paths.n == 0);
	assert_int_equal(l->personality.domain.v, PER_LINUX32);
	assert_int_equal(l->memory_policy.mode.v, MPOL_INTERLEAVE);
	assert_int_equal(l->memory_policy.flags, MPOL_F_STATIC_NODES);
	assert_string_equal(l->intel_rdt.schemata.v[0].s, "L3:0=f");
	assert_true(l->intel_rdt.enable_monitoring.v);
	arena_done(&f.arena);
}

static void test_resources(void **state _unused_)
{
	struct fixture f;
	parse(&f, CONFIG("'linux': {'resources': {"
			 "'devices': [{'allow': true, 'type': 'c', 'major': 1, 'access': 'rw'}],"
			 "'memory': {'limit': 1, 'reservation': 2, 'swap': -1, 'swappiness': 60,"
			 "'disableOOMKiller': true, 'checkBeforeUpdate': false},"
			 "'cpu': {'shares': 1, 'quota': -1, 'period': 3, 'burst': 4, 'idle': 1,"
			 "'cpus': '0-1', 'mems': '0', 'realtimeRuntime': 5, 'realtimePeriod': 6},"
			 "'pids': {'limit': 0},"
			 "'blockIO': {'weight': 10, 'weightDevice': [{'major': 8, 'minor': 1,"
			 "'leafWeight': 7}], 'throttleWriteIOPSDevice': [{'major': 8, 'minor': 0,"
			 "'rate': 18446744073709551615}]},"
			 "'hugepageLimits': [{'pageSize': '2MB', 'limit': 9}],"
			 "'rdma': {'mlx': {'hcaObjects': 3}},"
			 "'network': {'classID': 5, 'priorities': [{'name': 'lo', 'priority': 1}]},"
			 "'unified': {'memory.high': 'max'}}}"));
	const struct spec_resources *r = &f.spec.linux.resources;
	assert_true(r->devices.v[0].allow.v);
	assert_int_equal(r->devices.v[0].minor.at, 0);
	assert_string_equal(r->devices.v[0].access.s, "rw");
	assert_int_equal(r->memory.limit.v, 1);
	assert_int_equal(r->memory.swap.v, -1);
	assert_true(r->memory.disable_oom_killer.v);
	assert_true(r->memory.check_before_update.at && !r->memory.check_before_update.v);
	assert_int_equal(r->cpu.quota.v, -1);
	assert_int_equal(r->cpu.burst.v, 4);
	assert_string_equal(r->cpu.mems.s, "0");
	assert_int_equal(r->cpu.realtime_period.v, 6);
	assert_true(r->pids.limit.at && r->pids.limit.v == 0);
	assert_int_equal(r->block_io.weight.v, 10);
	assert_int_equal(r->block_io.weight_device.v[0].leaf_weight.v, 7);
	assert_true(r->block_io.write_iops.v[0].rate.v == UINT64_MAX);
	assert_int_equal(r->block_io.read_bps.at, 0);
	assert_string_equal(r->hugepage_limits.v[0].page_size.s, "2MB");
	assert_string_equal(r->rdma.v[0].device, "mlx");
	assert_int_equal(r->rdma.v[0].hca_objects.v, 3);
	assert_int_equal(r->network.priorities.v[0].priority.v, 1);
	assert_string_equal(r->unified.v[0].value, "max");
	arena_done(&f.arena);
}

static void test_seccomp(void **state _unused_)
{
	struct fixture f;
	parse(&f,
	      CONFIG("'linux': {'seccomp': {'defaultAction': 'SCMP_ACT_ERRNO',"
		     "'defaultErrnoRet': 38, 'architectures': ['SCMP_ARCH_X86_64'], 'flags': [],"
		     "'listenerPath': '/l', 'listenerMetadata': 'm', 'syscalls': [{"
		     "'names': ['open', 'opennat'], 'action': 'SCMP_ACT_NOTIFY', 'errnoRet': null,"
		     "'args': [{'index': 1, 'value': 2, 'valueTwo': 3,"
		     "'op': 'SCMP_CMP_MASKED_EQ'}]}]}}"));
	const struct spec_seccomp *s = &f.spec.linux.seccomp;
	assert_int_equal(s->default_action.v, SCMP_ACT_ERRNO(0));
	assert_int_equal(s->default_errno_ret.v, 38);
	assert_true(s->flags.at && s->flags.n == 0);
	assert_string_equal(s->architectures.v[0].s, "SCMP_ARCH_X86_64");
	assert_string_equal(s->listener_path.s, "/l");
	assert_string_equal(s->listener_metadata.s, "m");
	const struct spec_seccomp_rule *rule = &s->syscalls.v[0];
	assert_int_equal(rule->names.n, 2);
	assert_int_equal(rule->action.v, SCMP_ACT_NOTIFY);
	assert_int_equal(rule->errno_ret.at, 0);
	assert_int_equal(rule->args.v[0].index.v, 1);
	assert_int_equal(rule->args.v[0].value_two.v, 3);
	assert_int_equal(rule->args.v[0].op.v, SCMP_CMP_MASKED_EQ);
	arena_done(&f.arena);
}

static void test_process_file(void **state _unused_)
{
	static const char good[] = "{\"args\": [\"ls\"], \"cwd\": \"/\", \"user\": {\"uid\": 5}}";
	static const char bad[] = "{\"args\": [\"ls\"],\n\"cwd\": \"tmp\"}";
	struct arena arena;
	struct spec_process_file f = { .doc = { .name = "p", .text = good, .size = strlen(good) } };
	struct spec_problems problems;
	struct err err;
	arena_init(&arena);
	assert_int_equal(spec_parse_process(&arena, &f, &problems, &err), 0);
	assert_string_equal(f.process.args.v[0].s, "ls");
	assert_int_equal(f.process.user.uid.v, 5);
	f.doc = (struct json_doc) { .name = "p", .text = bad, .size = strlen(bad) };
	assert_int_equal(spec_parse_process(&arena, &f, &problems, &err), -EINVAL);
	assert_string_equal(err.path, "cwd");
	assert_int_equal(err.line, 2);
	assert_int_equal(err.column, 8);
	arena_done(&arena);
}

/* The template is a config that hull itself takes without a word, and that is safe by default. */
static void test_default(void **state _unused_)
{
	struct arena arena;
	struct str text;
	arena_init(&arena);
	str_init(&text, &arena);
	spec_write_default(&text, false);
	struct fixture f;
	parse(&f, text.text);
	assert_string_equal(f.spec.oci_version.s, "1.3.0");
	assert_string_equal(f.spec.hostname.s, "hull");
	assert_string_equal(f.spec.process.args.v[0].s, "sh");
	assert_int_equal(f.spec.process.capabilities.bounding.n, 3);
	assert_int_equal(f.spec.process.capabilities.inheritable.at, 0);
	assert_int_equal(f.spec.process.capabilities.ambient.at, 0);
	assert_true(f.spec.process.no_new_privileges.v);
	assert_true(f.spec.root.readonly.v);
	assert_non_null(spec_find_namespace(&f.spec, SPEC_NS_CGROUP));
	assert_null(spec_find_namespace(&f.spec, SPEC_NS_USER));
	assert_string_equal(f.spec.mounts.v[f.spec.mounts.n - 1].type.s, "cgroup");
	assert_true(f.spec.linux.masked_paths.n > 5);
	assert_true(f.spec.linux.readonly_paths.n > 4);
	arena_done(&f.arena);
	arena_done(&arena);
}

/* Without privilege: a map of one's own ids, and no option that needs another group. */
static void test_rootless(void **state _unused_)
{
	struct arena arena;
	struct str text;
	arena_init(&arena);
	str_init(&text, &arena);
	spec_write_rootless(&text, 1000, 100, false);
	struct fixture f;
	parse(&f, text.text);
	assert_non_null(spec_find_namespace(&f.spec, SPEC_NS_USER));
	assert_int_equal(f.spec.linux.uid_mappings.n, 1);
	assert_int_equal(f.spec.linux.uid_mappings.v[0].container_id.v, 0);
	assert_int_equal(f.spec.linux.uid_mappings.v[0].host_id.v, 1000);
	assert_int_equal(f.spec.linux.uid_mappings.v[0].size.v, 1);
	assert_int_equal(f.spec.linux.gid_mappings.v[0].host_id.v, 100);
	assert_null(strstr(text.text, "gid="));
	arena_done(&f.arena);
	arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_absent),
		cmocka_unit_test(test_process),
		cmocka_unit_test(test_mounts_hooks_annotations),
		cmocka_unit_test(test_linux),
		cmocka_unit_test(test_resources),
		cmocka_unit_test(test_seccomp),
		cmocka_unit_test(test_process_file),
		cmocka_unit_test(test_default),
		cmocka_unit_test(test_rootless),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
