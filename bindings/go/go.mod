// SPDX-License-Identifier: LGPL-2.1-or-later

module gosync

go 1.19
