/*
 * linux.resources.devices as an eBPF program that the kernel asks at every open and mknod of a
 * device. Pure: makes instructions, no system calls; runs while the start is planned.
 *
 * Meaning (S-162): what is allowed is a set of (type, major, minor, access letter). It is empty at
 * first, each rule in turn adds or takes away all elements that it describes, and a request is
 * allowed when each letter that it asks for is in the set. So the last rule that matches decides,
 * letter by letter. runc and crun, too, begin with nothing allowed as soon as there is a rule; they
 * compare a request's letters as a whole, which lets "deny w" be passed by an open for rw.
 *
 * Without rules, and where all rules together allow everything, there is no program.
 */
#include "cgroup/limits.h"

#include "base/str.h"

#define ACCESS_ALL (BPF_DEVCG_ACC_MKNOD | BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE)
#define NUMBER_ANY (-1)
#define TYPE_ANY   0

struct rule {
	bool allow;
	uint32_t type;        /* BPF_DEVCG_DEV_*, TYPE_ANY */
	int64_t major, minor; /* NUMBER_ANY */
	uint32_t access;      /* BPF_DEVCG_ACC_* */
};

/*
 * What every container may use, whatever the first rule denies (S-143): the devices that the
 * runtime itself puts into /dev, terminals, and making device nodes, which gives no access to
 * what they stand for. tun (10:200) is a mistake of runc's first days that engines' users rely
 * on: runc 1.2.0 left it out and 1.2.4 brought it back (opencontainers/runc#4555).
 */
static const struct rule default_rules[] = {
	{ true, BPF_DEVCG_DEV_CHAR, NUMBER_ANY, NUMBER_ANY, BPF_DEVCG_ACC_MKNOD },
	{ true, BPF_DEVCG_DEV_BLOCK, NUMBER_ANY, NUMBER_ANY, BPF_DEVCG_ACC_MKNOD },
	{ true, BPF_DEVCG_DEV_CHAR, 1, 3, ACCESS_ALL },            /* null */
	{ true, BPF_DEVCG_DEV_CHAR, 1, 5, ACCESS_ALL },            /* zero */
	{ true, BPF_DEVCG_DEV_CHAR, 1, 7, ACCESS_ALL },            /* full */
	{ true, BPF_DEVCG_DEV_CHAR, 1, 8, ACCESS_ALL },            /* random */
	{ true, BPF_DEVCG_DEV_CHAR, 1, 9, ACCESS_ALL },            /* urandom */
	{ true, BPF_DEVCG_DEV_CHAR, 5, 0, ACCESS_ALL },            /* tty */
	{ true, BPF_DEVCG_DEV_CHAR, 5, 1, ACCESS_ALL },            /* console */
	{ true, BPF_DEVCG_DEV_CHAR, 5, 2, ACCESS_ALL },            /* ptmx */
	{ true, BPF_DEVCG_DEV_CHAR, 136, NUMBER_ANY, ACCESS_ALL }, /* pts */
	{ true, BPF_DEVCG_DEV_CHAR, 10, 200, ACCESS_ALL },         /* net/tun */
};

static const struct {
	char letter;
	uint32_t access;
} access_letters[] = {
	{ 'r', BPF_DEVCG_ACC_READ },
	{ 'w', BPF_DEVCG_ACC_WRITE },
	{ 'm', BPF_DEVCG_ACC_MKNOD },
};

/* ---- rules of the spec ---- */

static int refuse(const struct spec_device_rule *from, uint32_t at, struct err *err)
{
	int r = err_say(err, ERR_CONFIG, EINVAL, "the device rule is not valid");
	err_hint(err, "type is one of a, b, c; numbers are -1 (all) to 4294967295; access has "
		      "letters of rwm");
	err_at(err, at ? at : from->at);
	return r;
}

/* 0 for an empty text or one with another letter. */
static uint32_t parse_access(const char *text)
{
	uint32_t access = 0;
	for (; *text; text++) {
		uint32_t bit = 0;
		for (size_t i = 0; i < ARRAY_SIZE(access_letters); i++)
			if (*text == access_letters[i].letter)
				bit = access_letters[i].access;
		if (!bit)
			return 0;
		access |= bit;
	}
	return access;
}

static bool is_number(int64_t n)
{
	return n >= NUMBER_ANY && n <= UINT32_MAX;
}

