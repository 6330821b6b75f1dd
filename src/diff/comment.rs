//! The preview on the pull request: comments that are kept up to date, and a status. Does I/O on the forge.
//!
//! A page is known by a mark that nobody sees, and by its author: what others wrote is never touched.

use anyhow::Result;

use super::report::DiffReport;
use crate::escape::{cut, marker, marker_value, one_line};
use crate::forge::{Comment, Forge};
use crate::model::{CommitId, CommitState, CommitStatus};
use crate::previewed::{MARK, PRINTS};

/// The status's context.
pub const STATUS: &str = "hydrator/diff";

/// Descriptions of statuses are no longer.
const DESCRIPTION_LIMIT: usize = 140;

/// Makes the comments of a pull request say what the pages say. `key` tells the previews of several configurations
/// apart; the first page remembers `prints`, which a promotion looks for.
pub fn comment(forge: &dyn Forge, number: u64, (key, prints): (&str, &str), pages: &[String]) -> Result<()> {
    let mut ours: Vec<(usize, Comment)> = forge
        .comments(number)?
        .into_iter()
        .filter_map(|comment| Some((page_of(&comment, key)?, comment)))
        .collect();
    for (index, text) in pages.iter().enumerate() {
        let page = (index + 1).to_string();
        let mut mark = vec![(MARK, key), ("page", page.as_str())];
        mark.extend((index == 0 && !prints.is_empty()).then_some((PRINTS, prints)));
        let body = format!("{}\n{text}", marker(&mark));
        match ours.iter().position(|(page, _)| *page == index + 1) {
            Some(place) => {
                let (_, comment) = ours.remove(place);
                if !is_like(&comment.body, &body) {
                    forge.change_comment(number, comment.id, &body)?;
                }
            }
            None => drop(forge.say(number, &body)?),
        }
    }
    // Pages of a longer preview, and those of a job that ran at the same time.
    for (_, comment) in ours {
        forge.delete_comment(number, comment.id)?;
    }
    Ok(())
}

/// Which page a comment of ours is.
fn page_of(comment: &Comment, key: &str) -> Option<usize> {
    let is_ours = comment.mine && marker_value(&comment.body, MARK).as_deref() == Some(key);
    is_ours.then(|| marker_value(&comment.body, "page")).flatten()?.parse().ok()
}

/// Forges change the ends of lines, and of the text.
fn is_like(one: &str, other: &str) -> bool {
    let plain = |text: &str| text.replace("\r\n", "\n").trim().to_owned();
    plain(one) == plain(other)
}

/// Sets the status of the commit that a pull request offers, unless it is so already.
pub fn set_status(forge: &dyn Forge, (number, commit): (u64, CommitId), report: &DiffReport) -> Result<()> {
    let wanted = status(report);
    forge.note_head(number, commit)?;
    let known = forge.statuses(&[commit])?.remove(&commit).unwrap_or_default();
    let is_set = known.iter().any(|status| {
        (&status.context, status.state, &status.description)
            == (&wanted.context, wanted.state, &wanted.description)
    });
    if is_set { Ok(()) } else { forge.set_status(commit, &wanted) }
}

fn status(report: &DiffReport) -> CommitStatus {
    let failed: Vec<String> = report
        .environments
        .iter()
        .flat_map(|one| one.targets.iter().map(move |target| (one, target)))
        .filter(|(_, target)| target.error.is_some())
        .map(|(environment, target)| format!("{}/{}", environment.name, target.name))
        .collect();
    let changed = report.environments.iter().filter(|one| one.is_news()).count();
    let (state, words) = if report.error.is_some() {
        (CommitState::Failure, "the configuration is wrong".to_owned())
    } else if !failed.is_empty() {
        (CommitState::Failure, format!("cannot be rendered: {}", failed.join(", ")))
    } else if changed == 0 {
        (CommitState::Success, "no manifest changes".to_owned())
    } else {
        let s = if changed == 1 { "" } else { "s" };
        (CommitState::Success, format!("{changed} environment{s} of {} change", report.environments.len()))
    };
    let description = cut(&one_line(&words), DESCRIPTION_LIMIT);
    CommitStatus { context: STATUS.to_owned(), state, description, created_at: None }
}
