//! The stories of every verb, on GitLab.

use hydrator::forge::Forge;

use super::*;
use crate::stories::verbs::Asked;

crate::stories::on!(GitLab, verbs);

impl Asked for GitLab {
    fn begin(repo: &TestRepo) -> Self {
        GitLab::start(repo)
    }

    fn connect(&self) -> Box<dyn Forge> {
        Box::new(self.forge(None))
    }

    fn require(&self, context: &str) {
        self.server.with(|state| state.required_statuses.push(context.to_owned()));
    }
}