static int rule_from_spec(const struct spec_device_rule *from, struct rule *ret, struct err *err)
{
	static const struct str_name types[] = {
		{ "a", TYPE_ANY },
		{ "b", BPF_DEVCG_DEV_BLOCK },
		{ "c", BPF_DEVCG_DEV_CHAR },
		{ NULL, 0 },
	};
	const struct str_name *type = str_name_find(types, from->type.at ? from->type.s : "a");
	if (!type)
		return refuse(from, from->type.at, err);
	struct rule rule = {
		.allow = from->allow.v,
		.type = (uint32_t)type->value,
		.major = from->major.at ? from->major.v : NUMBER_ANY,
		.minor = from->minor.at ? from->minor.v : NUMBER_ANY,
		.access = from->access.at ? parse_access(from->access.s) : ACCESS_ALL,
	};
	if (!is_number(rule.major))
		return refuse(from, from->major.at, err);
	if (!is_number(rule.minor))
		return refuse(from, from->minor.at, err);
	if (!rule.access)
		return refuse(from, from->access.at, err);
	*ret = rule;
	return 0;
}

static bool names_no_device(const struct rule *rule)
{
	return rule->major == NUMBER_ANY && rule->minor == NUMBER_ANY;
}

static bool is_everything(const struct rule *rule)
{
	return names_no_device(rule) && rule->type == TYPE_ANY && rule->access == ACCESS_ALL;
}

/*
 * The default devices stand behind the last rule that denies without naming a device (engines
 * begin with one), or first. So a later rule of the config can still take one of them away.
 */
static size_t place_of_defaults(const struct rule *rules, size_t n)
{
	size_t place = 0;
	for (size_t i = 0; i < n; i++)
		if (!rules[i].allow && names_no_device(&rules[i]))
			place = i + 1;
	return place;
}

/* Nothing is denied after the last rule that allows everything. */
static bool allows_everything(const struct rule *rules, size_t n)
{
	for (size_t i = n; i > 0; i--) {
		if (!rules[i - 1].allow)
			return false;
		if (is_everything(&rules[i - 1]))
			return true;
	}
	return false;
}

/* ---- the program ---- */

/* Registers: the request, taken apart. ACCESS loses the letters that a rule has allowed. */
enum reg { RESULT = BPF_REG_0, CTX, TYPE, ACCESS, MAJOR, MINOR };

#define RULE_INSNS_MAX 8  /* of emit_rule */
#define FIXED_INSNS    12 /* of emit_prologue and the last answer */

struct program {
	struct bpf_insn *insns;
	size_t n;
	bool ended; /* a rule decided everything: the kernel refuses unreachable code behind it */
};

static void emit(struct program *p, unsigned code, enum reg dst, int16_t off, int32_t imm)
{
	p->insns[p->n++] = (struct bpf_insn) {
		.code = (uint8_t)code,
		.dst_reg = dst & 0xf,
		.src_reg = (code == (BPF_LDX | BPF_MEM | BPF_W) ? CTX : 0) & 0xf,
		.off = off,
		.imm = imm,
	};
}

static void emit_answer(struct program *p, bool allow)
{
	emit(p, BPF_ALU64 | BPF_MOV | BPF_K, RESULT, 0, allow);
	emit(p, BPF_JMP | BPF_EXIT, RESULT, 0, 0);
}

static void emit_prologue(struct program *p)
{
	const unsigned load = BPF_LDX | BPF_MEM | BPF_W;
	emit(p, load, TYPE, offsetof(struct bpf_cgroup_dev_ctx, access_type), 0);
	emit(p, load, ACCESS, offsetof(struct bpf_cgroup_dev_ctx, access_type), 0);
	emit(p, load, MAJOR, offsetof(struct bpf_cgroup_dev_ctx, major), 0);
	emit(p, load, MINOR, offsetof(struct bpf_cgroup_dev_ctx, minor), 0);
	emit(p, BPF_ALU | BPF_AND | BPF_K, TYPE, 0, 0xffff);
	emit(p, BPF_ALU | BPF_RSH | BPF_K, ACCESS, 0, 16);
	/* access(2) with F_OK asks for nothing. */
	emit(p, BPF_JMP32 | BPF_JNE | BPF_K, ACCESS, 2, 0);
	emit_answer(p, true);
}

