/*
 * What is wrong with a config.json is said exactly: line, column, path, message and hint. Each row
 * is one broken text. Texts are written with ' for ", which parse() turns back; WITH() puts an
 * object into an otherwise valid config, on the second line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "spec/spec.h"

#define WITH(key, value) "{'ociVersion': '1.3.0', 'root': {'path': 'r'}, '" key "':\n" value "\n}"
#define LINUX(value)     WITH("linux", value)
#define PROCESS(value)   WITH("process", "{'args': ['sh'], 'cwd': '/', " value "}")
#define RESOURCES(value) LINUX("{'resources': " value "}")
#define SECCOMP(value)   LINUX("{'seccomp': " value "}")

struct fixture {
	struct arena arena;
	struct spec spec;
	struct spec_problems problems;
	struct err err;
	int result;
};

/* The text with double quotes, parsed. */
static void parse(struct fixture *f, const char *text)
{
	memset(f, 0, sizeof(*f));
	arena_init(&f->arena);
	char *json = arena_strdup(&f->arena, text);
	for (char *c = json; *c; c++)
		if (*c == '\'')
			*c = '"';
	f->result = spec_parse(&f->arena, "config.json", json, strlen(json), &f->spec, &f->problems,
			       &f->err);
}

static void done(struct fixture *f)
{
	arena_done(&f->arena);
}

struct row {
	const char *text;
	uint32_t line, column;
	const char *path;
	const char *message;
	const char *hint; /* NULL: none */
};

static void check_row(const struct row *row, const struct spec_problem *p)
{
	if (!p)
		fail_msg("no problem found in %s", row->text);
	assert_string_equal(p->err.message, row->message);
	assert_string_equal(p->err.path, row->path);
	if (p->err.line != row->line || p->err.column != row->column)
		fail_msg("%s: found at %u:%u", row->text, p->err.line, p->err.column);
	assert_string_equal(p->err.hint, row->hint ? row->hint : "");
}

static void check_errors(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct fixture f;
		parse(&f, rows[i].text);
		check_row(&rows[i], f.problems.first);
		assert_int_equal(f.result, -EINVAL);
		assert_int_equal(f.problems.errors, 1);
		assert_string_equal(f.err.message, rows[i].message);
		assert_int_equal(f.err.kind, ERR_CONFIG);
		done(&f);
	}
}

static void check_warnings(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct fixture f;
		parse(&f, rows[i].text);
		assert_int_equal(f.result, 0);
		check_row(&rows[i], f.problems.first);
		assert_int_equal(f.problems.errors, 0);
		assert_int_equal(f.problems.warnings, 1);
		done(&f);
	}
}

static void test_accepted(void **state _unused_)
{
	static const char *const texts[] = {
		"{'ociVersion': '1.0.2-dev', 'root': {'path': 'r'}}",
		"{'ociVersion': '1.99.0+x.01', 'root': {'path': 'r'}}",
		"{'ociVersion': '1.3.0', 'root': {'path': 'r'}, 'process': null, 'mounts': null}",
		WITH("frobnicate", "{'a': [1, {'b': null}]}"),
		WITH("vm", "{'hypervisor': 3}"),
		WITH("annotations", "{'org.example.x': '', 'dev.hull.rootfs.lower': 'x'}"),
		PROCESS("'consoleSize': {'height': 99999999}"),
		PROCESS("'env': ['NOEQUALS'], 'apparmorProfile': ''"),
		PROCESS("'rlimits': [{'type': 'RLIMIT_NOFILE', 'soft': 18446744073709551615,"
			"'hard': 18446744073709551615}]"),
		PROCESS("'ioPriority': {'class': 'IOPRIO_CLASS_IDLE'}"),
		LINUX("{'namespaces': [{'type': 'user', 'path': '/proc/1/ns/user'}],"
		      "'uidMappings': [{'containerID': 0, 'hostID': 1000, 'size': 1}]}"),
		LINUX("{'uidMappings': [], 'timeOffsets': {}, 'rootfsPropagation': 'rslave'}"),
		LINUX("{'devices': [{'type': 'p', 'path': '/run/fifo', 'fileMode': 8630}]}"),
		RESOURCES("{'pids': {}, 'memory': {'limit': -1, 'swappiness': 0}}"),
		RESOURCES("{'devices': [{'allow': false, 'access': 'rwm', 'major': -1}]}"),
		SECCOMP("{'defaultAction': 'SCMP_ACT_ALLOW', 'listenerPath': '/run/s'}"),
		SECCOMP("{'defaultAction': 'SCMP_ACT_TRACE', 'defaultErrnoRet': 65535}"),
		WITH("mounts", "[{'destination': 'relative', 'type': 'proc', 'source': ''}]"),
		WITH("hooks", "{'prestart': [{'path': '/bin/true', 'timeout': null}]}"),
	};
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct fixture f;
		parse(&f, texts[i]);
		if (f.result != 0)
			fail_msg("%s: %s", texts[i], f.err.message);
		assert_int_equal(f.problems.warnings, 0);
		done(&f);
	}
}

