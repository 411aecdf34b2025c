/* The plan for one more process: what comes from config.json, the process file, and the options. */
#include "plan/exec.h"

#include <linux/sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/resource.h>
#include <cmocka.h>

#include "base/str.h"
#include "planned.h"

#define BIT(cap) (UINT64_C(1) << (cap))

/* A container, planned once as a start does, and one more process of it. */
struct fixture {
	struct planned p;
	struct plan_container container;
	struct plan_exec_options o;
	struct spec_process_file file;
	struct plan plan;
};

static void done(struct fixture *f)
{
	planned_done(&f->p);
}
#define _cleanup_fixture_ _cleanup_(done)

static const char *const args[] = { "ls", "-l", NULL };

/* `members` of the container's process; a process file's text, or NULL. */
static void init(struct fixture *f, const char *members, const char *file)
{
	*f = (struct fixture) { 0 };
	planned_init(&f->p);
	assert_int_equal(planned_make_process(&f->p, members), 0);
	f->container = (struct plan_container) {
		.id = "web",
		.config = &f->p.spec,
		.ns_flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET,
	};
	f->o.args = args;
	f->o.args_n = 2;
	if (!file)
		return;
	f->file.doc = (struct json_doc) { .name = "p", .text = file, .size = strlen(file) };
	assert_int_equal(spec_parse_process(&f->p.arena, &f->file, &f->p.problems, &f->p.err), 0);
	f->o.file = &f->file;
}

static int make(struct fixture *f)
{
	f->p.err = (struct err) { 0 };
	return plan_make_exec(&f->container, &f->o, &f->p.host, &f->p.arena, &f->plan,
			      &f->p.problems, &f->p.err);
}

static bool has_env(const struct plan *plan, const char *text)
{
	for (const char **e = plan->process.env; *e; e++)
		if (str_eq(*e, text))
			return true;
	return false;
}

static size_t env_size(const struct plan *plan)
{
	size_t n = 0;
	while (plan->process.env[n])
		n++;
	return n;
}

#define RIGHTS                                                                               \
	", \"capabilities\": {\"bounding\": [\"CAP_KILL\"], \"permitted\": [\"CAP_KILL\"], " \
	"\"effective\": [\"CAP_KILL\"], \"inheritable\": [\"CAP_KILL\"]}, "                  \
	"\"noNewPrivileges\": true, \"oomScoreAdj\": 7, "                                    \
	"\"rlimits\": [{\"type\": \"RLIMIT_NOFILE\", \"soft\": 5, \"hard\": 6}], "           \
	"\"terminal\": true, \"env\": [\"A=1\", \"HOME=/h\", \"A=0\"]"

static void assert_rights(const struct plan_process *process)
{
	assert_int_equal(process->caps[PLAN_CAP_BOUNDING], BIT(CAP_KILL));
	assert_int_equal(process->caps[PLAN_CAP_PERMITTED], BIT(CAP_KILL));
	assert_int_equal(process->caps[PLAN_CAP_EFFECTIVE], BIT(CAP_KILL));
	assert_int_equal(process->caps[PLAN_CAP_INHERITABLE], BIT(CAP_KILL));
	assert_true(process->no_new_privs);
	assert_true(process->has_oom_score_adj);
	assert_int_equal(process->oom_score_adj, 7);
	assert_int_equal(process->rlimits_n, 1);
	assert_int_equal(process->rlimits[0].resource, RLIMIT_NOFILE);
	assert_int_equal(process->rlimits[0].limit.rlim_cur, 5);
}

static void test_arguments(void **state)
{
	_cleanup_fixture_ struct fixture f;
	(void)state;
	init(&f, "", NULL);
	assert_int_equal(make(&f), 0);
	assert_string_equal(f.plan.process.args[0], "ls");
	assert_string_equal(f.plan.process.args[1], "-l");
	assert_null(f.plan.process.args[2]);
	assert_string_equal(f.plan.process.cwd, "/");
	/* Nothing is made; all is entered at once, and the pid namespace by a child. */
	assert_int_equal(f.plan.ns.clone_flags | f.plan.ns.unshare_flags, 0);
	assert_int_equal(f.plan.ns.enter_flags, f.container.ns_flags);
	assert_true(plan_moves(&f.plan));
	assert_int_equal(f.plan.mounts_n + f.plan.devices_n + f.plan.sysctls_n, 0);
	assert_int_equal(f.plan.root.kind, PLAN_ROOT_DIRECTORY);
	f.container.ns_flags = CLONE_NEWNS;
	assert_int_equal(make(&f), 0);
	assert_false(plan_moves(&f.plan));
}

