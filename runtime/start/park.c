/*
 * Parent of `create`, before clone, and the child when it begins to wait: what the child still
 * needs then. The parent copies it into an arena of its own; the child goes on with the copy and
 * gives the rest of hull's memory back, most of which is config.json and what was made of it.
 *
 * Must not: allocate in the child; leave it a pointer into what is given back.
 */
#include "start/park.h"

#include <errno.h>
#include <link.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "start/steps.h"

#define PARK_STACK_KEPT  (8 * 1024) /* for what is called from here on */
#define PARK_STACK_GIVEN (512 * 1024)
#define PARK_HEAP_MAX    (1024UL * 1024 * 1024)

extern const char __executable_start[]; /* of the linker: the program's first byte */
extern void *__libc_stack_end;          /* of glibc: where the arguments begin */

void park_done(struct park *park)
{
	arena_done(&park->arena);
}

/* ---- parent ---- */

static const char **copy_strings(struct arena *arena, const char *const *v)
{
	size_t n = 0;
	while (v[n])
		n++;
	const char **copy = arena_array(arena, n + 1, sizeof(*copy));
	for (size_t i = 0; i < n; i++)
		copy[i] = arena_strdup(arena, v[i]);
	return copy;
}

static void *copy_array(struct arena *arena, const void *v, size_t n, size_t size)
{
	void *copy = arena_array(arena, n, size);
	if (n > 0)
		memcpy(copy, v, n * size);
	return copy;
}

/* Two of its variables are filled in by the child: this one before it waits (park_take). */
static void copy_env(struct arena *arena, const struct plan_process *from, struct plan_process *ret)
{
	ret->env = copy_strings(arena, from->env);
	if (from->home_index >= 0)
		ret->env[from->home_index] = arena_alloc(arena, PLAN_HOME_SIZE);
	for (size_t i = 0; from->listen_pid && from->env[i]; i++) {
		if (from->env[i] != from->listen_pid)
			continue;
		ret->listen_pid = arena_alloc(arena, PLAN_LISTEN_PID_SIZE);
		ret->env[i] = ret->listen_pid;
	}
}

static void copy_process(struct arena *arena, const struct plan_process *from,
			 struct plan_process *ret)
{
	*ret = *from;
	ret->args = copy_strings(arena, from->args);
	copy_env(arena, from, ret);
	ret->rlimits = copy_array(arena, from->rlimits, from->rlimits_n, sizeof(*from->rlimits));
	ret->path = ret->cwd = NULL;
	ret->groups = NULL;
	ret->groups_n = 0;
}

static void copy_hooks(struct arena *arena, const struct plan_hooks *from, struct plan_hooks *ret)
{
	ret->n = from->n;
	ret->v = copy_array(arena, from->v, from->n, sizeof(*from->v));
	for (size_t i = 0; i < from->n; i++) {
		ret->v[i].path = arena_strdup(arena, from->v[i].path);
		ret->v[i].args = copy_strings(arena, from->v[i].args);
		ret->v[i].env = copy_strings(arena, from->v[i].env);
	}
}

static void copy_label(struct arena *arena, const struct plan_label *from, struct plan_label *ret)
{
	*ret = *from;
	ret->module = arena_strdup(arena, from->module);
	ret->name = arena_strdup(arena, from->name);
	ret->now_value = arena_strdup(arena, from->now_value);
	ret->file = ret->now_file = ret->value = NULL; /* what they are for is done by then */
}

/* Whom it is for the parent has to know, who will be `start`. */
static void copy_listener(const struct start *s, struct park *park)
{
	struct seccomp_pair *parts = &park->parts;

	*parts = s->listener.parts;
	park->plan.listener = s->plan->listener;
	park->plan.listener.path = park->plan.listener.metadata = NULL;
	if (!s->plan->listener.is_wanted)
		return;
	parts->notify.insns = copy_array(&park->arena, parts->notify.insns, parts->notify.len,
					 sizeof(*parts->notify.insns));
	parts->rest.insns = copy_array(&park->arena, parts->rest.insns, parts->rest.len,
				       sizeof(*parts->rest.insns));
}

