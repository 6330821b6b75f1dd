//! hydrator renders each environment's manifests from a DRY commit and proposes them as pull requests.
//!
//! A run is one straight line, in [`run`]: detect which DRY commit it is about ([`ci`]), load the configuration from
//! it ([`dry`], [`config`]), observe the remote's branches and pull requests ([`observe`]), plan what changes
//! ([`plan`]), render what is affected ([`render`]), hydrate and commit ([`hydrate`], [`commit`]), publish
//! ([`publish`]), promote ([`promote`]) and report ([`report`]). The words are those of the glossary in
//! CONTRIBUTING.md.

pub mod branch;
pub mod cache;
pub mod cached_tree;
pub mod checkup;
pub mod ci;
pub mod cli;
pub mod comment;
pub mod commit;
pub mod compare;
pub mod config;
pub mod demo;
pub mod diff;
pub mod digest;
pub mod dry;
pub mod error;
pub mod escape;
pub mod fingerprint;
pub mod forge;
pub mod gate;
pub mod git;
pub mod history;
pub mod holding;
pub mod hydrate;
pub mod init;
pub mod mask;
pub mod metrics;
pub mod model;
pub mod noted;
pub mod observe;
pub mod orphans;
pub mod outcome;
pub mod overview;
pub mod plan;
pub mod planned;
pub mod previewed;
pub mod progress;
pub mod promote;
pub mod promotion;
pub mod proposal;
pub mod publish;
pub mod recovery;
pub mod remarks;
pub mod render;
pub mod rendering;
pub mod report;
pub mod restore;
pub mod rollback;
pub mod run;
pub mod secret;
pub mod settle;
pub mod status;
pub mod strangers;
pub mod tally;
pub mod tell;
pub mod template;
pub mod variables;
pub mod worktree;
pub mod world;
