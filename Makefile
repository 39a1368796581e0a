# SPDX-License-Identifier: GPL-2.0-only
#
# Two things are built here: a kernel module (Kbuild, kmod/, uapi/) against any
# kernel, and what uses it (libuser/, tools/, examples/, selftests/). All output
# goes to build/. Nothing below but install and modules_install touches the
# machine's own kernel: the module is run in virtual machines.

include Makefile.common

.DEFAULT_GOAL := help
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

# See selftests/vm/kernel.sh; or the path of a kernel build tree.
KERNEL ?=
kernel := $(or $(firstword $(KERNEL)),stock)

vm     := selftests/vm
# What is built for another architecture, and by another compiler, has its own.
arch   := $(filter arm64,$(kernel))
build  := $(or $(GOSYNC_BUILD),$(CURDIR)/build)$(arch:%=/%)
jobs    = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))
run    := $(vm)/run -k $(kernel)
compile = $(MAKE) $(hush) $(jobs)
user    = $(compile) O=$(build)/user -C
user32  = $(compile) O=$(build)/user32 M32=1 -C
m32     = echo 'int main(void) { return 0; }' | \
	$(CC) -m32 -x c -o /dev/null - 2>/dev/null
has_m32 = $(m32) || { $(vm)/deps.sh m32 && $(m32); }
ifneq ($(arch),)
triplet = aarch64-linux-gnu
compile = PKG_CONFIG_LIBDIR=/usr/lib/$(triplet)/pkgconfig \
	$(vm)/toolchain.sh $$($(vm)/kernel.sh $(kernel)) $(MAKE) $(hush) $(jobs) \
	CC=$(triplet)-gcc CXX=$(triplet)-g++ AR=$(triplet)-ar
has_m32 = false
endif
kselftest = KSELFTEST=$(shell $(vm)/kernel.sh source)/tools/testing/selftests

# Randomised tests go on for so many seconds each (up to 60) instead of half of
# one; with all of them, and as 32-bit programs too, that is hours.
SOAK ?=
TESTS ?=

# Of Debian: bookworm (12), trixie (13), or both if it is empty
RELEASE ?=

# What runs something says in a line what is built before it, and how long it
# takes; what only builds shows a line for each file.
run shell test test-cluster bench coverage mutants: export PROGRESS := $(if $(verbose)$(silent),,1)
hush = $(if $(PROGRESS),-s)
say  = $(if $(PROGRESS),echo 'gosync: $(1)' >&2,:)

# $(call kbuild,DIR,KDIR,TARGET,BY): kbuild writes beside its sources, so each
# kernel gets a directory of links to them. BY is what runs it, if need be.
kbuild = mkdir -p $(1) && \
	cp -rsf $(CURDIR)/Kbuild $(CURDIR)/kmod $(CURDIR)/uapi $(1)/ && \
	find $(1) -xtype l -delete && \
	$(4) $(MAKE) $(hush) $(jobs) -C $(2) M=$(1) $(3)

# The fuzzer asks which code it has reached.
kcov = $(if $(filter kasan,$(kernel)),KCOV_INSTRUMENT=y)

help: ## list the targets
	@echo 'usage: make TARGET [KERNEL=stock|cloud|rt|new|testing|arm64|kasan|kcsan|rt-lockdep|PATH]'
	@echo '       make test|coverage [TESTS="PROGRAM..."] [SOAK=SECONDS]'
	@echo '       make torture [MINUTES=10] [TESTS="murder..."]'
	@echo '       make mutants [COUNT=200] [SEED=N] [MUTANT="FILE:LINE:KIND..."] [TESTS=...]'
	@echo '       make test-packages [RELEASE=bookworm|trixie]'
	@echo
	@sed -n 's/^\([a-z0-9_-]*\):.*## /    \1\t/p' Makefile | expand -t 22

deps: ## install the packages that building and running need
	@$(vm)/deps.sh $(arch)

# --- build ----------------------------------------------------------------

module: deps ## build the module for KERNEL (default stock)
	+@kdir=$$($(vm)/kernel.sh $(kernel)) && \
	$(call say,building the module for $(kernel) (half a minute the first time)) && \
	$(call kbuild,$(build)/kmod-$(notdir $(kernel)),$$kdir/build,modules W=1 $(kcov),$(vm)/toolchain.sh $$kdir)

other: deps # the same with another layout of the mapped state, for a test
	+@kdir=$$($(vm)/kernel.sh $(kernel)) && \
	dir=$(build)/kmod-$(notdir $(kernel))-other && \
	selftests/library/other.sh $$dir && \
	$(vm)/toolchain.sh $$kdir $(MAKE) $(hush) $(jobs) -C $$kdir/build M=$$dir modules

lib: deps ## build the library
	@$(call say,building the library (seconds))
	+@$(user) libuser

pages: deps ## build the manual pages of the library and the device
	+@$(user) Documentation

tools: lib pages ## build the gosync command
	@$(call say,building the gosync command (half a minute the first time))
	+@$(user) tools

examples: lib ## build the examples
	+@$(user) examples

bindings: lib ## build what other languages than C use, and its tests
	@$(vm)/deps.sh bindings
	@$(call say,building the bindings (a minute the first time))
	+@$(user) bindings

tests: tools examples $(if $(arch),,bindings) ## build the selftests, 64 and 32 bit
	@$(call say,building the tests (two minutes the first time))
	+@selftests/library/other.sh $(build)/other
	+@$(compile) O=$(build)/other/user -C $(build)/other/libuser
	+@$(user) selftests $(kselftest)
	+@$(if $(arch),:,$(user) selftests/cluster)
	+@if $(has_m32); then \
		$(user32) libuser && $(user32) selftests $(kselftest); \
	else \
		rm -rf $(build)/user32; \
		echo 'gosync: no compiler for 32-bit programs: their tests are skipped' >&2; \
	fi

