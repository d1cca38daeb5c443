// SPDX-License-Identifier: GPL-2.0-only
/* inet_ntop() knows how an address is written. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "user/address.h"

#define RANDOM 200000

static void is_as_the_library_has_it(const __u8 *addr)
{
	char text[ADDRESS_TEXT], wanted[INET6_ADDRSTRLEN];
	char *end = address_put(text, addr);

	assert_ptr_equal(end, text + strlen(text));
	if (address_is_ipv4(addr))
		inet_ntop(AF_INET, addr + 12, wanted, sizeof(wanted));
	else
		inet_ntop(AF_INET6, addr, wanted, sizeof(wanted));
	assert_string_equal(text, wanted);
}

/* Each set of words that are 0, the others short or long. */
static void zeros_are_left_out_as_the_library_does(void **state)
{
	static const unsigned int others[] = { 0x1, 0x10, 0x100, 0x1000, 0xffff, 0x0a00 };

	for (unsigned int set = 0; set < 256; set++)
		for (size_t other = 0; other < sizeof(others) / sizeof(*others); other++) {
			__u8 addr[16] = {};

			for (int i = 0; i < 8; i++) {
				addr[2 * i] = set >> i & 1 ? others[other] >> 8 : 0;
				addr[2 * i + 1] = set >> i & 1 ? others[other] : 0;
			}
			is_as_the_library_has_it(addr);
		}
}

/* The same ones each time; every bit of a byte, and many of them 0. */
static void random_ones_are_as_the_library_has_them(void **state)
{
	uint32_t random = 1;

	for (int i = 0; i < RANDOM; i++) {
		__u8 addr[16];

		for (size_t at = 0; at < sizeof(addr); at++) {
			random = random * 1664525 + 1013904223;
			addr[at] = random >> 31 ? random >> 16 : 0;
		}
		is_as_the_library_has_it(addr);
		if (i % 2)
			memcpy(addr, (__u8[12]){ [10] = 0xff, [11] = 0xff }, 12);
		is_as_the_library_has_it(addr);
	}
}

static void is_ipv4_only_where_it_is_mapped(void **state)
{
	__u8 addr[16] = { [10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1 };

	assert_true(address_is_ipv4(addr));
	for (int i = 0; i < 12; i++) {
		addr[i] ^= 1;
		assert_false(address_is_ipv4(addr));
		addr[i] ^= 1;
	}
}

/* clang-format off */
static const struct {
	__u8 addr[16];
	unsigned int port;
	const char *text;
} ends[] = {
	{ { [10] = 0xff, 0xff, 10, 0, 0, 1 },       0, "10.0.0.1:0" },
	{ { [10] = 0xff, 0xff, 192, 0, 2, 200 },  443, "192.0.2.200:443" },
	{ { [15] = 1 },                         65535, "[::1]:65535" },
	{ { 0x20, 0x01, 0x0d, 0xb8, [15] = 9 },  8080, "[2001:db8::9]:8080" },
};
/* clang-format on */

static void a_port_comes_after_it(void **state)
{
	char text[ADDRESS_TEXT];

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		char *end = address_put_end(text, ends[i].addr, ends[i].port);

		assert_string_equal(text, ends[i].text);
		assert_ptr_equal(end, text + strlen(text));
	}
}

static void the_longest_has_room(void **state)
{
	char text[2 * ADDRESS_TEXT];
	__u8 addr[16];

	memset(addr, 0xff, sizeof(addr));
	address_put_end(text, addr, 65535);
	assert_int_equal(strlen(text), ADDRESS_TEXT - 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(zeros_are_left_out_as_the_library_does),
		cmocka_unit_test(random_ones_are_as_the_library_has_them),
		cmocka_unit_test(is_ipv4_only_where_it_is_mapped),
		cmocka_unit_test(a_port_comes_after_it),
		cmocka_unit_test(the_longest_has_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
