//! Titles and bodies from the configuration's templates. Pure but for the renderer that is passed in.
//!
//! What goes into a body is escaped beforehand, so that a template can use it anywhere in Markdown; what goes into a
//! title is one line of plain text. No secret is ever part of a context.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::ROLLBACK_LABEL;
use super::body::{BODY_LIMIT, changes_within, default_body, own_marker};
use super::summary::{Intent, ProposalSummary};
use super::title::{default_title, tidy};
use crate::escape::{
    clean, cut_markdown, neutralise_quick_actions, neutralise_skip_markers, one_line, prose, prose_lines,
};
use crate::forge::PullRequestLook;
use crate::model::PullRequestSettings;

/// Renders a template's source with a context.
pub type Render<'a> = &'a dyn Fn(&str, &Value) -> Result<String>;

/// Room for a template's own words beside `summary`.
const TEMPLATE_ROOM: usize = 10_000;

/// How the pull request of a proposal shall look.
pub fn look(
    summary: &ProposalSummary,
    settings: &PullRequestSettings,
    render: Render<'_>,
) -> Result<PullRequestLook> {
    let mut labels = settings.labels.clone();
    if matches!(summary.intent, Intent::Rollback { .. })
        && !labels.iter().any(|label| label == ROLLBACK_LABEL)
    {
        labels.push(ROLLBACK_LABEL.to_owned());
    }
    Ok(PullRequestLook {
        title: title(summary, settings.title.as_deref(), render)?,
        body: body(summary, settings.body.as_deref(), render)?,
        labels,
        reviewers: settings.reviewers.clone(),
        team_reviewers: settings.team_reviewers.clone(),
        assignees: settings.assignees.clone(),
        draft: settings.draft,
    })
}

fn title(summary: &ProposalSummary, template: Option<&str>, render: Render<'_>) -> Result<String> {
    let Some(source) = template else {
        return Ok(default_title(summary));
    };
    let text = render(source, &title_context(summary)).with_context(|| {
        format!("cannot make the title of the pull request for environment `{}`", summary.environment)
    })?;
    let title = tidy(&text);
    // A forge refuses an empty title, and a template may come to nothing.
    Ok(if title.is_empty() { default_title(summary) } else { title })
}

fn body(summary: &ProposalSummary, template: Option<&str>, render: Render<'_>) -> Result<String> {
    let Some(source) = template else {
        return Ok(default_body(summary));
    };
    let text = render(source, &body_context(summary)).with_context(|| {
        format!("cannot make the body of the pull request for environment `{}`", summary.environment)
    })?;
    let marker = own_marker(summary);
    let room = BODY_LIMIT.saturating_sub(marker.chars().count() + 2);
    let text = cut_markdown(&neutralise_quick_actions(&neutralise_skip_markers(&clean(&text))), room);
    Ok(format!("{marker}\n{}\n", text.trim_end()))
}

/// What a title's template can use: one line of plain text each.
pub fn title_context(summary: &ProposalSummary) -> Value {
    context(summary, &one_line, &one_line, (&summary.totals_text(), ""))
}

/// What a body's template can use: escaped for Markdown.
pub fn body_context(summary: &ProposalSummary) -> Value {
    let changes = changes_within(summary, BODY_LIMIT - TEMPLATE_ROOM);
    context(summary, &prose, &prose_lines, (&changes, &summary.picture))
}

type Escape<'a> = &'a dyn Fn(&str) -> String;

fn context(
    summary: &ProposalSummary,
    line: Escape<'_>,
    lines: Escape<'_>,
    (changes, picture): (&str, &str),
) -> Value {
    let dry = &summary.dry;
    let targets = summary.targets.iter().map(|target| line(&target.name)).collect::<Vec<_>>();
    json!({
        "environment": summary.environment,
        "activeBranch": summary.active,
        "proposedBranch": summary.proposed,
        "vars": summary.vars,
        "dry": {
            "sha": dry.sha,
            "shortSha": dry.sha.short(),
            "subject": line(&dry.subject),
            "body": lines(&dry.body),
            "author": line(&dry.author),
            "date": line(&dry.date),
        },
        "targets": targets,
        "summary": changes,
        "picture": picture,
        "repoUrl": summary.repo_url.as_deref().unwrap_or_default(),
    })
}
