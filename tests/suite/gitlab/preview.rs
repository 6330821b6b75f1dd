//! The preview on a merge request.

use super::*;

crate::stories::on!(GitLab, preview);