static const struct row document_rows[] = {
	{ "", 1, 1, "", "the file ends too early", NULL },
	{ "[]", 1, 1, "", "expected an object, found an array", NULL },
	{ "{'a': 1,\n 'b' 2}", 2, 6, "", "expected ':' after the key", NULL },
	{ "{'ociVersion': '1.3.0', 'root': {'path': 'r'},\n'hostname': 1}", 2, 13, "hostname",
	  "expected a string, found a number", NULL },
	{ "{'root': {'path': 'r'}}", 1, 1, "ociVersion", "required, but missing",
	  "for example \"ociVersion\": \"1.3.0\"" },
	{ "{'ociVersion': '1.3.0'}", 1, 1, "root", "required, but missing",
	  "for example \"root\": {\"path\": \"rootfs\"}" },
	{ "{'ociVersion': 'abc', 'root': {'path': 'r'}}", 1, 16, "ociVersion",
	  "expected a version such as 1.3.0, found \"abc\"", NULL },
	{ "{'ociVersion': '1.0', 'root': {'path': 'r'}}", 1, 16, "ociVersion",
	  "expected a version such as 1.3.0, found \"1.0\"", NULL },
	{ "{'ociVersion': '1.00.0', 'root': {'path': 'r'}}", 1, 16, "ociVersion",
	  "expected a version such as 1.3.0, found \"1.00.0\"", NULL },
	{ "{'ociVersion': '2.0.0', 'root': {'path': 'r'}}", 1, 16, "ociVersion",
	  "version 2.0.0 of the specification is not supported",
	  "versions 1.0.0 to 1.3.0 are known, and any other 1.x is accepted" },
	{ "{'ociVersion': '1.3.0', 'root': {'path': 'r'},\n'root': {'path': 's'}}", 2, 1, "root",
	  "the key 'root' is given twice", "the first one is on line 1" },
	{ WITH("x", "{'y': {'a': 1, 'a': 2}}"), 2, 16, "x.y.a", "the key 'a' is given twice",
	  "the first one is on line 2" },
	{ "{'ociVersion': '1.3.0', 'root': {}}", 1, 25, "root.path", "required, but missing",
	  "for example \"path\": \"rootfs\"" },
	{ "{'ociVersion': '1.3.0', 'root': {'path': ''}}", 1, 42, "root.path", "must not be empty",
	  NULL },
	{ "{'ociVersion': '1.3.0', 'root': {'path': 'r', 'readonly': 'true'}}", 1, 59,
	  "root.readonly", "expected true or false, found a string", "write true without quotes" },
	{ WITH("annotations", "{'': 'x'}"), 2, 2, "annotations[\"\"]", "the key must not be empty",
	  NULL },
	{ WITH("annotations", "{'a.b': 1}"), 2, 9, "annotations[\"a.b\"]",
	  "expected a string, found a number", "write \"1\", with quotes" },
	{ WITH("hostname", "'web'"), 2, 1, "hostname",
	  "a name needs a uts namespace, but there is none",
	  "add {\"type\": \"uts\"} to linux.namespaces" },
};

static void test_document(void **state _unused_)
{
	check_errors(document_rows, ARRAY_SIZE(document_rows));
}

