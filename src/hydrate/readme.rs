//! The README of a target's directory: how to make its manifests again. Pure.

use std::fmt::Write as _;

use super::metadata::TargetMetadata;

/// The file's name.
pub const README_FILE: &str = "README.md";

/// The text; commands come from our own renderers and hold no values.
pub fn text(metadata: &TargetMetadata) -> String {
    let mut text = String::from(
        "# Manifest Hydration\n\nTo hydrate the manifests in this directory, run the following commands:\n\n```shell\n",
    );
    if !metadata.repo_url.is_empty() {
        let _ = writeln!(text, "git clone {}\n# cd into the cloned directory", metadata.repo_url);
    }
    let _ = writeln!(text, "git checkout {}", metadata.dry_sha);
    for command in &metadata.commands {
        text.push_str(&command.replace("```", "` ` `"));
        text.push('\n');
    }
    text.push_str("```\n");
    text
}
