//! hydrator in jobs of GitLab CI, against a GitLab that keeps its state: merge requests through their whole life, and
//! what the API can answer.

mod budget;
mod certificates;
mod comment;
mod contract;
mod diagnosis;
mod life;
mod merging;
mod pages;
mod pipelines;
mod preview;
mod refusals;
mod surface;
mod talking;
mod verbs;

use serde_json::{Value, json};

use crate::forge_server::gitlab::{GitLab, JOB_TOKEN};
use crate::forge_server::{Fault, Hosted as _};
use crate::stories::*;
use crate::support::command::Run;
use crate::support::git::TestRepo;
