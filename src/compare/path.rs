//! Where a field is in a manifest. Pure.

use std::fmt;

/// One step into a manifest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// The value of a key.
    Key(String),
    /// An item: by the value of its key (`app`), else by its place.
    Item {
        /// Its place, from 0.
        index: usize,
        /// What it is known by, where it has a key; several where it may be called one thing or another.
        labels: Vec<String>,
    },
}

/// All steps from the root.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Path(pub(super) Vec<Step>);

impl Path {
    /// The path of a key below this one.
    pub(super) fn key(&self, key: &str) -> Self {
        self.with(Step::Key(key.to_owned()))
    }

    /// The path of an item below this one.
    pub(super) fn item(&self, index: usize, label: Option<&str>) -> Self {
        self.item_of(index, label.map(str::to_owned).into_iter().collect())
    }

    /// The same, by any of these labels.
    pub(super) fn item_of(&self, index: usize, labels: Vec<String>) -> Self {
        self.with(Step::Item { index, labels })
    }

    fn with(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    /// The name of the field at its end; empty for an item.
    pub(super) fn field(&self) -> &str {
        match self.0.last() {
            Some(Step::Key(key)) => key,
            _ => "",
        }
    }

    /// Whether it begins with these keys.
    pub(super) fn starts_with(&self, keys: &[&str]) -> bool {
        self.0.len() >= keys.len()
            && self.0.iter().zip(keys).all(|(step, wanted)| matches!(step, Step::Key(key) if key == wanted))
    }

    /// Whether it consists of these keys.
    pub(super) fn is(&self, keys: &[&str]) -> bool {
        self.0.len() == keys.len() && self.starts_with(keys)
    }

    /// Whether a JSON pointer means it; a part that is `*` means any step.
    pub(super) fn is_meant_by(&self, pointer: &str) -> bool {
        let parts: Vec<String> =
            pointer.split('/').skip(1).map(|part| part.replace("~1", "/").replace("~0", "~")).collect();
        let means = |(step, part): (&Step, &String)| {
            part == "*"
                || match step {
                    Step::Key(key) => key == part,
                    Step::Item { index, labels } => labels.contains(part) || *part == index.to_string(),
                }
        };
        parts.len() == self.0.len() && self.0.iter().zip(&parts).all(means)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if key.contains(['.', '/', '[', ' ']) => write!(out, "[{key}]")?,
                Step::Key(key) if index == 0 => write!(out, "{key}")?,
                Step::Key(key) => write!(out, ".{key}")?,
                Step::Item { index, labels } => match labels.first() {
                    Some(label) => write!(out, "[{label}]")?,
                    None => write!(out, "[{index}]")?,
                },
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_mean_keys_places_and_labels() {
        let path = Path::default().key("spec").key("a/b").item(2, Some("app")).key("image");
        for meant in ["/spec/a~1b/2/image", "/spec/a~1b/app/image", "/spec/*/*/image", "/*/*/*/*"] {
            assert!(path.is_meant_by(meant), "{meant}");
        }
        for other in ["/spec", "/spec/a~1b/1/image", "/spec/a~1b/app/image/x", ""] {
            assert!(!path.is_meant_by(other), "{other}");
        }
        assert_eq!(path.to_string(), "spec[a/b][app].image");
    }
}
