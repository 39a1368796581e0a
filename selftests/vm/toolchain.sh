#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# toolchain.sh KERNEL COMMAND...: run a command that builds for a kernel, which is a
# directory that kernel.sh printed. The headers of a newer Debian want a newer
# compiler and C library than this machine's, and those of another architecture want
# a compiler for it: they are put in the place of /usr, for the command alone. There
# are no locales there.

set -euo pipefail

usr=$1/toolchain
shift
[ -e "$usr" ] || exec "$@"
as=(unshare --mount)
[ "$(id -u)" = 0 ] || as+=(--map-root-user)
# shellcheck disable=SC2016
LANG=C exec "${as[@]}" sh -c 'mount --bind "$0" /usr && exec "$@"' \
	"$(readlink -f "$usr")" "$@"
