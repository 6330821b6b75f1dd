//! Freezes: the days on which an environment is not merged, whatever its windows say. Pure.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use crate::model::Freeze;

/// A freeze that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrozenTime {
    /// When it begins.
    pub from: Timestamp,
    /// When it is over.
    pub to: Timestamp,
}

impl FrozenTime {
    /// Understands a freeze as written; the error says what is wrong with which part.
    pub fn parse(freeze: &Freeze) -> Result<Self, String> {
        let zone = TimeZone::get(&freeze.timezone)
            .map_err(|_| format!("`{}` is not an IANA time zone", freeze.timezone))?;
        let in_zone = |time: DateTime| {
            zone.to_timestamp(time).map_err(|_| format!("`{time}` is no time in `{}`", freeze.timezone))
        };
        let from = in_zone(start(&freeze.from)?)?;
        let to = in_zone(end(&freeze.to)?)?;
        if to <= from {
            return Err(format!("the freeze ends (`{}`) before it begins (`{}`)", freeze.to, freeze.from));
        }
        Ok(Self { from, to })
    }

    /// Whether it is on at `time`.
    pub fn is_on(&self, time: Timestamp) -> bool {
        (self.from..self.to).contains(&time)
    }
}

/// A day begins at midnight.
fn start(text: &str) -> Result<DateTime, String> {
    date(text).map(|date| date.at(0, 0, 0, 0)).or_else(|| moment(text)).ok_or_else(|| wrong(text))
}

/// A day is frozen to its end.
fn end(text: &str) -> Result<DateTime, String> {
    let next = |date: Date| date.checked_add(1.day()).ok().map(|next| next.at(0, 0, 0, 0));
    date(text).and_then(next).or_else(|| moment(text)).ok_or_else(|| wrong(text))
}

fn date(text: &str) -> Option<Date> {
    (text.len() == 10).then(|| text.parse().ok()).flatten()
}

/// `2026-12-20T18:00`, without seconds and without a zone of its own.
fn moment(text: &str) -> Option<DateTime> {
    (text.len() == 16).then(|| text.parse().ok()).flatten()
}

fn wrong(text: &str) -> String {
    format!("`{text}` is not a day such as `2026-12-20`, or a time such as `2026-12-20T18:00`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn freeze(from: &str, to: &str, timezone: &str) -> Result<FrozenTime, String> {
        let reason = "holidays".to_owned();
        FrozenTime::parse(&Freeze { from: from.into(), to: to.into(), timezone: timezone.into(), reason })
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn days_are_whole_in_their_own_time_zone() {
        let freeze = freeze("2026-12-20", "2027-01-06", "Europe/Berlin").unwrap();
        assert!(!freeze.is_on(at("2026-12-19T22:59:59Z")));
        assert!(freeze.is_on(at("2026-12-19T23:00:00Z")), "midnight in Berlin");
        assert!(freeze.is_on(at("2027-01-06T22:59:59Z")), "the last day counts");
        assert_eq!(freeze.to, at("2027-01-06T23:00:00Z"));
    }

    #[test]
    fn times_are_exact() {
        let freeze = freeze("2026-12-20T18:00", "2026-12-21T06:30", "UTC").unwrap();
        assert_eq!((freeze.from, freeze.to), (at("2026-12-20T18:00:00Z"), at("2026-12-21T06:30:00Z")));
    }

    #[test]
    fn says_what_is_wrong() {
        assert!(freeze("soon", "2026-12-21", "UTC").unwrap_err().contains("`soon` is not a day"));
        assert!(freeze("2026-12-32", "2027-01-01", "UTC").unwrap_err().contains("`2026-12-32`"));
        assert!(freeze("2026-12-22", "2026-12-20", "UTC").unwrap_err().contains("before it begins"));
        assert!(freeze("2026-12-20", "2026-12-21", "Mars/Olympus").unwrap_err().contains("Mars/Olympus"));
    }
}
