//! Which state a rollback means: the history is read as deep as that needs, and no deeper. Does I/O, reads only.

use anyhow::Result;

use super::Request;
use crate::branch::Tip;
use crate::error::Failure;
use crate::git::RemoteRefs;
use crate::history::{DEPTHS, Found, Health, Reference, resolve, walk};
use crate::holding::output_of;
use crate::model::Environment;
use crate::observe::Seen;
use crate::plan;
use crate::world::World;

/// The state whose bytes shall come back.
pub(super) fn source(
    world: &World,
    request: &Request,
    refs: &RemoteRefs,
    environment: &Environment,
    seen: &Seen,
) -> Result<Tip> {
    let name = &environment.name;
    plan::check(environment, seen, world.config.as_str(), request.permissions)?;
    if let Some(former) = &seen.renamed_from {
        let failure = Failure::usage(format!(
            "environment `{name}` has no branch of its own yet: it goes on from `{former}`"
        ));
        return Err(failure.hint("`hydrator run` makes it; then roll back").into());
    }
    let Some(active) = seen.active.as_ref().filter(|active| active.metadata.is_some()) else {
        let branch = &environment.active;
        return Err(Failure::usage(format!(
            "there is no older state to roll back to: `{branch}` has no manifests yet"
        ))
        .into());
    };
    refuse_second_hold(request, environment, seen)?;
    let outputs: Vec<String> = request.targets.iter().map(|target| output_of(environment, target)).collect();
    for depth in DEPTHS {
        let history = walk(&world.repository.scratch, active.commit.id, depth)?;
        refuse_unknown_targets(request, environment, &outputs, &history)?;
        let asks_health = request.to == Reference::LastHealthy;
        let health = Health::of(world.forge.as_ref(), environment, &history, asks_health)?;
        if asks_health && environment.gates.statuses.is_empty() {
            let failure =
                Failure::usage(format!("nothing says which states of environment `{name}` were healthy"));
            return Err(failure
                .hint("name its statuses in `gates.statuses`, or the state with `--to`")
                .into());
        }
        let is_healthy = |state: &crate::history::State| health.of_state(state) == Some(true);
        let found = resolve(&history, name, &request.to, &outputs, &is_healthy);
        match found.map_err(|failure| of_another(failure, request, refs, environment))? {
            Found::Deeper => {}
            Found::State(index) => {
                if let Some(state) = history.states.into_iter().nth(index) {
                    return Ok(state.tip);
                }
            }
        }
    }
    Err(Failure::usage(format!("environment `{name}` has no such state")).into())
}

/// A second hold over the first one would leave it open what ends when it is resumed; and a word that counts from where
/// the environment is would mean another state each time.
fn refuse_second_hold(request: &Request, environment: &Environment, seen: &Seen) -> Result<(), Failure> {
    let Some(hold) = plan::hold(seen) else { return Ok(()) };
    let name = &environment.name;
    if hold.is_whole() && !request.targets.is_empty() {
        return Err(Failure::usage(format!(
            "environment `{name}` is held already, as a whole: {}",
            hold.words()
        ))
        .hint(format!("`hydrator resume --environment {name}` ends that")));
    }
    let is_named = matches!(request.to, Reference::Id(_));
    let is_held = |target: &String| hold.targets.contains_key(&output_of(environment, target));
    let again = if hold.is_whole() { true } else { request.targets.iter().any(is_held) };
    let mut resume = vec![format!("hydrator resume --environment {name}")];
    resume.extend(request.targets.iter().map(|target| format!("--target {target}")));
    let what = if request.targets.is_empty() {
        format!("environment `{name}`")
    } else {
        format!("`{}` of environment `{name}`", request.targets.join(", "))
    };
    if again && !is_named {
        return Err(Failure::usage(format!("{what} is held already: {}", hold.words())).hint(format!(
            "to go back further name the state, `--to <id>`, as `hydrator history --environment {name}` lists it; \
             `{}` ends the hold",
            resume.join(" ")
        )));
    }
    Ok(())
}

/// A target must be somewhere: in the configuration, or in a state of the branch.
fn refuse_unknown_targets(
    request: &Request,
    environment: &Environment,
    outputs: &[String],
    history: &crate::history::History,
) -> Result<(), Failure> {
    for (target, output) in request.targets.iter().zip(outputs) {
        let configured = environment.targets.iter().any(|one| one.output.as_str() == output);
        let was_there = history.states.iter().any(|state| state.tip.content.contains_key(output));
        if !configured && !was_there && history.complete {
            let known: Vec<&str> = environment.targets.iter().map(|target| target.name.as_str()).collect();
            return Err(Failure::usage(format!(
                "environment `{}` has no target `{target}`",
                environment.name
            ))
            .hint(format!("it has: {}", known.join(", "))));
        }
    }
    Ok(())
}

/// An id that belongs to another branch is a likely mistake, and worth saying so.
fn of_another(failure: Failure, request: &Request, refs: &RemoteRefs, environment: &Environment) -> Failure {
    let Reference::Id(digits) = &request.to else { return failure };
    let own = [environment.active.as_str(), environment.proposed.as_str()];
    let other = refs
        .branches()
        .find(|(branch, id)| !own.contains(branch) && id.to_string().starts_with(digits.as_str()));
    match other {
        Some((branch, _)) => {
            let message = format!("{}; it is the tip of `{branch}`", failure.message);
            Failure { message, ..failure }
        }
        None => failure,
    }
}
