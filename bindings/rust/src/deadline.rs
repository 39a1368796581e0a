// SPDX-License-Identifier: LGPL-2.1-or-later
//! Until when to wait.

use std::os::raw::c_uint;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::sys;

/// Until when a wait may take; made of a [`Duration`] from now, of an
/// [`Instant`], or of a [`SystemTime`].
///
/// With a [`SystemTime`] the wait follows the clock of the system when that is
/// set.
///
/// ```no_run
/// use std::time::{Duration, Instant};
///
/// # fn main() -> gosync::Result<()> {
/// # let mutex = gosync::Mutex::open("ledger")?;
/// let end = Instant::now() + Duration::from_secs(3);
/// drop(mutex.lock_until(Duration::from_millis(100))?);
/// drop(mutex.lock_until(end)?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    pub(crate) ns: u64,
    pub(crate) flags: c_uint,
}

/// The kernel takes 0 for no deadline.
const PASSED: u64 = 1;

impl Deadline {
    /// There is none.
    pub const NEVER: Deadline = Deadline { ns: sys::GOSYNC_FOREVER, flags: 0 };
}

impl From<Duration> for Deadline {
    fn from(left: Duration) -> Deadline {
        match i64::try_from(left.as_nanos().saturating_mul(2)).map(|twice| twice / 2) {
            // SAFETY: it only looks at the clock.
            Ok(ns) => Deadline { ns: unsafe { sys::gosync_deadline(ns as u64) }, flags: 0 },
            // In 146 years or more, which no clock of the kernel's reaches
            Err(_) => Deadline::NEVER,
        }
    }
}

impl From<Instant> for Deadline {
    fn from(end: Instant) -> Deadline {
        end.saturating_duration_since(Instant::now()).into()
    }
}

impl From<SystemTime> for Deadline {
    fn from(end: SystemTime) -> Deadline {
        let since = end.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_nanos();
        match i64::try_from(since) {
            Ok(ns) => Deadline { ns: (ns as u64).max(PASSED), flags: sys::GOSYNC_CLOCK_REALTIME },
            Err(_) => Deadline::NEVER,
        }
    }
}
