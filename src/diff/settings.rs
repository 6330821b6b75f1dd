//! Which rules count. Pure.

use super::Question;
use super::sides::Sides;
use crate::compare::Rules;
use crate::model::{DiffRule, DiffSettings, SecretRule, SignalKind};

/// How changes are shown: what hides something is taken from the base alone, so that no change hides itself.
pub(super) struct Settings {
    ignore: Vec<DiffRule>,
    secrets: Vec<SecretRule>,
    signals: Option<Vec<SignalKind>>,
}

impl Settings {
    pub(super) fn of(question: &Question, sides: &Sides) -> Self {
        let of = |dry: &crate::dry::Dry| dry.loaded.project.diff.clone();
        let base: DiffSettings = sides.base.as_ref().map(of).unwrap_or_default();
        let mut secrets = base.secrets;
        secrets.extend(of(&sides.head).secrets);
        let ignore = if question.show_hidden { Vec::new() } else { base.ignore };
        Self { ignore, secrets, signals: base.signals.filter(|_| !question.show_hidden) }
    }

    pub(super) fn rules(&self) -> Rules<'_> {
        Rules { ignore: &self.ignore, secrets: &self.secrets }
    }

    /// Whether signals of this kind are shown.
    pub(super) fn shows(&self, kind: SignalKind) -> bool {
        self.signals.as_ref().is_none_or(|signals| signals.contains(&kind))
    }
}
