#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# system_check.sh: what must be true on a Debian system, as root after it has booted.
# It installs the packages and a second kernel. After it has booted that, it is run again,
# and the packages are purged. TAP on standard output. For system.sh.

n=0 pass=0 fail=0
top=$(mktemp -d)
chmod 755 "$top"
cd "$top" || exit
page=/root/containers.md

# report WHAT COMMAND...: one test
report()
{
	local what=$1

	shift
	n=$((n + 1))
	if "$@" >"$top/log" 2>&1; then
		pass=$((pass + 1))
		echo "ok $n - $what"
	else
		fail=$((fail + 1))
		echo "not ok $n - $what"
		sed 's/^/# /' "$top/log"
	fi
}

# check FUNCTION: its name is the promise
check()
{
	report "${1//_/ }" "$1"
}

# says TEXT COMMAND...: what it prints has this, whatever its status
says()
{
	local text=$1 output

	shift
	output=$("$@" 2>&1)
	[[ $output == *"$text"* ]] && return
	echo "it says: $output"
	return 1
}

as_nobody()
{
	setpriv --reuid nobody --regid "${group:-nogroup}" --clear-groups "$@"
}

# installs PACKAGE...: also an older one
installs()
{
	DEBIAN_FRONTEND=noninteractive apt-get -q -y --allow-downgrades install "$@"
}

# --- the packages ---------------------------------------------------------

now()
{
	date +%s%N
}

seconds_since()
{
	awk "BEGIN { printf \"%.1f\", ($(now) - $1) / 1e9 }"
}

# dpkg_at WHAT: in which second dpkg did this first
dpkg_at()
{
	date -d "$(grep -m1 " $1" /var/log/dpkg.log | cut -d ' ' -f 1,2)" +%s
}

one_command_installs_them_and_a_lock_is_taken()
{
	local start installed unpacked

	: >/var/log/dpkg.log
	start=$(now)
	DEBIAN_FRONTEND=noninteractive apt -q -y install /root/*.deb || return
	installed=$(now)
	gosync run first -- true || return
	# Not with the test's output, which is shown when it fails
	echo "# from the command to the first lock: $(cat /root/fetched) s to fetch" \
		"what they depend on, before; $(seconds_since "$start") s here, of them" \
		"$(seconds_since "$installed") s for the lock" >&3
	unpacked=$(dpkg_at 'startup packages configure')
	echo "# of them $((unpacked - start / 1000000000)) s to unpack," \
		"$(($(dpkg_at 'status installed gosync-dkms') -
		$(dpkg_at 'configure gosync-dkms'))) s to build the module" >&3
}

the_module_is_built_by_DKMS_for_this_kernel_and_loaded()
{
	local file

	file=$(modinfo -n gosync) || return
	echo "$file"
	[[ $file == */lib/modules/$(uname -r)/updates/dkms/gosync.ko* ]] &&
		[ -e /sys/module/gosync ]
}

the_node_is_for_everybody_and_of_the_group()
{
	stat -c '%a %U %G' /dev/gosync | tee /dev/stderr |
		grep -qx '666 root gosync'
}

command_and_module_are_of_the_same_version()
{
	local version

	version=$(cat /sys/module/gosync/version) &&
		says "gosync $version" gosync --version
}

# 8: they say that they are superficial, as all tests without the module are.
the_tests_that_the_packages_have_pass()
{
	local status=0

	autopkgtest -B --summary-file=summary /root/gosync-*/ -- null || status=$?
	echo "it exits with $status and says:"
	cat summary
	[ -s summary ] && ! grep -v '^[a-z]* *PASS' summary || return
	[ $status = 0 ] || [ $status = 8 ]
}

a_user_builds_and_runs_the_example()
{
	installs pkgconf liburing-dev &&
		cp /usr/share/doc/libgosync-user-dev/examples/{hello,thousand}.c . ||
		return
	# shellcheck disable=SC2046 # words
	cc hello.c $(pkg-config --cflags --libs gosync-user) -o hello &&
		cc thousand.c $(pkg-config --cflags --libs gosync-user) -luring \
			-o thousand &&
		says "this is visit 1" as_nobody ./hello
}