/* Jumps to the next rule unless the request's device is the rule's; the offset is set later. */
static void emit_match(struct program *p, const struct rule *rule)
{
	if (rule->type != TYPE_ANY)
		emit(p, BPF_JMP32 | BPF_JNE | BPF_K, TYPE, 0, (int32_t)rule->type);
	if (rule->major != NUMBER_ANY)
		emit(p, BPF_JMP32 | BPF_JNE | BPF_K, MAJOR, 0, (int32_t)(uint32_t)rule->major);
	if (rule->minor != NUMBER_ANY)
		emit(p, BPF_JMP32 | BPF_JNE | BPF_K, MINOR, 0, (int32_t)(uint32_t)rule->minor);
}

static void emit_rule(struct program *p, const struct rule *rule)
{
	size_t start = p->n;
	emit_match(p, rule);
	size_t matched = p->n;
	bool whole = rule->access == ACCESS_ALL;
	if (rule->allow && !whole) {
		emit(p, BPF_ALU | BPF_AND | BPF_K, ACCESS, 0,
		     (int32_t)(ACCESS_ALL & ~rule->access));
		emit(p, BPF_JMP32 | BPF_JNE | BPF_K, ACCESS, 2, 0);
	} else if (!whole) {
		emit(p, BPF_JMP32 | BPF_JSET | BPF_K, ACCESS, 1, (int32_t)rule->access);
		emit(p, BPF_JMP | BPF_JA, RESULT, 2, 0);
	}
	emit_answer(p, rule->allow);
	for (size_t i = start; i < matched; i++)
		p->insns[i].off = (int16_t)(p->n - i - 1);
}

/* From the last rule to the first, so that the first match decides. */
static void emit_rules(struct program *p, const struct rule *rules, size_t n)
{
	for (size_t i = n; i > 0 && !p->ended; i--) {
		emit_rule(p, &rules[i - 1]);
		p->ended = is_everything(&rules[i - 1]);
	}
}

static int rules_from_spec(const struct spec_resources *resources, struct arena *arena,
			   struct rule **ret, struct err *err)
{
	size_t n = resources->devices.n;
	struct rule *rules = arena_array(arena, n, sizeof(*rules));
	for (size_t i = 0; i < n; i++) {
		int r = rule_from_spec(&resources->devices.v[i], &rules[i], err);
		if (r < 0)
			return r;
	}
	*ret = rules;
	return 0;
}

int device_plan(const struct spec_resources *resources, struct arena *arena,
		struct cgroup_plan *ret, struct err *err)
{
	size_t n = resources->devices.n;
	struct rule *rules;
	int r = rules_from_spec(resources, arena, &rules, err);
	if (r < 0)
		return r;
	if (n == 0 || allows_everything(rules, n))
		return 0;
	size_t room = FIXED_INSNS + (n + ARRAY_SIZE(default_rules)) * RULE_INSNS_MAX;
	struct program p = { .insns = arena_array(arena, room, sizeof(*p.insns)) };
	size_t place = place_of_defaults(rules, n);
	emit_prologue(&p);
	emit_rules(&p, rules + place, n - place);
	emit_rules(&p, default_rules, ARRAY_SIZE(default_rules));
	emit_rules(&p, rules, place);
	if (!p.ended)
		emit_answer(&p, false);
	ret->device_insns = p.insns;
	ret->device_insns_n = p.n;
	return 0;
}

/* ---- as a list ---- */

static struct device_allowed *add_allowed(struct device_allowed *to, const struct rule *rule,
					  const char *types)
{
	for (; *types; types++) {
		if (!rule->allow || (rule->type == BPF_DEVCG_DEV_CHAR && *types != 'c') ||
		    (rule->type == BPF_DEVCG_DEV_BLOCK && *types != 'b'))
			continue;
		*to++ = (struct device_allowed) {
			.type = *types,
			.major = rule->major,
			.minor = rule->minor,
			.access = rule->access,
		};
	}
	return to;
}

int device_list_allowed(const struct spec_resources *resources, struct arena *arena,
			struct device_allowed **ret, size_t *ret_n, struct err *err)
{
	size_t n = resources->devices.n;
	struct rule *rules;
	int r = rules_from_spec(resources, arena, &rules, err);
	if (r < 0)
		return r;
	*ret = arena_array(arena, 2 * (n + ARRAY_SIZE(default_rules)), sizeof(**ret));
	struct device_allowed *end = *ret;
	for (size_t i = 0; i < ARRAY_SIZE(default_rules); i++)
		end = add_allowed(end, &default_rules[i], "cb");
	for (size_t i = 0; i < n; i++)
		end = add_allowed(end, &rules[i], "cb");
	*ret_n = (size_t)(end - *ret);
	return 0;
}
