/*
 * A shorter program with the same answers. The kernel checks, translates and compiles a filter at
 * every start and exec, a third of a microsecond for each instruction; and libseccomp compares the
 * number with every system call of the profile, for docker's 1200 instructions.
 *
 * Such a program compares the architecture and the number with constants only, so between two of
 * these constants its answer, or the place where it begins to look at arguments, is the same. This
 * asks it once for every such stretch and writes a tree over the stretches that differ from their
 * neighbours; what looks at arguments is copied as it stands. A program that does anything else is
 * left alone. Pure; runs in the parent.
 */
#include "seccomp/shorten.h"

/* Single values that are compared one by one; all else of their group pays for each of them. */
#define SHORTEN_EXCEPTIONS 6

/* ---- what looks at arguments ---- */

static void want(struct shorten_target *target, size_t at)
{
	target->copies[at] = BPF_MAXINSNS; /* its place comes later */
}

/* All that can be reached from what is wanted; jumps go forward only. */
static void want_reachable(const struct shorten_source *source, struct shorten_target *target)
{
	for (size_t at = 0; at < source->n; at++) {
		const struct sock_filter *insn = &source->insns[at];
		if (!target->copies[at] || BPF_CLASS(insn->code) == BPF_RET)
			continue;
		if (insn->code == (BPF_JMP | BPF_JA)) {
			want(target, at + 1 + insn->k);
		} else if (BPF_CLASS(insn->code) == BPF_JMP) {
			want(target, at + 1 + insn->jt);
			want(target, at + 1 + insn->jf);
		} else {
			want(target, at + 1);
		}
	}
}

static size_t copy_insn(const struct shorten_source *source, struct shorten_target *target,
			size_t at)
{
	const struct sock_filter *insn = &source->insns[at];
	const size_t *next = &target->copies[at + 1];

	if (BPF_CLASS(insn->code) == BPF_RET)
		return shorten_put_return(target, insn->k);
	if (insn->code == (BPF_JMP | BPF_JA))
		return next[insn->k];
	if (BPF_CLASS(insn->code) == BPF_JMP)
		return shorten_put_jump(target, insn, next[insn->jt], next[insn->jf]);
	return shorten_put_before(target, *insn, *next);
}

/* Of the ends that are not a return. */
static void copy_arguments(const struct shorten_source *source, struct shorten_target *target)
{
	want_reachable(source, target);
	for (size_t at = source->n; at-- > 0 && !target->is_full;)
		if (target->copies[at])
			target->copies[at] = copy_insn(source, target, at);
}

/* ---- the tree ---- */

/* From here to the next one, all goes to the same place. */
struct shorten_stretch {
	uint32_t from;
	size_t to; /* of the source at first, then of the target */
};

struct shorten_stretches {
	struct shorten_stretch *v;
	size_t n;
};

static void add_stretch(struct shorten_stretches *stretches, uint32_t from, size_t to)
{
	if (stretches->n == 0 || stretches->v[stretches->n - 1].to != to)
		stretches->v[stretches->n++] = (struct shorten_stretch) { from, to };
}

/* Of one value; the last one never is. */
static bool is_single(const struct shorten_stretch *v, size_t n, size_t i)
{
	return i + 1 < n && v[i + 1].from - v[i].from == 1;
}

/* How many stretches go to one place but for a few single values. */
static size_t group_size(const struct shorten_stretch *v, size_t n, size_t to)
{
	size_t size = 0;
	for (unsigned exceptions = 0; size < n; size++)
		if (v[size].to != to &&
		    (!is_single(v, n, size) || exceptions++ == SHORTEN_EXCEPTIONS))
			break;
	return size;
}

/* One after another they cost one comparison each; in a tree, two. */
static size_t put_exceptions(struct shorten_target *target, const struct shorten_stretch *v,
			     size_t n, size_t to)
{
	size_t first = to;
	for (size_t i = n; i-- > 0;) {
		const struct sock_filter like = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, v[i].from, 0,
							 0);
		if (v[i].to != to)
			first = shorten_put_jump(target, &like, v[i].to, first);
	}
	return first;
}

