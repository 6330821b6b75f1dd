//! What a project's settings would do to a run: whose token it is, protected branches, how the project merges.
//!
//! Facts are read first and judged afterwards, by functions that do no I/O. What a token may not see is left out, or said
//! once. Sources: GitLab's documentation of protected branches, of access tokens, of merge methods and of pipeline
//! schedules.

use anyhow::Result;
use serde_json::Value;

use super::shapes::each;
use super::{GitLab, TokenKind, merge_requests, methods, people};
use crate::forge::diagnosis::{Finding, Ground, Grounds};
use crate::forge::http::{Class, Refused, Request};
use crate::model::{BranchName, Delivery};

/// The level of a Developer: the least that pushes, and that sets statuses.
const DEVELOPER: u64 = 30;

/// Who looks, and what the project shows of itself.
struct Facts {
    /// The token's own account; 0 where a job's token does not tell.
    account: u64,
    /// What the account may do; `None` where that cannot be seen.
    level: Option<u64>,
    /// What the token may be used for; `None` where it does not tell.
    scopes: Option<Vec<String>>,
    project: Value,
    /// The rules of protected branches; `None` where the token may not see them.
    protected: Option<Vec<Value>>,
    /// Whether some schedule starts pipelines; `None` where the token may not see that.
    is_scheduled: Option<bool>,
}

/// Looks at everything and judges it.
pub(super) fn diagnose(forge: &GitLab, grounds: &Grounds) -> Result<Vec<Finding>> {
    let doing = format!("cannot read the settings of `{}`", forge.place.project);
    let facts = facts(forge).map_err(|refused| refused.while_doing(&doing))?;
    let mut found = of_token(forge.kind, &facts);
    found.extend(of_project(&facts, grounds));
    found.extend(of_jobs(&facts, grounds));
    for ground in &grounds.environments {
        if let Some(rules) = &facts.protected {
            found.extend(of_proposed(ground, &facts, rules));
            found.extend(of_active(ground, &facts, rules));
        }
        let comma = merge_requests::has_comma(&ground.labels);
        found.extend(comma.map(|why| Finding::about(&ground.environment, why, merge_requests::COMMA_HINT)));
        let why = ground.merge_method.and_then(|method| methods::contradicts(&facts.project, method));
        found.extend(why.map(|why| {
            Finding::about(&ground.environment, why, "change `mergeMethod`, or the project's merge settings")
        }));
    }
    Ok(Finding::told_once(found))
}

fn facts(forge: &GitLab) -> Result<Facts, Refused> {
    let is_job = forge.kind == TokenKind::Job;
    let account = if is_job { 0 } else { forge.account()? };
    let project = if is_job { Value::Null } else { forge.get("")? };
    Ok(Facts {
        account,
        level: if is_job { None } else { seen(level(forge, account))?.flatten() },
        scopes: if is_job { None } else { seen(scopes(forge))?.flatten() },
        protected: if is_job { None } else { seen(forge.list("/protected_branches"))? },
        is_scheduled: if is_job {
            None
        } else {
            seen(forge.list("/pipeline_schedules?scope=active"))?.map(|all| !all.is_empty())
        },
        project,
    })
}

/// What the token's account may do; `None` where its membership does not tell: an administrator of the whole instance needs
/// none.
fn level(forge: &GitLab, account: u64) -> Result<Option<u64>, Refused> {
    let level = people::level_of(forge, account)?;
    Ok((level > 0 || forge.viewer("is_admin")? != true).then_some(level))
}

/// What a token may not see is no error here.
fn seen<T>(answer: Result<T, Refused>) -> Result<Option<T>, Refused> {
    match answer {
        Err(refused) if matches!(refused.class, Class::Auth | Class::Permission | Class::NotFound) => {
            Ok(None)
        }
        answer => answer.map(Some),
    }
}

/// Tokens that come from applications do not tell.
fn scopes(forge: &GitLab) -> Result<Option<Vec<String>>, Refused> {
    let request = Request::get(format!("{}/personal_access_tokens/self", forge.place.api));
    let answer = forge.http.send(&request)?.body;
    let names = |all: &Value| each(all).filter_map(Value::as_str).map(str::to_owned).collect();
    // One with permissions in detail names them elsewhere.
    let is_plain = answer["granular"] != true && answer["scopes"].is_array();
    Ok(is_plain.then(|| names(&answer["scopes"])))
}

