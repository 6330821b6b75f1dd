//! Values in what a renderer reads that must not be seen in what it says: those of Secrets, and values of charts. Reads
//! the files that were exported for it.

use std::collections::BTreeSet;

use camino::Utf8Path;

use crate::compare::{Scalar, line_values, scalars, values_of_secrets};

/// Larger files are no manifests.
const LARGEST: u64 = 16 * 1024 * 1024;
/// Directories are looked into this deep.
const DEEPEST: usize = 60;

/// The values in files below these directories.
pub(super) fn values(directories: &[&Utf8Path]) -> BTreeSet<String> {
    let mut found = Found::default();
    for directory in directories {
        found.directory(directory, DEEPEST);
    }
    // A value that is a file's name or a key says nothing new, and a message needs it.
    let likely = found.likely.into_iter().filter(|value| !found.names.contains(value));
    found.certain.into_iter().chain(likely).collect()
}

#[derive(Default)]
struct Found {
    /// Values of Secrets.
    certain: BTreeSet<String>,
    /// Values that may be passwords, as far as one can tell.
    likely: BTreeSet<String>,
    /// Names of files and keys.
    names: BTreeSet<String>,
}

impl Found {
    fn directory(&mut self, directory: &Utf8Path, depth: usize) {
        let Ok(entries) = directory.read_dir_utf8() else { return };
        for entry in entries.flatten() {
            let path = entry.path();
            let Ok(about) = path.symlink_metadata() else { continue };
            self.names.insert(entry.file_name().to_owned());
            self.names.extend(path.file_stem().map(str::to_owned));
            if about.is_dir() && depth > 0 {
                self.directory(path, depth - 1);
            } else if about.is_file() && about.len() <= LARGEST {
                self.file(path);
            }
        }
    }

    fn file(&mut self, path: &Utf8Path) {
        let Ok(text) = std::fs::read_to_string(path) else { return };
        let directory = path.parent().unwrap_or(path);
        let name = path.file_name().unwrap_or_default();
        if name.starts_with("values") || directory.file_name() == Some("values") {
            self.values(&text);
            return;
        }
        for document in text.split("\n---") {
            self.document(document, directory);
        }
    }

    /// Value files of charts: each may be a password.
    fn values(&mut self, text: &str) {
        let Some(scalars) = scalars(text) else {
            self.likely.extend(line_values(text));
            return;
        };
        for scalar in scalars {
            self.names.extend(scalar.keys);
            self.likely.insert(scalar.text);
        }
    }

    fn document(&mut self, text: &str, directory: &Utf8Path) {
        if ["secretGenerator", "patch", "helmChart"].iter().any(|field| text.contains(field))
            && let Some(scalars) = scalars(text)
        {
            for scalar in &scalars {
                self.kustomization(scalar, directory);
            }
        }
        self.secrets(text);
    }

    /// A Secret, or a patch of one.
    fn secrets(&mut self, text: &str) {
        let is_patch = ["/data", "/stringData"].iter().any(|path| text.contains(path));
        if is_patch && let Some(scalars) = scalars(text) {
            let values = scalars.into_iter().filter(|scalar| scalar.keys.iter().any(|key| key == "value"));
            self.likely.extend(values.map(|scalar| scalar.text));
        }
        if is_patch || names_secret(text) {
            match values_of_secrets(text) {
                Some(values) => self.certain.extend(values),
                // A template, or a mistake.
                None => {
                    self.likely.extend(line_values(text).into_iter().filter(|value| !value.contains("{{")));
                }
            }
        }
    }

    fn kustomization(&mut self, scalar: &Scalar, directory: &Utf8Path) {
        let keys: Vec<&str> = scalar.keys.iter().map(String::as_str).collect();
        let text = &scalar.text;
        match keys.as_slice() {
            ["secretGenerator", "literals", ..] => {
                let value = text.split_once('=').map_or(text.as_str(), |(_, value)| value);
                self.certain.insert(value.to_owned());
                self.certain.insert(value.trim_matches(['"', '\'']).to_owned());
            }
            ["secretGenerator", "files" | "env" | "envs", ..] => {
                let path = text.split_once('=').map_or(text.as_str(), |(_, path)| path);
                let said = said_by(&directory.join(path));
                let values = said
                    .lines()
                    .filter_map(|line| line.split_once('='))
                    .map(|(_, value)| value.trim().to_owned());
                self.certain.extend(values);
                self.certain.insert(said);
            }
            [field, ..] if field.starts_with("patch") && text.contains(['\n', '{', '[']) => {
                self.secrets(text);
            }
            ["helmCharts", "valuesInline", ..] => drop(self.likely.insert(text.clone())),
            ["helmCharts", "valuesFile" | "additionalValuesFiles"] => {
                let said = said_by(&directory.join(text));
                self.values(&said);
            }
            _ => {}
        }
    }
}

/// Whether a text says `kind: Secret` somewhere, in YAML or in JSON.
fn names_secret(text: &str) -> bool {
    let quotes = ['"', '\'', ' '];
    let says_so = |rest: &str| {
        let value = rest.trim_start_matches(quotes).strip_prefix(':')?;
        let behind = value.trim_start_matches(quotes).strip_prefix("Secret")?;
        Some(!behind.starts_with(char::is_alphanumeric))
    };
    text.split("kind").skip(1).any(|rest| says_so(rest) == Some(true))
}

/// What a file says that another one names; nothing where there is none.
fn said_by(path: &Utf8Path) -> String {
    let is_one = path.symlink_metadata().is_ok_and(|about| about.is_file() && about.len() <= LARGEST);
    if is_one { std::fs::read_to_string(path).unwrap_or_default() } else { String::new() }
}
