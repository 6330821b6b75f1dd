//! Merge windows: the days and hours in which an environment may be merged. Pure.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use crate::model::MergeWindow;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// A merge window that was understood.
#[derive(Clone, Debug)]
pub struct Window {
    /// Whether it opens on a day, Monday first.
    days: [bool; 7],
    /// The minute of the day at which it opens.
    opens: u32,
    /// The minute at which it closes, past 1440 when that is on the next day.
    closes: u32,
    zone: TimeZone,
}

impl Window {
    /// Understands a window as written; the error says what is wrong with which part.
    pub fn parse(window: &MergeWindow) -> Result<Self, String> {
        let days = parse_days(&window.days)?;
        let (opens, closes) = parse_hours(&window.hours)?;
        let zone = TimeZone::get(&window.timezone)
            .map_err(|_| format!("`{}` is not an IANA time zone", window.timezone))?;
        Ok(Self { days, opens, closes, zone })
    }

    /// Whether it is open at `time`.
    pub fn is_open(&self, time: Timestamp) -> bool {
        let local = time.to_zoned(self.zone.clone());
        let minute =
            u32::try_from(local.hour()).unwrap_or(0) * 60 + u32::try_from(local.minute()).unwrap_or(0);
        let today = usize::try_from(local.weekday().to_monday_zero_offset()).unwrap_or(0);
        let yesterday = (today + 6) % 7;
        let since_yesterday = minute + 24 * 60;
        (self.days[today] && (self.opens..self.closes).contains(&minute))
            || (self.days[yesterday] && (self.opens..self.closes).contains(&since_yesterday))
    }

    /// The first time at or after `time` at which it is open; `None` if there is none within a fortnight.
    pub fn next_opening(&self, time: Timestamp) -> Option<Timestamp> {
        if self.is_open(time) {
            return Some(time);
        }
        let today = time.to_zoned(self.zone.clone()).date();
        let opening = |date| {
            let openings = self.openings(date)?.into_iter();
            openings.filter(|opening| *opening >= time && self.is_open(*opening)).min()
        };
        (0..15).find_map(|days| opening(today.checked_add(Span::new().days(days)).ok()?))
    }

    /// The times at which it may open on a day. Where clocks are put back there are two, and where they are put forward over
    /// its hour, it opens when they are.
    fn openings(&self, date: Date) -> Option<Vec<Timestamp>> {
        let hour = i8::try_from(self.opens / 60).ok()?;
        let minute = i8::try_from(self.opens % 60).ok()?;
        let written = self.zone.to_ambiguous_zoned(date.at(hour, minute, 0, 0));
        let first = written.clone().earlier().ok()?.timestamp();
        let second = written.later().ok()?.timestamp();
        let change = self.zone.following(first).next().map(|change| change.timestamp());
        Some(
            [Some(first), Some(second), change.filter(|change| *change <= second)]
                .into_iter()
                .flatten()
                .collect(),
        )
    }
}

fn parse_days(text: &str) -> Result<[bool; 7], String> {
    let mut days = [false; 7];
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (day(first)?, day(last)?);
        let mut index = first;
        days[index] = true;
        while index != last {
            index = (index + 1) % 7;
            days[index] = true;
        }
    }
    Ok(days)
}

fn day(text: &str) -> Result<usize, String> {
    let text = text.trim();
    let found = DAYS.iter().position(|name| text.eq_ignore_ascii_case(name));
    found.ok_or_else(|| {
        format!("`{text}` is not a day: write `mon-thu` or `mon,wed` with mon, tue, wed, thu, fri, sat, sun")
    })
}

fn parse_hours(text: &str) -> Result<(u32, u32), String> {
    let wrong = || format!("`{text}` is not a range of hours such as `09:00-16:00`");
    let (opens, closes) = text.split_once('-').ok_or_else(wrong)?;
    let opens = minute(opens.trim()).filter(|minute| *minute < 24 * 60).ok_or_else(wrong)?;
    let closes = minute(closes.trim()).ok_or_else(wrong)?;
    if opens == closes {
        return Err(format!(
            "`{text}` is empty: it opens when it closes; leave `hours` out for the whole day"
        ));
    }
    Ok((opens, if closes < opens { closes + 24 * 60 } else { closes }))
}

