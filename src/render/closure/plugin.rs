//! What the configurations of kustomize's built-in generators and transformers name. Pure.

use super::edge::EdgeKind;
use super::named::{Parsed, What};
use super::yaml::{self, Value};

/// Kinds that read no files.
const FILELESS: [&str; 13] = [
    "AnnotationsTransformer",
    "HashTransformer",
    "IAMPolicyGenerator",
    "ImageTagTransformer",
    "LabelTransformer",
    "LegacyOrderTransformer",
    "NamespaceTransformer",
    "PrefixTransformer",
    "PrefixSuffixTransformer",
    "ReplicaCountTransformer",
    "SortOrderTransformer",
    "SuffixTransformer",
    "ValueAddTransformer",
];

/// Reads a file of configurations.
pub(super) fn parse(content: &[u8]) -> Parsed {
    let mut parsed = Parsed::default();
    match yaml::documents(content) {
        Ok(documents) => documents.iter().for_each(|it| document(&mut parsed, it)),
        Err(problem) => parsed.unreadable = Some(problem),
    }
    parsed
}

/// Adds what one configuration names.
pub(super) fn document(parsed: &mut Parsed, document: &Value) {
    const EDGE: EdgeKind = EdgeKind::PluginFile;
    if document.entries().is_empty() {
        return;
    }
    match document.only_text("kind").unwrap_or_default() {
        "HelmChartInflationGenerator" => parsed.chart("helmCharts", document, &[]),
        "ConfigMapGenerator" | "SecretGenerator" => parsed.sources(EDGE, document),
        "PatchTransformer" | "PatchJson6902Transformer" => {
            parsed.texts(EDGE, document, "path", What::MaybeFile);
        }
        "PatchStrategicMergeTransformer" => parsed.texts(EDGE, document, "paths", What::MaybeFile),
        "ReplacementTransformer" => parsed.paths(EDGE, document, "replacements"),
        "List" => document.items("items").for_each(|item| self::document(parsed, item)),
        kind if FILELESS.contains(&kind) => {}
        "" => parsed.unknown.push("a generator or transformer without a single `kind`".to_owned()),
        kind => parsed.unknown.push(format!("the generator or transformer `{kind}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_kinds_are_said() {
        let parsed =
            parse(b"kind: ksops\nfiles: [a]\n---\nkind: NamespaceTransformer\n---\nkind: A\nkind: B\n");
        assert_eq!(
            parsed.unknown,
            ["the generator or transformer `ksops`", "a generator or transformer without a single `kind`"]
        );
    }

    #[test]
    fn lists_are_opened() {
        let parsed = parse(b"kind: List\nitems:\n- {kind: PatchTransformer, path: p}\n- {kind: SecretGenerator, envs: [e]}\n");
        assert_eq!((parsed.references.len(), parsed.unknown.len()), (2, 0));
    }
}
