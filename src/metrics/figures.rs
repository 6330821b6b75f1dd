//! The four figures of delivery, from when promotions came and went. Pure.

use schemars::JsonSchema;
use serde::Serialize;

/// One promotion: a state that a proposal brought. Times are seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promotion {
    /// When the DRY commit was written.
    pub written: Option<i64>,
    /// Since when the state was active; nothing where nobody knows.
    pub activated: Option<i64>,
    /// The date of the commit that brought it.
    pub dated: i64,
    /// When it was rolled back, if it was.
    pub rolled_back: Option<i64>,
}

impl Promotion {
    /// When it came, as well as that is known.
    pub fn came(&self) -> i64 {
        self.activated.unwrap_or(self.dated)
    }
}

/// The figures of one environment for a period. Medians are of what is known.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Figures {
    /// How many promotions there were.
    pub promotions: usize,
    /// How many of them were rolled back, or moved back by hand.
    pub rolled_back: usize,
    /// Promotions for each day of the period.
    pub per_day: f64,
    /// The share of promotions that were rolled back, from 0 to 1; none without promotions.
    pub failure_rate: Option<f64>,
    /// From the DRY commit to its promotion: the median.
    pub lead_time_seconds: Option<i64>,
    /// From a promotion that was rolled back to the state that took its place: the median.
    pub restore_seconds: Option<i64>,
}

/// The figures of the promotions that came between two times, the first one included.
pub fn figures(promotions: &[Promotion], (since, until): (i64, i64)) -> Figures {
    let within = |promotion: &&Promotion| (since..until).contains(&promotion.came());
    let all: Vec<&Promotion> = promotions.iter().filter(within).collect();
    let lead = all.iter().filter_map(|one| Some((one.activated? - one.written?).max(0)));
    let restored = all.iter().filter_map(|one| Some((one.rolled_back? - one.came()).max(0)));
    let rolled_back = all.iter().filter(|one| one.rolled_back.is_some()).count();
    let days = number(usize::try_from(until - since).unwrap_or_default()) / 86_400.0;
    Figures {
        promotions: all.len(),
        rolled_back,
        per_day: if days > 0.0 { round(number(all.len()) / days) } else { 0.0 },
        failure_rate: (!all.is_empty()).then(|| round(number(rolled_back) / number(all.len()))),
        lead_time_seconds: median(lead.collect()),
        restore_seconds: median(restored.collect()),
    }
}

#[expect(clippy::cast_precision_loss, reason = "no count here is anywhere near 2 to the 52")]
const fn number(count: usize) -> f64 {
    count as f64
}

/// Three digits say all that such a number can.
fn round(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

/// The one in the middle; between two, the lower one.
fn median(mut all: Vec<i64>) -> Option<i64> {
    all.sort_unstable();
    all.get(all.len().checked_sub(1)? / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;

    fn promotion(written: i64, activated: i64, rolled_back: Option<i64>) -> Promotion {
        Promotion { written: Some(written), activated: Some(activated), dated: 0, rolled_back }
    }

    #[test]
    fn only_the_period_counts() {
        let all = [
            promotion(DAY, 2 * DAY, None),
            promotion(10 * DAY, 10 * DAY + 600, Some(10 * DAY + 4_200)),
            promotion(11 * DAY, 11 * DAY + 60, None),
            promotion(12 * DAY, 13 * DAY, None),
            promotion(20 * DAY, 20 * DAY, None),
        ];
        let found = figures(&all, (10 * DAY, 20 * DAY));
        assert_eq!((found.promotions, found.rolled_back), (3, 1));
        assert_eq!((found.per_day, found.failure_rate), (0.3, Some(0.333)));
        assert_eq!((found.lead_time_seconds, found.restore_seconds), (Some(600), Some(3_600)));
    }

    #[test]
    fn what_nobody_knows_is_no_number() {
        let none = figures(&[], (0, DAY));
        assert_eq!((none.promotions, none.failure_rate, none.lead_time_seconds), (0, None, None));
        let unknown = Promotion { written: Some(5), activated: None, dated: 10, rolled_back: None };
        let found = figures(&[unknown], (0, DAY));
        assert_eq!((found.promotions, found.lead_time_seconds, found.restore_seconds), (1, None, None));
        assert!(figures(&[unknown], (0, 0)).per_day.abs() < f64::EPSILON);
    }
}
