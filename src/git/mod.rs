//! Git: objects and refs in process with git2, fetch and push with the git program.
//!
//! Does I/O: reads the checkout, writes only the private scratch repository, and talks to the remote.

mod ancestry;
pub mod bare;
mod checkout;
mod dry_tree;
mod encode;
mod ids;
mod login;
mod merge;
mod notes;
mod objects;
mod pending;
mod program;
mod remembered;
mod remote;
mod scratch;
mod shared;
mod standing;
mod workshop;

pub use ancestry::Ancestry;
pub use checkout::Checkout;
pub use dry_tree::CommitTree;
pub use encode::{NewCommit, TreeEntry};
pub use ids::hash_of;
pub use login::Login;
pub use merge::Merged;
pub use notes::{NOTES_REF, Note};
pub use objects::{Edits, Objects};
pub use program::GitProgram;
pub use remembered::remembered;
pub use remote::{PushOutcome, RefUpdate, RemoteRefs};
pub use scratch::Scratch;
pub use shared::SharedObjects;
pub use standing::Standing;
pub use workshop::{BRANCH, Workshop};