static const struct row process_rows[] = {
	{ WITH("process", "{'args': 'sh -c \\\"nginx -g\\\"', 'cwd': '/'}"), 2, 10, "process.args",
	  "expected an array of strings, found a string",
	  "\"args\": [\"sh\", \"-c\", \"nginx -g\"]" },
	{ WITH("process", "{'args': [], 'cwd': '/'}"), 2, 10, "process.args",
	  "must have at least one element", NULL },
	{ WITH("process", "{'args': ['sh', 3], 'cwd': '/'}"), 2, 17, "process.args[1]",
	  "expected a string, found a number", NULL },
	{ WITH("process", "{'args': [''], 'cwd': '/'}"), 2, 11, "process.args[0]",
	  "the name of the program must not be empty", NULL },
	{ WITH("process", "{'args': ['sh']}"), 1, 48, "process.cwd", "required, but missing",
	  "for example \"cwd\": \"/\"" },
	{ WITH("process", "{'args': ['sh'], 'cwd': 'tmp'}"), 2, 25, "process.cwd",
	  "expected an absolute path, found \"tmp\"", NULL },
	{ PROCESS("'env': 'PATH=/bin'"), 2, 37, "process.env",
	  "expected an array of strings, found a string", "\"env\": [\"PATH=/bin\"]" },
	{ PROCESS("'user': {'uid': -1}"), 2, 46, "process.user.uid",
	  "expected an integer from 0 to 4294967294, found -1", NULL },
	{ PROCESS("'user': {'uid': 1, 'gid': 4294967295}"), 2, 56, "process.user.gid",
	  "expected an integer from 0 to 4294967294, found 4294967295", NULL },
	{ PROCESS("'user': {'uid': '7'}"), 2, 46, "process.user.uid",
	  "expected an integer from 0 to 4294967294, found a string", "write 7 without quotes" },
	{ PROCESS("'user': {'umask': '022'}"), 2, 48, "process.user.umask",
	  "expected an integer from 0 to 511, found a string",
	  "numbers are decimal: octal 022 is 18" },
	{ PROCESS("'rlimits': [{'type': 'RLIMIT_FOO', 'soft': 1, 'hard': 1}]"), 2, 51,
	  "process.rlimits[0].type", "unknown resource limit 'RLIMIT_FOO'",
	  "known are RLIMIT_AS, RLIMIT_CORE, RLIMIT_CPU, RLIMIT_DATA, RLIMIT_FSIZE, "
	  "RLIMIT_LOCKS, RLIMIT_MEMLOCK, RLIMIT_MSGQUEUE, RLIMIT_NICE, RLIMIT_NOFILE, "
	  "RLIMIT_NPROC, RLIMIT_RSS, RLIMIT_RTPRIO, RLIMIT_RTTIME, RLIMIT_SIGPENDING, "
	  "RLIMIT_STACK" },
	{ PROCESS("'user': {'additionalGids': [1, 1.5]}"), 2, 61, "process.user.additionalGids[1]",
	  "expected an integer from 0 to 4294967294, found 1.5", NULL },
	{ PROCESS("'terminal': true, 'consoleSize': {'height': 1}"), 2, 48,
	  "process.consoleSize.width", "required, but missing", NULL },
	{ PROCESS("'terminal': true, 'consoleSize': {'height': 1, 'width': 65536}"), 2, 86,
	  "process.consoleSize.width", "expected at most 65535, found 65536", NULL },
	{ PROCESS("'rlimits': [{'type': 'RLIMIT_NOFIL', 'soft': 1, 'hard': 1}]"), 2, 51,
	  "process.rlimits[0].type", "unknown resource limit 'RLIMIT_NOFIL'",
	  "did you mean 'RLIMIT_NOFILE'?" },
	{ PROCESS("'rlimits': [{'type': 'RLIMIT_CPU', 'soft': 2, 'hard': 1}]"), 2, 73,
	  "process.rlimits[0].soft", "the soft limit is above the hard limit", NULL },
	{ PROCESS("'rlimits': [{'type': 'RLIMIT_CPU', 'soft': 1, 'hard': 1},\n"
		  "{'type': 'RLIMIT_CPU', 'soft': 1, 'hard': 1}]"),
	  3, 10, "process.rlimits[1].type", "RLIMIT_CPU is given twice",
	  "the first one is on line 2" },
	{ PROCESS("'oomScoreAdj': 1001"), 2, 45, "process.oomScoreAdj",
	  "expected an integer from -1000 to 1000, found 1001", NULL },
	{ PROCESS("'scheduler': {'nice': 1}"), 2, 30, "process.scheduler.policy",
	  "required, but missing", NULL },
	{ PROCESS("'scheduler': {'policy': 'SCHED_ISO'}"), 2, 54, "process.scheduler.policy",
	  "Linux has no scheduling policy SCHED_ISO",
	  "it was never part of the kernel; SCHED_RR is what it was to be for programs without "
	  "privilege, and SCHED_OTHER with a nice below 0 is near it" },
	{ PROCESS("'scheduler': {'policy': 'SCHED_ROUND'}"), 2, 54, "process.scheduler.policy",
	  "unknown scheduling policy 'SCHED_ROUND'",
	  "known are SCHED_OTHER, SCHED_FIFO, SCHED_RR, SCHED_BATCH, SCHED_IDLE, "
	  "SCHED_DEADLINE, SCHED_ISO" },
	{ PROCESS("'scheduler': {'policy': 'SCHED_RR'}"), 2, 30, "process.scheduler.priority",
	  "SCHED_RR needs one from 1 to 99, but there is none", NULL },
	{ PROCESS("'scheduler': {'policy': 'SCHED_FIFO', 'priority': 0}"), 2, 80,
	  "process.scheduler.priority", "expected an integer from 1 to 99, found 0", NULL },
	{ PROCESS("'scheduler': {'policy': 'SCHED_FIFO', 'priority': 100}"), 2, 80,
	  "process.scheduler.priority", "expected an integer from 0 to 99, found 100", NULL },
	{ PROCESS("'scheduler': {'policy': 'SCHED_BATCH', 'priority': 1}"), 2, 81,
	  "process.scheduler.priority", "SCHED_BATCH has no priority",
	  "SCHED_FIFO and SCHED_RR have one; SCHED_OTHER and SCHED_BATCH have a nice" },
	{ PROCESS("'scheduler': {'policy': 'SCHED_OTHER', 'nice': 20}"), 2, 77,
	  "process.scheduler.nice", "expected an integer from -20 to 19, found 20", NULL },
	{ PROCESS("'scheduler': {'policy': 'SCHED_OTHER', 'period': 9}"), 2, 79,
	  "process.scheduler.period", "only SCHED_DEADLINE has one, and the policy is SCHED_OTHER",
	  NULL },
	{ PROCESS("'scheduler': {'policy': 'SCHED_DEADLINE', 'deadline': 2000}"), 2, 30,
	  "process.scheduler.runtime", "SCHED_DEADLINE needs one, but there is none", NULL },
	{ PROCESS("'scheduler': {'policy': 'SCHED_DEADLINE', 'runtime': 1023, 'deadline': 1024}"),
	  2, 83, "process.scheduler.runtime", "expected at least 1024 nanoseconds, found 1023",
	  NULL },
	{ PROCESS("'scheduler': {'policy': 'SCHED_DEADLINE', 'runtime': 1025, 'deadline': 1024}"),
	  2, 83, "process.scheduler.runtime", "the runtime is above the deadline", NULL },
	{ PROCESS("'ioPriority': {'priority': 1}"), 2, 30, "process.ioPriority.class",
	  "required, but missing", NULL },
	{ PROCESS("'ioPriority': {'class': 'IOPRIO_CLASS_BE', 'priority': 9}"), 2, 85,
	  "process.ioPriority.priority", "expected an integer from 0 to 7, found 9", NULL },
	{ PROCESS("'execCPUAffinity': {'initial': 'all'}"), 2, 61,
	  "process.execCPUAffinity.initial", "expected a list of CPUs such as 0-3,7, found \"all\"",
	  NULL },
	{ PROCESS("'capabilities': {'bounding': 'CAP_KILL CAP_CHOWN'}"), 2, 59,
	  "process.capabilities.bounding", "expected an array of strings, found a string",
	  "\"bounding\": [\"CAP_KILL\", \"CAP_CHOWN\"]" },
};

