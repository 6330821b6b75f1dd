//! What becomes of one environment, once the state is known. Pure, but for [`describe`], which reads the manifests.

use std::collections::BTreeMap;

use anyhow::Result;

use super::Request;
use crate::branch::{Content, Tip};
use crate::commit::TargetOutput;
use crate::error::Failure;
use crate::git::Objects;
use crate::holding::output_of;
use crate::hydrate::message::RollbackMessage;
use crate::hydrate::{HeldTarget, Hold, Intent, Terms};
use crate::model::{AfterPolicy, CommitId, EnvironmentName, Project};
use crate::plan::{self, Decision, Goal, Standing};
use crate::planned::Planned;
use crate::proposal::{blobs_of, index};

/// One environment on its way back.
pub(super) struct Wish<'a> {
    /// On its way as in a run.
    pub(super) planned: Planned<'a>,
    /// The state whose bytes come back.
    pub(super) source: Option<Tip>,
    /// The outputs that it is about; none means all of them.
    pub(super) outputs: Vec<String>,
    /// What all outputs will be.
    pub(super) content: Content,
    /// One line for people.
    pub(super) note: Option<String>,
}

impl<'a> Wish<'a> {
    /// Nothing is known yet.
    pub(super) fn new(mut planned: Planned<'a>) -> Self {
        planned.proposed = planned.seen.proposed.as_ref().map(|proposed| proposed.commit.id);
        Self { planned, source: None, outputs: Vec::new(), content: Content::new(), note: None }
    }

    /// What is there now and what will be, where something shall be done.
    pub(super) fn sides(&self) -> Option<(Content, Content)> {
        let active = self.planned.seen.active.as_ref()?;
        let acts =
            matches!(self.planned.decision, Ok(Decision::Propose | Decision::Reparent | Decision::Leave));
        acts.then(|| (active.content.clone(), self.content.clone()))
    }

    /// The outputs that change.
    pub(super) fn changed_outputs(&self) -> Vec<String> {
        let Some((now, then)) = self.sides() else { return Vec::new() };
        crate::history::changes::differing(&now, &then).into_keys().cloned().collect()
    }

    /// The first line of the commit, after the DRY commit.
    pub(super) fn headline(&self) -> String {
        let environment = &self.planned.environment.name;
        let source = self.source.as_ref().map(|source| source.commit.id.short()).unwrap_or_default();
        if self.outputs.is_empty() {
            let metadata = self.source.as_ref().and_then(|source| source.metadata.as_ref());
            let subject = metadata.and_then(|metadata| metadata.subject.lines().next()).unwrap_or_default();
            return format!("Roll back {environment} to {source}: {subject}");
        }
        format!("Roll back {} of {environment} to {source}", self.outputs.join(", "))
    }

    /// What the commit says.
    pub(super) fn message<'b>(
        &'b self,
        request: &'b Request,
        headline: &'b str,
        source: CommitId,
    ) -> RollbackMessage<'b> {
        let of =
            if self.outputs.is_empty() { self.source.as_ref() } else { self.planned.seen.active.as_ref() };
        let metadata = of.and_then(|tip| tip.metadata.as_ref());
        RollbackMessage {
            dry_sha: metadata.map(|metadata| metadata.dry_sha.as_str()).unwrap_or_default(),
            headline,
            source,
            environment: &self.planned.environment.name,
            actor: &request.actor,
            reason: &request.reason,
        }
    }
}

/// The environments that come after `first`: those that wait for it, or for one that does.
pub(super) fn after(project: &Project, first: &EnvironmentName) -> Vec<EnvironmentName> {
    let mut found: Vec<EnvironmentName> = Vec::new();
    let all = &project.environments;
    // Predecessors may be listed below: as many rounds as there are environments reach everything.
    for _ in all {
        for (index, environment) in all.iter().enumerate() {
            let waits = project
                .predecessors(index)
                .iter()
                .any(|before| before.name == *first || found.contains(&before.name));
            if waits && !found.contains(&environment.name) {
                found.push(environment.name.clone());
            }
        }
    }
    // Where nothing waits for anything, the order of the list is all there is.
    let ordered = all.iter().all(|environment| environment.after == AfterPolicy::Order);
    if found.is_empty() && ordered {
        let place = all.iter().position(|environment| environment.name == *first);
        found.extend(all.iter().skip(place.map_or(all.len(), |place| place + 1)).map(|one| one.name.clone()));
    }
    found
}

