//! hydrator renders each environment's manifests from a DRY commit and proposes them as pull requests.

pub mod branch;
pub mod commit;
pub mod error;
pub mod escape;
pub mod forge;
pub mod git;
pub mod hydrate;
pub mod model;
pub mod observe;
pub mod plan;
pub mod publish;
pub mod secret;
pub mod variables;