static void test_process(void **state _unused_)
{
	check_errors(process_rows, ARRAY_SIZE(process_rows));
}

static const struct row mounts_and_hooks_rows[] = {
	{ WITH("mounts", "{'destination': '/proc'}"), 2, 1, "mounts",
	  "expected an array of objects, found an object", "put the object into [ ]" },
	{ WITH("mounts", "['/proc']"), 2, 2, "mounts[0]", "expected an object, found a string",
	  "for example {\"destination\": \"/proc\"}" },
	{ WITH("mounts", "[{'type': 'proc'}]"), 2, 2, "mounts[0].destination",
	  "required, but missing", NULL },
	{ WITH("mounts", "[{'destination': '/x', 'options': 'ro,nosuid'}]"), 2, 35,
	  "mounts[0].options", "expected an array of strings, found a string",
	  "\"options\": [\"ro\", \"nosuid\"]" },
	{ WITH("mounts", "[{'destination': '/x', 'uidMappings':"
			 "[{'containerID': 0, 'hostID': 0, 'size': 1}]}]"),
	  2, 2, "mounts[0].gidMappings", "required beside uidMappings, but missing", NULL },
	{ WITH("hooks", "{'prestart': [{'path': 'bin/true'}]}"), 2, 24, "hooks.prestart[0].path",
	  "expected an absolute path, found \"bin/true\"", NULL },
	{ WITH("hooks", "{'poststop': [{'path': '/x', 'timeout': 0}]}"), 2, 41,
	  "hooks.poststop[0].timeout", "expected an integer from 1 to 2147483647, found 0", NULL },
	{ WITH("hooks", "{'poststop': [{'args': ['x']}]}"), 2, 15, "hooks.poststop[0].path",
	  "required, but missing", NULL },
};

static void test_mounts_and_hooks(void **state _unused_)
{
	check_errors(mounts_and_hooks_rows, ARRAY_SIZE(mounts_and_hooks_rows));
}

