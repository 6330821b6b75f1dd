//! Which rules count. Pure.

use super::report::TargetDiff;
use super::sides::Sides;
use super::{Question, moves};
use crate::compare::Rules;
use crate::model::{DiffRule, DiffSettings, SecretRule, SignalKind};

/// How changes are shown: what hides something is what people have agreed on, so that no change hides itself.
pub(super) struct Settings {
    ignore: Vec<DiffRule>,
    secrets: Vec<SecretRule>,
    signals: Option<Vec<SignalKind>>,
    form: bool,
}

impl Settings {
    pub(super) fn of(question: &Question, sides: &Sides) -> Self {
        let of = |dry: &crate::dry::Dry| dry.loaded.project.diff.clone();
        let agreed: DiffSettings = sides.agreed().map(of).unwrap_or_default();
        // What anyone takes for a secret is one.
        let mut secrets = agreed.secrets;
        secrets.extend(sides.base.iter().chain([&sides.head]).flat_map(|dry| of(dry).secrets));
        // What is not rendered to the same bytes twice is what is looked for then: nothing of it is noise.
        let form = question.show_hidden || question.determinism;
        let ignore = if form { Vec::new() } else { agreed.ignore };
        Self { ignore, secrets, signals: agreed.signals.filter(|_| !question.show_hidden), form }
    }

    pub(super) fn rules(&self) -> Rules<'_> {
        Rules { ignore: &self.ignore, secrets: &self.secrets, form: self.form }
    }

    /// The fields that are secret on either side.
    pub(super) fn secrets(&self) -> &[SecretRule] {
        &self.secrets
    }

    /// Leaves the signals that are shown, of the targets of each environment.
    pub(super) fn choose<'t>(&self, environments: impl Iterator<Item = &'t mut Vec<TargetDiff>>) {
        for targets in environments {
            moves::tell(targets);
            for change in targets.iter_mut().flat_map(|target| &mut target.changes) {
                change.signals.retain(|signal| self.shows(signal.kind));
            }
        }
    }

    /// Whether signals of this kind are shown.
    fn shows(&self, kind: SignalKind) -> bool {
        self.signals.as_ref().is_none_or(|signals| signals.contains(&kind))
    }
}
