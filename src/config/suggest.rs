//! "Did you mean": the known word nearest to an unknown one. Pure.

/// The word of `known` that `word` was probably meant to be.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // An unknown word is text of the file; comparing a huge one is a waste.
    if word.len() > 64 {
        return None;
    }
    let limit = (word.chars().count() / 3).max(1);
    let distances = known.into_iter().map(|candidate| (distance(word, candidate), candidate));
    distances
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// Levenshtein's distance without regard to case, `-` and `_`; a swap of neighbours counts as two.
fn distance(left: &str, right: &str) -> usize {
    let (left, right) = (letters(left), letters(right));
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

fn letters(word: &str) -> Vec<char> {
    word.chars().filter(|c| !matches!(c, '-' | '_')).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_slips_and_other_cases_but_no_strangers() {
        let known = ["autoMerge", "after", "active", "mergeMethod"];
        assert_eq!(nearest("automerge", known), Some("autoMerge"));
        assert_eq!(nearest("auto_merge", known), Some("autoMerge"));
        assert_eq!(nearest("actve", known), Some("active"));
        assert_eq!(nearest("atfer", known), None);
        assert_eq!(nearest("mergeMehtod", known), Some("mergeMethod"));
        assert_eq!(nearest("x", known), None);
    }
}
