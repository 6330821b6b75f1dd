//! `hydrator comment`: the event of a comment into what it asks for, the report onto stdout.

use anyhow::Result;
use clap::Args;

use super::arguments::{ForgeArgs, Format, RepositoryArgs, world};
use super::run::print;
use super::{Surroundings, actions};
use crate::ci::{self, CommentEvent, Event};
use crate::comment::{Answer, Asked, act, no_comment, wish};
use crate::report;

/// Arguments of `hydrator comment`.
#[derive(Debug, Args)]
pub(super) struct CommentArgs {
    #[command(flatten)]
    repository: RepositoryArgs,
    #[command(flatten)]
    forge: ForgeArgs,
    /// How the report is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Runs the command.
pub(super) fn run(args: &CommentArgs, surroundings: &mut Surroundings<'_>) -> Result<u8> {
    let job = ci::detect(surroundings.variables, &|path| std::fs::read(path))?;
    let event = match job.map(|job| job.event) {
        Some(Event::Comment(event)) => event,
        Some(Event::Other(name)) => return Err(no_comment(&name).into()),
        Some(_) => return Err(no_comment("something else").into()),
        None => return Err(no_comment("nobody").into()),
    };
    // Most comments ask for nothing: then nothing is fetched and nobody is asked.
    if event.action != "created" || !event.on_pull_request || wish(&event.body).is_none() {
        surroundings.progress.say("this comment asks for nothing");
        return Ok(0);
    }
    let CommentEvent { number, id, body, written, .. } = event;
    let mut world = world(&args.repository, &args.forge, surroundings)?;
    world.trigger = None;
    let asked = match written {
        Some((author, at)) => Some(Asked { number, id, author, body, at }),
        None => Asked::of_forge(&world, number, id)?,
    };
    let Some(asked) = asked else {
        surroundings.progress.say("there is no such comment");
        return Ok(0);
    };
    match act(&world, &asked, surroundings.progress.as_ref())? {
        Answer::Nothing => surroundings.progress.say("this comment asks for nothing, or was acted on before"),
        Answer::Refused(why) => surroundings.progress.say(&format!("refused: {why}")),
        Answer::Done(_, None) => {}
        Answer::Done(_, Some(report)) => {
            actions::show(&report, surroundings);
            print(&report, args.format, false, surroundings)?;
            return Ok(report::exit_code(&report));
        }
    }
    Ok(0)
}
