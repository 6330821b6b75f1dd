//! Promotion, simulated: random histories on real refs in this process, against a model of the rules that is written
//! apart from the program.

mod ground;
mod history;
mod model;
mod named;
mod people;
mod plan;
mod reader;
mod served;
mod spy;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// `HYDRATOR_TEST_HISTORIES` says how many histories are played, `HYDRATOR_TEST_SEED` which one alone.
#[test]
fn every_history_ends_where_it_should_and_no_gate_opens_too_early() {
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    if let Some(seed) = number("HYDRATOR_TEST_SEED") {
        return history::play(seed);
    }
    let count = number("HYDRATOR_TEST_HISTORIES").unwrap_or(500);
    let next = AtomicU64::new(0);
    let failed = Mutex::new(Vec::new());
    let workers = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= count || failed.lock().expect("nothing panics with it").len() > 3 {
                        return;
                    }
                    if catch_unwind(AssertUnwindSafe(|| history::play(seed))).is_err() {
                        failed.lock().expect("nothing panics with it").push(seed);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().expect("nothing panics with it");
    assert!(failed.is_empty(), "histories {failed:?} went wrong: play one with HYDRATOR_TEST_SEED");
}
