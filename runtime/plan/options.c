/*
 * Mount options: which word of config.json's mounts[].options means what (S-073 to S-083). One
 * table; an option that it does not know goes to the file system, which knows best (S-070). The
 * last of two contradicting options wins, as with mount(8) (S-072).
 */
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include "base/str.h"
#include "plan/parts.h"

enum option_kind {
	OPTION_NOTHING,    /* accepted, and the kernel has nothing to be told */
	OPTION_SET,        /* sets an attribute */
	OPTION_CLEAR,      /* clears one */
	OPTION_ATIME,      /* one of the exclusive access time modes */
	OPTION_NO_ATIME,   /* the end of one of them: the kernel's default, relatime, is left */
	OPTION_SUPERBLOCK, /* a flag that every file system takes through fsconfig */
	OPTION_PROPAGATION,
	OPTION_BIND,
	OPTION_REMOUNT,
	OPTION_COPY_UP,
	OPTION_IDMAP,
};
enum option_flags { OPTION_RECURSIVE = 1u << 0 };

struct option {
	const char *name;
	enum option_kind kind;
	unsigned flags;
	uint64_t value;
};

const struct str_name plan_propagation_names[] = {
	{ "private", MS_PRIVATE },
	{ "slave", MS_SLAVE },
	{ "shared", MS_SHARED },
	{ "unbindable", MS_UNBINDABLE },
	{ "rprivate", MS_PRIVATE | MS_REC },
	{ "rslave", MS_SLAVE | MS_REC },
	{ "rshared", MS_SHARED | MS_REC },
	{ "runbindable", MS_UNBINDABLE | MS_REC },
	{ NULL, 0 },
};

