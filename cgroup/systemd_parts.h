/*
 * Inside of the systemd driver: a property as D-Bus sends it, the question that is asked of
 * systemd, and the library that asks it (systemd_library.c has the table of its functions).
 */
#ifndef HULL_CGROUP_SYSTEMD_PARTS_H
#define HULL_CGROUP_SYSTEMD_PARTS_H

#include <limits.h>
#include <stdatomic.h>

#include "cgroup/systemd.h"

#define SYSTEMD_UNIT_MAX 255 /* bytes of a unit's name: UNIT_NAME_MAX of systemd, less its NUL */

/* ---- properties ---- */

struct systemd_item {
	const char *text;
	const char *second; /* in a(ss) */
	uint64_t number;    /* in a(st) */
};

struct systemd_property {
	const char *name;
	const char *signature; /* of D-Bus: one of b y n q i u x t d s, as, ay, a(st), a(ss) */
	uint64_t number;       /* b y q u t; n i x as two's complement */
	double real;           /* d */
	const char *text;      /* s */
	const struct systemd_item *items;
	const uint8_t *bytes; /* ay */
	size_t n;             /* items or bytes */
	bool resets;          /* the list is emptied first */
	unsigned since;       /* the version of systemd that brought it; 0: all have it */
};

/* A list that grows. */
struct systemd_list {
	struct arena *arena;
	struct systemd_properties *all;
	size_t room;
};
/* Adds it, or replaces the one of that name. */
void systemd_put(struct systemd_list *list, const struct systemd_property *property);
const struct systemd_property *systemd_get(const struct systemd_properties *all, const char *name);

/* One annotation's text as a value; systemd_annotation.c. */
_must_check_ int systemd_parse_value(const char *text, struct arena *arena,
				     struct systemd_property *ret, struct err *err);
_must_check_ int systemd_plan_annotations(const struct spec_map *annotations,
					  struct systemd_list *list, struct err *err);

/* The limits as properties: whatever of the plan's writes systemd knows. */
void systemd_plan_limits(const struct cgroup_plan *plan, struct systemd_list *list);
/* DevicePolicy and DeviceAllow; `is_update`: in the place of earlier ones. */
_must_check_ int systemd_plan_devices(const struct spec_resources *resources,
				      const struct cgroup_plan *plan, bool is_update,
				      struct systemd_list *list, struct err *err);

/* ---- the question ---- */

enum systemd_what {
	SYSTEMD_HOME,
	SYSTEMD_START,
	SYSTEMD_UPDATE,
	SYSTEMD_ATTACH,
	SYSTEMD_STOP,
	SYSTEMD_RESET,
};

struct systemd_question {
	enum systemd_what what;
	bool is_user;
	const char *unit, *slice, *id;
	const char *path; /* STOP: of its cgroup */
	const struct systemd_properties *properties;
	const char *below; /* ATTACH: a cgroup below the unit's, "": none */
	pid_t pid;         /* who is attached */
	int timeout_ms; /* in which there is an answer, or an error that says what was waited for */
};

/* In memory that hull shares with the process that asks. */
struct systemd_answer {
	struct err err;       /* code 0: none */
	atomic_int was_asked; /* START: there may be a unit; no bool, which not every byte is */
	char path[PATH_MAX];  /* of a cgroup */
};

/* In a process of its own: asks, and fills the answer. 0 or -errno with answer->err. */
int systemd_serve(const struct systemd_question *question, struct systemd_answer *answer);

/* ---- the library ---- */

/* Declared here, so that building needs no libsystemd: types and signatures are its ABI. */
struct sd_bus;
struct sd_bus_slot;
struct sd_bus_message;
struct sd_bus_error {
	const char *name, *message;
	int need_free;
};
typedef int systemd_handler(struct sd_bus_message *m, void *context, struct sd_bus_error *error);

#define SYSTEMD_FUNCTIONS(F)                                                                      \
	F(open_system, (struct sd_bus * *ret))                                                    \
	F(open_user, (struct sd_bus * *ret))                                                      \
	F(message_new_method_call,                                                                \
	  (struct sd_bus * bus, struct sd_bus_message * *ret, const char *destination,            \
	   const char *path, const char *interface, const char *member))                          \
	F(message_append_basic, (struct sd_bus_message * m, char type, const void *value))        \
	F(message_append_array,                                                                   \
	  (struct sd_bus_message * m, char type, const void *values, size_t size))                \
	F(message_open_container, (struct sd_bus_message * m, char type, const char *contents))   \
	F(message_close_container, (struct sd_bus_message * m))                                   \
	F(message_read_basic, (struct sd_bus_message * m, char type, void *ret))                  \
	F(call, (struct sd_bus * bus, struct sd_bus_message * m, uint64_t usec,                   \
		 struct sd_bus_error * error, struct sd_bus_message * *ret))                      \
	F(get_property_string,                                                                    \
	  (struct sd_bus * bus, const char *destination, const char *path, const char *interface, \
	   const char *member, struct sd_bus_error *error, char **ret))                           \
	F(match_signal,                                                                           \
	  (struct sd_bus * bus, struct sd_bus_slot * *ret, const char *sender, const char *path,  \
	   const char *interface, const char *member, systemd_handler *handler, void *context))   \
	F(process, (struct sd_bus * bus, struct sd_bus_message * *ret))                           \
	F(wait, (struct sd_bus * bus, uint64_t usec))

struct systemd_library {
#define SYSTEMD_MEMBER(name, parameters) int(*name) parameters;
	SYSTEMD_FUNCTIONS(SYSTEMD_MEMBER)
#undef SYSTEMD_MEMBER
};

/* Loads libsystemd into this process, for ever. */
_must_check_ int systemd_load(struct systemd_library *ret, struct err *err);

/*
 * Into a message of D-Bus: one text; and into an array of properties that is open: those of a unit,
 * but for what systemd has only since a later version, and the process of a new scope. Negative:
 * -errno, as sd-bus gives it.
 */
int systemd_append_text(const struct systemd_library *sd, struct sd_bus_message *m,
			const char *text);
int systemd_append_properties(const struct systemd_library *sd, struct sd_bus_message *m,
			      const struct systemd_properties *all, unsigned version);
int systemd_append_process(const struct systemd_library *sd, struct sd_bus_message *m, pid_t pid);

#endif
