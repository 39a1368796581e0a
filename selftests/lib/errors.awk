# SPDX-License-Identifier: GPL-2.0-only
#
# errors.awk: which errors the description of each ioctl in <linux/gosync.h>
# lists, as lines of C: { GOSYNC_IOC_X, EY }, ... for gosync_test.h.
#
# A description is of the ioctls that its first sentence names, or of all whose
# names begin so and that no other describes: "argument of GOSYNC_IOC_OPEN", "of
# the GOSYNC_IOC_MAP operations", "DOC: Mutex".

# What can be wrong with any argument or descriptor, as the general rules say
BEGIN { split("EBADF EFAULT EINVAL E2BIG ENOTTY", general) }

function describes(prefix, which,	op)
{
	for (op in ops)
		if (index(op, prefix) == 1 && !(op in described))
			which[op]
}

# The ioctls that the first sentence names one by one
function named(which,	words, i)
{
	sub(/, entry of.*/, "", title)
	if (title !~ /the GOSYNC_IOC/)
		for (i = split(title, words, /[^A-Z_]+/); i; i--)
			if (words[i] in ops)
				which[words[i]]
}

function end_of_block(	words, n, i, op, which)
{
	gsub(/[[:space:]*]+/, " ", block)
	if (match(block, /DOC: [A-Za-z]+ /))
		describes("GOSYNC_IOC_" toupper(substr(block, RSTART + 5,
			  RLENGTH - 6)) "_", which)
	else if (match(title, /the GOSYNC_IOC_[A-Z]+ operations/))
		describes(substr(title, RSTART + 4, RLENGTH - 15) "_", which)
	else
		named(which)
	sub(/.*errno /, "", block)
	n = split(block, words, /[^A-Z0-9]+/)
	for (op in which)
		for (i = 1; i <= n; i++)
			if (words[i] ~ /^E[A-Z0-9]+$/)
				list[op, words[i]]
}

# The header is read twice: an ioctl's number stands after its description.
FNR == 1 && NR > 1 {
	for (; titles; titles--) {
		title = titled_with_errors[titles]
		named(described)
	}
}

NR == FNR {
	if (/^#define GOSYNC_IOC_[A-Z_]+[ \t]+_IO\(/)
		ops[$2]
}

/^\/\*\*/ { block = ""; title = ""; titled = 0; next }
/^ \*\// {
	if (block ~ /errno[ *]+E/ && NR == FNR)
		titled_with_errors[++titles] = title
	else if (block ~ /errno[ *]+E/)
		end_of_block()
	block = ""
	next
}
/^ \* @|^ \*$/ { titled = 1 }
/^ \*/ {
	block = block " " $0
	if (!titled)
		title = title " " substr($0, 3)
}

END {
	for (op in ops)
		for (i in general)
			list[op, general[i]]
	for (pair in list) {
		split(pair, both, SUBSEP)
		print "{ " both[1] ", " both[2] " },"
	}
}
