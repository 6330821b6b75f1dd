//! Hostile text made harmless: commit subjects, authors, file names, names in manifests, output of tools. Pure.
//!
//! A leaf that depends on nothing in the crate: everything that shows text to people or to a forge goes through it.

mod markdown;
mod plain;
mod skip;

pub use markdown::{
    code, code_in_cell, cut_markdown, cut_markdown_bytes, fence, html, link, marker, marker_value,
    neutralise_quick_actions, prose, prose_lines,
};
pub use plain::{clean, cut, log_text, one_line, unbroken};
pub use skip::neutralise_skip_markers;
