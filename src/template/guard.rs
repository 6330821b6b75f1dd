//! Renders on a thread of its own: with a stack that no value can overflow, and a time after which we stop waiting.
//!
//! The engine's fuel bounds steps and text, but not what one step does to a value that holds itself many times over.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use minijinja::{Environment, Value};

use super::error::TemplateError;

/// Values can nest as deep as a template has steps, and are printed, compared and freed recursively. Only what is used
/// takes memory.
const STACK: usize = 1 << 30;
/// Far more than any template takes that runs out of nothing.
const PATIENCE: Duration = Duration::from_secs(15);

/// Renders the template `name` of `environment`. A thread that takes too long is left to the end of the process,
/// which is short-lived: a thread cannot be stopped.
pub(super) fn render(
    environment: &Arc<Environment<'static>>,
    name: &str,
    context: Value,
) -> Result<String, TemplateError> {
    let (sender, receiver) = mpsc::sync_channel(1);
    let (environment, asked) = (Arc::clone(environment), name.to_owned());
    let work = move || {
        let rendered = render_here(&environment, &asked, context);
        // Nobody listens any more after the time is over.
        let _ = sender.send(rendered);
    };
    let spawned = std::thread::Builder::new().name("template".to_owned()).stack_size(STACK).spawn(work);
    spawned.map_err(|_| TemplateError::bare(name, "there is no thread to render it in"))?;
    receiver.recv_timeout(PATIENCE).unwrap_or_else(|error| {
        Err(TemplateError::bare(
            name,
            match error {
                mpsc::RecvTimeoutError::Timeout => "it takes too long",
                mpsc::RecvTimeoutError::Disconnected => "the template engine failed",
            },
        ))
    })
}

fn render_here(
    environment: &Environment<'static>,
    name: &str,
    context: Value,
) -> Result<String, TemplateError> {
    let failed = |error: &minijinja::Error, source: &str| TemplateError::new(name, source, error);
    let template = environment.get_template(name).map_err(|error| failed(&error, name))?;
    template.render(context).map_err(|error| failed(&error, template.source()))
}
