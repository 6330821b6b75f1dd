//! What GitHub's settings would do to a run: rules for branches, auto-merge, and whose token it is.
//!
//! Facts are read first and judged afterwards, by functions that do no I/O. What a token may not see is left out and
//! said once. Sources: GitHub's documentation on available rules for rulesets, on protected branches, on
//! `GITHUB_TOKEN`, and the REST description of `rules/branches`.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::{Value, json};

use super::{GitHub, Place, Question, rules};
use crate::forge::diagnosis::{Finding, Ground, Grounds};
use crate::forge::http::{Class, Refused};
use crate::model::{BranchName, Delivery, MergeMethod};

/// The account of a job's own token.
const JOB_ACCOUNT: &str = "github-actions";

/// What GitHub shows of the repository's settings.
struct Repository {
    account: String,
    can_write: bool,
    auto_merge_allowed: bool,
    deletes_merged_branches: bool,
    forbidden_methods: Vec<MergeMethod>,
    /// Whether jobs may open pull requests; `None` where the token may not see that.
    jobs_may_open: Option<bool>,
}

impl Repository {
    fn is_job(&self) -> bool {
        self.account.trim_end_matches("[bot]") == JOB_ACCOUNT
    }
}

/// The rules that bind this token on one branch.
#[derive(Default)]
struct Bound {
    rules: Vec<Value>,
    /// Whether classic protection guards it too, whose details only administrators see.
    is_classic: bool,
}

/// Looks at everything and judges it.
pub(super) fn diagnose(forge: &GitHub, grounds: &Grounds) -> Result<Vec<Finding>> {
    let repository = repository(forge)?;
    let mut found = of_repository(&repository, grounds);
    let mut bypasses = BTreeMap::new();
    for ground in &grounds.environments {
        let active = bound(forge, &ground.active, &mut bypasses)?;
        let proposed = bound(forge, &ground.proposed, &mut bypasses)?;
        found.extend(of_proposed(ground, &proposed));
        found.extend(of_active((ground, grounds.gate), &active, &rules::required(forge, &ground.active)?));
        found.extend(of_method(ground, &repository, &active));
    }
    Ok(Finding::told_once(found))
}

fn repository(forge: &GitHub) -> Result<Repository> {
    let Place { owner, name, .. } = &forge.place;
    let doing = format!("cannot read the settings of `{owner}/{name}`");
    let text = "query settings($owner: String!, $name: String!) {
  viewer { login }
  repository(owner: $owner, name: $name) {
    viewerPermission autoMergeAllowed deleteBranchOnMerge mergeCommitAllowed squashMergeAllowed rebaseMergeAllowed
  }
}";
    let variables = json!({"owner": owner, "name": name});
    let data = forge
        .ask(&Question { text: text.to_owned(), variables })
        .map_err(|refused| refused.while_doing(&doing))?;
    let settings = &data["repository"];
    let allowed = [
        ("mergeCommitAllowed", MergeMethod::Merge),
        ("squashMergeAllowed", MergeMethod::Squash),
        ("rebaseMergeAllowed", MergeMethod::Rebase),
    ];
    let forbidden = allowed.iter().filter(|(key, _)| settings[*key] == false);
    Ok(Repository {
        account: data["viewer"]["login"].as_str().unwrap_or_default().to_owned(),
        can_write: matches!(
            settings["viewerPermission"].as_str(),
            None | Some("ADMIN" | "MAINTAIN" | "WRITE")
        ),
        auto_merge_allowed: settings["autoMergeAllowed"] == true,
        deletes_merged_branches: settings["deleteBranchOnMerge"] == true,
        forbidden_methods: forbidden.map(|(_, method)| *method).collect(),
        jobs_may_open: jobs_may_open(forge).map_err(|refused| refused.while_doing(&doing))?,
    })
}

fn jobs_may_open(forge: &GitHub) -> Result<Option<bool>, Refused> {
    match forge.get("/actions/permissions/workflow") {
        Ok(answer) => Ok(answer["can_approve_pull_request_reviews"].as_bool()),
        Err(refused) if is_hidden(&refused) => Ok(None),
        Err(refused) => Err(refused),
    }
}

fn is_hidden(refused: &Refused) -> bool {
    matches!(refused.class, Class::Permission | Class::NotFound)
}

