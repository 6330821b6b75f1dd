//! A commit as its readers see it.

use super::{CommitId, Identity, ObjectId};

/// Who wrote a commit.
pub type Person = Identity;

/// A moment with the offset in which it was written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Seconds since 1970, UTC.
    pub seconds: i64,
    /// Minutes east of UTC.
    pub offset_minutes: i32,
}

impl Moment {
    /// The later of two moments; `self` when they are the same.
    #[must_use]
    pub const fn later(self, other: Self) -> Self {
        if other.seconds > self.seconds { other } else { self }
    }

    /// RFC 3339 with the offset, `Z` for UTC; moments outside the years 0001 to 9999 are clamped into them.
    pub fn rfc3339(self) -> String {
        const FIRST: i64 = -62_135_596_800 + 86_400;
        // The last day is left out: with an offset it would end in the year 10000.
        const LAST: i64 = 253_402_207_200 - 86_400;
        let offset = i8::try_from(self.offset_minutes / 60).ok().filter(|hours| hours.abs() < 24);
        let offset_seconds = offset.map_or(0, |_| self.offset_minutes * 60);
        let Ok(timestamp) = jiff::Timestamp::from_second(self.seconds.clamp(FIRST, LAST)) else {
            return "1970-01-01T00:00:00Z".to_owned();
        };
        match jiff::tz::Offset::from_seconds(offset_seconds) {
            Ok(offset) if offset_seconds != 0 => timestamp
                .to_zoned(jiff::tz::TimeZone::fixed(offset))
                .strftime("%Y-%m-%dT%H:%M:%S%:z")
                .to_string(),
            _ => timestamp.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        }
    }
}

/// A commit: of the DRY branch, or of a hydrated one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its id.
    pub id: CommitId,
    /// Its root tree.
    pub tree: ObjectId,
    /// Its parents as recorded, also those that a shallow clone does not have.
    pub parents: Vec<CommitId>,
    /// Who wrote it.
    pub author: Person,
    /// When it was written.
    pub authored: Moment,
    /// When it was committed.
    pub committed: Moment,
    /// The whole message, decoded.
    pub message: String,
}

impl Commit {
    /// The message up to the first blank line, as Argo CD reads it.
    pub fn subject(&self) -> &str {
        let message = self.message.trim_start_matches('\n');
        message.find("\n\n").map_or(message, |end| &message[..end]).trim_end()
    }

    /// The first line of the subject.
    pub fn headline(&self) -> &str {
        self.subject().lines().next().unwrap_or_default()
    }

    /// The message after the first blank line, without surrounding blank lines.
    pub fn body(&self) -> &str {
        let message = self.message.trim_start_matches('\n');
        message.find("\n\n").map_or("", |end| message[end..].trim_matches('\n'))
    }

    /// The value of the last trailer `name` in the last paragraph of the message.
    pub fn trailer(&self, name: &str) -> Option<&str> {
        let last = self.message.trim_end().rsplit("\n\n").next()?;
        let value = |line: &'_ str| -> Option<usize> {
            let rest = line.strip_prefix(name)?.strip_prefix(':')?;
            Some(line.len() - rest.len())
        };
        last.lines().rev().find_map(|line| value(line).map(|start| line[start..].trim()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(seconds: i64, offset_minutes: i32) -> String {
        Moment { seconds, offset_minutes }.rfc3339()
    }

    #[test]
    fn moments_are_rfc3339_whatever_the_commit_says() {
        assert_eq!(moment(0, 0), "1970-01-01T00:00:00Z");
        assert_eq!(moment(0, 120), "1970-01-01T02:00:00+02:00");
        assert_eq!(moment(0, -570), "1969-12-31T14:30:00-09:30");
        assert_eq!(moment(i64::MAX, 0), "9999-12-29T22:00:00Z");
        assert_eq!(moment(i64::MIN, 0), "0001-01-02T00:00:00Z");
        assert_eq!(moment(0, 60_000), "1970-01-01T00:00:00Z");
    }

    #[test]
    fn subject_body_and_trailers_are_parted() {
        let commit = Commit {
            id: ObjectId::from_bytes([0; 20]),
            tree: ObjectId::from_bytes([0; 20]),
            parents: Vec::new(),
            author: Person { name: String::new(), email: String::new() },
            authored: Moment { seconds: 0, offset_minutes: 0 },
            committed: Moment { seconds: 0, offset_minutes: 0 },
            message: "one\ntwo\n\nbody: x\n\nA: 1\nB: 2\nA: 3\n".to_owned(),
        };
        assert_eq!(commit.subject(), "one\ntwo");
        assert_eq!(commit.headline(), "one");
        assert_eq!(commit.body(), "body: x\n\nA: 1\nB: 2\nA: 3");
        assert_eq!(commit.trailer("A"), Some("3"));
        assert_eq!(commit.trailer("body"), None);
    }
}
