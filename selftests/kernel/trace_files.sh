#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# trace_files.sh DIR: are the files that tools/tests/trace_command.sh left in DIR what
# those want that they are meant for: Perfetto, flame graphs, go tool pprof, and
# a browser. TAP on standard output. The packages are deps.sh's set trace.

# shellcheck disable=SC2317 # tests are called by their names

dir=$1
[ -e "$dir/recording" ] || {
	echo "usage: trace_files.sh DIR" >&2
	exit 2
}
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT
n=0 pass=0 fail=0 skip=0

# The name that tools/tests/trace_command.sh took
export HOSTILE='</script><b>"&'\''\ x'

# check COMMAND NAME: one line of TAP; without COMMAND it is skipped
check()
{
	n=$((n + 1))
	if ! command -v "$1" >/dev/null; then
		skip=$((skip + 1))
		echo "ok $n $2 # SKIP there is no $1; run selftests/vm/deps.sh trace"
	elif "$2" >"$out/log" 2>&1; then
		pass=$((pass + 1))
		echo "ok $n $2"
	else
		fail=$((fail + 1))
		echo "not ok $n $2"
		head -n 20 "$out/log" | cut -c 1-300 | sed 's/^/# /'
	fi
}

recording_is_json_in_the_order_of_time()
{
	python3 - "$dir/recording" <<-'END'
	import json, os, sys
	lines = [json.loads(line) for line in open(sys.argv[1])]
	end = lines.pop()
	assert end["event"] == "end" and len(lines) == end["events"], end
	times = [line["time"] for line in lines]
	assert times == sorted(times)
	assert {line["name"] for line in lines} == {
	    os.environ["HOSTILE"] + more for more in ("", ".rw", ".sem")}
	begins = [line for line in lines if line["event"] == "contention_begin"]
	owned = [line for line in begins if line["type"] == "mutex"]
	assert owned and sum("owner_pid" in line for line in owned) > len(owned) / 2
	assert any("work_under_lock" in line["stack"] for line in owned)
	END
}

# A thread's slices lie in each other or apart; arrows go from slice to slice.
perfetto_slices_nest_and_arrows_arrive()
{
	python3 - "$dir/perfetto.json" <<-'END'
	import json, os, sys
	events = json.load(open(sys.argv[1]))["traceEvents"]
	for event in events:
	    for key in ("ts", "dur"):	# in nanoseconds, without rounding
	        if key in event:
	            event[key] = round(event[key] * 1000)
	tracks = {}
	for event in events:
	    if event["ph"] == "X":
	        tracks.setdefault((event["pid"], event["tid"]), []).append(event)
	named = {(event["pid"], event["tid"]) for event in events
	         if event["ph"] == "M" and event["name"] == "thread_name"}
	assert set(tracks) <= named, set(tracks) - named
	for track in tracks.values():
	    ends = []
	    for event in sorted(track, key=lambda e: (e["ts"], -e["dur"])):
	        end = event["ts"] + event["dur"]
	        while ends and ends[-1] <= event["ts"]:
	            ends.pop()
	        assert not ends or end <= ends[-1], event
	        ends.append(end)

	def inside(event):
	    return [e for e in tracks[event["pid"], event["tid"]]
	            if e["ts"] <= event["ts"] < e["ts"] + e["dur"]]

	waits = [e for track in tracks.values() for e in track
	         if "wait_ns" in e["args"]]
	assert len(waits) > 50, len(waits)
	for wait in waits:
	    assert wait["args"]["object"].startswith(os.environ["HOSTILE"])
	    assert wait["name"] == wait["args"]["object"]
	    assert {"owner", "owner_pid", "owner_command", "type", "holder",
	            "token", "how"} <= set(wait["args"]), wait
	assert any(w["args"]["owner_pid"] and w["args"]["owner_command"] == "gosync-contend"
	           for w in waits)
	starts = {e["id"]: e for e in events if e["ph"] == "s"}
	ends = {e["id"]: e for e in events if e["ph"] == "f"}
	assert set(starts) == set(ends) and len(starts) > len(waits) / 2
	for number, start in starts.items():
	    end = ends[number]
	    assert start["ts"] <= end["ts"]
	    assert any("wakes" in e["args"] for e in inside(start)), start
	    assert any("wait_ns" in e["args"] for e in inside(end)), end
	counters = {}
	for event in events:
	    if event["ph"] == "C":
	        assert event["args"]["waiting"] >= 0
	        counters[event["name"]] = event["args"]["waiting"]
	assert counters and not any(counters.values()), counters
	assert any(e["ph"] == "i" and e["name"] == "owner died" for e in events)
	END
}

folded_stacks_are_as_flame_graphs_want_them()
{
	[ -s "$dir/folded" ] && ! grep -vE '^[^ ;]+(;[^ ;]+)+ [0-9]+$' \
		"$dir/folded"
}

pprof_opens_the_profile()
{
	local slices

	export HOME=$out
	go tool pprof -sample_index=delay -top -nodefraction=0 "$dir/pprof.pb.gz" \
		>"$out/top" || return 1
	go tool pprof -raw "$dir/pprof.pb.gz" >"$out/raw" || return 1
	head -n 40 "$out/raw"
	grep -q '^Type: delay' "$out/top" &&
		grep -q ' work_under_lock' "$out/top" &&
		grep -q ' gosync_mutex_lock' "$out/top" &&
		grep -q 'contentions/count delay/nanoseconds' "$out/raw" &&
		grep -qF 'object:[$'"'</script><b>" "$out/raw" &&
		grep -q 'type:\[rwmutex\]' "$out/raw" &&
		grep -q '/bin/gosync-contend .*\[FN\]' "$out/raw" || return 1
	slices=$(grep -o '"wait_ns":[0-9]*' "$dir/perfetto.json" |
		awk -F: '{ n++; ns += $2 } END { printf "%d %.0f", n, ns }')
	awk '$1 ~ /^[0-9]+$/ && $2 ~ /^[0-9]+:$/ { n += $1; ns += $2 }
		END { printf "%d %.0f", n, ns }' "$out/raw" >"$out/sums"
	echo "slices: $slices, samples: $(cat "$out/sums")"
	[ "$slices" = "$(cat "$out/sums")" ]
}