static const struct option option_table[] = {
	{ "defaults", OPTION_NOTHING, 0, 0 },
	/* Options of the kernel that mount(8) passes on and that need no word here: all file
	 * systems count i_version since 6.1, and a new mount is silent by itself. */
	{ "iversion", OPTION_NOTHING, 0, 0 },
	{ "noiversion", OPTION_NOTHING, 0, 0 },
	{ "silent", OPTION_NOTHING, 0, 0 },
	{ "loud", OPTION_NOTHING, 0, 0 },

	{ "ro", OPTION_SET, 0, MOUNT_ATTR_RDONLY },
	{ "rw", OPTION_CLEAR, 0, MOUNT_ATTR_RDONLY },
	{ "nosuid", OPTION_SET, 0, MOUNT_ATTR_NOSUID },
	{ "suid", OPTION_CLEAR, 0, MOUNT_ATTR_NOSUID },
	{ "nodev", OPTION_SET, 0, MOUNT_ATTR_NODEV },
	{ "dev", OPTION_CLEAR, 0, MOUNT_ATTR_NODEV },
	{ "noexec", OPTION_SET, 0, MOUNT_ATTR_NOEXEC },
	{ "exec", OPTION_CLEAR, 0, MOUNT_ATTR_NOEXEC },
	{ "nodiratime", OPTION_SET, 0, MOUNT_ATTR_NODIRATIME },
	{ "diratime", OPTION_CLEAR, 0, MOUNT_ATTR_NODIRATIME },
	{ "nosymfollow", OPTION_SET, 0, MOUNT_ATTR_NOSYMFOLLOW },
	{ "symfollow", OPTION_CLEAR, 0, MOUNT_ATTR_NOSYMFOLLOW },
	{ "relatime", OPTION_ATIME, 0, MOUNT_ATTR_RELATIME },
	{ "norelatime", OPTION_NO_ATIME, 0, MOUNT_ATTR_RELATIME },
	{ "noatime", OPTION_ATIME, 0, MOUNT_ATTR_NOATIME },
	{ "atime", OPTION_NO_ATIME, 0, MOUNT_ATTR_NOATIME },
	{ "strictatime", OPTION_ATIME, 0, MOUNT_ATTR_STRICTATIME },
	{ "nostrictatime", OPTION_NO_ATIME, 0, MOUNT_ATTR_STRICTATIME },

	{ "rro", OPTION_SET, OPTION_RECURSIVE, MOUNT_ATTR_RDONLY },
	{ "rrw", OPTION_CLEAR, OPTION_RECURSIVE, MOUNT_ATTR_RDONLY },
	{ "rnosuid", OPTION_SET, OPTION_RECURSIVE, MOUNT_ATTR_NOSUID },
	{ "rsuid", OPTION_CLEAR, OPTION_RECURSIVE, MOUNT_ATTR_NOSUID },
	{ "rnodev", OPTION_SET, OPTION_RECURSIVE, MOUNT_ATTR_NODEV },
	{ "rdev", OPTION_CLEAR, OPTION_RECURSIVE, MOUNT_ATTR_NODEV },
	{ "rnoexec", OPTION_SET, OPTION_RECURSIVE, MOUNT_ATTR_NOEXEC },
	{ "rexec", OPTION_CLEAR, OPTION_RECURSIVE, MOUNT_ATTR_NOEXEC },
	{ "rnodiratime", OPTION_SET, OPTION_RECURSIVE, MOUNT_ATTR_NODIRATIME },
	{ "rdiratime", OPTION_CLEAR, OPTION_RECURSIVE, MOUNT_ATTR_NODIRATIME },
	{ "rnosymfollow", OPTION_SET, OPTION_RECURSIVE, MOUNT_ATTR_NOSYMFOLLOW },
	{ "rsymfollow", OPTION_CLEAR, OPTION_RECURSIVE, MOUNT_ATTR_NOSYMFOLLOW },
	{ "rrelatime", OPTION_ATIME, OPTION_RECURSIVE, MOUNT_ATTR_RELATIME },
	{ "rnorelatime", OPTION_NO_ATIME, OPTION_RECURSIVE, MOUNT_ATTR_RELATIME },
	{ "rnoatime", OPTION_ATIME, OPTION_RECURSIVE, MOUNT_ATTR_NOATIME },
	{ "ratime", OPTION_NO_ATIME, OPTION_RECURSIVE, MOUNT_ATTR_NOATIME },
	{ "rstrictatime", OPTION_ATIME, OPTION_RECURSIVE, MOUNT_ATTR_STRICTATIME },
	{ "rnostrictatime", OPTION_NO_ATIME, OPTION_RECURSIVE, MOUNT_ATTR_STRICTATIME },

	{ "sync", OPTION_SUPERBLOCK, 0, 0 },
	{ "async", OPTION_SUPERBLOCK, 0, 0 },
	{ "dirsync", OPTION_SUPERBLOCK, 0, 0 },
	{ "lazytime", OPTION_SUPERBLOCK, 0, 0 },
	{ "nolazytime", OPTION_SUPERBLOCK, 0, 0 },
	{ "mand", OPTION_SUPERBLOCK, 0, 0 },
	{ "nomand", OPTION_SUPERBLOCK, 0, 0 },

	/* Both forms speak of the whole tree that is mounted: a bind that takes submounts along
	 * must not leave some of them connected to the host. */
	{ "private", OPTION_PROPAGATION, 0, MS_PRIVATE },
	{ "shared", OPTION_PROPAGATION, 0, MS_SHARED },
	{ "slave", OPTION_PROPAGATION, 0, MS_SLAVE },
	{ "unbindable", OPTION_PROPAGATION, 0, MS_UNBINDABLE },
	{ "rprivate", OPTION_PROPAGATION, 0, MS_PRIVATE },
	{ "rshared", OPTION_PROPAGATION, 0, MS_SHARED },
	{ "rslave", OPTION_PROPAGATION, 0, MS_SLAVE },
	{ "runbindable", OPTION_PROPAGATION, 0, MS_UNBINDABLE },

	{ "bind", OPTION_BIND, 0, 0 },
	{ "rbind", OPTION_BIND, OPTION_RECURSIVE, 0 },
	{ "remount", OPTION_REMOUNT, 0, 0 },
	{ "idmap", OPTION_IDMAP, 0, 0 },
	{ "ridmap", OPTION_IDMAP, OPTION_RECURSIVE, 0 },
	{ "tmpcopyup", OPTION_COPY_UP, 0, 0 },
};