/// `HH:MM` as a minute of the day, up to `24:00`.
fn minute(text: &str) -> Option<u32> {
    let (hour, minute) = text.split_once(':')?;
    let digits = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(hour) || !digits(minute) {
        return None;
    }
    let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
    let total = hour * 60 + minute;
    (minute < 60 && total <= 24 * 60).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(days: &str, hours: &str, timezone: &str) -> Result<Window, String> {
        Window::parse(&MergeWindow { days: days.into(), hours: hours.into(), timezone: timezone.into() })
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn is_open_in_its_own_time_zone() {
        let window = window("mon-thu", "09:00-16:00", "Europe/Berlin").unwrap();
        assert!(window.is_open(at("2026-07-06T07:00:00Z")), "Monday 09:00 in summer");
        assert!(!window.is_open(at("2026-07-06T14:00:00Z")), "Monday 16:00");
        assert!(!window.is_open(at("2026-07-03T08:00:00Z")), "a Friday");
        assert!(!window.is_open(at("2026-01-05T07:30:00Z")), "Monday 08:30 in winter");
    }

    #[test]
    fn may_end_on_the_next_day() {
        let window = window("fri", "22:00-04:00", "UTC").unwrap();
        assert!(window.is_open(at("2026-07-04T03:59:00Z")), "Saturday, early");
        assert!(!window.is_open(at("2026-07-03T03:00:00Z")), "Friday, early");
    }

    #[test]
    fn knows_when_it_opens_next() {
        let window = window("mon-thu", "09:00-16:00", "Europe/Berlin").unwrap();
        assert_eq!(window.next_opening(at("2026-07-03T08:00:00Z")), Some(at("2026-07-06T07:00:00Z")));
        assert_eq!(window.next_opening(at("2026-07-06T08:00:00Z")), Some(at("2026-07-06T08:00:00Z")));
    }

    #[test]
    fn knows_when_it_opens_on_days_when_clocks_are_changed() {
        let window = window("mon-sun", "02:30-03:30", "Europe/Berlin").unwrap();
        // 02:00 is 03:00.
        assert_eq!(window.next_opening(at("2026-03-28T23:00:00Z")), Some(at("2026-03-29T01:00:00Z")));
        assert_eq!(window.next_opening(at("2026-03-29T02:00:00Z")), Some(at("2026-03-30T00:30:00Z")));
        // 03:00 is 02:00 once more.
        assert_eq!(window.next_opening(at("2026-10-24T23:00:00Z")), Some(at("2026-10-25T00:30:00Z")));
        assert_eq!(window.next_opening(at("2026-10-25T01:15:00Z")), Some(at("2026-10-25T01:30:00Z")));
        assert_eq!(window.next_opening(at("2026-10-25T03:00:00Z")), Some(at("2026-10-26T01:30:00Z")));
    }

    #[test]
    fn ranges_of_days_wrap_around_the_week() {
        let days = parse_days("sat-mon,wed").unwrap();
        assert_eq!(days, [true, false, true, false, false, true, true]);
    }

    #[test]
    fn says_what_is_wrong() {
        assert!(window("monday", "09:00-16:00", "UTC").unwrap_err().contains("`monday` is not a day"));
        assert!(window("mon", "9-16", "UTC").unwrap_err().contains("`9-16`"));
        assert!(window("mon", "09:00-25:00", "UTC").is_err());
        assert!(window("mon", "09:00-09:00", "UTC").unwrap_err().contains("empty"));
        assert!(window("mon", "09:00-16:00", "Mars/Olympus").unwrap_err().contains("Mars/Olympus"));
    }
}
