/* Plans for unit tests: see the header. */
#include "planned.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMESPACES                                                        \
	"\"namespaces\": [{\"type\": \"pid\"}, {\"type\": \"network\"}, " \
	"{\"type\": \"mount\"}, {\"type\": \"ipc\"}, {\"type\": \"uts\"}]"

void planned_init(struct planned *p)
{
	*p = (struct planned) {
		.host = {
			.caps_permitted = (UINT64_C(1) << 41) - 1,
			.caps_bounding = (UINT64_C(1) << 41) - 1,
			.caps_known = (UINT64_C(1) << 41) - 1,
			.has_time_namespaces = true,
		},
		.options = { .id = "web", .bundle = "/bundle", .flags = PLAN_ROOTFS_ANNOTATIONS },
	};
	arena_init(&p->arena);
}

void planned_done(struct planned *p)
{
	arena_done(&p->arena);
}

static int make(struct planned *p, const char *process, const char *members)
{
	char *text = arena_printf(&p->arena,
				  "{\"ociVersion\": \"1.2.0\", \"root\": {\"path\": \"rootfs\"}, "
				  "\"process\": {\"cwd\": \"/\", \"args\": [\"sh\"], "
				  "\"user\": {\"uid\": 0, \"gid\": 0}%s}%s}",
				  process, members);
	p->problems = (struct spec_problems) { 0 };
	p->err = (struct err) { 0 };
	if (spec_parse(&p->arena, "config.json", text, strlen(text), &p->spec, &p->problems,
		       &p->err) < 0) {
		fprintf(stderr, "planned: %s\n%s\n", p->err.message, text);
		abort();
	}
	return plan_make(&p->spec, &p->options, &p->host, &p->arena, &p->plan, &p->problems,
			 &p->err);
}

int planned_make(struct planned *p, const char *members)
{
	return make(p, "", members);
}

int planned_make_linux(struct planned *p, const char *members)
{
	return make(p, "", arena_printf(&p->arena, ", \"linux\": {" NAMESPACES "%s}", members));
}

int planned_make_mount(struct planned *p, const char *mount)
{
	return make(p, "",
		    arena_printf(&p->arena, ", \"linux\": {" NAMESPACES "}, \"mounts\": [{%s}]",
				 mount));
}

int planned_make_process(struct planned *p, const char *members)
{
	return make(p, members, ", \"linux\": {" NAMESPACES "}");
}
