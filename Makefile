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
# make ARCH=arm64 builds for that processor into .output/arm64, with what tests/vm/sysroot unpacks.
machine := $(shell uname -m)
ARCH ?= $(machine)
arch_of = $(subst x86_64,x86,$(subst amd64,x86,$(subst aarch64,arm64,$1)))
arch := $(call arch_of,$(ARCH))
ifeq ($(arch),$(call arch_of,$(machine)))
O := .output
else
O := .output/$(arch)
B := $O/
triplet := $(subst arm64,aarch64,$(subst x86,x86_64,$(arch)))-linux-gnu
CROSS_COMPILE ?= $(triplet)-
SYSROOT ?= .output/vm/sysroot-$(arch)
CC := $(CROSS_COMPILE)gcc --sysroot=$(SYSROOT)
override PKG_CONFIG := PKG_CONFIG_SYSROOT_DIR=$(SYSROOT) \
	PKG_CONFIG_LIBDIR=$(SYSROOT)/usr/lib/$(triplet)/pkgconfig $(PKG_CONFIG)
endif
WAYS := fentry kprobe tracepoint

CFLAGS ?= -O2 -g
# CFLAGS and friends belong to whoever builds; these are ours.
packages := libbpf libcap-ng libdw libelf smartcols
cflags := -std=gnu11 -Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers \
	  -D_GNU_SOURCE -DVERSION='"$(VERSION)"' -MMD -MP -I. -I$O
ldlibs := $(shell $(PKG_CONFIG) --libs $(packages)) -pthread
# The BPF side sees vmlinux/ and libbpf's headers, nothing of the host.
bpf_cflags := -target bpf -D__TARGET_ARCH_$(arch) -O2 -g -Wall -Wextra -Wno-unused-parameter \
	      -MMD -MP -I. -Ivmlinux