int park_prepare(struct start *s, struct err *err _unused_)
{
	const struct plan *plan = s->plan;
	struct park *park = &s->park;
	struct arena *arena = &park->arena;
	const char *hook_state = s->hook_states[PLAN_HOOK_START_CONTAINER];

	if (!(plan->flags & PLAN_CREATE))
		return 0;
	park->plan = (struct plan) {
		.flags = plan->flags,
		.ns.clone_flags = plan->ns.clone_flags,
		.terminal.is_wanted = plan->terminal.is_wanted,
	};
	for (size_t i = 0; i < plan->labels_n; i++)
		copy_label(arena, &plan->labels[i], &park->plan.labels[park->plan.labels_n++]);
	copy_process(arena, &plan->process, &park->plan.process);
	copy_hooks(arena, &plan->hooks[PLAN_HOOK_START_CONTAINER],
		   &park->plan.hooks[PLAN_HOOK_START_CONTAINER]);
	park->hook_state = hook_state ? arena_strdup(arena, hook_state) : NULL;
	copy_listener(s, park);
	park->filter = s->filter;
	if (s->filter.insns)
		park->filter.insns = copy_array(arena, s->filter.insns, s->filter.len,
						sizeof(*s->filter.insns));
	return 0;
}

/* ---- child ---- */

static void give(uintptr_t begin, uintptr_t end, uintptr_t page)
{
	begin = (begin + page - 1) / page * page;
	end = end / page * page;
	if (begin < end)
		(void)!madvise((void *)begin, end - begin, MADV_DONTNEED);
}

/*
 * What malloc has, or had: nobody asks it for anything any more. A static program has its thread's
 * own data at the beginning of it; in any other that is elsewhere, and so may the heap be.
 */
static void give_heap(uintptr_t page)
{
	uintptr_t own = (uintptr_t)&errno, end = (uintptr_t)sbrk(0);
	if (own < end && end - own < PARK_HEAP_MAX)
		give((own / page + 2) * page, end, page);
}

/*
 * Below the frames in use, and above `start`: callers to whom nobody returns. (AddressSanitizer has
 * variables elsewhere.)
 */
static void give_stack(const struct start *s, uintptr_t page)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	give(here - PARK_STACK_GIVEN, here - PARK_STACK_KEPT, page);
	if ((uintptr_t)s > here)
		give((uintptr_t)(s + 1), (uintptr_t)__libc_stack_end, page);
}

/* A page that is touched brings its neighbours along; but not across this. */
static void part(const void *code, uintptr_t page)
{
	(void)!madvise((void *)((uintptr_t)code / page * page), page, MADV_RANDOM);
}

/* hull's own code and constants stay in the page cache, and come back when they are needed. */
static void give_program(uintptr_t page)
{
	const ElfW(Phdr) *header = (const ElfW(Phdr) *)getauxval(AT_PHDR);
	uintptr_t base = (uintptr_t)__executable_start / page * page;

	/* The first one last: the headers are in it. */
	for (unsigned long i = getauxval(AT_PHNUM); header && i-- > 0;)
		if (header[i].p_type == PT_LOAD && !(header[i].p_flags & PF_W))
			give(base + header[i].p_vaddr / page * page,
			     base + header[i].p_vaddr + header[i].p_memsz + page - 1, page);
}

void park_shrink(const struct start *s, const void *waits_in)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	const void *used[] = { waits_in, (const void *)park_shrink, (const void *)give,
			       (const void *)madvise, (const void *)accept4 };

	give_heap(page);
	give_stack(s, page);
	for (size_t i = 0; i < ARRAY_SIZE(used); i++)
		part(used[i], page);
	give_program(page);
}

void park_take(struct start *s)
{
	struct park *park = &s->park;
	int home = s->plan->process.home_index;

	if (home >= 0)
		memcpy((char *)park->plan.process.env[home], s->plan->process.env[home],
		       PLAN_HOME_SIZE);
	s->hook_states[PLAN_HOOK_START_CONTAINER] = park->hook_state;
	s->filter = park->filter;
	s->listener.parts = park->parts;
	s->mount_fds = s->layer_fds = NULL; /* none of them is open any more */
	s->plan = &park->plan;
	arena_discard(s->arena);
	s->arena = &park->arena;
}
