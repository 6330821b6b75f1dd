//! Part of stage 4: what a hold means for a run. A held target keeps the manifests that the active branch has, while its
//! neighbours go on; `resume` ends a hold. Pure.

use std::collections::BTreeMap;

use crate::commit::TargetOutput;
use crate::error::Failure;
use crate::hydrate::{Hold, Intent, Terms};
use crate::model::Environment;
use crate::observe::Seen;
use crate::plan;

/// What a proposal of this run says of holds. `resume` names what is to be released: targets by name or output, or
/// everything if it names nothing.
pub fn terms(environment: &Environment, seen: &Seen, resume: Option<&[String]>) -> Result<Terms, Failure> {
    let hold = plan::hold(seen);
    let Some(named) = resume else { return Ok(Terms { hold: hold.cloned(), intent: None }) };
    let left = match hold {
        Some(hold) if !named.is_empty() => hold.without(&released(environment, hold, named)?),
        _ => None,
    };
    Ok(Terms { hold: left, intent: Some(Intent::Resume) })
}

/// The outputs of the targets that are to be released.
fn released(environment: &Environment, hold: &Hold, named: &[String]) -> Result<Vec<String>, Failure> {
    let name = &environment.name;
    if hold.is_whole() {
        return Err(Failure::usage(format!("environment `{name}` is held as a whole, not by target"))
            .hint(format!("`hydrator resume --environment {name}` releases all of it")));
    }
    named.iter().map(|named| released_one(environment, hold, named)).collect()
}

fn released_one(environment: &Environment, hold: &Hold, named: &str) -> Result<String, Failure> {
    let output = output_of(environment, named);
    if hold.targets.contains_key(&output) {
        return Ok(output);
    }
    let outputs: Vec<String> = hold.targets.keys().map(|output| format!("`{output}`")).collect();
    Err(Failure::usage(format!("target `{named}` of environment `{}` is not held", environment.name))
        .hint(format!("held are: {}", outputs.join(", "))))
}

/// The output of a target that is named by its name or its output; the word itself where the configuration has no
/// such target any more.
pub fn output_of(environment: &Environment, named: &str) -> String {
    let by_name = environment.targets.iter().find(|target| target.name == named);
    by_name.map_or_else(|| named.to_owned(), |target| target.output.to_string())
}

/// What the held targets have, by output: exactly what the active branch has. Those that left the configuration stay too.
pub fn kept(seen: &Seen, terms: &Terms) -> BTreeMap<String, TargetOutput> {
    let (Some(active), Some(hold)) = (&seen.active, &terms.hold) else { return BTreeMap::new() };
    let kept = active.content.iter().filter(|(output, _)| hold.targets.contains_key(*output));
    let output = |tree| TargetOutput { tree: Some(tree), count: 1, ..TargetOutput::default() };
    kept.map(|(path, tree)| (path.clone(), output(*tree))).collect()
}

/// One line about the targets that are held while the others go on.
pub fn note(seen: &Seen) -> Option<String> {
    let hold = plan::hold(seen).filter(|hold| !hold.is_whole())?;
    let names: Vec<String> = hold.targets.keys().map(|output| format!("`{output}`")).collect();
    let verb = if names.len() == 1 { "stays" } else { "stay" };
    Some(format!("{} {verb}: {}", names.join(", "), hold.words()))
}