/* The longest groups from the left, in the place of their stretches. */
static void put_groups(struct shorten_target *target, struct shorten_stretches *stretches)
{
	struct shorten_stretch *v = stretches->v;
	size_t n = stretches->n, i = 0;

	for (stretches->n = 0; i < n && !target->is_full;) {
		size_t to = v[i].to, size = group_size(v + i, n - i, to);
		if (i + 1 < n && group_size(v + i, n - i, v[i + 1].to) > size) {
			to = v[i + 1].to;
			size = group_size(v + i, n - i, to);
		}
		to = put_exceptions(target, v + i, size, to);
		add_stretch(stretches, v[i].from, to);
		i += size;
	}
}

static size_t put_tree(struct shorten_target *target, const struct shorten_stretch *v, size_t n)
{
	if (n == 1 || target->is_full)
		return v[0].to;
	size_t half = n / 2;
	size_t above = put_tree(target, v + half, n - half);
	size_t below = put_tree(target, v, half);
	const struct sock_filter like = BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, v[half].from, 0, 0);
	return shorten_put_jump(target, &like, above, below);
}

static size_t put_choice(struct shorten_target *target, uint32_t offset,
			 struct shorten_stretches *stretches)
{
	if (stretches->n == 1)
		return stretches->v[0].to;
	put_groups(target, stretches);
	return shorten_put_before(target, (struct sock_filter)BPF_STMT(SHORTEN_LOAD, offset),
				  put_tree(target, stretches->v, stretches->n));
}

/* ---- all together ---- */

/* The numbers of one architecture. */
static void find_stretches(const struct shorten_source *source, uint32_t arch,
			   struct shorten_target *target, struct shorten_stretches *ret)
{
	for (size_t i = 0; i < source->numbers.n; i++) {
		size_t end = shorten_find_end(source, arch, source->numbers.v[i]);
		if (source->insns[end].code != (BPF_RET | BPF_K))
			want(target, end);
		add_stretch(ret, source->numbers.v[i], end);
	}
}

/* From ends in the source to places in the target; different ends may be the same answer. */
static void place_stretches(const struct shorten_source *source, struct shorten_target *target,
			    struct shorten_stretches *stretches)
{
	size_t n = stretches->n;

	stretches->n = 0;
	for (size_t i = 0; i < n; i++) {
		size_t end = stretches->v[i].to;
		size_t to = target->copies[end] ? target->copies[end]
						: shorten_put_return(target, source->insns[end].k);
		add_stretch(stretches, stretches->v[i].from, to);
	}
}

static void write_program(const struct shorten_source *source, struct shorten_target *target,
			  struct arena *arena)
{
	struct shorten_stretches arches = { 0 };
	struct shorten_stretches *numbers = arena_array(arena, source->arches.n, sizeof(*numbers));

	arches.v = arena_array(arena, source->arches.n, sizeof(*arches.v));
	for (size_t i = 0; i < source->arches.n; i++) {
		numbers[i].v = arena_array(arena, source->numbers.n, sizeof(*numbers[i].v));
		find_stretches(source, source->arches.v[i], target, &numbers[i]);
	}
	copy_arguments(source, target);
	for (size_t i = 0; i < source->arches.n && !target->is_full; i++) {
		place_stretches(source, target, &numbers[i]);
		add_stretch(&arches, source->arches.v[i],
			    put_choice(target, SHORTEN_AT_NUMBER, &numbers[i]));
	}
	if (target->is_full)
		return;
	size_t first = put_choice(target, SHORTEN_AT_ARCH, &arches);
	if (first != target->at)
		shorten_put_way(target, first);
}

void shorten_program(struct seccomp_filter *filter, struct arena *arena)
{
	struct shorten_source source = { .insns = filter->insns, .n = filter->len };
	struct shorten_target target = { .at = BPF_MAXINSNS };

	if (!shorten_read(&source, arena))
		return;
	target.insns = arena_array(arena, BPF_MAXINSNS, sizeof(*target.insns));
	target.copies = arena_array(arena, source.n, sizeof(*target.copies));
	write_program(&source, &target, arena);
	if (target.is_full || BPF_MAXINSNS - target.at >= filter->len)
		return;
	filter->insns = target.insns + target.at;
	filter->len = (unsigned short)(BPF_MAXINSNS - target.at);
}
