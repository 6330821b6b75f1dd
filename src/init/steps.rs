//! What is left to do after `hydrator init`, in order. The README has the same lists and tables, word for word. Pure.

use camino::Utf8Path;

use super::Home;

/// The steps on GitHub, and its rulesets.
const GITHUB: &str = include_str!("github.md");
/// The steps on GitLab, and its protected branches.
const GITLAB: &str = include_str!("gitlab.md");
/// The steps where no forge is known.
const ANYWHERE: &str = include_str!("anywhere.md");
/// How wide a terminal is taken to be.
const WIDTH: usize = 110;

/// The steps for people at a terminal, who read no tables in Markdown. `config` is the configuration's path.
pub fn steps(home: Option<Home>, config: &Utf8Path) -> String {
    let text = match home {
        Some(Home::GitHub) => GITHUB,
        Some(Home::GitLab) => GITLAB,
        None => ANYWHERE,
    };
    let text = with_path(text, config);
    let is_row = |line: &&str| line.starts_with('|');
    let mut told: Vec<String> = text.lines().filter(|line| !is_row(line)).map(str::to_owned).collect();
    let mut rows = text.lines().filter(is_row).map(cells);
    let head = rows.next().unwrap_or_default();
    // The second row is the rule below the head.
    for row in rows.skip(1) {
        for (at, (title, cell)) in head.iter().zip(&row).enumerate() {
            let indent = if at == 0 { "" } else { "  " };
            told.extend(wrapped(&format!("{indent}{title}: {cell}")));
        }
    }
    told.join("\n").trim_end().to_owned() + "\n"
}

/// The text for a configuration that has another path than the usual one.
fn with_path(text: &str, config: &Utf8Path) -> String {
    if config == "hydrator.yaml" {
        return text.to_owned();
    }
    let option = format!("--config {config}");
    text.replace("`hydrator.yaml`", &format!("`{config}`"))
        .replace("`hydrator check`", &format!("`hydrator check {option}`"))
        .replace("--worktree", &format!("--worktree {option}"))
}

fn cells(row: &str) -> Vec<&str> {
    row.trim_matches('|').split('|').map(str::trim).collect()
}

/// A paragraph in lines, those after the first one indented by four more.
fn wrapped(text: &str) -> Vec<String> {
    let indent = text.len() - text.trim_start().len();
    let mut lines = vec![" ".repeat(indent)];
    for word in text.split_whitespace() {
        let is_full =
            lines.last().is_some_and(|line| line.chars().count() + 1 + word.chars().count() > WIDTH);
        if is_full {
            lines.push(" ".repeat(indent + 4));
        }
        if let Some(line) = lines.last_mut() {
            if !line.trim().is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_told_in_lines_that_fit() {
        for home in [None, Some(Home::GitHub), Some(Home::GitLab)] {
            let told = steps(home, Utf8Path::new("hydrator.yaml"));
            assert!(told.lines().all(|line| line.chars().count() <= WIDTH && !line.contains('|')), "{told}");
        }
        let told = steps(Some(Home::GitLab), Utf8Path::new("k8s/h.yaml"));
        assert!(
            told.contains("2. Read `k8s/h.yaml`. `hydrator check --worktree --config k8s/h.yaml` says"),
            "{told}"
        );
        assert!(
            told.contains("\nprotected branch: `hydrator/*-next`\n  allowed to merge: no one\n"),
            "{told}"
        );
    }
}
