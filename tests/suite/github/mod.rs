//! hydrator in jobs of GitHub Actions, against a GitHub that keeps its state: pull requests through their whole life,
//! and everything that the API can answer.

mod budget;
mod comment;
mod contract;
mod diagnosis;
mod life;
mod merging;
mod pages;
mod preview;
mod refusals;
mod surface;
mod talking;
mod verbs;

use serde_json::Value;

use crate::forge_server::github::GitHub;
use crate::stories::*;
use crate::support::command::Outcome;
use crate::support::git::TestRepo;
