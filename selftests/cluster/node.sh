#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# node.sh: what test.sh runs on each node. Before this machine is in a cluster it is
# refused; then it is a member, and has the tests; in the end all modules go.

set -eu

PATH=/gosync/cluster:$PATH
insmod /gosync/gosync_dlm.ko
mutex --alone
meet alone
status=0
try.sh sh -c 'mutex && rwmutex && once && value && int64 && command.sh && power' || status=$?
[ $status != 0 ] || rmmod gosync_dlm
exit $status
