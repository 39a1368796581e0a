# SPDX-License-Identifier: GPL-2.0-only
#
# Two things are built here: a kernel module (Kbuild, kmod/, uapi/) against any
# kernel, and what runs on top of it (the other directories). All output goes
# to build/. Whatever runs the module runs it in a virtual machine.

.DEFAULT_GOAL := help
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

# stock, cloud, rt, kasan, or the path of a kernel build tree.
KERNEL ?=
kernel := $(or $(firstword $(KERNEL)),stock)

vm     := selftests/vm
build  := $(CURDIR)/build
kmod    = $(build)/kmod-$(notdir $(kernel))
jobs   := -j$(shell nproc)
run     = $(vm)/run -k $(kernel)

help: ## list the targets
	@echo 'usage: make TARGET [KERNEL=stock|cloud|rt|kasan|PATH]'
	@echo
	@sed -n 's/^\([a-z_ ]*\):.*## /\1\t/p' Makefile | expand -t 18

deps: ## install the Debian packages that building and running need
	@$(vm)/deps.sh

# --- what is built --------------------------------------------------------

# kbuild writes beside its sources, so each kernel gets links to them.
module: deps ## build the module for KERNEL
	@kdir=$$($(vm)/kernel.sh $(kernel)) && mkdir -p $(kmod) && \
	cp -rsf $(CURDIR)/Kbuild $(CURDIR)/kmod $(CURDIR)/uapi $(kmod)/ && \
	find $(kmod) -xtype l -delete && \
	$(MAKE) $(jobs) -C $$kdir/build M=$(kmod) W=1 modules

user = $(MAKE) $(jobs) -C $(1) O=$(build)/user
user32 = $(MAKE) $(jobs) -C $(1) O=$(build)/user32 M32=1
# While the tree is being filled.
user = $(if $(wildcard $(1)/Makefile),$(MAKE) $(jobs) -C $(1) O=$(build)/user,@:)
user32 = $(if $(wildcard $(1)/Makefile),$(MAKE) $(jobs) -C $(1) O=$(build)/user32 M32=1,@:)

lib: deps ## build the library
	$(call user,libuser)

tools: lib ## build the gosync command
	$(call user,tools)

examples: lib ## build the examples
	$(call user,examples)

tests: lib ## build the selftests, 64 and 32 bit
	@$(eval KSELFTEST := $(shell $(vm)/kernel.sh source)/tools/testing/selftests)
	$(call user,selftests) KSELFTEST=$(KSELFTEST)
	$(call user32,libuser)
	$(call user32,selftests) KSELFTEST=$(KSELFTEST)

# --- what is run ----------------------------------------------------------

run: module tools ## the demonstration, in a virtual machine
	$(run) -- gosync demo

shell: module tools tests examples ## a prompt in a virtual machine
	$(run) --shell

test: tools tests examples ## the selftests, on stock and kasan or on KERNEL
	@for k in $(or $(KERNEL),stock kasan); do \
		out=$(build)/test-$$(basename $$k); rm -rf $$out; \
		$(MAKE) module KERNEL=$$k || exit; \
		$(vm)/run -k $$k -t 1200 -o $$out -- /gosync/tests/run_tests.sh; \
		set -- "$$@" $$out; \
	done; $(vm)/summary.sh "$$@"

check: ## the static checks
	@$(vm)/deps.sh check
	selftests/check.sh

bench: module tools ## measure against the peers: build/bench.json and .svg
	@$(vm)/deps.sh bench
	selftests/bench/bench.sh

clean: ## remove build/
	rm -rf $(build)

# --- on a real machine ----------------------------------------------------

KDIR ?= /lib/modules/$(shell uname -r)/build

modules: ## build the module for the running kernel
	@$(MAKE) module kernel=$(KDIR)

.PHONY: help deps module lib tools examples tests run shell test check bench \
	clean modules modules_install install
