#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# run.sh: check each model, and that it finds each of the bugs that its head
# lists. TAP.

set -u
models=$(dirname "$(readlink -f "$0")")
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
n=0 failed=0

# verify MODEL [BUG]: prints what pan says
verify()
{
	cd "$tmp" || exit
	rm -f pan pan.* ./*.trail
	spin -a ${2:+-D"$2"} "$models/$1.pml" >spin.log 2>&1 || { cat spin.log; return; }
	gcc -O2 -DSAFETY -DCOLLAPSE -DMEMLIM=8192 -w -o pan pan.c || return
	./pan -m1000000 ${2:+-c1}
}

result()
{
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		tail -n 40 "$tmp/log" | sed 's/^/# /'
		failed=$((failed + 1))
	fi
}

echo "TAP version 13"
for model in "$models"/*.pml; do
	name=$(basename "$model" .pml)
	verify "$name" >"$tmp/log" 2>&1
	grep -q 'errors: 0$' "$tmp/log" &&
		! grep -qE 'not completed|max search depth' "$tmp/log"
	result $? "$name: $(awk '/states, stored/ { print $1 }' "$tmp/log") states, no error"
	while read -r bug; do
		verify "$name" "$bug" >"$tmp/log" 2>&1
		grep -q 'errors: 1$' "$tmp/log"
		result $? "$name: finds $bug"
	done < <(sed -n 's/^ \*	\(BUG_[A-Z_]*\).*/\1/p' "$model")
done
echo "1..$n"
echo "# totals: pass:$((n - failed)) fail:$failed skip:0"
[ "$failed" = 0 ]