/* Those of hull's have no value, but for the maps of idmap= and ridmap=. */
static const struct option *option_find(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(option_table); i++) {
		const struct option *o = &option_table[i];
		size_t n = strlen(o->name);
		if (strncmp(o->name, word, n) == 0 &&
		    (!word[n] || (word[n] == '=' && o->kind == OPTION_IDMAP)))
			return o;
	}
	return NULL;
}

/* The maps, when there are any. */
static const char *map_of(const struct option *o, const struct spec_str *word)
{
	const char *eq = strchr(word->s, '=');
	return o->kind == OPTION_IDMAP && eq && eq[1] ? eq + 1 : NULL;
}

const char *plan_next_mount_option(size_t *index)
{
	return *index < ARRAY_SIZE(option_table) ? option_table[(*index)++].name : NULL;
}

static const char *next_option(void *state)
{
	return plan_next_mount_option(state);
}

/* Records one attribute so that it overrules what earlier options said. */
static void attr_apply(struct plan_attr *attr, enum option_kind kind, uint64_t value)
{
	switch (kind) {
	case OPTION_SET:
		attr->set |= value;
		attr->clear &= ~value;
		break;
	case OPTION_CLEAR:
		attr->clear |= value;
		attr->set &= ~value;
		break;
	case OPTION_NO_ATIME: /* "noatime,nostrictatime" stays noatime, as with mount(8) */
		attr->set &= ~value;
		attr->clear |= MOUNT_ATTR__ATIME;
		break;
	default: /* the access time modes share a field, which is cleared as a whole (S-081) */
		attr->set = (attr->set & ~(uint64_t)MOUNT_ATTR__ATIME) | value;
		attr->clear |= MOUNT_ATTR__ATIME;
		break;
	}
}

/*
 * A recursive word is about the mount itself too, so it overrules what was said of that one alone:
 * after "rw,rro" nothing of the tree may be writable. A new file system has nothing below it.
 */
static void mount_attr_apply(struct plan_mount *m, const struct option *o)
{
	if (!(o->flags & OPTION_RECURSIVE) || m->kind == PLAN_MOUNT_NEW) {
		attr_apply(&m->attr, o->kind, o->value);
		return;
	}
	uint64_t bits = o->kind == OPTION_SET || o->kind == OPTION_CLEAR ? o->value
									 : MOUNT_ATTR__ATIME;
	m->attr.set &= ~bits;
	m->attr.clear &= ~bits;
	attr_apply(&m->attr_recursive, o->kind, o->value);
}

/* "key=value" or "key" for the file system. */
static void add_fs_option(const struct planner *p, const struct spec_str *word,
			  struct plan_mount *m)
{
	struct plan_fs_option *o = &m->options[m->options_n++];
	const char *eq = strchr(word->s, '=');
	o->key = eq ? arena_strndup(p->arena, word->s, (size_t)(eq - word->s)) : word->s;
	o->value = eq ? eq + 1 : NULL;
	o->at = word->at;
}

/* What people write for an option of another name. */
static const struct {
	const char *word, *meant;
} foreign_options[] = {
	{ "readonly", "ro" },
	{ "read-only", "ro" },
	{ "recursive", "rbind" },
	{ "readwrite", "rw" },
};

const char *plan_meant_option(const char *word)
{
	size_t i = 0;
	for (size_t k = 0; k < ARRAY_SIZE(foreign_options); k++)
		if (str_eq(foreign_options[k].word, word))
			return foreign_options[k].meant;
	return str_nearest(word, next_option, &i);
}

