//! The stories of every verb, on GitHub.

use hydrator::forge::Forge;

use super::*;
use crate::stories::verbs::Asked;

crate::stories::on!(GitHub, verbs);

impl Asked for GitHub {
    fn begin(repo: &TestRepo) -> Self {
        let begun = GitHub::start(repo);
        begun.server.with(|state| state.allow_auto_merge = true);
        begun
    }

    fn connect(&self) -> Box<dyn Forge> {
        Box::new(self.forge())
    }

    fn require(&self, context: &str) {
        self.server.with(|state| state.required_statuses.push(context.to_owned()));
    }
}