static void test_config_rights(void **state)
{
	_cleanup_fixture_ struct fixture f;
	(void)state;
	init(&f, "", NULL);
	(void)planned_make_process(&f.p, RIGHTS); /* which cannot be started: no devpts */
	assert_int_equal(make(&f), 0);
	/* The terminal is the first process's alone. */
	assert_rights(&f.plan.process);
	assert_false(f.plan.terminal.is_wanted);
	assert_true(has_env(&f.plan, "A=1") && has_env(&f.plan, "A=0"));
}

static void test_file_inherits(void **state)
{
	_cleanup_fixture_ struct fixture f;
	(void)state;
	init(&f, "", "{\"cwd\": \"/w\", \"args\": [\"a\"], \"env\": [\"B=2\"]}");
	(void)planned_make_process(&f.p, RIGHTS);
	assert_int_equal(make(&f), 0);
	assert_rights(&f.plan.process);
	assert_string_equal(f.plan.process.args[0], "a");
	assert_string_equal(f.plan.process.cwd, "/w");
	assert_true(has_env(&f.plan, "B=2"));
	assert_false(has_env(&f.plan, "A=1"));
	/* What fails of it is nowhere in the process file. */
	struct err err = { .code = EPERM, .at = f.plan.process.rlimits[0].at };
	json_locate(&f.plan.spec->doc, &err);
	assert_int_equal(err.at, 0);
	assert_int_equal(err.line, 0);
}

static void test_file_decides(void **state)
{
	_cleanup_fixture_ struct fixture f;
	(void)state;
	init(&f, "",
	     "{\"cwd\": \"/w\", \"args\": [\"a\"], \"noNewPrivileges\": false, "
	     "\"capabilities\": {}, \"rlimits\": [], \"oomScoreAdj\": 0, "
	     "\"user\": {\"uid\": 3, \"gid\": 4, \"umask\": 5}}");
	(void)planned_make_process(&f.p, RIGHTS);
	assert_int_equal(make(&f), 0);
	for (int i = 0; i < PLAN_CAP_SETS; i++)
		assert_int_equal(f.plan.process.caps[i], 0);
	assert_false(f.plan.process.no_new_privs);
	assert_int_equal(f.plan.process.rlimits_n, 0);
	assert_int_equal(f.plan.process.oom_score_adj, 0);
	assert_int_equal(f.plan.process.uid, 3);
	assert_int_equal(f.plan.process.gid, 4);
	assert_int_equal(f.plan.process.umask, 5);
}

static void test_options(void **state)
{
	static const char *const env[] = { "A=2", "C=3", "A=4" };
	static const char *const caps[] = { "CAP_CHOWN" };
	static const uint32_t gids[] = { 8, 9 };
	_cleanup_fixture_ struct fixture f;
	(void)state;
	init(&f, "", NULL);
	(void)planned_make_process(&f.p, RIGHTS);
	f.o.env = env;
	f.o.env_n = 3;
	f.o.caps = caps;
	f.o.caps_n = 1;
	f.o.gids = gids;
	f.o.gids_n = 2;
	f.o.has_uid = true;
	f.o.uid = 5;
	f.o.cwd = "/c";
	f.o.no_new_privs = PLAN_NO;
	assert_int_equal(make(&f), 0);
	assert_true(has_env(&f.plan, "A=4") && has_env(&f.plan, "C=3"));
	assert_false(has_env(&f.plan, "A=2") || has_env(&f.plan, "A=1"));
	assert_int_equal(env_size(&f.plan), 4); /* the config's own second A stays */
	assert_int_equal(f.plan.process.caps[PLAN_CAP_BOUNDING], BIT(CAP_KILL) | BIT(CAP_CHOWN));
	assert_int_equal(f.plan.process.caps[PLAN_CAP_EFFECTIVE], BIT(CAP_KILL) | BIT(CAP_CHOWN));
	assert_int_equal(f.plan.process.caps[PLAN_CAP_INHERITABLE], BIT(CAP_KILL));
	assert_int_equal(f.plan.process.caps[PLAN_CAP_AMBIENT], 0);
	assert_int_equal(f.plan.process.uid, 5);
	assert_int_equal(f.plan.process.gid, 0);
	assert_int_equal(f.plan.process.groups_n, 2);
	assert_int_equal(f.plan.process.groups[1], 9);
	assert_string_equal(f.plan.process.cwd, "/c");
	assert_false(f.plan.process.no_new_privs);
	/* The container's config is nobody's to change. */
	assert_int_equal(f.p.spec.process.capabilities.bounding.n, 1);
	assert_string_equal(f.p.spec.process.env.v[0].s, "A=1");
}

