/*
 * Planning the root filesystem: a directory, an overlay of layers that hull mounts itself
 * (annotations dev.hull.rootfs.*, --overlay), or only a chroot where the container has no mount
 * namespace of its own and hull must not touch the mounts of others.
 */
#include <string.h>
#include <sys/mount.h>

#include "base/str.h"
#include "plan/parts.h"

/* What fits the page that mount(2) takes, with "/proc/self/fd/1234:" for each layer. */
#define PLAN_MAX_LAYERS 200

static void plan_propagation(const struct planner *p)
{
	const struct spec_str *word = &p->spec->linux.rootfs_propagation;
	struct plan_root *root = &p->plan->root;
	const struct str_name *known = word->s && *word->s
					       ? str_name_find(plan_propagation_names, word->s)
					       : NULL;

	root->propagation = known ? (uint64_t)known->value & ~(uint64_t)MS_REC : MS_PRIVATE;
	root->propagation_recursive = known && (known->value & MS_REC);
	root->propagation_at = word->at;
}

/* ---- overlay ---- */

/*
 * Splits a list of layers at its colons; "\:" and "\\" stand for the characters themselves.
 * *text moves behind the colon. NULL at the end of the list.
 */
static const char *next_layer(struct arena *arena, const char **text)
{
	if (!*text)
		return NULL;
	struct str layer;
	str_init(&layer, arena);
	const char *s = *text;
	for (; *s && *s != ':'; s++) {
		if (*s == '\\' && (s[1] == ':' || s[1] == '\\'))
			s++;
		str_append_n(&layer, s, 1);
	}
	*text = *s ? s + 1 : NULL;
	return layer.text;
}

static int add_lower(const struct planner *p, const char *path, uint32_t at, struct err *err)
{
	struct plan_overlay *o = &p->plan->root.overlay;
	if (o->lower_n == PLAN_MAX_LAYERS) {
		err_say(err, ERR_LIMIT, E2BIG, "an overlay of more than %d layers",
			PLAN_MAX_LAYERS);
		err_at(err, at);
		return -E2BIG;
	}
	o->lower[o->lower_n++] = (struct spec_str) { .s = path, .at = at };
	return 0;
}

/* The layers of the annotation, topmost first; root.path is the bottom one. */
static int plan_lowers(const struct planner *p, const struct spec_pair *list, struct err *err)
{
	const char *text = list ? list->value : NULL;
	const char *layer;
	bool has_root = false;
	int r = 0;

	while (r == 0 && (layer = next_layer(p->arena, &text))) {
		if (!*layer) {
			err_say(err, ERR_CONFIG, EINVAL, "an empty element in the list of layers");
			err_hint(err, "separate the layers by single colons, topmost first");
			err_at(err, list->at);
			return -EINVAL;
		}
		const char *path = plan_bundle_path(p, layer);
		has_root = has_root || str_eq(path, p->plan->root.path);
		r = add_lower(p, path, list->at, err);
	}
	if (r == 0 && !has_root)
		r = add_lower(p, p->plan->root.path, p->spec->root.path.at, err);
	return r;
}

static int plan_upper(const struct planner *p, const struct spec_pair *upper,
		      const struct spec_pair *work, struct err *err)
{
	struct plan_overlay *o = &p->plan->root.overlay;

	if (p->options->flags & PLAN_OVERLAY) { /* the layer of the command line is the top one */
		if (!p->options->overlay_dir)
			return 0;
		o->upper = arena_printf(p->arena, "%s/upper", p->options->overlay_dir);
		o->work = arena_printf(p->arena, "%s/work", p->options->overlay_dir);
		o->dir = p->options->overlay_dir;
		return 0;
	}
	if (!upper != !work) {
		err_say(err, ERR_CONFIG, EINVAL,
			"dev.hull.rootfs.upper and dev.hull.rootfs.work go together");
		err_hint(err, "without both of them the writable layer is a tmpfs");
		err_at(err, upper ? upper->at : work->at);
		return -EINVAL;
	}
	if (upper) {
		o->upper = plan_bundle_path(p, upper->value);
		o->work = plan_bundle_path(p, work->value);
		o->upper_at = upper->at;
		o->work_at = work->at;
	}
	return 0;
}

/*
 * Whoever may set annotations through an engine need not be the host's root, who alone may say
 * which directories of the host are mounted: `create` honours them only where its caller says so.
 */
