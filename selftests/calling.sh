# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# For scripts that look at the library's code, to be read by them: build_calling makes
# the tests so that they call the library's copies of the headers' fast paths, and have
# none of their own.

build_calling()
{
	local call='-DGOSYNC_INLINE=extern inline __attribute__((__gnu_inline__))'

	call="-fno-inline '$call' -DGOSYNC_CALLER=GOSYNC_INLINE"
	# Tests that go through an operation by single steps leave the loader out.
	CFLAGS="-O2 -g -w" CPPFLAGS=$call LDFLAGS=-Wl,-z,now make tests has_m32=false
}
