//! The developer's pages, on GitLab.

use super::*;

crate::stories::on!(GitLab, pages);
