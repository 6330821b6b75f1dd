//! Why a target is affected, from what its fingerprint was made of then and now. Pure.

use std::collections::BTreeSet;
use std::fmt;

use camino::Utf8PathBuf;

use super::FingerprintParts;
use crate::secret::without_credentials;

/// One reason why a target is affected.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Nothing is known of an earlier rendering.
    FirstTime,
    /// Another renderer.
    Renderer(String, String),
    /// Another program or another version of it.
    Tool(String, String),
    /// An option has another value.
    Option(String),
    /// A file has another content or another mode.
    Changed(Utf8PathBuf),
    /// A file is read that was not there or not read.
    Added(Utf8PathBuf),
    /// A file that was read is not there or not read any more.
    Removed(Utf8PathBuf),
    /// Everything counts, because of something that is not understood.
    NotUnderstood(String),
    /// Something is fetched that may be another thing each time.
    NotPinned(String),
    /// A difference that leaves no trace in the parts: the value of a variable, or our own format.
    Else,
}

impl fmt::Display for Reason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FirstTime => out.write_str("first time"),
            Self::Renderer(old, new) => write!(out, "renderer {old} → {new}"),
            Self::Tool(old, new) => match (old.split_once(' '), new.split_once(' ')) {
                (Some((name, _)), Some((same, version))) if name == same => write!(out, "{old} → {version}"),
                _ => write!(out, "{old} → {new}"),
            },
            Self::Option(name) => write!(out, "option {name}"),
            Self::Changed(path) => write!(out, "{path} changed"),
            Self::Added(path) => write!(out, "{path} added"),
            Self::Removed(path) => write!(out, "{path} removed"),
            Self::NotUnderstood(reason) => {
                let reason = without_credentials(reason);
                write!(out, "not understood: {reason}, so the whole DRY tree counts")
            }
            Self::NotPinned(remote) => write!(out, "{} is not pinned", without_credentials(remote)),
            Self::Else => out.write_str("a variable that it sees, or hydrator's own format"),
        }
    }
}

/// Why `new`, which has another fingerprint than `old` or cannot have a lasting one, is affected; never empty.
pub fn explain(old: Option<&FingerprintParts>, new: &FingerprintParts) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = new.unpinned.iter().cloned().map(Reason::NotPinned).collect();
    let Some(old) = old else {
        reasons.push(Reason::FirstTime);
        return reasons;
    };
    let differences = reasons.len();
    if old.renderer != new.renderer {
        reasons.push(Reason::Renderer(old.renderer.clone(), new.renderer.clone()));
    } else if old.tool != new.tool {
        let said = |tool: &Option<String>| tool.clone().unwrap_or_else(|| "no program".to_owned());
        reasons.push(Reason::Tool(said(&old.tool), said(&new.tool)));
    }
    let names: BTreeSet<&String> = old.options.keys().chain(new.options.keys()).collect();
    let changed = names.into_iter().filter(|name| old.options.get(*name) != new.options.get(*name));
    reasons.extend(changed.cloned().map(Reason::Option));
    reasons.extend(inputs(old, new));
    if reasons.len() > differences {
        reasons.extend(new.whole_tree.iter().cloned().map(Reason::NotUnderstood));
    } else if reasons.is_empty() {
        reasons.push(Reason::Else);
    }
    reasons
}

fn inputs<'a>(old: &'a FingerprintParts, new: &'a FingerprintParts) -> impl Iterator<Item = Reason> + 'a {
    let paths: BTreeSet<&Utf8PathBuf> = old.inputs.keys().chain(new.inputs.keys()).collect();
    paths.into_iter().filter_map(|path| match (old.inputs.get(path), new.inputs.get(path)) {
        (Some(before), Some(now)) if before != now => Some(Reason::Changed(path.clone())),
        (None, Some(_)) => Some(Reason::Added(path.clone())),
        (Some(_), None) => Some(Reason::Removed(path.clone())),
        _ => None,
    })
}
