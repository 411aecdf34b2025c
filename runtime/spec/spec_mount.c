/* config.md, Root and Mounts; and the id mappings that mounts and user namespaces share. */
#include "spec/spec_tables.h"

/* ---- root ---- */

static const struct bind_key root_keys[] = {
	BIND(STR, "path", struct spec_root, path, .flags = BIND_REQUIRED | BIND_NONEMPTY,
	     .example = "\"rootfs\""),
	BIND(BOOL, "readonly", struct spec_root, readonly),
	{ .key = NULL },
};
const struct bind_object spec_root_object = BIND_TABLE(struct spec_root, root_keys);

/* ---- id mappings ---- */

static void check_range_end(struct bind *b, const struct spec_uint *first,
			    const struct spec_uint *size)
{
	if (first->at && size->at && first->v + size->v > UINT32_MAX)
		bind_error(b, first->at, "the range of %llu ids from %llu ends above %u",
			   (unsigned long long)size->v, (unsigned long long)first->v,
			   UINT32_MAX - 1);
}

static void check_mapping(struct bind *b, const struct json *node _unused_, void *object)
{
	const struct spec_id_mapping *m = object;
	check_range_end(b, &m->container_id, &m->size);
	check_range_end(b, &m->host_id, &m->size);
}

static const struct bind_key id_mapping_keys[] = {
	BIND(UINT, "containerID", struct spec_id_mapping, container_id, BIND_U32,
	     .flags = BIND_REQUIRED),
	BIND(UINT, "hostID", struct spec_id_mapping, host_id, BIND_U32, .flags = BIND_REQUIRED),
	BIND(UINT, "size", struct spec_id_mapping, size, BIND_RANGE(1, UINT32_MAX),
	     .flags = BIND_REQUIRED),
	{ .key = NULL },
};
const struct bind_object spec_id_mapping_object = BIND_TABLE(
	struct spec_id_mapping, id_mapping_keys, .check = check_mapping);

/* ---- mounts ---- */

/* Both kinds of mappings, or none (S-087). */
static void check_mount(struct bind *b, const struct json *node, void *object)
{
	const struct spec_mount *m = object;
	if (m->uid_mappings.n && !m->gid_mappings.at && !json_get(node, "gidMappings"))
		bind_error_member(b, node, "gidMappings",
				  "required beside uidMappings, but missing");
	if (m->gid_mappings.n && !m->uid_mappings.at && !json_get(node, "uidMappings"))
		bind_error_member(b, node, "uidMappings",
				  "required beside gidMappings, but missing");
}

/* A destination that is not absolute is taken from the root (S-067). */
static const struct bind_key mount_keys[] = {
	BIND(STR, "destination", struct spec_mount, destination,
	     .flags = BIND_REQUIRED | BIND_NONEMPTY),
	BIND(STR, "type", struct spec_mount, type, .flags = BIND_EMPTY_UNSET),
	BIND(STR, "source", struct spec_mount, source, .flags = BIND_EMPTY_UNSET),
	BIND(STRV, "options", struct spec_mount, options, .separators = ", "),
	BIND(LIST, "uidMappings", struct spec_mount, uid_mappings,
	     .object = &spec_id_mapping_object),
	BIND(LIST, "gidMappings", struct spec_mount, gid_mappings,
	     .object = &spec_id_mapping_object),
	{ .key = NULL },
};
const struct bind_object spec_mount_object = BIND_TABLE(struct spec_mount, mount_keys,
							.check = check_mount);
