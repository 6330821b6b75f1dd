//! The developer's pages, on GitHub.

use super::*;

crate::stories::on!(GitHub, pages);
