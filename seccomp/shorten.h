/*
 * A shorter program with the same answers: what shorten.c shares with its two parts, the one that
 * reads libseccomp's program and the one that writes instructions. Nobody else includes it.
 */
#ifndef HULL_SECCOMP_SHORTEN_H
#define HULL_SECCOMP_SHORTEN_H

#include <linux/bpf_common.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "seccomp/profile.h"

#define SHORTEN_LOAD      (BPF_LD | BPF_W | BPF_ABS)
#define SHORTEN_AT_NUMBER ((uint32_t)offsetof(struct seccomp_data, nr))
#define SHORTEN_AT_ARCH   ((uint32_t)offsetof(struct seccomp_data, arch))

/* ---- shorten_read.c: the program as it is ---- */

/* What the accumulator holds before an instruction; several: it depends on the way there. */
enum shorten_kind { KIND_UNREACHED, KIND_ARCH, KIND_NUMBER, KIND_OTHER, KIND_SEVERAL };

/* Where stretches begin, in order. */
struct shorten_points {
	uint32_t *v;
	size_t n;
};

struct shorten_source {
	const struct sock_filter *insns;
	size_t n;
	enum shorten_kind *kinds;
	struct shorten_points arches, numbers;
};

/* Fills all but insns and n. False: it has something that is not understood. */
bool shorten_read(struct shorten_source *source, struct arena *arena);

/* Where the program returns, or begins to look at something else, for an architecture and number.
 */
size_t shorten_find_end(const struct shorten_source *source, uint32_t arch, uint32_t number);

/* ---- shorten_write.c: the new one, from its end to its beginning ---- */

struct shorten_target {
	struct sock_filter *insns; /* room for the longest; what is written begins at `at` */
	size_t at;
	bool is_full;
	size_t *copies; /* of the source's instructions that look at arguments; 0: none yet */
};

/* Each returns where it stands, which may be where the same stood before. */
size_t shorten_put_return(struct shorten_target *target, uint32_t value);
/* Goes on at `to`. */
size_t shorten_put_way(struct shorten_target *target, size_t to);
/* One that goes on with `next`. */
size_t shorten_put_before(struct shorten_target *target, struct sock_filter insn, size_t next);
/* `like` gives the operator and the constant. */
size_t shorten_put_jump(struct shorten_target *target, const struct sock_filter *like, size_t yes,
			size_t no);

#endif