report_has_nothing_but_text_and_pictures()
{
	python3 - "$dir/report.html" <<-'END'
	import html.parser, os, sys
	known = set("""html head meta title style body main h1 h2 p section div span
	    b i br small bdi svg rect path text table tr th td code wbr
	    footer""".split())
	class Parser(html.parser.HTMLParser):
	    def __init__(self):
	        super().__init__()
	        self.names, self.now = set(), None
	    def handle_starttag(self, tag, attributes):
	        assert tag in known, tag
	        self.now = tag
	        for key, value in attributes:
	            assert key not in ("src", "href", "srcset", "data") and \
	                not key.startswith("on"), (tag, key, value)
	    def handle_data(self, data):
	        if self.now == "bdi":
	            self.names.add(data)
	    def handle_endtag(self, tag):
	        self.now = None
	page = open(sys.argv[1]).read()
	assert not any(word in page for word in ("http:", "https:", "url(", "@import"))
	parser = Parser()
	parser.feed(page)
	assert os.environ["HOSTILE"] in parser.names, parser.names
	END
}

# browse ARG...: what the browser makes of the page, with no network to reach
browse()
{
	timeout 120 chromium --headless=new --no-sandbox --disable-gpu \
		--user-data-dir="$out/profile" --enable-logging=stderr \
		--host-resolver-rules='MAP * ~NOTFOUND' "$@" \
		"file://$(readlink -f "$dir")/report.html" 2>"$out/errors"
}

browser_shows_the_report()
{
	browse --dump-dom >"$out/dom" || { cat "$out/errors"; return 1; }
	if grep ':CONSOLE' "$out/errors"; then
		return 1
	fi
	echo "$(grep -o 'class="bar"' "$out/dom" | wc -l) bars"
	[ "$(grep -o 'class="bar"' "$out/dom" | wc -l)" -gt 20 ] &&
		grep -q 'class="death"' "$out/dom" &&
		grep -q 'class="matrix"' "$out/dom" &&
		grep -q 'work_under_lock' "$out/dom" &&
		grep -qF '<bdi>&lt;/script&gt;&lt;b&gt;"&amp;' "$out/dom"
}

# More than a page of background: some hundred colours, by day and by night
report_is_a_picture_in_light_and_in_dark()
{
	local mode

	for mode in 1 0; do
		browse --window-size=1120,2400 --hide-scrollbars \
			--blink-settings="preferredColorScheme=$mode" \
			--screenshot="$out/$mode.png" >/dev/null ||
			{ cat "$out/errors"; return 1; }
		cp "$out/$mode.png" "$dir/report-$mode.png"
	done
	python3 - "$out/1.png" "$out/0.png" <<-'END'
	import struct, sys, zlib
	def pixels(path):
	    data = open(path, "rb").read()
	    at, idat = 8, b""
	    while at < len(data):
	        n, kind = struct.unpack(">I4s", data[at:at + 8])
	        if kind == b"IHDR":
	            width, height, depth, color = struct.unpack(">IIBB",
	                data[at + 8:at + 18])
	        if kind == b"IDAT":
	            idat += data[at + 8:at + 8 + n]
	        at += n + 12
	    size = {2: 3, 6: 4}[color]
	    raw, before, rows = zlib.decompress(idat), bytes(width * size), []
	    for y in range(height):
	        start = y * (width * size + 1)
	        how, row = raw[start], bytearray(raw[start + 1:start + 1 + width * size])
	        for i in range(len(row)):
	            a = row[i - size] if i >= size else 0
	            b, c = before[i], before[i - size] if i >= size else 0
	            if how == 4:
	                p = a + b - c
	                pa, pb, pc = abs(p - a), abs(p - b), abs(p - c)
	                add = a if pa <= pb and pa <= pc else b if pb <= pc else c
	            else:
	                add = (0, a, b, (a + b) // 2)[how]
	            row[i] = row[i] + add & 255
	        rows.append(row)
	        before = row
	    return [tuple(row[i:i + 3]) for row in rows[::8]
	            for i in range(0, len(row), size * 2)]
	light, dark = pixels(sys.argv[1]), pixels(sys.argv[2])
	brightness = [sum(map(sum, p)) / len(p) / 3 for p in (light, dark)]
	print(brightness, len(set(light)), len(set(dark)))
	assert brightness[0] > 200 and brightness[1] < 60, brightness
	assert len(set(light)) > 100 and len(set(dark)) > 100
	END
}

echo "TAP version 13"
echo "1..7"
check python3 recording_is_json_in_the_order_of_time
check python3 perfetto_slices_nest_and_arrows_arrive
check grep folded_stacks_are_as_flame_graphs_want_them
check go pprof_opens_the_profile
check python3 report_has_nothing_but_text_and_pictures
check chromium browser_shows_the_report
check chromium report_is_a_picture_in_light_and_in_dark
echo "# totals: pass:$pass fail:$fail skip:$skip"
[ $fail = 0 ]