static const struct row linux_rows[] = {
	{ LINUX("{'namespaces': [{'type': 'net'}]}"), 2, 26, "linux.namespaces[0].type",
	  "unknown namespace type 'net'", "did you mean 'network'?" },
	{ LINUX("{'namespaces': [{'type': 'qqq'}]}"), 2, 26, "linux.namespaces[0].type",
	  "unknown namespace type 'qqq'",
	  "known are pid, network, mount, ipc, uts, user, cgroup, time" },
	{ LINUX("{'namespaces': [{'type': 'pid', 'path': 'x'}]}"), 2, 41,
	  "linux.namespaces[0].path", "expected an absolute path, found \"x\"", NULL },
	{ LINUX("{'namespaces': [{'type': 'pid'}, {'type': 'pid'}]}"), 2, 43,
	  "linux.namespaces[1].type", "the pid namespace is given twice",
	  "the first one is on line 2" },
	{ LINUX("{'uidMappings': [{'containerID': 0, 'hostID': 0, 'size': 1}]}"), 2, 17,
	  "linux.uidMappings", "mappings need a user namespace, but there is none",
	  "add {\"type\": \"user\"} to linux.namespaces" },
	{ LINUX("{'namespaces': [{'type': 'user'}]}"), 2, 26, "linux.namespaces[0].type",
	  "a new user namespace needs linux.uidMappings, but there are none",
	  "for example \"uidMappings\": [{\"containerID\": 0, \"hostID\": 100000, \"size\": 65536}]" },
	{ LINUX("{'namespaces': [{'type': 'user', 'path': '/x'}], 'gidMappings':"
		"[{'containerID': 0, 'hostID': 4294967295, 'size': 2}]}"),
	  2, 94, "linux.gidMappings[0].hostID",
	  "the range of 2 ids from 4294967295 ends above 4294967294", NULL },
	{ LINUX("{'timeOffsets': {'monotonic': {'secs': 1}}}"), 2, 17, "linux.timeOffsets",
	  "offsets need a time namespace, but there is none",
	  "add {\"type\": \"time\"} to linux.namespaces" },
	{ LINUX("{'timeOffsets': {'boottime': {}},"
		"'namespaces': [{'type': 'time', 'path': '/x'}]}"),
	  2, 17, "linux.timeOffsets", "offsets need a new time namespace, but '/x' is to be joined",
	  NULL },
	{ LINUX("{'timeOffsets': {'realtime': {}}, 'namespaces': [{'type': 'time'}]}"), 2, 18,
	  "linux.timeOffsets.realtime", "unknown clock 'realtime'",
	  "known are boottime, monotonic" },
	{ LINUX("{'devices': [{'type': 'x', 'path': '/dev/x'}]}"), 2, 23, "linux.devices[0].type",
	  "unknown device type 'x'", "known are b, c, p, u" },
	{ LINUX("{'devices': [{'type': 'c', 'path': 'dev/x', 'major': 1, 'minor': 1}]}"), 2, 36,
	  "linux.devices[0].path", "expected an absolute path, found \"dev/x\"", NULL },
	{ LINUX("{'devices': [{'type': 'c', 'path': '/dev/x', 'major': 1}]}"), 2, 14,
	  "linux.devices[0].minor", "required for this type of device, but missing", NULL },
	{ LINUX("{'memoryPolicy': {'mode': 'MPOL_LOCAL', 'nodes': '0'}}"), 2, 50,
	  "linux.memoryPolicy.nodes", "MPOL_LOCAL has no nodes", NULL },
	{ LINUX("{'memoryPolicy': {'mode': 'MPOL_BIND', 'nodes': ''}}"), 2, 2,
	  "linux.memoryPolicy.nodes", "MPOL_BIND needs nodes, but there are none", NULL },
	{ LINUX("{'memoryPolicy': {'mode': 'MPOL_PREFERRED',"
		"'flags': ['MPOL_F_RELATIVE_NODES']}}"),
	  2, 53, "linux.memoryPolicy.flags", "without nodes MPOL_PREFERRED has none of these flags",
	  NULL },
	{ LINUX("{'memoryPolicy': {'mode': 'MPOL_BIND', 'nodes': '0',"
		"'flags': ['MPOL_F_STATIC_NODES', 'MPOL_F_RELATIVE_NODES']}}"),
	  2, 62, "linux.memoryPolicy.flags",
	  "MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude each other", NULL },
	{ LINUX("{'memoryPolicy': {'mode': 'MPOL_INTERLEAVE', 'nodes': '0',"
		"'flags': ['MPOL_F_NUMA_BALANCING']}}"),
	  2, 68, "linux.memoryPolicy.flags", "MPOL_INTERLEAVE has no MPOL_F_NUMA_BALANCING", NULL },
	{ LINUX("{'netDevices': {'eth0': {'name': 'a/b'}}}"), 2, 34, "linux.netDevices.eth0.name",
	  "expected a name of at most 15 bytes without '/', ':' and blanks, and no % but one %d, "
	  "found \"a/b\"",
	  NULL },
	{ LINUX("{'netDevices': {'eth0': {'name': 'e%s'}}}"), 2, 34, "linux.netDevices.eth0.name",
	  "expected a name of at most 15 bytes without '/', ':' and blanks, and no % but one %d, "
	  "found \"e%s\"",
	  NULL },
	{ LINUX("{'netDevices': {'eth0': {'name': 'e%d%d'}}}"), 2, 34, "linux.netDevices.eth0.name",
	  "expected a name of at most 15 bytes without '/', ':' and blanks, and no % but one %d, "
	  "found \"e%d%d\"",
	  NULL },
	{ LINUX("{'netDevices': {'eth 0': {}}}"), 2, 17, "linux.netDevices[\"eth 0\"]",
	  "'eth 0' cannot be a network device",
	  "a name has at most 15 bytes, without '/', ':' and blanks" },
	{ LINUX("{'netDevices': {'..': {}}}"), 2, 17, "linux.netDevices[\"..\"]",
	  "'..' cannot be a network device",
	  "a name has at most 15 bytes, without '/', ':' and blanks" },
	{ LINUX("{'rootfsPropagation': 'foo'}"), 2, 23, "linux.rootfsPropagation",
	  "unknown propagation 'foo'",
	  "known are private, rprivate, shared, rshared, slave, rslave, unbindable, "
	  "runbindable" },
	{ LINUX("{'maskedPaths': ['/a', 'b']}"), 2, 24, "linux.maskedPaths[1]",
	  "expected an absolute path, found \"b\"", NULL },
	{ LINUX("{'readonlyPaths': ['b']}"), 2, 20, "linux.readonlyPaths[0]",
	  "expected an absolute path, found \"b\"", NULL },
	{ LINUX("{'intelRdt': {'memBwSchema': 'L3:0'}}"), 2, 30, "linux.intelRdt.memBwSchema",
	  "expected one line that begins with MB:, found \"L3:0\"", NULL },
	{ LINUX("{'intelRdt': {'closID': '../x'}}"), 2, 25, "linux.intelRdt.closID",
	  "expected the name of a directory, or /, found \"../x\"", NULL },
	{ LINUX("{'memoryPolicy': {'nodes': '0'}}"), 2, 2, "linux.memoryPolicy.mode",
	  "required, but missing", NULL },
	{ LINUX("{'memoryPolicy': {'mode': 'MPOL_LOCAL', 'flags': ['MPOL_F_X']}}"), 2, 51,
	  "linux.memoryPolicy.flags[0]", "unknown memory policy flag 'MPOL_F_X'",
	  "known are MPOL_F_STATIC_NODES, MPOL_F_RELATIVE_NODES, MPOL_F_NUMA_BALANCING" },
	{ LINUX("{'personality': {'domain': 'i686'}}"), 2, 28, "linux.personality.domain",
	  "unknown personality 'i686'", "known are LINUX, LINUX32" },
	{ LINUX("{'personality': {'domain': 'LINUX', 'flags': ['X']}}"), 2, 47,
	  "linux.personality.flags[0]", "unknown personality flag 'X'", NULL },
	{ LINUX("{'sysctl': {'net.ipv4.ip_forward': 1}}"), 2, 36,
	  "linux.sysctl[\"net.ipv4.ip_forward\"]", "expected a string, found a number",
	  "write \"1\", with quotes" },
};

