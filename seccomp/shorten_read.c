/*
 * Reading a program for shorten.c: which constants the architecture and the number are compared
 * with, and where the program ends for one of each. Pure; runs in the parent.
 */
#include <stdlib.h>

#include "seccomp/shorten.h"

/* JSET of a lower bit would make more stretches than are worth it; the x32 bit makes four. */
#define READ_LOWEST_BIT (1u << 28)

/* Each comparison adds two at most, and a bit sixteen: only the highest four are taken. */
static void add_point(struct shorten_points *points, uint64_t from)
{
	if (from <= UINT32_MAX)
		points->v[points->n++] = (uint32_t)from;
}

static bool add_bit(struct shorten_points *points, uint32_t bit)
{
	if (bit < READ_LOWEST_BIT || (bit & (bit - 1)) != 0)
		return false;
	for (uint64_t from = bit; from <= UINT32_MAX; from += bit)
		add_point(points, from);
	return true;
}

static bool add_comparison(struct shorten_source *source, size_t at)
{
	const struct sock_filter *insn = &source->insns[at];
	enum shorten_kind kind = source->kinds[at];

	if (kind == KIND_OTHER)
		return true;
	if (kind == KIND_SEVERAL)
		return false;
	struct shorten_points *points = kind == KIND_ARCH ? &source->arches : &source->numbers;
	if (BPF_OP(insn->code) == BPF_JSET)
		return add_bit(points, insn->k);
	add_point(points, insn->k);
	add_point(points, (uint64_t)insn->k + 1);
	return true;
}

static bool flow(struct shorten_source *source, size_t to, enum shorten_kind kind)
{
	if (to >= source->n)
		return false;
	enum shorten_kind *known = &source->kinds[to];
	*known = *known == KIND_UNREACHED || *known == kind ? kind : KIND_SEVERAL;
	return true;
}

static enum shorten_kind loaded_kind(uint32_t offset)
{
	if (offset == SHORTEN_AT_NUMBER)
		return KIND_NUMBER;
	return offset == SHORTEN_AT_ARCH ? KIND_ARCH : KIND_OTHER;
}

/* False: it is none of the instructions that are understood here. */
static bool read_insn(struct shorten_source *source, size_t at)
{
	const struct sock_filter *insn = &source->insns[at];
	enum shorten_kind kind = source->kinds[at];

	switch (insn->code) {
	case SHORTEN_LOAD:
		return flow(source, at + 1, loaded_kind(insn->k));
	case BPF_JMP | BPF_JA:
		return flow(source, at + 1 + insn->k, kind);
	case BPF_JMP | BPF_JEQ | BPF_K:
	case BPF_JMP | BPF_JGT | BPF_K:
	case BPF_JMP | BPF_JGE | BPF_K:
	case BPF_JMP | BPF_JSET | BPF_K:
		return add_comparison(source, at) && flow(source, at + 1 + insn->jt, kind) &&
		       flow(source, at + 1 + insn->jf, kind);
	case BPF_ALU | BPF_AND | BPF_K:
		return kind == KIND_OTHER && flow(source, at + 1, kind);
	default:
		return insn->code == (BPF_RET | BPF_K);
	}
}

static int compare_points(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

static void init_points(struct shorten_points *points, size_t insns, struct arena *arena)
{
	points->v = arena_array(arena, 1 + 16 * insns, sizeof(*points->v));
	add_point(points, 0);
}

static void sort_points(struct shorten_points *points)
{
	size_t n = 1;

	qsort(points->v, points->n, sizeof(*points->v), compare_points);
	for (size_t i = 1; i < points->n; i++)
		if (points->v[i] != points->v[n - 1])
			points->v[n++] = points->v[i];
	points->n = n;
}

/* Jumps go forward only, so all ways to an instruction are known when its turn comes. */
bool shorten_read(struct shorten_source *source, struct arena *arena)
{
	source->kinds = arena_array(arena, source->n, sizeof(*source->kinds));
	init_points(&source->arches, source->n, arena);
	init_points(&source->numbers, source->n, arena);
	source->kinds[0] = KIND_SEVERAL;
	for (size_t at = 0; at < source->n; at++)
		if (source->kinds[at] != KIND_UNREACHED && !read_insn(source, at))
			return false;
	sort_points(&source->arches);
	sort_points(&source->numbers);
	return true;
}

static bool holds(const struct sock_filter *insn, uint32_t value)
{
	switch (BPF_OP(insn->code)) {
	case BPF_JEQ:
		return value == insn->k;
	case BPF_JGT:
		return value > insn->k;
	case BPF_JGE:
		return value >= insn->k;
	default:
		return (value & insn->k) != 0;
	}
}

size_t shorten_find_end(const struct shorten_source *source, uint32_t arch, uint32_t number)
{
	uint32_t value = 0;

	for (size_t at = 0;;) {
		const struct sock_filter *insn = &source->insns[at];
		if (insn->code == (BPF_JMP | BPF_JA)) {
			at += 1 + insn->k;
		} else if (BPF_CLASS(insn->code) == BPF_JMP) {
			at += 1u + (holds(insn, value) ? insn->jt : insn->jf);
		} else if (insn->code == SHORTEN_LOAD && loaded_kind(insn->k) != KIND_OTHER) {
			value = insn->k == SHORTEN_AT_ARCH ? arch : number;
			at++;
		} else {
			return at;
		}
	}
}
