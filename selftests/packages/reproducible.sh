#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# reproducible.sh: build the packages twice, and compare them byte for byte. The
# second time the directory, the day, the time zone, the language and the umask
# are others. Prints TAP; takes a minute or two.

set -euo pipefail

cd "$(dirname "$0")/../.."
top=$PWD
work=$top/build/reproducible

for program in faketime dpkg-buildpackage; do
	command -v $program >/dev/null && continue
	echo "reproducible.sh: there is no $program; as root:" \
		"apt-get install faketime dpkg-dev" >&2
	exit 1
done

# copy DIR: the tree, without what was built
copy()
{
	mkdir -p "$1"
	tar -c --exclude-vcs --exclude-vcs-ignores --exclude=./build . |
		tar -x -C "$1"
}

# differ DIR DIR: which files of the packages do, if any
differ()
{
	local file name status=1

	for file in "$1"/*.deb "$1"/*.dsc "$1"/*.tar.xz; do
		name=${file##*/}
		cmp "$file" "$2/$name" || status=0
	done
	[ "$(cd "$1" && ls)" = "$(cd "$2" && ls)" ] || status=0
	return $status
}

rm -rf "$work"
one=$work/one two=$work/another/directory
copy "$one"
copy "$two"
chmod -R g+w "$two"

make -s -C "$one" deb >/dev/null
(
	umask 002
	export TZ=Pacific/Kiritimati LC_ALL=C.UTF-8 LANG=C.UTF-8
	faketime -f +400d make -s -C "$two" deb >/dev/null
)

echo "TAP version 13"
echo "1..1"
if differ "$one/build/deb" "$two/build/deb"; then
	echo "not ok 1 - two builds of the packages are equal"
	exit 1
fi
(cd "$one/build/deb" && sha256sum ./*.deb ./*.dsc ./*.tar.xz) | sed 's/^/# /'
echo "ok 1 - two builds of the packages are equal"