static void test_linux(void **state _unused_)
{
	check_errors(linux_rows, ARRAY_SIZE(linux_rows));
}

static const struct row resources_rows[] = {
	{ RESOURCES("{'devices': [{'type': 'c'}]}"), 2, 28, "linux.resources.devices[0].allow",
	  "required, but missing", NULL },
	{ RESOURCES("{'devices': [{'allow': true, 'access': 'rwx'}]}"), 2, 54,
	  "linux.resources.devices[0].access", "expected letters of rwm, found \"rwx\"", NULL },
	{ RESOURCES("{'memory': {'limit': '16m'}}"), 2, 36, "linux.resources.memory.limit",
	  "expected an integer of at least -1, found a string",
	  "numbers have no unit: 16m is 16777216" },
	{ RESOURCES("{'memory': {'limit': -2}}"), 2, 36, "linux.resources.memory.limit",
	  "expected an integer of at least -1, found -2", NULL },
	{ RESOURCES("{'cpu': {'cpus': 'a-b'}}"), 2, 32, "linux.resources.cpu.cpus",
	  "expected a list of CPUs such as 0-3,7, found \"a-b\"", NULL },
	{ RESOURCES("{'cpu': {'idle': 2}}"), 2, 32, "linux.resources.cpu.idle",
	  "expected an integer from 0 to 1, found 2", NULL },
	{ RESOURCES("{'pids': {'limit': 1e3}}"), 2, 34, "linux.resources.pids.limit",
	  "expected an integer of at least -1, found 1e3", "write 1000, with digits only" },
	{ RESOURCES("{'blockIO': {'weight': 65536}}"), 2, 38, "linux.resources.blockIO.weight",
	  "expected an integer from 0 to 65535, found 65536", NULL },
	{ RESOURCES("{'blockIO': {'weightDevice': [{'major': 8, 'minor': 0}]}}"), 2, 45,
	  "linux.resources.blockIO.weightDevice[0]",
	  "expected a weight or a leafWeight, found neither", NULL },
	{ RESOURCES("{'blockIO': {'throttleReadBpsDevice': [{'major': 8, 'minor': 0}]}}"), 2, 54,
	  "linux.resources.blockIO.throttleReadBpsDevice[0].rate", "required, but missing", NULL },
	{ RESOURCES("{'hugepageLimits': [{'pageSize': '64kB', 'limit': 1}]}"), 2, 48,
	  "linux.resources.hugepageLimits[0].pageSize",
	  "expected a size such as 64KB, 2MB or 1GB, found \"64kB\"", NULL },
	{ RESOURCES("{'rdma': {'mlx5_1': {}}}"), 2, 35, "linux.resources.rdma.mlx5_1",
	  "expected hcaHandles or hcaObjects, found neither", NULL },
	{ RESOURCES("{'unified': {'../memory.max': '1'}}"), 2, 28,
	  "linux.resources.unified[\"../memory.max\"]",
	  "expected the name of a cgroup file such as memory.high, found \"../memory.max\"", NULL },
	{ RESOURCES("{'unified': {'memory.max': 1}}"), 2, 42,
	  "linux.resources.unified[\"memory.max\"]", "expected a string, found a number",
	  "write \"1\", with quotes" },
	{ RESOURCES("{'network': {'priorities': [{'name': 'eth0'}]}}"), 2, 43,
	  "linux.resources.network.priorities[0].priority", "required, but missing", NULL },
};

