/*
 * Fuzzing seccomp profiles: the input is linux.seccomp of a config.json. It goes through the
 * parser, the checks and libseccomp to the bytes that the kernel would get; they are judged by the
 * interpreter of the unit tests, which refuses what the kernel's verifier refuses. A system call
 * that the filter lets pass must be one that some action of the profile lets pass.
 */
#include <linux/audit.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../unit/bpf.h"
#include "plan/plan.h"
#include "seccomp/listen.h"

#define MAX_RULES 600 /* more only costs time: libseccomp compares each with the others */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char head[] = "{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"rootfs\"},\"process\":{"
			   "\"cwd\":\"/\",\"args\":[\"/x\"],\"user\":{\"uid\":0,\"gid\":0}},"
			   "\"linux\":{\"seccomp\":";

static bool has_action(const struct spec_seccomp *s, uint32_t action)
{
	if ((uint32_t)s->default_action.v == action)
		return true;
	for (size_t i = 0; i < s->syscalls.n; i++)
		if ((uint32_t)s->syscalls.v[i].action.v == action)
			return true;
	return false;
}

static size_t names(const struct spec_seccomp *s)
{
	size_t n = 0;
	for (size_t i = 0; i < s->syscalls.n; i++)
		n += s->syscalls.v[i].names.n;
	return n;
}

static void judge(const struct spec_seccomp *spec, const struct seccomp_filter *filter)
{
	static const uint32_t arches[] = { AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64 };
	static const int calls[] = { 0, 1, 2, 59, 101, 165, 231, 257, 322, 435, 600, 0x40000001 };

	for (size_t a = 0; a < ARRAY_SIZE(arches); a++)
		for (size_t c = 0; c < ARRAY_SIZE(calls); c++) {
			struct seccomp_data data = { .nr = calls[c], .arch = arches[a] };
			uint32_t value = 0;
			if (bpf_run(filter->insns, filter->len, &data, &value, NULL) < 0)
				abort();
			if (value == SECCOMP_RET_ALLOW && !has_action(spec, SCMP_ACT_ALLOW))
				abort();
			if (value == SECCOMP_RET_LOG && !has_action(spec, SCMP_ACT_LOG))
				abort();
		}
}

/* In two parts it must do the same: one of them has the answer, and the other one allows. */
static void judge_parts(struct arena *arena, const struct seccomp_filter *filter)
{
	static const int calls[] = { 0, 1, 46, 47, 59, 83, 258, 307, 317, 322, 600 };
	struct seccomp_pair parts;

	seccomp_split(filter, arena, &parts);
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		struct seccomp_data data = { .nr = calls[i], .arch = AUDIT_ARCH_X86_64 };
		uint32_t all, first, second;
		if (bpf_run(filter->insns, filter->len, &data, &all, NULL) < 0 ||
		    bpf_run(parts.notify.insns, parts.notify.len, &data, &first, NULL) < 0 ||
		    bpf_run(parts.rest.insns, parts.rest.len, &data, &second, NULL) < 0)
			abort();
		bool told = all == SECCOMP_RET_USER_NOTIF;
		if (first != (told ? all : SECCOMP_RET_ALLOW) ||
		    second != (told ? SECCOMP_RET_ALLOW : all))
			abort();
	}
}

/* A plan for the listener never needs a call that is notified of. */
static void find_listener(struct arena *arena, const struct spec *spec,
			  const struct seccomp_filter *filter)
{
	struct plan_listener listener;
	struct err err = { 0 };
	struct seccomp_data data = { .arch = AUDIT_ARCH_X86_64 };
	uint32_t value = 0;

	if (plan_find_listener(spec, "/bundle", arena, &listener, &err) < 0) {
		if (!err.message[0])
			abort();
		return;
	}
	const int calls[] = { listener.send_call, listener.wait_call, SYS_seccomp };
	for (size_t i = 0; listener.is_wanted && i < ARRAY_SIZE(calls); i++) {
		data.nr = calls[i];
		if (bpf_run(filter->insns, filter->len, &data, &value, NULL) < 0 ||
		    value == SECCOMP_RET_USER_NOTIF)
			abort();
	}
}

static void compile(struct arena *arena, const struct spec *whole)
{
	const struct spec_seccomp *spec = &whole->linux.seccomp;
	struct seccomp_filter filter = { 0 };
	struct spec_problems problems = { 0 };
	struct err err = { 0 };

	if (!spec->at || names(spec) > MAX_RULES)
		return;
	seccomp_check(spec, arena, &problems);
	if (seccomp_compile(spec, arena, &filter, &err) == 0) {
		judge(spec, &filter);
		judge_parts(arena, &filter);
		find_listener(arena, whole, &filter);
	} else if (!err.message[0]) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;
	struct spec spec;
	struct spec_problems problems = { 0 };
	struct err err = { 0 };
	struct str text;

	arena_init(&arena);
	str_init(&text, &arena);
	str_append(&text, head);
	str_printf(&text, "%.*s}}", (int)size, (const char *)data);
	if (spec_parse(&arena, "config.json", text.text, strlen(text.text), &spec, &problems,
		       &err) == 0)
		compile(&arena, &spec);
	arena_done(&arena);
	return 0;
}
