#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# broken.sh KERNEL: a short round of random stress with a module whose Mutex is granted
# although it has an owner. Fails if that is not noticed. For torture.sh.

set -euo pipefail

top=$(readlink -f "$(dirname "$0")/../..")
vm=$top/selftests/vm
kernel=$1 name=${1##*/}
mutant=kmod/mutex.c:mutex_take:always.3
export GOSYNC_BUILD=$top/build/torture-broken
out=$GOSYNC_BUILD build=$top/build
if [ "$kernel" = arm64 ]; then
	build+=/arm64 out+=/arm64
fi
module=$out/kmod-$name

mkdir -p "$module"
ln -sfn "$build/user" "$out/user"
cp -rsf "$top"/{Kbuild,kmod,uapi} "$module/"
find "$module" -xtype l -delete
rm "$module/kmod/mutex.c"
"$top/selftests/mutants.py" make $mutant >"$module/kmod/mutex.c"
kdir=$("$vm/kernel.sh" "$kernel")
"$vm/toolchain.sh" "$kdir" make -s -C "$kdir/build" M="$module" modules

echo "gosync: a lock is broken, which is to be noticed" >&2
status=0
"$vm/run" -k "$kernel" -c 1 -o "$out/vm" -- env GOSYNC_TEST_SECONDS=5 \
	/gosync/tests/run_tests.sh --64 history >"$out/log" 2>&1 || status=$?
# 1 is that tests have failed. It is 125 if the guest or the kernel had any trouble.
if [ $status != 1 ]; then
	cat "$out/log" >&2
	echo "torture.sh: the broken lock was not noticed" >&2
	exit 1
fi
echo "# torture: the broken lock was noticed"
