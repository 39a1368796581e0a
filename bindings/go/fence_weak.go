// SPDX-License-Identifier: LGPL-2.1-or-later

//go:build arm64 || arm

package gosync

// loadFence keeps loads before it from being done after loads behind it. An atomic
// load alone does not: loads before it may be done later.
func loadFence()
