/*
 * hull list --format wide: what people want to know of containers: why the ones that have ended did
 * so, how old they are, and how much memory the others use, of how much. Reads two files of each
 * cgroup, with the caller's rights; what cannot be read is "-".
 */
#include "cmd/list_wide.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "cgroup/enter.h"
#include "cmd/amount.h"
#include "cmd/table.h"

/* ---- why it ended ---- */

static void append_end(struct str *out, const struct exitinfo *x)
{
	switch (x->cause) {
	case EXITINFO_EXIT:
		str_printf(out, ": exit %" PRIu64, x->code);
		break;
	case EXITINFO_SIGNAL:
		str_printf(out, ": %s", x->signal);
		break;
	case EXITINFO_OOM:
		str_append(out, ": OOM");
		if (x->oom.limit != EXITINFO_UNSET && x->oom.limit != EXITINFO_UNLIMITED) {
			str_append(out, " ");
			amount_bytes(out, x->oom.limit);
		}
		break;
	case EXITINFO_SECCOMP:
		str_printf(out, ": seccomp %s", x->seccomp.syscall);
		break;
	case EXITINFO_START:
	case EXITINFO_HOOK:
		str_append(out, ": not started");
		break;
	default:
		break;
	}
}

static void put_status(const struct row *row, struct str *out)
{
	if (row->problem) {
		str_append(out, STATUS_BROKEN);
		return;
	}
	str_append(out, state_status_name(row->status));
	if (row->status == STATE_STOPPED && row->state.exit)
		append_end(out, row->state.exit);
	else if (row->status == STATE_CREATED)
		str_append(out, " (waits for start)");
}

/* ---- numbers ---- */

/* Since it was made; of one that has ended, since then. */
static void put_age(const struct row *row, int64_t now, struct str *out)
{
	const struct exitinfo *x = row->status == STATE_STOPPED ? row->state.exit : NULL;
	int64_t since = x && x->finished[0] ? clock_parse(x->finished)
					    : clock_parse(row->state.created);
	if (since < 0)
		str_append(out, "-");
	else
		amount_age(out, now - since);
}

static bool put_number(int cgroup, const char *file, struct str *out)
{
	char text[32];
	uint64_t n;
	if (fd_read_value(cgroup, file, text, sizeof(text)) < 0 ||
	    str_to_u64(text, UINT64_MAX, &n) < 0)
		return false;
	amount_bytes(out, n);
	return true;
}

/* "41 M/256 M" */
static void put_memory(const struct row *row, struct str *out)
{
	_cleanup_close_ int fd = -EBADF;
	struct err ignored;
	bool lives = !row->problem && row->status != STATE_STOPPED && row->state.cgroup;
	if (!lives || cgroup_find(row->state.cgroup, &fd, &ignored) < 0 ||
	    !put_number(fd, "memory.current", out)) {
		str_append(out, "-");
		return;
	}
	str_append(out, "/");
	if (!put_number(fd, "memory.max", out))
		str_append(out, "-");
}

static void put_pid(const struct row *row, struct str *out)
{
	if (row->problem || row->status == STATE_STOPPED || row->state.pid == 0)
		str_append(out, "-");
	else
		str_printf(out, "%d", (int)row->state.pid);
}

/* ---- the table ---- */

void list_print_wide(const struct list *list, struct str *out)
{
	static const char *const heads[] = { "ID", "STATUS", "PID", "AGE", "MEM", "BUNDLE" };
	struct table table;
	char text[CLOCK_TEXT_SIZE];

	table_init(&table, list->arena, ARRAY_SIZE(heads));
	table.min_width = 0;
	table.padding = 2;
	for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
		table_add(&table, heads[i]);
	clock_now(text);
	int64_t now = clock_parse(text);
	for (size_t i = 0; i < list->n; i++) {
		const struct row *row = &list->rows[i];
		struct str cells[4];
		for (size_t k = 0; k < ARRAY_SIZE(cells); k++)
			str_init(&cells[k], list->arena);
		put_status(row, &cells[0]);
		put_pid(row, &cells[1]);
		put_age(row, now, &cells[2]);
		put_memory(row, &cells[3]);
		table_add(&table, row->state.id);
		for (size_t k = 0; k < ARRAY_SIZE(cells); k++)
			table_add(&table, cells[k].text);
		table_add(&table, row->state.bundle);
	}
	table_print(&table, out);
}