# --- run in a virtual machine ---------------------------------------------

run: module tools ## the demonstration
	@$(run) -- gosync demo

shell: module tests ## a prompt, with everything in /gosync
	@$(run) --shell

test: tests ## the selftests, on stock and kasan or on KERNEL
	@TESTS='$(TESTS)' SOAK='$(SOAK)' \
		selftests/test.sh $(or $(KERNEL),stock kasan)

test-arm64: ## the same on Debian's kernel for arm64, emulated
	+@$(MAKE) test KERNEL=arm64

test-cluster: tools module ## what three virtual machines share, one of which dies
	@$(call say,building what the nodes run (seconds))
	+@$(user) selftests/cluster
	@selftests/cluster/test.sh $(build)/cluster

torture: tests module ## random stress for MINUTES (10), with deaths, on KERNEL
	@selftests/torture/torture.sh $(kernel) $(or $(MINUTES),10) $(TESTS)

preempt-off: tests ## for how long the module has preemption off, at the most
	+@$(MAKE) module KERNEL=latency
	@$(vm)/run -k latency --icount -t 10000 -o $(build)/preempt-off -- \
		/gosync/tests/preempt_off.sh $(TESTS)

test-all: ## on all kernels, and the packages (hours)
	+@ALL=1 $(MAKE) test KERNEL='stock cloud rt new testing kasan kcsan rt-lockdep'
	+@$(MAKE) test-arm64
	+@$(MAKE) preempt-off
	+@$(MAKE) test-packages

bench: module lib ## measure beside the peers: build/bench.json, .svg
	@$(vm)/deps.sh bench
	@KERNEL=$(kernel) selftests/bench/bench.sh

coverage: deps ## which lines of module and library the tests reach (TESTS, on kasan)
	@$(vm)/deps.sh coverage
	+@TESTS='$(TESTS)' SOAK='$(SOAK)' selftests/coverage.sh $(or $(KERNEL),kasan)

mutants: deps ## how many of COUNT (200) random changes of the code the tests notice
	+@TESTS='$(TESTS)' selftests/mutants.sh $(kernel) '$(or $(MUTANT),$(COUNT),200)' $(SEED)

# --- look at the source ---------------------------------------------------

check: deps ## the static checks
	@selftests/check.sh

clean: ## remove build/
	rm -rf $(build)

# --- a real machine -------------------------------------------------------

release := $(shell uname -r)
KDIR    ?= /lib/modules/$(release)/build
here    := $(build)/kmod-$(release)
ko      := $(INSTALL_MOD_PATH)/lib/modules/$(release)/updates/gosync.ko
depmod   = depmod $(if $(INSTALL_MOD_PATH),-b $(INSTALL_MOD_PATH)) $(release)
built   := $(build)/user/bin/gosync $(build)/user/man/made

modules: ## build the module for the running kernel
	@[ -e $(KDIR)/Makefile ] || { echo "there is no $(KDIR); as root:" \
		"apt-get install linux-headers-$(release)"; exit 1; }
	+@$(call kbuild,$(here),$(KDIR),modules)

modules_install: ## install it where modprobe finds it
	@[ -e $(here)/gosync.ko ] || { echo "build it first: make modules"; exit 1; }
	install -D -m 644 $(here)/gosync.ko $(ko)
	[ ! -e $(here)/gosync_dlm.ko ] || \
		install -m 644 $(here)/gosync_dlm.ko $(dir $(ko))
	$(depmod)

modules_uninstall: ## remove it
	rm -f $(ko) $(dir $(ko))gosync_dlm.ko
	$(depmod)

install: ## install library, headers, pages and command below PREFIX
	@ls $(built) >/dev/null 2>&1 || \
		{ echo "build them first, not as root: make tools"; exit 1; }
	+@$(user) libuser install
	+@$(user) bindings install
	+@$(user) Documentation install
	+@$(user) tools install

uninstall: ## remove them
	+@$(user) libuser uninstall
	+@$(user) bindings uninstall
	+@$(user) Documentation uninstall
	+@$(user) tools uninstall

# --- Debian packages ------------------------------------------------------

debs := $(build)/deb/gosync-$(version)

# In a copy, where times and modes are those of any other copy
deb: ## build the Debian packages, into build/deb
	@$(vm)/deps.sh deb
	@rm -rf $(build)/deb && mkdir -p $(debs)
	@tar -c --exclude-vcs --exclude-vcs-ignores --exclude=./build \
		--mode=u+rw,go=rX --mtime=@$$(dpkg-parsechangelog -STimestamp) . | \
		tar -xp -C $(debs)
	@cd $(debs) && env -u MAKEFLAGS -u MAKELEVEL dpkg-buildpackage -us -uc \
		>../log 2>&1 || { tail -20 ../log; exit 1; }
	@ls -1 $(build)/deb/*.deb

test-packages: ## build, install and test them in Debian 12 and 13, in virtual machines
	@$(vm)/deps.sh system
	@for release in $(or $(RELEASE),bookworm trixie); do \
		selftests/packages/system.sh $$release || exit; \
	done

.PHONY: help deps module other lib pages tools examples bindings tests run shell test \
	test-arm64 preempt-off test-all torture bench coverage mutants check \
	clean modules modules_install modules_uninstall install uninstall deb \
	test-packages