without_the_module_it_says_so()
{
	modprobe -r gosync && says "the gosync module is not loaded" gosync ls &&
		modprobe gosync && gosync ls
}

a_stranger_in_place_of_the_node_is_told()
{
	touch file
	says "another file has the name /dev/gosync" \
		systemd-run -q -P -p "BindPaths=$top/file:/dev/gosync" gosync ls
}

the_node_is_born_with_the_mode_that_is_asked_for()
{
	modprobe -r gosync &&
		echo "options gosync mode=0660" >/etc/modprobe.d/gosync.conf &&
		modprobe gosync && udevadm settle &&
		[ "$(stat -c '%a %U %G' /dev/gosync)" = "660 root gosync" ] &&
		says "no permission for /dev/gosync" as_nobody gosync ls &&
		group=gosync as_nobody gosync ls
}

statistics_are_written_for_Prometheus()
{
	mkdir -p /var/lib/prometheus/node-exporter &&
		systemctl start gosync-prometheus.service &&
		grep '^# TYPE gosync_waits_total counter' \
			/var/lib/prometheus/node-exporter/gosync.prom
}

# --- another version ------------------------------------------------------

# versions COMMAND MODULE: they are these, and work with each other
versions()
{
	local command module

	command=$(gosync --version) module=$(cat /sys/module/gosync/version)
	echo "$command, module $module"
	[ "$command" = "gosync $1" ] && [ "$module" = "$2" ] &&
		says "this is visit" as_nobody ./hello && says held gosync holders
}

hold()
{
	gosync run --no-fork held -- sleep 100000 &
	holder=$!
}

release()
{
	kill "$holder"
	! wait "$holder"
}

