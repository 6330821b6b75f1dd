//! The stories of every verb, on the local forge.

use hydrator::forge::Forge;

use super::*;
use crate::stories::verbs::Asked;
use crate::support::git::TestRepo;

/// The local forge beside a test's remote.
struct Local(Utf8PathBuf);

crate::stories::on!(Local, verbs);

impl Asked for Local {
    fn begin(repo: &TestRepo) -> Self {
        Self(Utf8PathBuf::from_path_buf(repo.remote()).expect("it is UTF-8"))
    }

    fn connect(&self) -> Box<dyn Forge> {
        Box::new(LocalForge::open(&self.0).unwrap())
    }

    fn require(&self, context: &str) {
        LocalForge::open(&self.0).unwrap().require_status(context).unwrap();
    }
}