fn of_token(kind: TokenKind, facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    if kind == TokenKind::Job {
        found.push(Finding::of_repository(
            "there is only the job's own token, `CI_JOB_TOKEN`: it can neither open merge requests nor set statuses, sees \
             none of the settings, and pushes only where \"Allow Git push requests to the repository\" is on among the \
             project's settings of job tokens",
            super::JOB_TOKEN_HINT,
        ));
        return found;
    }
    if facts.level.is_some_and(|level| level < DEVELOPER) {
        found.push(Finding::of_repository(
            "the token's account is less than a Developer here: it can neither push nor set statuses",
            "give it the role Developer, or Maintainer where branches ask for that",
        ));
    }
    if facts.scopes.as_ref().is_some_and(|scopes| !scopes.iter().any(|scope| scope == "api")) {
        found.push(Finding::of_repository(
            "the token lacks the scope `api`: it can neither open merge requests nor set statuses",
            "make a token with the scopes `api` and `write_repository`",
        ));
    }
    if facts.protected.is_none() {
        found.push(Finding::of_repository(
            "the token may not see the rules of protected branches, which were not looked at",
            "for a whole answer, run this once with the token of a Maintainer",
        ));
    }
    found
}

fn of_project(facts: &Facts, grounds: &Grounds) -> Vec<Finding> {
    let any = |holds: &dyn Fn(&Ground) -> bool| grounds.environments.iter().any(holds);
    let merges = any(&|ground| ground.auto_merge && ground.delivery == Delivery::PullRequest);
    let gated = || grounds.environments.iter().filter(|ground| ground.is_gated);
    let mut found = Vec::new();
    let by_request = || gated().filter(|ground| ground.delivery == Delivery::PullRequest);
    let gate = grounds.gate;
    if facts.project["only_allow_merge_if_pipeline_succeeds"] == false {
        let why =
            format!("is ungated: nothing waits for the status `{gate}`, so anybody may merge too early");
        let remedy = "turn on \"Pipelines must succeed\" in the project's merge request settings";
        found.extend(by_request().map(|ground| Finding::about(&ground.active, why.clone(), remedy)));
    } else if facts.project["merge_pipelines_enabled"] == true {
        // Its commit is one that no status can be set on from here.
        let why = format!(
            "where a merge request into it has a merged results pipeline, that alone decides about the merge, and GitLab \
             takes no status `{gate}` there: the gate holds nothing back"
        );
        let remedy = "turn off \"Enable merged results pipelines\" in the project's merge request settings, or let no \
                      merge request pipeline start for hydrator's branches";
        found.extend(by_request().map(|ground| Finding::about(&ground.active, why.clone(), remedy)));
    }
    if facts.project["merge_trains_enabled"] == true && merges {
        found.push(Finding::of_repository(
            "the project has merge trains, and `autoMerge` does not use them: nothing is merged by itself",
            "turn off merge trains, or merge by hand",
        ));
    }
    if facts.is_scheduled == Some(false) && gated().next().is_some() {
        found.push(Finding::of_repository(
            "no pipeline schedule is active: a merge into an environment's branch starts no pipeline, so the next \
             environment hears of it only with the next push",
            "add a schedule of the DRY branch whose job runs `hydrator promote`",
        ));
    }
    found
}

/// Jobs have tokens of their own, which may push where the project says so.
fn of_jobs(facts: &Facts, grounds: &Grounds) -> Vec<Finding> {
    let (Some(rules), true) =
        (&facts.protected, facts.project["ci_push_repository_for_job_token_allowed"] == true)
    else {
        return Vec::new();
    };
    let open = grounds.environments.iter().filter(|ground| matching(rules, &ground.active).is_empty());
    let why = "every job may push to it with its own token, in the name of whoever started the job: the project has \
               \"Allow Git push requests to the repository\" on, and no rule protects the branch";
    let remedy = "protect the branch, or turn that off among the project's settings of job tokens: hydrator needs it only \
                  where it has no token but `CI_JOB_TOKEN`, which opens no merge requests";
    open.map(|ground| Finding::about(&ground.active, why, remedy)).collect()
}

