//! Progress for people, on stderr: a bar on a terminal, else a line for each finished target; and where the time went.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::escape::{log_text, one_line};
use crate::mask::Mask;
use crate::progress::{FinishedTarget, Progress, Stage};
use crate::variables::Variables;

/// How many of the slowest targets are named at the end.
const SLOWEST: usize = 3;

/// How a CI system folds lines of its log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Groups {
    /// It does not.
    #[default]
    None,
    /// As GitHub Actions does.
    Actions,
    /// As sections of GitLab CI.
    Sections,
}

impl Groups {
    /// What the system that these variables tell of understands.
    pub fn of(variables: &Variables) -> Self {
        let is = |name: &str| variables.get(name) == Some("true");
        if is("GITHUB_ACTIONS") {
            Self::Actions
        } else if is("GITLAB_CI") {
            Self::Sections
        } else {
            Self::None
        }
    }

    /// The line that begins or ends a group at a time in seconds since 1970.
    fn line(self, is_open: bool, seconds: u64) -> String {
        match (self, is_open) {
            (Self::None, _) => String::new(),
            (Self::Actions, true) => "::group::render".to_owned(),
            (Self::Actions, false) => "::endgroup::".to_owned(),
            (Self::Sections, true) => {
                format!("\u{1b}[0Ksection_start:{seconds}:hydrator_render[collapsed=true]\r\u{1b}[0Krender")
            }
            (Self::Sections, false) => {
                format!("\u{1b}[0Ksection_end:{seconds}:hydrator_render\r\u{1b}[0K")
            }
        }
    }
}

/// Where progress is shown, and what is known about the time so far.
pub struct Console {
    bar: Option<ProgressBar>,
    clock: Mutex<Clock>,
    groups: Groups,
    grouped: AtomicBool,
    mask: Mask,
}

#[derive(Default)]
struct Clock {
    current: Option<(Stage, Instant)>,
    spent: BTreeMap<Stage, Duration>,
    slowest: Vec<(Duration, String)>,
}

impl Console {
    /// A console that draws a bar if stderr `is_terminal`, folds lines into `groups` and lets no token through.
    pub fn new(is_terminal: bool, groups: Groups, mask: Mask) -> Self {
        let bar = is_terminal.then(hidden_bar);
        Self { bar, clock: Mutex::default(), groups, grouped: AtomicBool::new(false), mask }
    }

    /// Ends the bar. Of a command that did what it was asked it says where the time went.
    pub fn close(&self, is_done: bool) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        self.group(false);
        let text = self.clock().close();
        if let Some(text) = text.filter(|_| is_done) {
            self.say(&text);
        }
    }

    /// In CI the lines of finished targets can be folded.
    fn group(&self, is_open: bool) {
        if self.groups != Groups::None && self.grouped.swap(is_open, Ordering::Relaxed) != is_open {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            self.write(&self.groups.line(is_open, now.map_or(0, |now| now.as_secs())));
        }
    }

    fn write(&self, line: &str) {
        let line = self.mask.apply(line);
        let write = || drop(writeln!(io::stderr(), "{line}"));
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    fn clock(&self) -> MutexGuard<'_, Clock> {
        self.clock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Progress for Console {
    fn say(&self, line: &str) {
        // Whatever is in it, a CI system must not take it for a command.
        self.write(&log_text(line));
    }

    fn command(&self, line: &str) {
        self.write(line);
    }

    fn enter(&self, stage: Stage) {
        self.clock().enter(stage, Instant::now());
        self.group(stage == Stage::Render);
        let Some(bar) = &self.bar else { return };
        if stage == Stage::Render {
            bar.reset();
            bar.set_draw_target(ProgressDrawTarget::stderr());
        } else {
            bar.finish_and_clear();
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
    }

    fn finished(&self, target: FinishedTarget<'_>) {
        let name = log_text(&one_line(&format!("{} of {}", target.target, target.environment)));
        if let Some(took) = target.took {
            self.clock().add(took, &name);
        }
        match &self.bar {
            Some(bar) if target.took.is_some() => {
                bar.set_length(target.total as u64);
                bar.set_position(target.finished as u64);
                bar.set_message(name);
            }
            _ => {
                let verb = if target.took.is_some() { "rendered" } else { "failed" };
                self.say(&format!("[{}/{}] {verb} {name}", target.finished, target.total));
            }
        }
    }
}

impl Clock {
    fn enter(&mut self, stage: Stage, now: Instant) {
        self.leave(now);
        self.current = Some((stage, now));
    }

    fn leave(&mut self, now: Instant) {
        if let Some((stage, since)) = self.current.take() {
            *self.spent.entry(stage).or_default() += now.duration_since(since);
        }
    }

    fn add(&mut self, took: Duration, name: &str) {
        let index = self.slowest.partition_point(|(other, _)| *other >= took);
        self.slowest.insert(index, (took, name.to_owned()));
        self.slowest.truncate(SLOWEST);
    }

    fn close(&mut self) -> Option<String> {
        self.leave(Instant::now());
        summary(&self.spent, &self.slowest)
    }
}

/// One line about the time; `None` if there is nothing to say.
fn summary(spent: &BTreeMap<Stage, Duration>, slowest: &[(Duration, String)]) -> Option<String> {
    if spent.is_empty() {
        return None;
    }
    let stages: Vec<String> =
        spent.iter().map(|(stage, time)| format!("{} {}", stage.word(), seconds(*time))).collect();
    let line = format!("time: {} = {}", seconds(spent.values().sum()), stages.join(" + "));
    if slowest.is_empty() {
        return Some(line);
    }
    let named: Vec<String> =
        slowest.iter().map(|(time, name)| format!("{name} {}", seconds(*time))).collect();
    Some(format!("{line}; slowest: {}", named.join(", ")))
}

fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

fn hidden_bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
    // A template that does not parse leaves the standard look.
    match ProgressStyle::with_template("rendering {wide_bar} {pos}/{len}  {msg:.dim}") {
        Ok(style) => bar.with_style(style.progress_chars("=> ")),
        Err(_) => bar,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_that_come_again_are_added_up() {
        let start = Instant::now();
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let mut clock = Clock::default();
        clock.enter(Stage::Observe, at(0));
        clock.enter(Stage::Plan, at(200));
        clock.enter(Stage::Observe, at(250));
        clock.leave(at(550));
        for (name, took) in [("a of dev", 10), ("b of dev", 400), ("c of dev", 30), ("d of dev", 20)] {
            clock.add(Duration::from_millis(took), name);
        }
        assert_eq!(
            summary(&clock.spent, &clock.slowest).as_deref(),
            Some(
                "time: 0.55 s = observe 0.50 s + plan 0.05 s; slowest: b of dev 0.40 s, c of dev 0.03 s, d of dev 0.02 s"
            )
        );
    }

    #[test]
    fn a_command_without_stages_says_nothing() {
        assert_eq!(Clock::default().close(), None);
    }
}