static void warn_of_annotations(const struct planner *p)
{
	const struct spec_map *all = &p->spec->annotations;
	for (size_t i = 0; i < all->n; i++) {
		if (!str_has_prefix(all->v[i].key, "dev.hull.rootfs."))
			continue;
		struct err *warning = spec_problem_add(
			p->arena, p->problems, SPEC_WARNING, all->v[i].at,
			"the annotation '%s' is ignored", all->v[i].key);
		err_hint(warning, "hull --allow-rootfs-annotations create ... honours it");
	}
}

static int plan_overlay(const struct planner *p, struct err *err)
{
	const struct spec_pair *lower = NULL, *upper = NULL, *work = NULL;
	struct plan_root *root = &p->plan->root;

	if (p->options->flags & PLAN_ROOTFS_ANNOTATIONS) {
		lower = spec_find_annotation(p->spec, "dev.hull.rootfs.lower");
		upper = spec_find_annotation(p->spec, "dev.hull.rootfs.upper");
		work = spec_find_annotation(p->spec, "dev.hull.rootfs.work");
	} else {
		warn_of_annotations(p);
	}
	if (!lower && !upper && !work && !(p->options->flags & PLAN_OVERLAY))
		return 0;
	root->kind = PLAN_ROOT_OVERLAY;
	root->overlay.userxattr = p->host->in_user_namespace ||
				  p->plan->user.trees == PLAN_TREES_CHILD;
	root->overlay.at = lower ? lower->at : upper ? upper->at : root->at;
	root->overlay.lower = arena_array(p->arena, PLAN_MAX_LAYERS + 1,
					  sizeof(*root->overlay.lower));
	int r = plan_lowers(p, lower, err);
	/* With --overlay the layer that the annotations name as writable is only read. */
	if (r == 0 && upper && (p->options->flags & PLAN_OVERLAY)) {
		struct plan_overlay *o = &root->overlay;
		r = add_lower(p, NULL, upper->at, err);
		if (r == 0) {
			memmove(o->lower + 1, o->lower, (o->lower_n - 1) * sizeof(*o->lower));
			o->lower[0] = (struct spec_str) { plan_bundle_path(p, upper->value),
							  upper->at };
		}
	}
	return r < 0 ? r : plan_upper(p, upper, work, err);
}

/* ---- no mount namespace of its own ---- */

static int refuse(struct err *err, uint32_t at, const char *what)
{
	err_say(err, ERR_CONFIG, EINVAL, "%s needs a mount namespace of the container's own", what);
	err_hint(err, "add {\"type\": \"mount\"} to linux.namespaces");
	err_at(err, at);
	return -EINVAL;
}

static int plan_chroot(const struct planner *p, struct err *err)
{
	const struct spec_linux *l = &p->spec->linux;

	if (p->plan->root.kind == PLAN_ROOT_OVERLAY)
		return refuse(err, p->plan->root.overlay.at, "an overlay root");
	if (p->spec->mounts.n)
		return refuse(err, p->spec->mounts.at, "a mount");
	if (l->masked_paths.n)
		return refuse(err, l->masked_paths.at, "a masked path");
	if (l->readonly_paths.n)
		return refuse(err, l->readonly_paths.at, "a read-only path");
	if (l->devices.n)
		return refuse(err, l->devices.at, "a device");
	if (p->spec->root.readonly.v)
		return refuse(err, p->spec->root.readonly.at, "a read-only root");
	if (l->rootfs_propagation.s && *l->rootfs_propagation.s)
		return refuse(err, l->rootfs_propagation.at, "mount propagation");
	p->plan->root.kind = PLAN_ROOT_CHROOT;
	return 0;
}

int plan_make_root(const struct planner *p, struct err *err)
{
	struct plan_root *root = &p->plan->root;

	root->kind = PLAN_ROOT_DIRECTORY;
	root->path = plan_bundle_path(p, p->spec->root.path.s);
	root->at = p->spec->root.path.at;
	root->readonly = p->spec->root.readonly.v;
	root->pivot = !(p->options->flags & PLAN_NO_PIVOT);
	plan_propagation(p);
	if (root->readonly && (p->options->flags & PLAN_OVERLAY)) {
		struct err *warning = spec_problem_add(
			p->arena, p->problems, SPEC_WARNING, p->spec->root.readonly.at,
			"the root stays read-only, also with --overlay");
		err_hint(warning, "make it false to write into the layer of --overlay");
	}
	int r = plan_overlay(p, err);
	if (r == 0 && !(p->plan->ns.clone_flags & CLONE_NEWNS))
		r = plan_chroot(p, err);
	return r;
}
