// SPDX-License-Identifier: GPL-2.0-only
/* Closes one socket, then lives until its stdin ends; with an argument not a moment longer. */
#include <sys/socket.h>
#include <unistd.h>

#include "tests/live/stack/drop.h"

int main(int argc, char **argv)
{
	char byte;

	serve(socket(AF_INET, SOCK_STREAM, 0));
	return argc > 1 ? 0 : read(STDIN_FILENO, &byte, 1) < 0;
}