/// What is to be done, given the state to go back to.
pub(super) fn decide(
    request: &Request,
    newest: CommitId,
    config: &str,
    wish: &mut Wish<'_>,
    source: Tip,
) -> Result<Decision, Failure> {
    let seen = wish.planned.seen.clone();
    let environment = wish.planned.environment;
    let Some(active) = &seen.active else { return Ok(Decision::Nothing) };
    plan::check(environment, &seen, config, request.permissions)?;
    wish.outputs = request.targets.iter().map(|target| output_of(environment, target)).collect();
    wish.outputs.sort();
    wish.outputs.dedup();
    wish.content = content(environment.name.as_str(), active, &source, &wish.outputs)?;
    wish.planned.terms =
        Terms { hold: hold(request, active, &source, &wish.outputs), intent: Some(Intent::Rollback) };
    // With `--let-pass`, what GitOps Promoter looks at says the newest: old file, new note.
    let shown = if wish.outputs.is_empty() { source.dry_sha() } else { seen.processed.or(active.dry_sha()) };
    wish.planned.processed = if request.let_pass { Some(newest) } else { shown };
    let goal = Goal { content: &wish.content, terms: &wish.planned.terms };
    let decision = if goal.content == &active.content && active.is(goal.content, goal.terms.hold.as_ref()) {
        Decision::Nothing
    } else {
        plan::decide(environment, &seen, &Standing::Pending, goal)
    };
    wish.note = Some(note(&decision, wish, &source));
    wish.source = Some(source);
    Ok(decision)
}

/// What all outputs will be.
fn content(environment: &str, active: &Tip, source: &Tip, outputs: &[String]) -> Result<Content, Failure> {
    if outputs.is_empty() {
        return Ok(source.content.clone());
    }
    let mut content = active.content.clone();
    for output in outputs {
        let Some(tree) = source.content.get(output) else {
            let short = source.commit.id.short();
            return Err(Failure::usage(format!(
                "target `{output}` of environment `{environment}` is not in the state {short}: it was added later, or had \
                 another name"
            ))
            .hint("roll the whole environment back, without `--target`, or remove the target on the DRY branch"));
        };
        content.insert(output.clone(), *tree);
    }
    Ok(content)
}

/// What is held afterwards; earlier holds of other targets stay.
fn hold(request: &Request, active: &Tip, source: &Tip, outputs: &[String]) -> Option<Hold> {
    let before = active.hold().filter(|_| !outputs.is_empty());
    if !request.hold {
        return before.and_then(|before| before.without(outputs));
    }
    let mut targets = before.map(|before| before.targets.clone()).unwrap_or_default();
    let text = |dry: Option<CommitId>| dry.map(|dry| dry.to_string()).unwrap_or_default();
    let dry_sha = text(source.dry_sha());
    // Further back, it still is what ran before the first time.
    let ran = active.hold().and_then(Hold::left).or_else(|| active.dry_sha());
    targets.extend(outputs.iter().map(|output| (output.clone(), HeldTarget { dry_sha: dry_sha.clone() })));
    Some(Hold {
        actor: request.actor.clone(),
        reason: crate::escape::one_line(&request.reason),
        since: request.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        from: text(ran.filter(|_| outputs.is_empty())),
        targets,
        let_pass: request.let_pass && before.is_none_or(|before| before.let_pass),
    })
}

fn note(decision: &Decision, wish: &Wish<'_>, source: &Tip) -> String {
    let metadata = source.metadata.as_ref();
    let subject = metadata.and_then(|metadata| metadata.subject.lines().next()).unwrap_or_default();
    let dry = source.dry_sha().map(|dry| dry.short()).unwrap_or_default();
    let state = format!("{} from {dry} ({subject})", source.commit.id.short());
    let what = if wish.outputs.is_empty() { String::new() } else { format!("{} ", wish.outputs.join(", ")) };
    match decision {
        Decision::Nothing => format!("{what}has the manifests of {state} already"),
        Decision::Leave => format!("the rollback {what}to {state} waits already"),
        Decision::Reparent => format!("the rollback {what}to {state} goes on from the new tip"),
        _ => {
            let seen = &wish.planned.seen;
            let waiting = plan::offer(seen).and_then(Tip::dry_sha).map(|dry| dry.short());
            let replaced = waiting.map(|dry| format!("; replaces the proposal of {dry}")).unwrap_or_default();
            format!("{what}back to {state}{replaced}")
        }
    }
}

/// Reads the manifests of what changes, so that the pull request can tell of them; what stays is only counted.
pub(super) fn describe(objects: Objects<'_>, wish: &mut Wish<'_>) -> Result<()> {
    let changed = wish.changed_outputs();
    let trees: BTreeMap<String, _> = wish
        .content
        .iter()
        .filter(|(output, _)| changed.contains(output))
        .map(|(output, tree)| (output.clone(), *tree))
        .collect();
    let mut manifests = index(objects, trees)?;
    for (output, tree) in &wish.content {
        let found = manifests.remove(output);
        let count = match &found {
            Some(found) => found.len(),
            None => blobs_of(objects, *tree)?.len(),
        };
        let made = TargetOutput { tree: Some(*tree), count, manifests: found, ..TargetOutput::default() };
        wish.planned.outputs.insert(output.clone(), made);
    }
    Ok(())
}
