//! What the tests stand on: repositories, checkouts, people, a git server, the built program, the outside tools.

pub(crate) mod checkout;
pub(crate) mod command;
pub(crate) mod git;
pub(crate) mod http;
pub(crate) mod hydrating;
pub(crate) mod leaks;
pub(crate) mod markdown;
pub(crate) mod memory_tree;
pub(crate) mod person;
pub(crate) mod processes;
pub(crate) mod project;
pub(crate) mod random;
pub(crate) mod reading;
pub(crate) mod tools;