static void test_resources(void **state _unused_)
{
	check_errors(resources_rows, ARRAY_SIZE(resources_rows));
}

static const struct row seccomp_rows[] = {
	{ SECCOMP("{'syscalls': []}"), 2, 2, "linux.seccomp.defaultAction", "required, but missing",
	  NULL },
	{ SECCOMP("{'defaultAction': 'SCMP_ACT_ALOW'}"), 2, 31, "linux.seccomp.defaultAction",
	  "unknown action 'SCMP_ACT_ALOW'", "did you mean 'SCMP_ACT_ALLOW'?" },
	{ SECCOMP("{'defaultAction': 'SCMP_ACT_KILL', 'defaultErrnoRet': 1}"), 2, 67,
	  "linux.seccomp.defaultErrnoRet", "SCMP_ACT_KILL takes no errno", NULL },
	{ SECCOMP("{'defaultAction': 'SCMP_ACT_ERRNO', 'defaultErrnoRet': 4096}"), 2, 68,
	  "linux.seccomp.defaultErrnoRet", "expected at most 4095, found 4096", NULL },
	{ SECCOMP("{'defaultAction': 'SCMP_ACT_NOTIFY'}"), 2, 31, "linux.seccomp.defaultAction",
	  "SCMP_ACT_NOTIFY needs a listenerPath, but it is missing", NULL },
	{ SECCOMP("{'defaultAction': 'SCMP_ACT_ALLOW', 'listenerMetadata': 'x'}"), 2, 69,
	  "linux.seccomp.listenerMetadata",
	  "listenerMetadata needs a listenerPath, but it is missing", NULL },
	{ SECCOMP("{'defaultAction': 'SCMP_ACT_ALLOW', 'architectures': ['x86_64']}"), 2, 67,
	  "linux.seccomp.architectures[0]", "unknown architecture 'x86_64'",
	  "did you mean 'SCMP_ARCH_X86_64'?" },
	{ SECCOMP("{'defaultAction': 'SCMP_ACT_ALLOW', 'flags': ['TSYNC']}"), 2, 59,
	  "linux.seccomp.flags[0]", "unknown filter flag 'TSYNC'",
	  "did you mean 'SECCOMP_FILTER_FLAG_TSYNC'?" },
	{ SECCOMP("{'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls':"
		  "[{'names': [], 'action': 'SCMP_ACT_LOG'}]}"),
	  2, 71, "linux.seccomp.syscalls[0].names", "must have at least one element", NULL },
	{ SECCOMP("{'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls':"
		  "[{'names': ['open'], 'action': 'SCMP_ACT_ALLOW', 'errnoRet': 1}]}"),
	  2, 121, "linux.seccomp.syscalls[0].errnoRet", "SCMP_ACT_ALLOW takes no errno", NULL },
	{ SECCOMP("{'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls':"
		  "[{'names': ['open'], 'action': 'SCMP_ACT_LOG', 'args':"
		  "[{'index': 6, 'value': 1, 'op': 'SCMP_CMP_EQ'}]}]}"),
	  2, 125, "linux.seccomp.syscalls[0].args[0].index",
	  "expected an integer from 0 to 5, found 6", NULL },
	{ SECCOMP("{'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls':"
		  "[{'names': ['open'], 'action': 'SCMP_ACT_LOG', 'args':"
		  "[{'index': 0, 'value': 1, 'op': 'EQ'}]}]}"),
	  2, 146, "linux.seccomp.syscalls[0].args[0].op", "unknown operator 'EQ'",
	  "known are SCMP_CMP_NE, SCMP_CMP_LT, SCMP_CMP_LE, SCMP_CMP_EQ, SCMP_CMP_GE, "
	  "SCMP_CMP_GT, SCMP_CMP_MASKED_EQ" },
};