static void test_terminal(void **state)
{
	_cleanup_fixture_ struct fixture f;
	(void)state;
	init(&f, "", NULL);
	f.o.has_tty = true;
	assert_int_equal(make(&f), -ENODEV); /* no devpts */
	(void)planned_make_mount(&f.p, "\"destination\": \"/pts\", \"type\": \"devpts\", "
				       "\"source\": \"devpts\"");
	assert_int_equal(make(&f), 0);
	assert_true(f.plan.terminal.is_wanted);
	assert_false(f.plan.terminal.is_console);
	assert_string_equal(f.plan.terminal.devpts, "/pts");
	f.o.flags = PLAN_DETACH;
	assert_int_equal(make(&f), -EINVAL);
	f.o.console_socket = "/s";
	assert_int_equal(make(&f), 0);
	f.o.has_tty = false;
	assert_int_equal(make(&f), -EINVAL);
}

static void test_user_namespace(void **state)
{
	_cleanup_fixture_ struct fixture f;
	(void)state;
	init(&f, "", NULL);
	assert_int_equal(planned_make(&f.p,
				      ", \"linux\": {\"namespaces\": [{\"type\": \"mount\"}, "
				      "{\"type\": \"user\"}], \"uidMappings\": "
				      "[{\"containerID\": 0, \"hostID\": 1000, \"size\": 10}], "
				      "\"gidMappings\": [{\"containerID\": 0, "
				      "\"hostID\": 1000, \"size\": 10}]}"),
			 0);
	f.p.host.caps_permitted = f.p.host.caps_bounding = 0;
	f.p.host.uid = 1000;
	f.container.ns_flags |= CLONE_NEWUSER;
	f.container.denies_setgroups = true;
	assert_int_equal(make(&f), 0);
	assert_true(f.plan.user.is_joined && f.plan.user.hides_late);
	f.o.has_uid = true;
	f.o.uid = 10;
	assert_int_equal(make(&f), -EINVAL);
	f.o.uid = 9;
	assert_int_equal(make(&f), 0);
	f.o.gids = &(uint32_t) { 3 };
	f.o.gids_n = 1;
	assert_int_equal(make(&f), -EPERM);
}

static void test_processors(void **state)
{
	_cleanup_fixture_ struct fixture f;
	(void)state;
	init(&f, ", \"execCPUAffinity\": {\"initial\": \"0-2, 7\"}", NULL);
	assert_int_equal(make(&f), 0);
	assert_null(f.plan.process.cpus_final);
	assert_int_equal(CPU_COUNT(f.plan.process.cpus_initial), 4);
	assert_true(CPU_ISSET(7, f.plan.process.cpus_initial));
	assert_false(CPU_ISSET(3, f.plan.process.cpus_initial));
}

/* ---- scheduling ---- */

static const char scheduled[] = ", \"scheduler\": {\"policy\": \"SCHED_FIFO\", \"priority\": 4}, "
				"\"ioPriority\": {\"class\": \"IOPRIO_CLASS_BE\", \"priority\": 2}";

static void test_scheduling_of_the_container(void **state)
{
	_cleanup_fixture_ struct fixture f;
	(void)state;
	init(&f, scheduled, "{\"cwd\": \"/\", \"args\": [\"ls\"]}");
	assert_int_equal(make(&f), 0);
	assert_int_equal(f.plan.process.scheduler.setter, PLAN_SCHEDULED_BY_PARENT);
	assert_int_equal(f.plan.process.scheduler.policy, SCHED_FIFO);
	assert_int_equal(f.plan.process.scheduler.priority, 4);
	assert_int_equal(f.plan.process.scheduler.at, JSON_ELSEWHERE);
	assert_int_equal(f.plan.process.io_priority.value, 2 << 13 | 2);
	assert_int_equal(f.plan.process.io_priority.at, JSON_ELSEWHERE);
}

/* All of the object: the container's priority does not belong to another policy. */
static void test_scheduling_of_the_file(void **state)
{
	_cleanup_fixture_ struct fixture f;
	(void)state;
	init(&f, scheduled,
	     "{\"cwd\": \"/\", \"args\": [\"ls\"], \"scheduler\": {\"policy\": \"SCHED_BATCH\"}}");
	f.p.host.in_user_namespace = true;
	assert_int_equal(make(&f), 0);
	assert_int_equal(f.plan.process.scheduler.setter, PLAN_SCHEDULED_BY_CHILD);
	assert_int_equal(f.plan.process.scheduler.policy, SCHED_BATCH);
	assert_int_equal(f.plan.process.scheduler.priority, 0);
	assert_int_equal(f.plan.process.io_priority.setter, PLAN_SCHEDULED_BY_CHILD);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_config_rights),
		cmocka_unit_test(test_file_inherits),
		cmocka_unit_test(test_file_decides),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_terminal),
		cmocka_unit_test(test_user_namespace),
		cmocka_unit_test(test_processors),
		cmocka_unit_test(test_scheduling_of_the_container),
		cmocka_unit_test(test_scheduling_of_the_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
