//! Whether Markdown is whole.

/// That every fence and every fold is closed, and that nothing outside of fences is markup but what is ours.
#[track_caller]
pub(crate) fn is_closed(page: &str) {
    let (mut fence, mut folds): (Option<String>, usize) = (None, 0);
    for line in page.lines() {
        if let Some(open) = &fence {
            let run = line.chars().take_while(|c| *c == '`').count();
            if run >= open.len() && run == line.len() {
                fence = None;
            }
            continue;
        }
        let run: String = line.chars().take_while(|c| *c == '`').collect();
        if run.len() >= 3 {
            fence = Some(run);
            continue;
        }
        match line {
            "</details>" => folds -= 1,
            line if line.starts_with("<details") => folds += 1,
            line => {
                let line = without_code(line);
                assert!(!line.contains("<script") && !line.contains("</details>"), "{line}");
            }
        }
    }
    assert_eq!((fence, folds), (None, 0), "{page}");
}

/// A line without its code spans: they end with as many backticks as they begin with.
fn without_code(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(start) = rest.find('`') {
        out.push_str(&rest[..start]);
        let run = rest[start..].chars().take_while(|c| *c == '`').count();
        let inside = &rest[start + run..];
        let mut at = 0;
        let end = loop {
            let Some(found) = inside[at..].find('`') else { break None };
            let length = inside[at + found..].chars().take_while(|c| *c == '`').count();
            at += found + length;
            if length == run {
                break Some(at);
            }
        };
        rest = end.map_or(inside, |end| &inside[end..]);
    }
    out + rest
}
