// SPDX-License-Identifier: GPL-2.0-only
/* As inet_ntop() has it, which prints by sprintf(): it took as long as the rest of a record. */
#include <string.h>

#include "user/address.h"

#define WORDS 8

bool address_is_ipv4(const __u8 *addr)
{
	static const __u8 mapped[12] = { [10] = 0xff, [11] = 0xff };

	return !memcmp(addr, mapped, sizeof(mapped));
}

static char *put_decimal(char *text, unsigned int number)
{
	if (number >= 10)
		text = put_decimal(text, number / 10);
	*text++ = '0' + number % 10;
	return text;
}

static char *put_ipv4(char *text, const __u8 *bytes)
{
	for (int i = 0; i < 4; i++) {
		if (i)
			*text++ = '.';
		text = put_decimal(text, bytes[i]);
	}
	return text;
}

static unsigned int word_of(const __u8 *addr, int index)
{
	return addr[2 * index] << 8 | addr[2 * index + 1];
}

static char *put_word(char *text, unsigned int word)
{
	static const char hex[] = "0123456789abcdef";
	int shift = 12;

	while (shift && !(word >> shift))
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		*text++ = hex[word >> shift & 15];
	return text;
}

struct run {
	int begin, count;
};

/* The first of the longest runs of words that are 0; one alone is written out (RFC 5952). */
static struct run zeros_of(const __u8 *addr)
{
	struct run longest = { .count = 1 }, run = {};

	for (int i = 0; i < WORDS; i++) {
		if (word_of(addr, i)) {
			run = (struct run){ .begin = i + 1 };
			continue;
		}
		run.count++;
		if (run.count > longest.count)
			longest = run;
	}
	return longest.count > 1 ? longest : (struct run){};
}

static char *put_words(char *text, const __u8 *addr, int begin, int end)
{
	for (int i = begin; i < end; i++) {
		if (i > begin)
			*text++ = ':';
		text = put_word(text, word_of(addr, i));
	}
	return text;
}

static char *put_ipv6(char *text, const __u8 *addr)
{
	struct run zeros = zeros_of(addr);

	if (!zeros.count)
		return put_words(text, addr, 0, WORDS);
	text = put_words(text, addr, 0, zeros.begin);
	text = stpcpy(text, "::");
	/* ::192.0.2.1 */
	if (zeros.begin == 0 && zeros.count == 6)
		return put_ipv4(text, addr + 12);
	return put_words(text, addr, zeros.begin + zeros.count, WORDS);
}

char *address_put(char *text, const __u8 *addr)
{
	text = address_is_ipv4(addr) ? put_ipv4(text, addr + 12) : put_ipv6(text, addr);
	*text = '\0';
	return text;
}

char *address_put_end(char *text, const __u8 *addr, unsigned int port)
{
	bool brackets = !address_is_ipv4(addr);

	if (brackets)
		*text++ = '[';
	text = address_put(text, addr);
	if (brackets)
		*text++ = ']';
	*text++ = ':';
	text = put_decimal(text, port);
	*text = '\0';
	return text;
}