# The client is a few files, the tracer all but the client's main().
client  := rst_client paths steps peer walk await
SRCS    := $(wildcard user/*.c)
CLIENT  := $(client:%=$O/user/%.o) $O/user/names.o
TRACER  := $(filter-out $O/user/rst_client.o $O/user/table_plain.o,$(SRCS:%.c=$O/%.o))
# What is not there to be linked statically is done without.
dynamic := smartcols
STATIC  := $(TRACER:%/table.o=%/table_plain.o)

ifneq ($V,1)
Q   := @
say  = @printf '  %-5s %s\n' $1 $2;
endif

all: $Bclosetrace $Brst-client

$Bclosetrace: $(TRACER)
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(ldlibs) $(LDLIBS) -o $@
$Brst-client: $(CLIENT)
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LDLIBS) -o $@

# For a host that has none of the libraries.
static: $O/static/closetrace $O/static/rst-client
$O/static/closetrace: $(STATIC)
	$(call say,LD,$@)mkdir -p $(@D) && $(CC) $(CFLAGS) $(LDFLAGS) -static $^ \
		$(shell $(PKG_CONFIG) --static --libs $(filter-out $(dynamic),$(packages))) \
		$(LDLIBS) -o $@
$O/static/rst-client: $(CLIENT)
	$(call say,LD,$@)mkdir -p $(@D) && $(CC) $(CFLAGS) $(LDFLAGS) -static $^ $(LDLIBS) -o $@

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
live_shared := live counters wire reset_actor reset_forge reset_rows \
	       linger_uring end_tcp end_closer end_scenes end_records end_deeds mixed_parts \
	       filter_acts filter_cast filter_cases command_roles
LIVES := $(patsubst tests/live/%.c,$O/tests/live/%,\
	   $(filter-out $(live_shared:%=tests/live/%.c),$(wildcard tests/live/*.c)))
test_libs := $(shell $(PKG_CONFIG) --libs cmocka jansson libpcap 2>/dev/null)

# Unit tests link everything but the main()s.
$O/tests/unit/%: $O/tests/unit/%.o $(filter-out %/main.o,$(TRACER))
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(ldlibs) $(test_libs) $(LDLIBS) -o $@
comma := ,
# What the tracer would say to its filters those tests say.
$O/tests/unit/reset%: test_libs += $(patsubst %,-Wl$(comma)--wrap=tracer_%,\
				     traces_few wants wants_branches wants_resets)
$O/tests/live/%: $O/tests/live/%.o $(live_shared:%=$O/tests/live/%.o) \
		 $(filter-out %/rst_client.o,$(CLIENT))
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(ldlibs) $(test_libs) $(LDLIBS) -o $@

# Programs whose code is looked for on stacks: as they mostly are, with nothing but what it takes to
# run, static, with the code in a library, and by the compiler that writes no table of where what is.
VICTIMS := $(addprefix $O/tests/live/stack/victim,-plain -bare -static -shared -fetched -clang)
victim_parts := $(addprefix $O/tests/live/stack/,victim.o drop.o)
clang_parts := $(victim_parts:%.o=%-clang.o)
# Theirs alone, whatever the others are built with.
$(victim_parts): $O/%.o: %.c
	$(call say,CC,$@)mkdir -p $(@D) && $(CC) $(cflags) -g -O2 -fomit-frame-pointer -fPIC -c $< -o $@
$(clang_parts): $O/%-clang.o: %.c
	$(call say,CC,$@)mkdir -p $(@D) && $(CLANG) $(if $B,--target=$(triplet) --sysroot=$(SYSROOT)) \
		$(cflags) -g -O2 -fomit-frame-pointer -fPIC -c $< -o $@
$O/tests/live/stack/victim-clang: $(clang_parts)
	$(call say,LD,$@)$(CC) $(LDFLAGS) $^ -o $@
$O/tests/live/stack/victim-plain: $(victim_parts)
	$(call say,LD,$@)$(CC) $(LDFLAGS) $^ -o $@
$O/tests/live/stack/victim-bare: $(victim_parts)
	$(call say,LD,$@)$(CC) $(LDFLAGS) -s $^ -o $@
$O/tests/live/stack/victim-static: $(victim_parts)
	$(call say,LD,$@)$(CC) $(LDFLAGS) -static $^ -o $@
# Its debug information is where debuginfod-find would have put it.
victim_id := 00112233445566778899aabbccddeeff00112233
$O/tests/live/stack/victim-fetched: $(victim_parts)
	$(call say,LD,$@)$(CC) $(LDFLAGS) -Wl,--build-id=0x$(victim_id) $^ -o $@ && \
		mkdir -p $(@D)/cache/$(victim_id) && \
		$(CROSS_COMPILE)objcopy --only-keep-debug $@ $(@D)/cache/$(victim_id)/debuginfo && \
		$(CROSS_COMPILE)objcopy --strip-all $@
$O/tests/live/stack/libdrop.so: $O/tests/live/stack/drop.o
	$(call say,LD,$@)$(CC) $(LDFLAGS) -shared -Wl,-soname,$(@F) $^ -o $@
$O/tests/live/stack/victim-shared: $O/tests/live/stack/victim.o $O/tests/live/stack/libdrop.so
	$(call say,LD,$@)$(CC) $(LDFLAGS) $^ -Wl,-rpath,'$$ORIGIN' -o $@

tests: $Bclosetrace $Brst-client $(UNITS) $(LIVES) $(VICTIMS)
check: $(UNITS)
	$Q for t in $^; do ./$$t || exit 1; done

# In tests/bench too; empty.so goes into closetrace.
BENCHES := $(addprefix $O/tests/bench/,load measure reader empty.so)
$O/tests/bench/load: $O/tests/bench/loopback.o
$O/tests/bench/measure: $(addprefix $O/tests/bench/,contestant.o programs.o loopback.o)
$O/tests/bench/reader: $(filter-out %/main.o,$(TRACER))
$O/tests/bench/%: $O/tests/bench/%.o
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(ldlibs) $(LDLIBS) -o $@
$O/tests/bench/%.so: tests/bench/%.c
	$(call say,LD,$@)mkdir -p $(@D) && $(CC) $(cflags) $(CPPFLAGS) $(CFLAGS) -shared -fPIC $< -o $@

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
bench:
	tests/deps test
	$(MAKE) closetrace benches
	tests/bench/run $(KERNELS)
benches: $(BENCHES)
# Cross-built, in emulated guests.
test-arm64:
	tests/deps arm64
	tests/vm/sysroot
	$(MAKE) ARCH=arm64 tests
	tests/run arm64
test-all: test
	$(MAKE) test-arm64

# ---- in the system ----------------------------------------------------------

bash_dir := $(PREFIX)/share/bash-completion/completions
zsh_dir  := $(PREFIX)/share/zsh/site-functions
install: all
	install -D -m 755 $Bclosetrace $(DESTDIR)$(PREFIX)/sbin/closetrace
	install -D -m 755 $Brst-client $(DESTDIR)$(PREFIX)/bin/rst-client
	install -D -m 644 user/closetrace.8 $(DESTDIR)$(PREFIX)/share/man/man8/closetrace.8
	install -D -m 644 user/rst-client.1 $(DESTDIR)$(PREFIX)/share/man/man1/rst-client.1
	install -D -m 644 user/completion.bash $(DESTDIR)$(bash_dir)/closetrace
	install -D -m 644 user/completion.bash $(DESTDIR)$(bash_dir)/rst-client
	install -D -m 644 user/completion.zsh $(DESTDIR)$(zsh_dir)/_closetrace
uninstall:
	rm -f $(DESTDIR)$(PREFIX)/sbin/closetrace $(DESTDIR)$(PREFIX)/bin/rst-client \
	      $(DESTDIR)$(PREFIX)/share/man/man8/closetrace.8 \
	      $(DESTDIR)$(PREFIX)/share/man/man1/rst-client.1 \
	      $(DESTDIR)$(bash_dir)/closetrace $(DESTDIR)$(bash_dir)/rst-client \
	      $(DESTDIR)$(zsh_dir)/_closetrace

# What was fetched for tests stays, kernels above all; `rm -rf .output` is for those too.
clean:
	rm -rf closetrace rst-client
	find $O -mindepth 1 -maxdepth 1 ! -name vm -exec rm -rf {} + 2>/dev/null || true

.PHONY: all static tests check deps demo test bench benches test-arm64 test-all install uninstall clean
.DELETE_ON_ERROR:
.SECONDARY:
-include $(shell find $O/bpf $O/user $O/tests -name '*.d' 2>/dev/null)
