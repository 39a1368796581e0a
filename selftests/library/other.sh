#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# other.sh DIR: put module and library there, to be built with another layout of
# the mapped state: the next GOSYNC_ABI_VERSION, in which two bits of the Mutex
# word have changed places.

set -e

here=$(readlink -f "$(dirname "$0")/../..")
header=$1/uapi/linux/gosync.h
version=$(awk '/define GOSYNC_ABI_VERSION/ { print $3 }' \
	"$here/uapi/linux/gosync.h")

mkdir -p "$1/uapi/linux"
cp -rsf "$here/Kbuild" "$here/Makefile.common" "$here/kmod" "$here/libuser" "$1/"
find "$1" -xtype l -delete
sed -e "/define GOSYNC_ABI_VERSION/s/$version\$/$((version + 1))/" \
    -e '/define GOSYNC_MUTEX_LOCKED/s/<< 0/<< 3/' \
    -e '/define GOSYNC_MUTEX_POISONED/s/<< 3/<< 0/' \
    "$here/uapi/linux/gosync.h" >"$header.new"
if cmp -s "$header" "$header.new"; then
	rm "$header.new"
else
	mv "$header.new" "$header"
fi
