// SPDX-License-Identifier: GPL-2.0-only
#include "user/utf8.h"

struct range {
	uint32_t first, last;
};

static int is_in(uint32_t character, const struct range *ranges, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (character >= ranges[i].first && character <= ranges[i].last)
			return 1;
	return 0;
}

int utf8_next(const char *text, uint32_t *character)
{
	/* By length: the lead byte's fixed bits, the mask of them, the first that needs so many. */
	static const struct lead {
		unsigned char bits, mask;
		uint32_t least;
	} leads[] = { { 0x00, 0x80, 0 }, { 0xc0, 0xe0, 0x80 }, { 0xe0, 0xf0, 0x800 }, { 0xf0, 0xf8, 0x10000 } };
	static const struct range unusable[] = { { 0xd800, 0xdfff }, { 0x110000, UINT32_MAX } };
	const unsigned char *byte = (const unsigned char *)text;

	for (int length = 1; length <= 4; length++) {
		const struct lead *lead = &leads[length - 1];
		uint32_t sum = byte[0] & ~lead->mask & 0xff;
		int i;

		if ((byte[0] & lead->mask) != lead->bits)
			continue;
		for (i = 1; i < length && (byte[i] & 0xc0) == 0x80; i++)
			sum = sum << 6 | (byte[i] & 0x3f);
		if (i < length || sum < lead->least || is_in(sum, unusable, 2))
			return 0;
		*character = sum;
		return length;
	}
	return 0;
}

int utf8_is_harmless(uint32_t character)
{
	static const struct range harmful[] = {
		{ 0x00, 0x1f }, { 0x7f, 0x9f },		/* C0, DEL, C1 */
		{ 0x061c, 0x061c }, { 0x200b, 0x200f },	/* marks of direction, no width */
		{ 0x2028, 0x202e }, { 0x2060, 0x206f }, /* separators, embeddings, isolates */
		{ 0xfeff, 0xfeff }, { 0xfff9, 0xfffb }, { 0xe0000, 0xe007f },
	};

	return !is_in(character, harmful, sizeof(harmful) / sizeof(*harmful));
}

int utf8_shown(const char *text)
{
	uint32_t character;
	int length = utf8_next(text, &character);

	return length && utf8_is_harmless(character) && character != '\\' ? length : 0;
}

size_t utf8_plain(const char *text)
{
	const char *end = text;

	while (*end >= ' ' && *end < 0x7f && *end != '"' && *end != '\\')
		end++;
	return end - text;
}
