# SPDX-License-Identifier: GPL-2.0-only
#
# sum.awk: add up the figures (torture.h) of all rounds in what torture.sh has
# printed, and say which seeds failed. A line of figures that cannot be read is an
# error, and so are none of a program that has passed.

function bad(what)
{
	print "# torture: " what
	wrong = 1
}

/^# torture: begins$/ { begun = 1 }
!begun { next }
/^# seed: [0-9]+$/ { seed = $3 }
/^not ok / {
	sub(/^not ok [0-9]+ /, "")
	failures[++failed] = $0 (seed ? ", GOSYNC_TEST_SEED=" seed : "")
}
/figures:/ {
	line = $0
	if (!sub(/^# figures: /, "", line))
		bad("what is this: " $0)
	sub(/ \([^()]*\)$/, "", line)
	n = split(line, parts, /, /)
	for (i = 1; i <= n; i++) {
		what = parts[i]
		if (what !~ /^[0-9]+ [A-Za-z][A-Za-z ]*$/)
			bad("what is this: " $0)
		sub(/^[0-9]+ /, "", what)
		if (!(what in sums))
			order[++kinds] = what
		sums[what] += parts[i]
	}
	said = 1
}
/^# [a-z]+: [0-9]+ passed, [0-9]+ failed/ {
	if ($3 > 0 && !said)
		bad("no figures: " $0)
	said = 0
	seed = ""
}
/^# torture: [0-9]+ rounds/ { rounds = $3 }

END {
	if (!rounds)
		bad("no round has ended")
	printf "# torture: all %d rounds together\n", rounds
	for (i = 1; i <= kinds; i++)
		printf "#  %14d %s\n", sums[order[i]], order[i]
	if (sums["operations"])
		printf "#  %12d %% of the operations overlapped\n",
			100 * sums["operations that overlapped"] / sums["operations"]
	for (i = 1; i <= failed; i++)
		print "#   failed: " failures[i]
	exit wrong
}