/// The rules of a branch, without those of rulesets that let this token pass.
fn bound(forge: &GitHub, branch: &BranchName, bypasses: &mut BTreeMap<u64, bool>) -> Result<Bound> {
    let doing = format!("cannot read the rules of branch `{branch}`");
    let refuse = |refused: Refused| refused.while_doing(&doing);
    let mut binding = Vec::new();
    for rule in rules::rules(forge, branch).map_err(refuse)? {
        if !passes(forge, &rule, bypasses).map_err(refuse)? {
            binding.push(rule);
        }
    }
    let classic = rules::classic(forge, branch).map_err(refuse)?;
    Ok(Bound { is_classic: classic["protected"] == true && binding.is_empty(), rules: binding })
}

/// Whether this token may pass a rule's ruleset. One that it may not look at is taken to bind.
fn passes(forge: &GitHub, rule: &Value, bypasses: &mut BTreeMap<u64, bool>) -> Result<bool, Refused> {
    let of_repository = rule["ruleset_source_type"] == "Repository";
    let Some(id) = rule["ruleset_id"].as_u64().filter(|_| of_repository) else { return Ok(false) };
    if let Some(known) = bypasses.get(&id) {
        return Ok(*known);
    }
    let passes = match forge.get(&format!("/rulesets/{id}")) {
        Ok(ruleset) => ruleset["current_user_can_bypass"] == "always",
        Err(refused) if is_hidden(&refused) => false,
        Err(refused) => return Err(refused),
    };
    bypasses.insert(id, passes);
    Ok(passes)
}

fn of_repository(repository: &Repository, grounds: &Grounds) -> Vec<Finding> {
    let any = |holds: &dyn Fn(&Ground) -> bool| grounds.environments.iter().any(holds);
    let merges = any(&|ground| ground.auto_merge && ground.delivery == Delivery::PullRequest);
    let opens = any(&|ground| ground.delivery == Delivery::PullRequest);
    let mut found = Vec::new();
    if !repository.can_write {
        found.push(Finding::of_repository(
            format!("the account `{}` may not write to this repository", repository.account),
            "give it the role Write, or the token `contents`, `pull-requests` and `statuses: write`",
        ));
    }
    if opens && repository.is_job() && repository.jobs_may_open == Some(false) {
        found.push(Finding::of_repository(
            "jobs may not open pull requests here",
            "turn on \"Allow GitHub Actions to create and approve pull requests\" in the settings of the repository and of \
             its organisation, or pass a GitHub App's token",
        ));
    }
    if opens && repository.is_job() {
        found.push(Finding::of_repository(
            "the token is a job's own: pull requests that it opens start no workflow before somebody approves that",
            "where checks of other workflows are required, pass a GitHub App's token",
        ));
    }
    if merges && repository.is_job() && !grounds.has_schedule {
        found.push(Finding::of_repository(
            "`autoMerge` with a job's own token: its merges start no workflow, and no scheduled workflow calls hydrator, so \
             what waits for a soak or a status is never looked at again",
            "add a workflow with `on: schedule` that runs `hydrator promote`, or pass a GitHub App's token",
        ));
    }
    if merges && !repository.auto_merge_allowed {
        found.push(Finding::of_repository(
            "auto-merge is off: what waits for a review is merged only when `hydrator promote` runs again",
            "turn on \"Allow auto-merge\" in the repository's settings",
        ));
    }
    if opens && repository.deletes_merged_branches {
        found.push(Finding::of_repository(
            "head branches are deleted when they are merged: each proposed branch is created anew afterwards, which a rule \
             for new branches may refuse",
            "turn off \"Automatically delete head branches\", or allow hydrator's account to create the proposed branches",
        ));
    }
    found
}

