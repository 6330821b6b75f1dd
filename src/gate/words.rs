//! What a wait is called: one line, without any time that passes. Pure.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::escape::{cut, one_line};

/// The longest description of a status that every forge takes, in characters.
pub const DESCRIPTION_LIMIT: usize = 140;

/// A moment in UTC, to the minute that has begun by then.
pub(super) fn moment(time: Timestamp) -> String {
    time.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// The same, without the day where that is the day of `start`.
pub(super) fn end(start: Timestamp, end: Timestamp) -> String {
    let (from, to) = (start.to_zoned(TimeZone::UTC), end.to_zoned(TimeZone::UTC));
    if from.date() == to.date() { to.strftime("%H:%M UTC").to_string() } else { moment(end) }
}

/// As many waits as fit into one line, and how many there are besides.
pub(super) fn line(waits: &[String]) -> String {
    let mut text = String::new();
    for (index, wait) in waits.iter().enumerate() {
        let wait = one_line(wait);
        let longer = if index == 0 { wait } else { format!("{text}; {wait}") };
        let left = waits.len() - index - 1;
        let more = if left == 0 { String::new() } else { format!("; and {left} more") };
        if index > 0 && (longer.clone() + &more).chars().count() > DESCRIPTION_LIMIT {
            let rest = format!("; and {} more", left + 1);
            return cut(&text, DESCRIPTION_LIMIT - rest.chars().count()) + &rest;
        }
        text = longer;
    }
    cut(&text, DESCRIPTION_LIMIT)
}
