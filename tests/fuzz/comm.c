// SPDX-License-Identifier: GPL-2.0-only
/*
 * Any bytes as a process's name: the JSON stays JSON with the same name in it, the text stays
 * harmless.  Built by hand after make, with clang:
 *
 *   clang -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -DVERSION='""' -I. -I.output -pthread \
 *	   -o .output/comm tests/fuzz/comm.c $(ls user/*.c | grep -vE '/(main|rst_client|table_plain)') \
 *	   -lbpf -lcap-ng -ldw -lelf -lsmartcols -lcmocka -ljansson
 *   .output/comm -max_len=15 -max_total_time=60
 */
#include <jansson.h>

#include "tests/unit/sample.h"

/* As json.c must: each byte that begins no character becomes U+FFFD, by a decoder of its own. */
static void replaced(const char *name, char *wanted)
{
	for (size_t length; *name; name += length) {
		size_t left = strlen(name);
		json_t *string;

		for (length = left < 4 ? left : 4; length > 0; length--) {
			string = json_stringn(name, length);
			json_decref(string);
			if (string)
				break;
		}
		/* The longest that is whole may be several characters: all are copied. */
		if (length) {
			memcpy(wanted, name, length);
			wanted += length;
		} else {
			length = 1;
			wanted = stpcpy(wanted, "\xef\xbf\xbd");
		}
	}
	*wanted = '\0';
}

static void check_json(const struct close_event *event)
{
	char *text = shown(&json_sink, 0, 0, event), wanted[3 * COMM_LEN];
	json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

	replaced(event->comm, wanted);
	if (!object || strcmp(json_string_value(json_object_get(object, "comm")), wanted))
		abort();
	json_decref(object);
	free(text);
}

static void check_text(const struct close_event *event)
{
	char *text = shown(&text_sink, 120, 1, event);

	for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
		if ((*at < ' ' && *at != '\n') || *at == 0x7f)
			abort();
		if (at[0] == 0xc2 && at[1] < 0xa0) /* C1 */
			abort();
		if (at[0] == 0xe2 && at[1] == 0x80 && at[2] >= 0xaa && at[2] <= 0xae) /* bidi */
			abort();
	}
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct close_event event = sample;

	memset(event.comm, 0, sizeof(event.comm));
	memcpy(event.comm, bytes, size < COMM_LEN ? size : COMM_LEN - 1);
	check_json(&event);
	check_text(&event);
	return 0;
}
