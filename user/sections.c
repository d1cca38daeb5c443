// SPDX-License-Identifier: GPL-2.0-only
#include "user/fields.h"
#include "user/summary.h"

static void put_or_others(const struct row *row, struct value *value,
			  void (*get)(const struct row *row, struct value *value))
{
	if (row->key.others)
		value_word(value, "others");
	else
		get(row, value);
}

#define GET(key) static void get_##key(const struct row *row, struct value *value)

GET(branch) { value_word(value, branch_name(row->key.verdict.branch)); }
GET(sent) { value_word(value, sent_name(row->key.verdict.sent)); }
GET(linger) { value_word(value, linger_name(row->key.verdict.linger)); }
GET(cause) { value_word(value, cause_name(row->key.verdict.cause)); }
GET(direction) { value_word(value, row->key.received ? "received" : "sent"); }
GET(packet) { value_word(value, row->key.received ? "got" : "rst"); }
GET(how) { value_word(value, end_name(row->key.verdict.end)); }
GET(count) { value_number(value, row->sums.count); }
GET(resets) { value_number(value, row->sums.sent); }
GET(received) { value_number(value, row->sums.received); }
GET(unread) { value_number(value, row->sums.unread); }
GET(unsent) { value_number(value, row->sums.unsent); }

/* Rows of nobody that is known, and of others, have no name. */
GET(pid)
{
	if (row->key.process.pid)
		value_number(value, row->key.process.pid);
}

GET(comm)
{
	if (!row->key.process.pid)
		return;
	value->type = VALUE_FOREIGN;
	value->text = row->key.process.comm;
}

GET(comm_text) { put_or_others(row, value, get_comm); }

GET(peer)
{
	if (!row->key.others)
		fields_put_address(value, row->key.peer);
}

GET(peer_text) { put_or_others(row, value, get_peer); }

GET(site)
{
	if (!row->key.site)
		return;
	value->type = VALUE_FOREIGN;
	value->text = row->key.site;
}

GET(others)
{
	value_number(value, row->key.others);
	value->type = VALUE_TRUTH;
}

/* clang-format off */
#define THROWN_AWAY \
	{ "unread_bytes",     "UNREAD", get_unread,    true }, \
	{ "unsent_bytes",     "UNSENT", get_unsent,    true }
#define EACH_ONES \
	{ "closes",           "CLOSES", get_count,     true }, \
	{ "resets_sent",      "RST",    get_resets,    true }, \
	{ "resets_received",  "GOT",    get_received,  true }, \
	THROWN_AWAY, \
	{ "others",           NULL,     get_others }

const struct section_view sections[SECTION_COUNT] = {
	[SECTION_BRANCHES] = { "branches", {
		{ "branch",           "BRANCH", get_branch },
		{ "sent",             "SENT",   get_sent },
		{ "linger",           "LINGER", get_linger },
		{ "closes",           "CLOSES", get_count,     true },
		{ "resets_sent",      "RST",    get_resets,    true },
		THROWN_AWAY } },
	[SECTION_CAUSES] = { "causes", {
		{ "cause",            "RESET",  get_cause },
		{ "direction",        NULL,     get_direction },
		{ NULL,               "SENT",   get_packet },
		{ "count",            "COUNT",  get_count,     true } } },
	[SECTION_ENDS] = { "ends", {
		{ "how",              "END",    get_how },
		{ "count",            "COUNT",  get_count,     true } } },
	[SECTION_PROCESSES] = { "processes", {
		{ "pid",              "PID",    get_pid,       true },
		{ "comm",             NULL,     get_comm },
		{ NULL,               "COMM",   get_comm_text },
		EACH_ONES } },
	[SECTION_PEERS] = { "peers", {
		{ "raddr",            NULL,     get_peer },
		{ NULL,               "PEER",   get_peer_text },
		EACH_ONES } },
	[SECTION_SITES] = { "sites", {
		{ "site",             "SITE",   get_site },
		{ "closes",           "CLOSES", get_count,     true },
		{ "resets_sent",      "RST",    get_resets,    true },
		THROWN_AWAY } },
};
/* clang-format on */

const struct size_view sizes[SIZE_COUNT] = {
	[SIZE_BLOCKED] = { "blocked_us", "BLOCKED (us)" },
	[SIZE_UNREAD] = { "unread_bytes", "UNREAD (bytes)" },
};

uint64_t slot_least(unsigned int slot)
{
	return slot ? UINT64_C(1) << (slot - 1) : 0;
}

uint64_t slot_most(unsigned int slot)
{
	return slot ? slot_least(slot) * 2 - 1 : 0;
}
