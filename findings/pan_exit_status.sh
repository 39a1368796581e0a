#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Expected: pan, the verifier that spin(1) generates, exits with another status
# than 0 when it finds an error, as compilers and test programs do, and when it
# could not look at everything.
#
# What happens (spin 6.5.2): it exits with 0 in both cases. After a search that
# ended for want of depth it even prints "errors: 0", with a line about the depth
# far above.
#
# Why one meets it: models of lock protocols are checked by scripts. One that
# says `./pan && echo proven' proves nothing, and a model that outgrows the
# depth it once had passes ever after. Look for "errors: 0" and for the absence
# of "max search depth too small".

set -u
# shellcheck source=findings/packages.bash
. "$(dirname "$0")/packages.bash"
get spin=6.5.2+dfsg-1

cd "$tmp" || exit
cat >count.pml <<'END'
byte x;
active proctype count()
{
	do
	:: x < 200 -> x++
	:: x == 200 -> break
	od;
	assert(x != 200)
}
END
root/usr/bin/spin -a count.pml
gcc -O1 -w -DSAFETY -o pan pan.c

./pan >full.log 2>&1
expect "a model with an error: status" $? 0
expect "and it says" "$(grep -o 'errors: .*' full.log)" "errors: 1"
rm -f ./*.trail
./pan -m50 >short.log 2>&1
expect "the same, not searched to its end: status" $? 0
expect "and it says" "$(grep -o 'errors: .*' short.log)" "errors: 0"
expect "and above that" "$(grep -o 'max search depth too small' short.log)" \
	"max search depth too small"
exit $changed