/// Rules that refuse a push of another content to the proposed branch.
fn of_proposed(ground: &Ground, facts: &Facts, rules: &[Value]) -> Vec<Finding> {
    let of = matching(rules, &ground.proposed);
    if of.is_empty() {
        return Vec::new();
    }
    let names = names(&of);
    let remedy = "change the rule so that it leaves the proposed branches out, or give the proposed branches a rule that \
                  lets hydrator's account push, with \"Allowed to force push\"";
    let mut found = Vec::new();
    if !allows(&of, "push_access_levels", facts) {
        found.push(Finding::about(
            &ground.proposed,
            format!("hydrator's account may not push ({names})"),
            remedy,
        ));
    }
    if of.iter().all(|rule| rule["allow_force_push"] != true) {
        found.push(Finding::about(&ground.proposed, format!("force pushes are blocked ({names})"), remedy));
    }
    found
}

/// Rules of the active branch that are in the way: of the first run, of a merge by hydrator, of `delivery: push`.
fn of_active(ground: &Ground, facts: &Facts, rules: &[Value]) -> Vec<Finding> {
    let of = matching(rules, &ground.active);
    if of.is_empty() {
        return Vec::new();
    }
    let (names, active) = (names(&of), &ground.active);
    let may_push = allows(&of, "push_access_levels", facts);
    let mut found = Vec::new();
    if ground.delivery == Delivery::Push && !may_push {
        found.push(Finding::about(
            active,
            format!("hydrator's account may not push, which `delivery: push` needs ({names})"),
            "allow it to push in the rule",
        ));
    } else if !ground.is_active_there && !may_push {
        found.push(Finding::about(
            active,
            format!("does not exist, and hydrator's account may not push it ({names})"),
            "allow that for the first run, or create the branch by hand with an empty commit",
        ));
    }
    let merges = ground.auto_merge && ground.delivery == Delivery::PullRequest;
    if merges && !allows(&of, "merge_access_levels", facts) {
        found.push(Finding::about(
            active,
            format!("hydrator's account may not merge, which `autoMerge` needs ({names})"),
            "allow it to merge in the rule",
        ));
    }
    found
}

/// The rules that are about a branch. A star stands for anything.
fn matching<'a>(rules: &'a [Value], branch: &BranchName) -> Vec<&'a Value> {
    let fits = |rule: &&Value| rule["name"].as_str().is_some_and(|pattern| is_like(pattern, branch.as_str()));
    rules.iter().filter(fits).collect()
}

fn is_like(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(left) = name.strip_prefix(start) else { return false };
    let mut ends = left.char_indices().map(|(at, _)| at).chain([left.len()]);
    ends.any(|at| is_like(rest, &left[at..]))
}

fn names(rules: &[&Value]) -> String {
    let names: Vec<String> =
        rules.iter().filter_map(|rule| rule["name"].as_str()).map(|name| format!("`{name}`")).collect();
    format!("protected by the rule {}", names.join(", "))
}

/// Whether one of several rules lets the account do something: the most permissive one counts. A group is taken to have
/// it among its members, a deploy key lets nobody's token do anything.
fn allows(rules: &[&Value], levels: &str, facts: &Facts) -> bool {
    let lets = |one: &Value| {
        // Those about somebody have a level as well, which means nothing.
        let about = ["user_id", "group_id", "deploy_key_id", "member_role_id"];
        let is_of_role = about.iter().all(|key| one[*key].is_null());
        let by_role = one["access_level"].as_u64().filter(|level| *level > 0 && is_of_role);
        let is_named = one["user_id"].as_u64() == Some(facts.account) || one["group_id"].is_u64();
        is_named || by_role.is_some_and(|level| facts.level.is_none_or(|own| own >= level))
    };
    rules.iter().flat_map(|rule| each(&rule[levels])).any(lets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, name, fits) in [
            ("main", "main", true),
            ("main", "main2", false),
            ("hydrator/*", "hydrator/a/b", true),
            ("*-next", "hydrator/dev-next", true),
            ("*-next", "hydrator/dev-next2", false),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "aXcYb", false),
            ("*", "ä/ö", true),
        ] {
            assert_eq!(is_like(pattern, name), fits, "{pattern} {name}");
        }
    }
}
