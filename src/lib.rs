//! hydrator renders each environment's manifests from a DRY commit and proposes them as pull requests.

pub mod cli;
pub mod error;
pub mod escape;
pub mod forge;
pub mod git;
pub mod model;
pub mod promote;
pub mod report;
