/*
 * The tables of the objects of config.json, one per file of this directory, and the value forms
 * that several of them use. Private to spec/.
 */
#ifndef HULL_SPEC_SPEC_TABLES_H
#define HULL_SPEC_SPEC_TABLES_H

#include "spec/bind.h"

extern const struct bind_object spec_config_object;     /* spec_load.c: the whole file */
extern const struct bind_object spec_process_object;    /* spec_process.c */
extern const struct bind_object spec_root_object;       /* spec_mount.c */
extern const struct bind_object spec_mount_object;      /* spec_mount.c */
extern const struct bind_object spec_id_mapping_object; /* spec_mount.c */
extern const struct bind_object spec_hooks_object;      /* spec_hooks.c */
extern const struct bind_object spec_linux_object;      /* spec_linux.c */
extern const struct bind_object spec_resources_object;  /* spec_resources.c */
extern const struct bind_object spec_seccomp_object;    /* spec_seccomp.c */

/* The rules across objects of one config.json (spec_check.c). */
void spec_check(struct bind *b, const struct spec *spec);

/* Value forms (spec_text.c). */
bool spec_is_version(const char *s);            /* SemVer 2.0.0 */
bool spec_is_list(const char *s);               /* of CPUs or memory nodes: "0-3,7" */
bool spec_is_page_size(const char *s);          /* "2MB" */
bool spec_is_line(const char *s);               /* without a line feed */
bool spec_is_interface_template(const char *s); /* as spec_is_interface(), or with a %d in it */
bool spec_is_file_name(const char *s);          /* one component of a path */

#endif