bool plan_hint_split(const char *word, const char *separators, struct err *err)
{
	char list[128];
	size_t used = 0;
	if (!word[strcspn(word, separators)])
		return false;
	for (const char *w = word; *w && used < sizeof(list) - 1;) {
		size_t n = strcspn(w, separators);
		int printed = snprintf(list + used, sizeof(list) - used, "%s\"%.*s\"",
				       used ? ", " : "", (int)n, w);
		used += printed > 0 ? (size_t)printed : 0;
		w += n + strspn(w + n, separators);
	}
	err_hint(err, "each is a string of its own: %s", list);
	return true;
}

/* What is mounted already would ignore an option of its file system without a word (S-071). */
static int unwanted_data(const struct plan_mount *m, const struct spec_str *word, struct err *err)
{
	const char *what = m->kind == PLAN_MOUNT_BIND ? "bind mount" : "remount";
	const char *near = plan_meant_option(word->s);
	err_say(err, ERR_CONFIG, EINVAL, "a %s takes no file system option '%s'", what, word->s);
	if (near && !strchr(word->s, ','))
		err_hint(err, "did you mean '%s'?", near);
	else if (!plan_hint_split(word->s, ",", err))
		err_hint(err, "only attributes such as ro, nosuid or rslave apply to a %s", what);
	err_at(err, word->at);
	return -EINVAL;
}

/* A bind mount shares its superblock with the host, and hull does not change that one. */
static void warn_without_effect(const struct planner *p, const struct spec_str *word)
{
	(void)!spec_problem_add(p->arena, p->problems, SPEC_WARNING, word->at,
				"'%s' has no effect on a file system that is mounted already",
				word->s);
}

static void apply_option(const struct planner *p, const struct option *o,
			 const struct spec_str *word, struct plan_mount *m)
{
	switch (o->kind) {
	case OPTION_SET:
	case OPTION_CLEAR:
	case OPTION_ATIME:
	case OPTION_NO_ATIME:
		mount_attr_apply(m, o);
		break;
	case OPTION_SUPERBLOCK:
		if (m->kind == PLAN_MOUNT_NEW)
			add_fs_option(p, word, m);
		else
			warn_without_effect(p, word);
		break;
	case OPTION_PROPAGATION:
		m->propagation = o->value;
		break;
	case OPTION_COPY_UP:
		m->copies_up = true;
		break;
	case OPTION_IDMAP:
		m->shift_at = word->at;
		m->shift_recursive = o->flags & OPTION_RECURSIVE;
		m->shift_text = map_of(o, word);
		break;
	default:
		break;
	}
}

/* The kind must be known before the other options are read: they mean different things. */
static void find_kind(const struct spec_mount *spec, struct plan_mount *m)
{
	m->kind = PLAN_MOUNT_NEW;
	for (size_t i = 0; i < spec->options.n; i++) {
		const struct option *o = option_find(spec->options.v[i].s);
		if (!o)
			continue;
		if (o->kind == OPTION_BIND && m->kind != PLAN_MOUNT_REMOUNT) {
			m->kind = PLAN_MOUNT_BIND;
			m->recursive = m->recursive || (o->flags & OPTION_RECURSIVE);
		}
		if (o->kind == OPTION_REMOUNT)
			m->kind = PLAN_MOUNT_REMOUNT;
	}
}

int plan_parse_mount_options(const struct planner *p, const struct spec_mount *spec,
			     struct plan_mount *ret, struct err *err)
{
	find_kind(spec, ret);
	/* Nothing of the host's propagation reaches a mount unless it is asked for. */
	ret->propagation = ret->kind == PLAN_MOUNT_REMOUNT ? 0 : MS_PRIVATE;
	ret->options = arena_array(p->arena, spec->options.n + 1, sizeof(*ret->options));
	for (size_t i = 0; i < spec->options.n; i++) {
		const struct spec_str *word = &spec->options.v[i];
		const struct option *o = option_find(word->s);
		if (o)
			apply_option(p, o, word, ret);
		else if (ret->kind != PLAN_MOUNT_NEW && word->s[0])
			return unwanted_data(ret, word, err);
		else if (word->s[0])
			add_fs_option(p, word, ret);
	}
	return 0;
}
