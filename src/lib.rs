//! hydrator renders each environment's manifests from a DRY commit and proposes them as pull requests.

pub mod config;
pub mod error;
pub mod forge;
pub mod model;
pub mod template;
