/*
 * The rules across the objects of one config.json. Rules inside one object stand beside its table.
 * A member with a problem of its own counts as not given, and each rule here is silent then.
 */
#include "spec/spec_tables.h"

#include <string.h>

#define UTS_NAME_MAX 64 /* __NEW_UTS_LEN of the kernel */

/* The kernel would change the host's own name (S-116). */
static void check_uts_name(struct bind *b, const struct spec *spec, const struct spec_str *name)
{
	if (!name->at)
		return;
	if (strlen(name->s) > UTS_NAME_MAX)
		bind_error(b, name->at, "expected at most %d bytes, found %zu", UTS_NAME_MAX,
			   strlen(name->s));
	if (spec_find_namespace(spec, SPEC_NS_UTS))
		return;
	struct err *err = bind_error(b, name->at,
				     "a name needs a uts namespace, but there is none");
	err_hint(err, "add {\"type\": \"uts\"} to linux.namespaces");
}

/* A path with mappings is fine: containerd and CRI-O send both (S-127). */
static void check_mappings(struct bind *b, const struct spec *spec,
			   const struct spec_id_mappings *mappings)
{
	if (mappings->n == 0 || spec_find_namespace(spec, SPEC_NS_USER))
		return;
	struct err *err = bind_error(b, mappings->at,
				     "mappings need a user namespace, but there is none");
	err_hint(err, "add {\"type\": \"user\"} to linux.namespaces");
}

/* Without mappings nobody in the namespace is anybody, and no id can be set. */
static void check_user_namespace(struct bind *b, const struct spec *spec)
{
	const struct spec_namespace *ns = spec_find_namespace(spec, SPEC_NS_USER);
	if (!ns || ns->path.at)
		return;
	bool has_uids = spec->linux.uid_mappings.n, has_gids = spec->linux.gid_mappings.n;
	if (has_uids && has_gids)
		return;
	const char *missing = has_uids ? "gidMappings" : "uidMappings";
	struct err *err = bind_error(
		b, ns->type.at, "a new user namespace needs linux.%s, but there are none", missing);
	err_hint(err,
		 "for example \"%s\": [{\"containerID\": 0, \"hostID\": 100000, \"size\": 65536}]",
		 missing);
}

/* Offsets can be set only before the first process is in the namespace (S-130). */
static void check_time_offsets(struct bind *b, const struct spec *spec)
{
	const struct spec_namespace *ns = spec_find_namespace(spec, SPEC_NS_TIME);
	if (spec->linux.time_offsets.n == 0)
		return;
	if (!ns) {
		struct err *err = bind_error(b, spec->linux.time_offsets.at,
					     "offsets need a time namespace, but there is none");
		err_hint(err, "add {\"type\": \"time\"} to linux.namespaces");
	} else if (ns->path.at) {
		bind_error(b, spec->linux.time_offsets.at,
			   "offsets need a new time namespace, but '%s' is to be joined",
			   ns->path.s);
	}
}

/* One major version, all of its minor ones: newer members are unknown keys (S-006). */
static void check_version(struct bind *b, const struct spec_str *version)
{
	if (!version->at || str_has_prefix(version->s, "1."))
		return;
	struct err *err = bind_error(
		b, version->at, "version %s of the specification is not supported", version->s);
	err_hint(err, "versions 1.0.0 to 1.3.0 are known, and any other 1.x is accepted");
}

/* One of hull's own that it does not know does nothing, whatever its author hopes for. */
static void check_annotations(struct bind *b, const struct spec *spec)
{
	static const struct str_name known[] = {
		{ "dev.hull.rootfs.lower", 0 },
		{ "dev.hull.rootfs.upper", 0 },
		{ "dev.hull.rootfs.work", 0 },
		{ NULL, 0 },
	};
	for (size_t i = 0; i < spec->annotations.n; i++) {
		const struct spec_pair *pair = &spec->annotations.v[i];
		if (!str_has_prefix(pair->key, "dev.hull.") || str_name_find(known, pair->key))
			continue;
		struct err *err = bind_warn(b, pair->key_at, "unknown annotation '%s'", pair->key);
		bind_hint_names(b, err, pair->key, known);
	}
}

void spec_check(struct bind *b, const struct spec *spec)
{
	check_version(b, &spec->oci_version);
	check_uts_name(b, spec, &spec->hostname);
	check_uts_name(b, spec, &spec->domainname);
	check_mappings(b, spec, &spec->linux.uid_mappings);
	check_mappings(b, spec, &spec->linux.gid_mappings);
	check_user_namespace(b, spec);
	check_time_offsets(b, spec);
	check_annotations(b, spec);
}
