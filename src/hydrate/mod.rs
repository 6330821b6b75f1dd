//! What a hydrated branch holds: files of the targets, metadata, READMEs, the commit's message.
//!
//! Pure: it turns values into names and bytes; `commit.rs` writes them.

mod hold;
pub mod layout;
pub mod message;
pub mod metadata;
pub mod readme;
pub mod references;

pub use hold::{HeldTarget, Hold};
pub use metadata::{Intent, METADATA_FILE, Metadata, TargetMetadata, Terms};
pub use readme::README_FILE;

/// The root file that keeps generated files out of a forge's diffs; Argo CD's own two lines, without a final newline.
pub const GIT_ATTRIBUTES: &str =
    "**/README.md linguist-generated=true\n**/hydrator.metadata linguist-generated=true";

/// The root file's name.
pub const GIT_ATTRIBUTES_FILE: &str = ".gitattributes";
