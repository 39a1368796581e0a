// SPDX-License-Identifier: LGPL-2.1-or-later

//go:build amd64 || 386

package gosync

// loadFence keeps loads before it from being done after loads behind it. The
// processor keeps them in order, and the compiler does not move a load across an
// atomic one, which has to follow.
func loadFence() {}
