//! Waiting: between writes, before another attempt, and until a forge that was asked too often listens again.
//!
//! Does I/O: it sleeps, and says why. All waiting of a run for rate limits together is bounded.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use super::Effect;
use crate::progress::Progress;

/// Who hears that something is waited for.
pub type Listener = Arc<dyn Progress + Send>;

/// Writes that may follow each other without a pause: what a run with few changes needs.
const BURST: u32 = 20;
/// Waiting is cut into pieces, so that a signal ends it.
const PIECE: Duration = Duration::from_millis(100);

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// One request, from the connection to the last byte.
    pub request: Duration,
    /// All waiting of a run for rate limits together.
    pub patience: Duration,
    /// Between two writes of many, and the unit of pauses before another attempt.
    pub pace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request: Duration::from_secs(60),
            patience: Duration::from_secs(300),
            pace: Duration::from_secs(1),
        }
    }
}

/// How long a forge wants to be left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// It says so itself.
    Told(Duration),
    /// It does not say; this is what its documentation advises.
    Advised(Duration),
}

impl Wait {
    const fn length(self) -> Duration {
        match self {
            Self::Told(length) | Self::Advised(length) => length,
        }
    }
}

/// The waiting of one run.
pub(super) struct Pace {
    limits: Limits,
    listener: Listener,
    stop: Arc<AtomicBool>,
    waited: Cell<Duration>,
    writes: Cell<u32>,
    last: Cell<Option<Instant>>,
}

impl Pace {
    pub(super) const fn new(limits: Limits, listener: Listener, stop: Arc<AtomicBool>) -> Self {
        Self {
            limits,
            listener,
            stop,
            waited: Cell::new(Duration::ZERO),
            writes: Cell::new(0),
            last: Cell::new(None),
        }
    }

    /// Waits for this request's turn; the error says why there will be none.
    pub(super) fn before(&self, effect: Effect) -> Result<(), String> {
        if self.stop.load(Ordering::Relaxed) {
            return Err("stopped by a signal".to_owned());
        }
        let pause = match effect {
            Effect::Read => return Ok(()),
            Effect::Write => self.limits.pace,
            Effect::Notify => self.limits.pace * 2,
        };
        self.writes.set(self.writes.get().saturating_add(1));
        let since = self.last.get().map_or(Duration::MAX, |last| last.elapsed());
        if self.writes.get() > BURST && since < pause && !self.sleep(pause.saturating_sub(since)) {
            return Err("stopped by a signal".to_owned());
        }
        Ok(())
    }

    /// Notes that the forge has answered.
    pub(super) fn heard(&self) {
        self.last.set(Some(Instant::now()));
    }

    /// Waits as the forge asks, unless that is longer than there is patience for; then false.
    pub(super) fn wait(&self, wait: Wait) -> bool {
        let length = wait.length();
        let left = self.limits.patience.saturating_sub(self.waited.get());
        let seconds = length.as_secs();
        if length > left {
            self.listener.say(&format!(
                "warning: the forge's rate limit is used up for {seconds} s, longer than the {} s that are left to wait",
                left.as_secs()
            ));
            return false;
        }
        self.listener.say(&format!("the forge's rate limit is used up: waiting {seconds} s"));
        self.waited.set(self.waited.get() + length);
        self.sleep(length)
    }

    /// Waits a little longer each time; false when a signal came.
    pub(super) fn back_off(&self, attempt: u32) -> bool {
        let base = self.limits.pace * 2_u32.saturating_pow(attempt.min(6) - 1);
        let noise = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |now| now.subsec_micros() % 500);
        self.sleep(base + self.limits.pace * noise / 1000)
    }

    fn sleep(&self, length: Duration) -> bool {
        let end = Instant::now() + length;
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return false;
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            std::thread::sleep(left.min(PIECE));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Silent;

    fn pace(patience: u64) -> Pace {
        let limits =
            Limits { patience: Duration::from_secs(patience), pace: Duration::ZERO, ..Limits::default() };
        Pace::new(limits, Arc::new(Silent), Arc::new(AtomicBool::new(false)))
    }

    #[test]
    fn patience_is_used_up() {
        let pace = pace(1);
        assert!(!pace.wait(Wait::Told(Duration::from_secs(2))));
        assert!(pace.wait(Wait::Told(Duration::from_millis(1))));
        assert!(!pace.wait(Wait::Advised(Duration::from_secs(1))));
    }

    #[test]
    fn a_signal_ends_all_waiting() {
        let pace = pace(1_000);
        pace.stop.store(true, Ordering::Relaxed);
        assert!(!pace.wait(Wait::Told(Duration::from_secs(900))));
        assert!(!pace.back_off(1));
        assert!(pace.before(Effect::Write).is_err());
    }

    #[test]
    fn reads_are_not_paced() {
        let pace = pace(0);
        for _ in 0..100 {
            assert!(pace.before(Effect::Read).is_ok() && pace.before(Effect::Notify).is_ok());
        }
    }
}
