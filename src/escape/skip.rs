//! Markers in a commit message that make a CI system skip the commit: copied from a DRY commit into a hydrated one or
//! into a pull request, they would leave required checks waiting for ever.

/// Longest text between brackets that can be a marker.
const LONGEST: usize = 40;

/// Changes `[skip ci]` and its relatives, `***NO_CI***` and the trailer `skip-checks:` so that no CI system sees them.
/// People still read what was meant. Doing it twice changes nothing more.
///
/// Sources: the documentation of GitHub Actions, GitLab CI, Azure Pipelines, Forgejo and Travis about skipped runs. Any
/// word beside `skip` counts, since each system has its own.
pub fn neutralise_skip_markers(text: &str) -> String {
    let text = without_brackets(text);
    let text = replace_ignoring_case(&text, "***no_ci***", "***NO-CI***");
    text.split('\n').map(without_trailer).collect::<Vec<_>>().join("\n")
}

/// Replaces the square brackets of a marker by round ones.
fn without_brackets(text: &str) -> String {
    let mut done = String::with_capacity(text.len());
    for piece in text.split_inclusive(']') {
        let marked = piece.strip_suffix(']').and_then(|inner| inner.rsplit_once('['));
        match marked {
            Some((before, inside)) if is_marker(inside) => {
                done.push_str(before);
                done.push('(');
                done.push_str(inside);
                done.push(')');
            }
            _ => done.push_str(piece),
        }
    }
    done
}

fn is_marker(inside: &str) -> bool {
    let parts = |c: char| c.is_whitespace() || "-_:".contains(c);
    if inside.len() > LONGEST || !inside.chars().all(|c| c.is_alphanumeric() || parts(c)) {
        return false;
    }
    let words =
        inside.split(parts).filter(|word| !word.is_empty()).map(str::to_lowercase).collect::<Vec<_>>();
    let words = words.iter().map(String::as_str).collect::<Vec<_>>();
    matches!(words.as_slice(), ["skip", _] | [_, "skip"] | ["no", "ci"])
}

/// `skip-checks: true` is a trailer; without the colon it is a line like any other.
fn without_trailer(line: &str) -> String {
    const KEY: &str = "skip-checks";
    let text = line.trim_start();
    let indent = &line[..line.len() - text.len()];
    let is_key = text.get(..KEY.len()).is_some_and(|start| start.eq_ignore_ascii_case(KEY));
    let value = is_key.then(|| text[KEY.len()..].trim_start().strip_prefix(':')).flatten();
    value.map_or_else(|| line.to_owned(), |value| format!("{indent}{KEY} ={value}"))
}

/// `needle` is lower-case ASCII.
fn replace_ignoring_case(text: &str, needle: &str, by: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let mut done = String::with_capacity(text.len());
    let mut from = 0;
    while let Some(found) = lower[from..].find(needle) {
        done.push_str(&text[from..from + found]);
        done.push_str(by);
        from += found + needle.len();
    }
    done.push_str(&text[from..]);
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_is(text: &str, wanted: &str) {
        let once = neutralise_skip_markers(text);
        assert_eq!(once, wanted);
        assert_eq!(neutralise_skip_markers(&once), wanted, "twice");
    }

    #[test]
    fn every_known_marker_is_changed() {
        assert_is("Bump [skip ci]", "Bump (skip ci)");
        assert_is("[CI Skip] x", "(CI Skip) x");
        assert_is("[no ci][skip actions][actions skip]", "(no ci)(skip actions)(actions skip)");
        assert_is("[[skip-ci]]", "[(skip-ci)]");
        assert_is("[skip azurepipelines] a [skip:ci]", "(skip azurepipelines) a (skip:ci)");
        assert_is("***no_ci*** ****NO_CI****", "***NO-CI*** ****NO-CI****");
        assert_is(
            "a\n\n\nskip-checks:true\n Skip-Checks : true",
            "a\n\n\nskip-checks =true\n skip-checks = true",
        );
    }

    #[test]
    fn other_text_stays() {
        for text in [
            "fix [ABC-1]: do not skip ci",
            "[do not skip this]",
            "[skip]",
            "]skip ci[",
            "arr[0]",
            "skip-checksum: x",
            "ÄÖ [ü skip it]",
            "",
        ] {
            assert_is(text, text);
        }
    }
}
