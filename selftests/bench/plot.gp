# SPDX-License-Identifier: GPL-2.0-only
#
# Draw dir/bench.dat, which report.py makes, as dir/bench.svg. kernel and accel
# say where it was measured.

set terminal svg size 1000,1640 font "sans-serif,13" background "white"
set output dir . "/bench.svg"
data = dir . "/bench.dat"

set style fill solid border lc rgb "#404040"
set boxwidth 0.8
set offsets 0.4, 0.4, 0, 0
set logscale y
set grid ytics lc rgb "#d0d0d0" lw 0.5
set border 3 lc rgb "#606060"
set xtics nomirror scale 0 font ",10"
set ytics nomirror
set format y "10^{%T}"
set lmargin 9
set rmargin 1
set tmargin 3
set bmargin 3

set multiplot title sprintf("gosync and its peers, between processes, 2 CPUs (Linux %s, QEMU %s)", kernel, accel) font ",15"

# A panel: its bars, how much each is, and the names of the clusters
bars(i) = sprintf("data index %d using 1:2:3 with boxes lc rgb variable notitle, data index %d using 1:2:4 with labels rotate by 90 left offset 0,0.25 font ',9' notitle, data index %d using 1:(NaN):xtic(2) notitle", i, i, i + 1)

set origin 0, 0.735
set size 1, 0.235
set ylabel "ns per lock and unlock of a mutex"
set yrange [10:1e6]
set key outside top center horizontal maxrows 1 samplen 1 width 0.5
eval "plot keyentry with boxes fc rgb '#0072B2' title 'gosync', \
	keyentry with boxes fc rgb '#56B4E9' title 'gosync, by ioctl', \
	keyentry with boxes fc rgb '#E69F00' title 'pthread', \
	keyentry with boxes fc rgb '#D55E00' title 'pthread robust', \
	keyentry with boxes fc rgb '#009E73' title 'sem\\_t', \
	keyentry with boxes fc rgb '#F0E442' title 'SysV sem', \
	keyentry with boxes fc rgb '#CC79A7' title 'flock', \
	keyentry with boxes fc rgb '#999999' title 'OFD lock', \
	keyentry with boxes fc rgb '#000000' title 'raw futex', " . bars(0)

set origin 0, 0.485
set size 1, 0.25
set ylabel "ns per operation"
set yrange [1:1e7]
eval "plot keyentry with boxes fc rgb '#0072B2' title 'gosync', \
	keyentry with boxes fc rgb '#56B4E9' title 'gosync, by ioctl', \
	keyentry with boxes fc rgb '#E69F00' title 'pthread', \
	keyentry with boxes fc rgb '#D55E00' title 'pthread, writers first', \
	keyentry with boxes fc rgb '#009E73' title 'sem\\_t', \
	keyentry with boxes fc rgb '#404040' title 'C11 atomics', \
	keyentry with boxes fc rgb '#CC79A7' title 'table under a pthread rwlock', " . bars(2)

set origin 0, 0.235
set size 1, 0.25
set yrange [1e2:1e6]
eval "plot keyentry with boxes fc rgb '#0072B2' title 'gosync', \
	keyentry with boxes fc rgb '#56B4E9' title 'gosync, by ioctl', \
	keyentry with boxes fc rgb '#009E73' title 'gosync, by io\\_uring alone', \
	keyentry with boxes fc rgb '#F0E442' title 'gosync, over 1', \
	keyentry with boxes fc rgb '#E69F00' title 'eventfd', \
	keyentry with boxes fc rgb '#000000' title 'raw futex, by io\\_uring, waitv', \
	keyentry with boxes fc rgb '#404040' title 'ioctl', \
	keyentry with boxes fc rgb '#999999' title 'io\\_uring nop', " . bars(10)

set origin 0, 0
set size 0.31, 0.235
set title "Taking turns, waking 200"
set yrange [1e3:1e8]
unset key
eval "plot " . bars(4)

set origin 0.31, 0
set size 0.25, 0.235
set title "Worst wait (hog, readers)"
set ylabel "ms"
set yrange [0.1:1e4]
eval "plot " . bars(6)

set origin 0.56, 0
set size 0.44, 0.235
set title "Value, atomic word, null ioctl; objects by name"
set ylabel "ns per operation"
set yrange [1:1e8]
set key inside top left horizontal samplen 1
eval "plot keyentry with boxes fc rgb '#404040' title 'memcpy, C11 atomic, ioctl', " . bars(8)
unset multiplot