# The lock is held all the time.
an_upgrade_leaves_the_module_that_is_loaded()
{
	local visits

	old=$(cat /sys/module/gosync/version) new=$old.1
	visits=$(gosync atomic get visits)
	hold
	installs /root/newer/*.deb && versions "$new" "$old" &&
		[ "$(modinfo -F version gosync)" = "$new" ] &&
		[ "$(gosync atomic get visits)" = "$visits" ]
}

the_new_module_is_used_when_it_is_loaded_again()
{
	release
	modprobe -r gosync && modprobe gosync || return
	hold
	versions "$new" "$new"
}

an_older_library_works_with_a_newer_module()
{
	installs /root/libgosync-user*.deb /root/gosync_*.deb &&
		versions "$old" "$new"
}

# --- another kernel -------------------------------------------------------

a_second_kernel_is_installed()
{
	local version

	# shellcheck disable=SC2046 # words
	installs $(cat /root/second) || return
	version=$(echo /boot/vmlinuz-*cloud*)
	version=${version#*-}
	ls -l /lib/modules/"$version"/updates/dkms/gosync.ko* || return
	mkdir /root/next && cp "/boot/vmlinuz-$version" /root/next/vmlinuz &&
		cp "/boot/initrd.img-$version" /root/next/initrd.img
}

it_is_the_second_kernel()
{
	[[ $(uname -r) == *cloud* ]]
}

the_node_has_its_mode_from_the_boot_on()
{
	[ "$(stat -c '%a %U %G' /dev/gosync)" = "660 root gosync" ]
}

# --- the end --------------------------------------------------------------

purging_leaves_nothing()
{
	rm /etc/modprobe.d/gosync.conf
	rm -rf /var/lib/prometheus ~alice/.local
	DEBIAN_FRONTEND=noninteractive apt-get -q -y purge gosync gosync-dkms \
		libgosync-user2 libgosync-user-dev librust-gosync-dev || return
	[ ! -e /sys/module/gosync ] || { echo "it is loaded"; return 1; }
	# What the test has made is elsewhere.
	! find / -xdev -name '*gosync*' -not -path '/root/*' -not -path "$top/*" \
		-not -path '/var/lib/machines/*' \
		-not -path '/var/lib/containers/*' \
		-not -path '/var/lib/docker/*' | grep .
}

# --- containers -----------------------------------------------------------

# An image with the command and two examples
make_image()
{
	local root=/var/lib/machines/image file

	mkdir -p $root/{usr/bin,dev,proc,sys,etc,tmp,run} &&
		ln -s usr/bin $root/bin &&
		cp /bin/busybox hello thousand /usr/bin/gosync $root/usr/bin/ &&
		ln -s busybox $root/usr/bin/sleep || return
	for file in $(ldd hello thousand /usr/bin/gosync | grep -o '/[^ :]* (' |
		      sort -u); do
		[[ $file == /* ]] || continue
		install -D "$file" "$root$file" || return
	done
	tar -C $root -c . >image.tar && podman import -q image.tar image
}

# Without networks, which take time
images_are_there()
{
	echo '{ "bridge": "none", "iptables": false }' >/etc/docker/daemon.json
	printf '[containers]\nnetns = "none"\n' >/etc/containers/containers.conf
	make_image && systemctl restart docker && docker import image.tar image &&
		runuser -l alice -c "podman import -q $top/image.tar image"
}

# shows COMMAND TEXT: the last line that it prints is TEXT, after what stands before a
# colon; or begins so, if TEXT ends in "...". Without TEXT it succeeds.
shows()
{
	local output status text=$2

	output=$(eval "$1" </dev/null 2>&1)
	status=$?
	echo "$output"
	[ "$text" ] || return $status
	output=${output##*$'\n'}
	output=${output%$'\r'}
	if [[ $text == *... ]]; then
		[[ $output == *": ${text%...}"* ]]
	else
		[[ $output == "$text" || $output == *": $text" ]]
	fi
}

# Each line of the page's tables that is a command. "A; in Debian 13: B" is B there, and
# A elsewhere.
lines_of_the_page()
{
	local command text here

	here="; in Debian $(. /etc/os-release && echo "$VERSION_ID"): "

	while IFS='|' read -r _ command text _; do
		command=${command#*\`} command=${command%\`*}
		text=${text# } text=${text% }
		if [[ $text == *"$here"* ]]; then
			text=${text#*"$here"}
		else
			text=${text%%; in Debian *}
		fi
		report "$command" shows "$command" "$text"
	done < <(grep '^| `' $page)
}

# --- the run --------------------------------------------------------------

first_kernel()
{
	echo "TAP version 13"
	check one_command_installs_them_and_a_lock_is_taken
	check the_module_is_built_by_DKMS_for_this_kernel_and_loaded
	check the_node_is_for_everybody_and_of_the_group
	check command_and_module_are_of_the_same_version
	check a_user_builds_and_runs_the_example
	check the_tests_that_the_packages_have_pass
	check without_the_module_it_says_so
	check a_stranger_in_place_of_the_node_is_told
	check images_are_there
	lines_of_the_page
	check an_upgrade_leaves_the_module_that_is_loaded
	check the_new_module_is_used_when_it_is_loaded_again
	check an_older_library_works_with_a_newer_module
	release
	check the_node_is_born_with_the_mode_that_is_asked_for
	check statistics_are_written_for_Prometheus
	check a_second_kernel_is_installed
	echo "n=$n pass=$pass fail=$fail" >/root/counts
}

second_kernel()
{
	# shellcheck source=/dev/null
	. /root/counts
	check it_is_the_second_kernel
	check the_module_is_built_by_DKMS_for_this_kernel_and_loaded
	check the_node_has_its_mode_from_the_boot_on
	check purging_leaves_nothing
	echo "1..$n"
	echo "# totals: pass:$pass fail:$fail skip:0"
}

exec 3>&1
if [ ! -e /root/counts ]; then
	first_kernel
else
	second_kernel
fi
[ $fail = 0 ]
