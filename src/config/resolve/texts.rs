//! Templates of titles, bodies and messages: they parse, and know their variables and filters. Pure.

use super::super::node::Node;
use super::super::problem::Findings;
use super::super::raw::RawConfig;
use super::super::suggest::nearest;
use super::draft::Draft;
use crate::template::{PROPOSAL_VARIABLES, ProposalContext, Template};

/// Checks every template against the environments that use it.
pub(super) fn check(raw: &RawConfig, root: &Node, drafts: &[Draft<'_>], findings: &mut Findings) {
    let message = raw.commit.as_ref().and_then(|commit| commit.message.as_deref());
    check_one(message, "commit.message", root.at("commit").at("message"), (drafts, &|_| true), findings);
    let all = raw.pull_request.as_ref();
    let look = root.at("pullRequest");
    let own = |draft: &Draft<'_>| draft.raw.pull_request.clone().unwrap_or_default();
    let title = all.and_then(|all| all.title.as_deref());
    let body = all.and_then(|all| all.body.as_deref());
    check_one(
        title,
        "pullRequest.title",
        look.at("title"),
        (drafts, &|draft| own(draft).title.is_none()),
        findings,
    );
    check_one(
        body,
        "pullRequest.body",
        look.at("body"),
        (drafts, &|draft| own(draft).body.is_none()),
        findings,
    );
    for (index, draft) in drafts.iter().enumerate() {
        let Some(own) = &draft.raw.pull_request else { continue };
        let look = draft.node.at("pullRequest");
        let only = (&drafts[index..=index], &|_: &Draft<'_>| true as _);
        check_one(own.title.as_deref(), "pullRequest.title", look.at("title"), (only.0, only.1), findings);
        check_one(own.body.as_deref(), "pullRequest.body", look.at("body"), (only.0, only.1), findings);
    }
}

/// Environments, and which of them use the template.
type Users<'a, 'd> = (&'a [Draft<'d>], &'a dyn Fn(&Draft<'d>) -> bool);

fn check_one(source: Option<&str>, name: &str, node: &Node, users: Users<'_, '_>, findings: &mut Findings) {
    let Some(source) = source else { return };
    let template = match Template::parse(name, source) {
        Ok(template) => template,
        Err(error) => return report(node, error.line, &error.reason, findings),
    };
    // A template that every environment replaces must be right all the same.
    let unused = !users.0.iter().any(users.1);
    for draft in users.0.iter().filter(|draft| unused || users.1(draft)) {
        let vars = draft.vars.keys().map(|name| format!("vars.{name}"));
        let known: Vec<String> =
            PROPOSAL_VARIABLES.iter().map(|name| (*name).to_owned()).chain(vars).collect();
        let unknown = template.unknown_variables(&known);
        for variable in &unknown {
            report_unknown(source, variable, &known, (node, draft), findings);
        }
        if unknown.is_empty() {
            try_out(&template, draft, node, findings);
        }
    }
}

fn report_unknown(
    source: &str,
    variable: &str,
    known: &[String],
    at: (&Node, &Draft<'_>),
    findings: &mut Findings,
) {
    let (node, draft) = at;
    let line = source.lines().position(|line| line.contains(variable)).map(|index| index + 1);
    let where_ = if variable.starts_with("vars.") {
        format!(" in environment `{}`", draft.raw.name)
    } else {
        String::new()
    };
    let hint = match nearest(variable, known.iter().map(String::as_str)) {
        Some(word) => format!("; did you mean `{}`?", word.trim_end_matches(".*")),
        None => String::new(),
    };
    report(node, line, &format!("unknown variable `{variable}`{where_}{hint}"), findings);
}

/// Unknown filters and functions show only when the template runs. Other errors may be the sample's.
fn try_out(template: &Template, draft: &Draft<'_>, node: &Node, findings: &mut Findings) {
    let sample = ProposalContext::sample(&draft.raw.name, &draft.vars);
    if let Err(error) = template.render(&sample)
        && error.unknown_name
    {
        report(node, error.line, &error.reason, findings);
    }
}

/// The template's own line is the file's where the file has the text line by line.
fn report(node: &Node, line: Option<usize>, reason: &str, findings: &mut Findings) {
    match line {
        Some(line) if node.is_line_by_line() => {
            findings.problem_below(node, line.saturating_sub(1), format!("template: {reason}"));
        }
        Some(line) => findings.problem(node, format!("template, line {line}: {reason}")),
        None => findings.problem(node, format!("template: {reason}")),
    }
}
