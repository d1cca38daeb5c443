# SPDX-License-Identifier: GPL-2.0-only
CLANG      ?= clang
BPFTOOL    ?= bpftool
PKG_CONFIG ?= pkg-config
PREFIX     ?= /usr/local
# To trace is for root.
SUDO       ?= $(if $(filter-out 0,$(shell id -u)),sudo)
# Debian keeps bpftool out of a user's PATH.
export PATH := $(PATH):/usr/sbin:/sbin

VERSION := 0.1
O := .output
WAYS := fentry kprobe tracepoint

CFLAGS ?= -O2 -g
# CFLAGS and friends belong to whoever builds; these are ours.
packages := libbpf libcap-ng
cflags := -std=gnu11 -Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers \
	  -D_GNU_SOURCE -DVERSION='"$(VERSION)"' -MMD -MP -I. -I$O
ldlibs := $(shell $(PKG_CONFIG) --libs $(packages))
# The BPF side sees vmlinux/ and libbpf's headers, nothing of the host.
arch := $(shell uname -m | sed 's/x86_64/x86/; s/aarch64/arm64/')
bpf_cflags := -target bpf -D__TARGET_ARCH_$(arch) -O2 -g -Wall -Wextra -Wno-unused-parameter \
	      -MMD -MP -I. -Ivmlinux

# Each program is its main file and what it calls; -lib is everything without a main().
client  := rst_client paths steps peer walk await
SRCS    := $(wildcard user/*.c)
CLIENT  := $(client:%=$O/user/%.o) $O/user/names.o
TRACER  := $(filter-out $O/user/rst_client.o,$(SRCS:%.c=$O/%.o))

ifneq ($V,1)
Q   := @
say  = @printf '  %-5s %s\n' $1 $2;
endif

all: closetrace rst-client

closetrace: $(TRACER)
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(ldlibs) $(LDLIBS) -o $@
rst-client: $(CLIENT)
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LDLIBS) -o $@

$O/bpf/%.bpf.o: bpf/%.bpf.c
	$(call say,BPF,$@)mkdir -p $(@D) && $(CLANG) $(bpf_cflags) -c $< -o $@
# gen object strips the debug information, so llvm-strip is not needed.
$O/%.skel.h: $O/bpf/%.bpf.o
	$(call say,SKEL,$@)$(BPFTOOL) gen object $O/bpf/$*.o $< && \
		$(BPFTOOL) gen skeleton $O/bpf/$*.o name $*_bpf > $@
$O/user/tracer.o: $(WAYS:%=$O/%.skel.h)
$O/%.o: %.c
	$(call say,CC,$@)mkdir -p $(@D) && $(CC) $(cflags) $(CPPFLAGS) $(CFLAGS) -c $< -o $@

# ---- tests ------------------------------------------------------------------

UNITS := $(patsubst tests/unit/%.c,$O/tests/unit/%,$(wildcard tests/unit/*.c))
# In tests/live what is not a program of its own is shared by all of them.
live_shared := live counters wire
LIVES := $(patsubst tests/live/%.c,$O/tests/live/%,\
	   $(filter-out $(live_shared:%=tests/live/%.c),$(wildcard tests/live/*.c)))
test_libs := $(shell $(PKG_CONFIG) --libs cmocka jansson libpcap 2>/dev/null)

# Unit tests link everything but the main()s.
$O/tests/unit/%: $O/tests/unit/%.o $(filter-out %/main.o,$(TRACER))
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(ldlibs) $(test_libs) $(LDLIBS) -o $@
$O/tests/live/%: $O/tests/live/%.o $(live_shared:%=$O/tests/live/%.o) \
		 $(filter-out %/rst_client.o,$(CLIENT))
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(test_libs) $(LDLIBS) -o $@

tests: closetrace rst-client $(UNITS) $(LIVES)
check: $(UNITS)
	$Q for t in $^; do ./$$t || exit 1; done

# Each installs what is missing, then builds by a make of its own: what pkg-config says
# is asked when a makefile is read.
deps:
	tests/deps
demo:
	tests/deps
	$(MAKE) all
	$(SUDO) ./closetrace demo
test:
	tests/deps test
	$(MAKE) tests
	tests/run

# ---- in the system ----------------------------------------------------------

install: all
	install -D -m 755 closetrace $(DESTDIR)$(PREFIX)/sbin/closetrace
	install -D -m 755 rst-client $(DESTDIR)$(PREFIX)/bin/rst-client
	install -D -m 644 user/closetrace.8 $(DESTDIR)$(PREFIX)/share/man/man8/closetrace.8
	install -D -m 644 user/rst-client.1 $(DESTDIR)$(PREFIX)/share/man/man1/rst-client.1
uninstall:
	rm -f $(DESTDIR)$(PREFIX)/sbin/closetrace $(DESTDIR)$(PREFIX)/bin/rst-client \
	      $(DESTDIR)$(PREFIX)/share/man/man8/closetrace.8 \
	      $(DESTDIR)$(PREFIX)/share/man/man1/rst-client.1

# The kernels that were fetched stay; `rm -rf .output` is for those too.
clean:
	rm -rf closetrace rst-client
	find $O -mindepth 1 -maxdepth 1 ! -name vm -exec rm -rf {} + 2>/dev/null || true

.PHONY: all tests check deps demo test install uninstall clean
.DELETE_ON_ERROR:
.SECONDARY:
-include $(shell find $O -name '*.d' 2>/dev/null)
