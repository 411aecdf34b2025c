/*
 * The properties of a unit as they stand in a message of D-Bus, an array a(sv): each value by its
 * signature. In the process that asks systemd (systemd_worker.c).
 */
#include "cgroup/systemd_parts.h"

#include "base/str.h"

int systemd_append_text(const struct systemd_library *sd, struct sd_bus_message *m,
			const char *text)
{
	return sd->message_append_basic(m, 's', text);
}

static int append_number(const struct systemd_library *sd, struct sd_bus_message *m,
			 const struct systemd_property *p)
{
	const int b = p->number != 0;
	const int16_t n = (int16_t)p->number;
	const uint16_t q = (uint16_t)p->number;
	const int32_t i = (int32_t)p->number;
	const uint32_t u = (uint32_t)p->number;
	const uint8_t y = (uint8_t)p->number;
	const struct {
		char type;
		const void *value;
	} values[] = {
		{ 'b', &b },         { 'y', &y },         { 'n', &n },
		{ 'q', &q },         { 'i', &i },         { 'u', &u },
		{ 'x', &p->number }, { 't', &p->number }, { 'd', &p->real },
	};
	size_t k = 0;
	while (values[k].type != p->signature[0])
		k++;
	return sd->message_append_basic(m, values[k].type, values[k].value);
}

static int append_item(const struct systemd_library *sd, struct sd_bus_message *m,
		       const char *signature, const struct systemd_item *item)
{
	bool is_pair = str_eq(signature, "a(st)");
	if (str_eq(signature, "as"))
		return systemd_append_text(sd, m, item->text);
	int r = sd->message_open_container(m, 'r', is_pair ? "st" : "ss");
	if (r >= 0)
		r = systemd_append_text(sd, m, item->text);
	if (r >= 0)
		r = is_pair ? sd->message_append_basic(m, 't', &item->number)
			    : systemd_append_text(sd, m, item->second);
	return r < 0 ? r : sd->message_close_container(m);
}

/* An array without items is sent with its type all the same. */
static int append_items(const struct systemd_library *sd, struct sd_bus_message *m,
			const struct systemd_property *p, size_t n)
{
	int r = sd->message_open_container(m, 'a', p->signature + 1);
	for (size_t i = 0; r >= 0 && i < n; i++)
		r = append_item(sd, m, p->signature, &p->items[i]);
	return r < 0 ? r : sd->message_close_container(m);
}

static int append_value(const struct systemd_library *sd, struct sd_bus_message *m,
			const struct systemd_property *p, size_t n)
{
	if (str_eq(p->signature, "ay"))
		return sd->message_append_array(m, 'y', p->bytes, p->n);
	if (p->signature[0] == 'a')
		return append_items(sd, m, p, n);
	if (p->signature[0] == 's')
		return systemd_append_text(sd, m, p->text);
	return append_number(sd, m, p);
}

/* One of the array a(sv), with the first `n` of its items. */
static int append_property(const struct systemd_library *sd, struct sd_bus_message *m,
			   const struct systemd_property *p, size_t n)
{
	int r = sd->message_open_container(m, 'r', "sv");
	if (r >= 0)
		r = systemd_append_text(sd, m, p->name);
	if (r >= 0)
		r = sd->message_open_container(m, 'v', p->signature);
	if (r >= 0)
		r = append_value(sd, m, p, n);
	if (r >= 0)
		r = sd->message_close_container(m);
	return r < 0 ? r : sd->message_close_container(m);
}

int systemd_append_properties(const struct systemd_library *sd, struct sd_bus_message *m,
			      const struct systemd_properties *all, unsigned version)
{
	int r = 0;
	for (size_t i = 0; r >= 0 && i < all->n; i++) {
		const struct systemd_property *p = &all->v[i];
		if (p->since > version) /* the file of the cgroup has it all the same */
			continue;
		if (p->resets)
			r = append_property(sd, m, p, 0);
		if (r >= 0 && (!p->resets || p->n > 0))
			r = append_property(sd, m, p, p->n);
	}
	return r;
}

int systemd_append_process(const struct systemd_library *sd, struct sd_bus_message *m, pid_t pid)
{
	const uint32_t number = (uint32_t)pid;
	int r = sd->message_open_container(m, 'r', "sv");
	if (r >= 0)
		r = systemd_append_text(sd, m, "PIDs");
	if (r >= 0)
		r = sd->message_open_container(m, 'v', "au");
	if (r >= 0)
		r = sd->message_append_array(m, 'u', &number, sizeof(number));
	if (r >= 0)
		r = sd->message_close_container(m);
	return r < 0 ? r : sd->message_close_container(m);
}