/// Rules that refuse a push of another content to the proposed branch.
fn of_proposed(ground: &Ground, bound: &Bound) -> Vec<Finding> {
    let refuses = |rule: &Value| {
        Some(match rule["type"].as_str()? {
            "update" => "only accounts with a bypass may push",
            "non_fast_forward" => "force pushes are blocked",
            "pull_request" => "changes have to come by a pull request",
            "required_status_checks" => "a push has to bring successful statuses along",
            "required_signatures" => "commits have to be signed, and hydrator's are not",
            "creation" => "only accounts with a bypass may create it",
            "merge_queue" => "it has a merge queue",
            _ => return None,
        })
    };
    let (active, proposed) = (&ground.active, &ground.proposed);
    let mut found: Vec<Finding> = bound
        .rules
        .iter()
        .filter_map(|rule| Some((refuses(rule)?, ruleset(rule))))
        .map(|(refusal, ruleset)| {
            Finding::about(
                proposed,
                format!("{refusal} ({ruleset}): proposals will be refused"),
                format!("exclude the proposed branches there, as a rule for `{}` catches them too, or let hydrator's account bypass it", pattern(active)),
            )
        })
        .collect();
    if bound.is_classic {
        found.push(Finding::about(
            proposed,
            "is protected by a classic rule, whose details this token may not see",
            "take the proposed branches out of that rule, or let hydrator's account force-push there",
        ));
    }
    found
}

/// The pattern that people write for a branch: its directory and a star.
fn pattern(branch: &BranchName) -> String {
    branch.as_str().rsplit_once('/').map_or_else(|| "*".to_owned(), |(directory, _)| format!("{directory}/*"))
}

fn ruleset(rule: &Value) -> String {
    match rule["ruleset_id"].as_u64() {
        Some(id) => {
            format!("ruleset {id} of {}", rule["ruleset_source"].as_str().unwrap_or("this repository"))
        }
        None => "a ruleset".to_owned(),
    }
}

/// Rules of the active branch: those that are missing, and those that are in the way of the first run.
fn of_active((ground, gate): (&Ground, &str), bound: &Bound, required: &[String]) -> Vec<Finding> {
    let active = &ground.active;
    let mut found = Vec::new();
    let is_required = required.iter().any(|context| context.eq_ignore_ascii_case(gate));
    if ground.is_gated && ground.delivery != Delivery::Branch && !is_required {
        found.push(Finding::about(
            active,
            format!("is ungated: it does not require the status `{gate}`, so anybody may merge too early"),
            "add it to the required statuses of the branch's rule",
        ));
    }
    for rule in &bound.rules {
        let ruleset = ruleset(rule);
        let parameters = &rule["parameters"];
        match rule["type"].as_str() {
            Some("creation") if !ground.is_active_there => found.push(Finding::about(
                active,
                format!("does not exist, and only accounts with a bypass may create it ({ruleset})"),
                "let hydrator's account bypass the rule, or create the branch by hand with an empty commit",
            )),
            Some("required_status_checks")
                if !ground.is_active_there && parameters["do_not_enforce_on_create"] != true =>
            {
                found.push(Finding::about(
                    active,
                    format!("does not exist, and its first commit would need successful statuses ({ruleset})"),
                    "turn on \"Do not require status checks on creation\" there, or create the branch by hand with an empty \
                     commit",
                ));
            }
            Some("merge_queue") => found.push(Finding::about(
                active,
                format!("has a merge queue, which checks other commits than those that hydrator proposes ({ruleset})"),
                "take it out of the queue's rule",
            )),
            Some("pull_request" | "update") if ground.delivery == Delivery::Push => found.push(Finding::about(
                active,
                format!("takes changes by pull requests only, and `delivery: push` pushes to it ({ruleset})"),
                "let hydrator's account bypass the rule, or use `delivery: pull-request`",
            )),
            _ => {}
        }
    }
    found
}

/// A configured way to merge that the forge does not allow.
fn of_method(ground: &Ground, repository: &Repository, bound: &Bound) -> Option<Finding> {
    let method = ground.merge_method.filter(|_| ground.delivery == Delivery::PullRequest)?;
    let word = method.word();
    let allows = |rule: &&Value| match rule["type"].as_str() {
        Some("required_linear_history") => method != MergeMethod::Merge,
        Some("pull_request") => rule["parameters"]["allowed_merge_methods"]
            .as_array()
            .is_none_or(|allowed| allowed.iter().any(|one| *one == word)),
        _ => true,
    };
    let where_from = if repository.forbidden_methods.contains(&method) {
        "the repository's settings".to_owned()
    } else {
        ruleset(bound.rules.iter().find(|rule| !allows(rule))?)
    };
    Some(Finding::about(
        &ground.environment,
        format!("`mergeMethod: {word}` is not allowed ({where_from})"),
        "set `mergeMethod` to one that is, or allow it there",
    ))
}
