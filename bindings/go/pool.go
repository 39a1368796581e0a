// SPDX-License-Identifier: LGPL-2.1-or-later

package gosync

import "unsafe"

// abandon is called when the object was closed while operations of it were
// under way.
func (h *handle) abandon() {
	ioctlQuick(h.fd, _GOSYNC_IOC_ABANDON, unsafe.Pointer(nil))
}