static void test_seccomp(void **state _unused_)
{
	check_errors(seccomp_rows, ARRAY_SIZE(seccomp_rows));
}

static const struct row warnings_rows[] = {
	{ PROCESS("'enf': []"), 2, 30, "process.enf", "unknown key 'enf'", "did you mean 'env'?" },
	{ PROCESS("'capabilities': {'bounding': ['CAP_KILL', 'CAP_NET_ADMINN']}"), 2, 72,
	  "process.capabilities.bounding[1]", "unknown capability 'CAP_NET_ADMINN'",
	  "did you mean 'CAP_NET_ADMIN'?" },
	{ LINUX("{'seccompp': 1}"), 2, 2, "linux.seccompp", "unknown key 'seccompp'",
	  "did you mean 'seccomp'?" },
	{ LINUX("{'intelRdt': {'l3CacheSchema': 'x'}}"), 2, 32, "linux.intelRdt.l3CacheSchema",
	  "a schema of the L3 cache should begin with L3:", NULL },
};

static void test_warnings(void **state _unused_)
{
	check_warnings(warnings_rows, ARRAY_SIZE(warnings_rows));
}

/* The typo is a warning, and the missing key's error points to it. */
static void test_misspelt_required_key(void **state _unused_)
{
	struct fixture f;
	parse(&f, "{'ociVersion': '1.3.0', 'root': {'path': 'r'}, 'process': {\n"
		  "'cwd': '/',\n'agrs': ['sh']}}");
	assert_int_equal(f.problems.errors, 1);
	assert_int_equal(f.problems.warnings, 1);
	const struct row missing = { "",
				     1,
				     48,
				     "process.args",
				     "required, but missing",
				     "'agrs' on line 3 looks like a misspelt 'args'" };
	const struct row typo = {
		"", 3, 1, "process.agrs", "unknown key 'agrs'", "did you mean 'args'?"
	};
	check_row(&missing, f.problems.first);
	check_row(&typo, f.problems.first->next);
	done(&f);
}

/* The order is the file's, whatever order the rules run in. */
static void test_order(void **state _unused_)
{
	struct fixture f;
	parse(&f, "{'hostname': 'x',\n'process': {'cwd': 'x'},\n'linux': {'sysctl': 1},\n"
		  "'ociVersion': '9.0.0'}");
	assert_int_equal(f.problems.errors, 6);
	uint32_t at = 0;
	for (const struct spec_problem *p = f.problems.first; p; p = p->next) {
		assert_true(p->err.at >= at);
		at = p->err.at;
	}
	assert_string_equal(f.err.message, "required, but missing");
	assert_string_equal(f.err.path, "root");
	done(&f);
}

static unsigned count_kept(const struct spec_problems *problems)
{
	unsigned n = 0;
	for (const struct spec_problem *p = problems->first; p; p = p->next)
		n++;
	return n;
}

/* Twenty are kept, all are counted, and warnings give way to errors. */
static void test_many(void **state _unused_)
{
	struct arena arena;
	struct spec_problems problems = { .first = NULL };
	arena_init(&arena);
	for (uint32_t i = 100; i > 0; i--)
		spec_problem_add(&arena, &problems, SPEC_WARNING, i, "warning %u", i);
	assert_int_equal(count_kept(&problems), SPEC_MAX_PROBLEMS);
	assert_int_equal(problems.first->err.at, 1);
	for (uint32_t i = 500; i < 515; i++)
		assert_non_null(spec_problem_add(&arena, &problems, SPEC_ERROR, i, "error %u", i));
	assert_int_equal(count_kept(&problems), SPEC_MAX_PROBLEMS);
	unsigned errors = 0;
	for (const struct spec_problem *p = problems.first; p; p = p->next)
		errors += p->severity == SPEC_ERROR;
	assert_int_equal(errors, 15);
	assert_int_equal(problems.errors, 15);
	assert_int_equal(problems.warnings, 100);
	for (uint32_t i = 600; i < 700; i++)
		spec_problem_add(&arena, &problems, SPEC_ERROR, i, "error %u", i);
	assert_int_equal(problems.first->err.at, 500);
	assert_null(spec_problem_add(&arena, &problems, SPEC_WARNING, 1, "too late"));
	assert_int_equal(count_kept(&problems), SPEC_MAX_PROBLEMS);
	arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_document),
		cmocka_unit_test(test_process),
		cmocka_unit_test(test_mounts_and_hooks),
		cmocka_unit_test(test_linux),
		cmocka_unit_test(test_resources),
		cmocka_unit_test(test_seccomp),
		cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_misspelt_required_key),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_many),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
