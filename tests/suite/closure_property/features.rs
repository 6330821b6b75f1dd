//! What a kustomization can have, each with the files that it needs and the change that must show.

use hydrator::model::Renderer;
use hydrator::render::closure::EdgeKind;

use super::state::{Spot, State, config_map, patch};
use crate::support::random::Random;

/// The kinds of edges that a kustomization has, but for those of charts: they need another program, and time.
pub(super) const CHEAP: [EdgeKind; 21] = [
    EdgeKind::Resource,
    EdgeKind::Base,
    EdgeKind::Component,
    EdgeKind::Patch,
    EdgeKind::PatchStrategicMerge,
    EdgeKind::PatchJson6902,
    EdgeKind::ConfigMapGenerator,
    EdgeKind::SecretGenerator,
    EdgeKind::Generator,
    EdgeKind::Transformer,
    EdgeKind::Validator,
    EdgeKind::Replacement,
    EdgeKind::Configuration,
    EdgeKind::Crd,
    EdgeKind::OpenApi,
    EdgeKind::PluginFile,
    EdgeKind::Kustomization,
    EdgeKind::KustomizationName,
    EdgeKind::Shadow,
    EdgeKind::Link,
    EdgeKind::LinkTarget,
];

/// Adds to the kustomization in `directory` (two levels deep) something that has an edge of this kind.
pub(super) fn add(state: &mut State, random: &mut Random, directory: &str, edge: EdgeKind) {
    let n = state.number();
    match edge {
        EdgeKind::Resource => resource(state, random, directory, n),
        EdgeKind::Base => base(state, directory, n),
        EdgeKind::Component => component(state, directory, n),
        EdgeKind::Patch | EdgeKind::PatchStrategicMerge | EdgeKind::PatchJson6902 => {
            patches(state, directory, edge, n);
        }
        EdgeKind::ConfigMapGenerator => generator(state, random, directory, n),
        EdgeKind::SecretGenerator => {
            let item = format!("name: s{n}\nfiles: [s{n}.txt]\nenvs: [s{n}.env]");
            state.item(directory, "secretGenerator", item);
            edited(state, edge, &format!("{directory}/s{n}.txt"), "edition-0");
            edited(state, edge, &format!("{directory}/s{n}.env"), "KEY=edition-0\n");
        }
        EdgeKind::Generator => plugin_file(state, directory, n),
        EdgeKind::PluginFile => plugin(state, random, directory, n),
        EdgeKind::Transformer => transformer(state, directory, n),
        EdgeKind::Validator => validator(state, directory, n),
        EdgeKind::Replacement => replacement(state, directory, n),
        EdgeKind::Configuration => configuration(state, directory, n),
        EdgeKind::Crd => broken(state, directory, edge, ("crds", &format!("crd{n}.json"), "{}")),
        EdgeKind::OpenApi => {
            state.line(directory, "openapi", format!("{{path: oa{n}.json}}"));
            broken(state, directory, edge, ("", &format!("oa{n}.json"), "{\"definitions\": {}}"));
        }
        EdgeKind::Kustomization => state.spot(edge, Spot::Suffix(directory.to_owned())),
        EdgeKind::KustomizationName => {
            let name = if random.chance(50) { "Kustomization" } else { "kustomization.yml" };
            state.spot(edge, Spot::Add(format!("{directory}/{name}"), "namePrefix: x-\n".to_owned()));
        }
        EdgeKind::Shadow => shadow(state, directory, n),
        EdgeKind::Link => swapped_links(state, directory, n),
        EdgeKind::LinkTarget => link(state, random, directory, n),
        EdgeKind::HelmChart | EdgeKind::HelmValues => chart(state, directory, n),
        other => panic!("a kustomization has no edge {other:?}"),
    }
}

fn edited(state: &mut State, edge: EdgeKind, path: &str, text: &str) {
    state.file(path, text);
    state.edit_spot(edge, path);
}

fn resource(state: &mut State, random: &mut Random, directory: &str, n: usize) {
    let path = match random.below(3) {
        0 => format!("sub/f{n}.yaml"),
        1 => format!("../../shared/f{n}.yaml"),
        _ => format!("f{n}.yaml"),
    };
    state.item(directory, "resources", &path);
    let full = match path.strip_prefix("../../") {
        Some(from_root) => from_root.to_owned(),
        None => format!("{directory}/{path}"),
    };
    edited(state, EdgeKind::Resource, &full, &config_map(&format!("c{n}"), "v"));
}

fn base(state: &mut State, directory: &str, n: usize) {
    state.item(directory, "bases", format!("../../base/n{n}"));
    state.item(&format!("base/n{n}"), "resources", "cm.yaml");
    edited(state, EdgeKind::Base, &format!("base/n{n}/cm.yaml"), &config_map(&format!("c{n}"), "v"));
}

fn component(state: &mut State, directory: &str, n: usize) {
    let own = format!("comp/n{n}");
    state.item(directory, "components", format!("../../{own}/"));
    state.line(&own, "apiVersion", "kustomize.config.k8s.io/v1alpha1");
    state.line(&own, "kind", "Component");
    state.item(&own, "patches", "path: p.yaml\ntarget: {kind: ConfigMap}");
    edited(state, EdgeKind::Component, &format!("{own}/p.yaml"), &patch(&format!("c{n}")));
}

fn patches(state: &mut State, directory: &str, edge: EdgeKind, n: usize) {
    let (name, path) = (format!("c{n}"), format!("{directory}/p{n}.yaml"));
    if edge == EdgeKind::Patch {
        state.item(directory, "patches", format!("path: ./p{n}.yaml\ntarget: {{kind: ConfigMap}}"));
        return edited(state, edge, &path, &patch(&format!("p{n}")));
    }
    state.item(directory, "resources", format!("f{n}.yaml"));
    state.file(format!("{directory}/f{n}.yaml"), config_map(&name, "v"));
    if edge == EdgeKind::PatchStrategicMerge {
        state.item(directory, "patchesStrategicMerge", format!("p{n}.yaml"));
        edited(state, edge, &path, &config_map(&name, "s"));
    } else {
        let item = format!("path: p{n}.yaml\ntarget: {{version: v1, kind: ConfigMap, name: {name}}}");
        state.item(directory, "patchesJson6902", item);
        edited(state, edge, &path, &patch(&format!("j{n}")));
    }
}

fn generator(state: &mut State, random: &mut Random, directory: &str, n: usize) {
    let item = match random.below(3) {
        0 => format!("name: g{n}\nfiles: [k=g{n}.txt]"),
        1 => format!("name: g{n}\nfiles: [g{n}.txt]"),
        _ => format!("name: g{n}\nenvs: [g{n}.txt]"),
    };
    state.item(directory, "configMapGenerator", item);
    edited(state, EdgeKind::ConfigMapGenerator, &format!("{directory}/g{n}.txt"), "KEY=edition-0\n");
}

fn generator_configuration(n: usize, file: &str) -> String {
    format!(
        "apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata:\n  name: gg{n}\nliterals:\n- a=edition-0\nfiles:\n- {file}\n"
    )
}

fn plugin_file(state: &mut State, directory: &str, n: usize) {
    state.item(directory, "generators", format!("gen{n}.yaml"));
    state.file(format!("{directory}/x{n}.txt"), "edition-0");
    let text = generator_configuration(n, &format!("x{n}.txt"));
    edited(state, EdgeKind::Generator, &format!("{directory}/gen{n}.yaml"), &text);
}

/// Files that configurations name: in a file, inline, made by a kustomization, for a transformer.
fn plugin(state: &mut State, random: &mut Random, directory: &str, n: usize) {
    let named = format!("x{n}.txt");
    let text = generator_configuration(n, &named);
    match random.below(4) {
        0 => {
            state.item(directory, "generators", format!("gen{n}.yaml"));
            state.file(format!("{directory}/gen{n}.yaml"), text);
        }
        1 => state.item(directory, "generators", format!("|-\n{text}")),
        2 => {
            state.item(directory, "generators", format!("../../gen/n{n}"));
            state.item(&format!("gen/n{n}"), "resources", "g.yaml");
            state.file(format!("gen/n{n}/g.yaml"), text);
        }
        _ => return plugin_patch(state, random, directory, n),
    }
    edited(state, EdgeKind::PluginFile, &format!("{directory}/{named}"), "edition-0");
}

fn plugin_patch(state: &mut State, random: &mut Random, directory: &str, n: usize) {
    state.item(directory, "transformers", format!("t{n}.yaml"));
    let head = |kind: &str| format!("apiVersion: builtin\nkind: {kind}\nmetadata:\n  name: t{n}\n");
    if random.chance(50) {
        let own = head("PatchTransformer") + &format!("path: tp{n}.yaml\ntarget: {{kind: ConfigMap}}\n");
        state.file(format!("{directory}/t{n}.yaml"), own);
        let named = format!("{directory}/tp{n}.yaml");
        return edited(state, EdgeKind::PluginFile, &named, &patch(&format!("t{n}")));
    }
    let own = head("ReplacementTransformer") + &format!("replacements:\n- path: tp{n}.yaml\n");
    state.file(format!("{directory}/t{n}.yaml"), own);
    let named = format!("{directory}/tp{n}.yaml");
    let text = replacements(state, directory, n);
    edited(state, EdgeKind::PluginFile, &named, &text);
}

fn transformer(state: &mut State, directory: &str, n: usize) {
    state.item(directory, "transformers", format!("t{n}.yaml"));
    let text = format!(
        "apiVersion: builtin\nkind: AnnotationsTransformer\nmetadata:\n  name: t{n}\nannotations: {{t{n}: edition-0}}\nfieldSpecs: [{{path: metadata/annotations, create: true}}]\n"
    );
    edited(state, EdgeKind::Transformer, &format!("{directory}/t{n}.yaml"), &text);
}

fn validator(state: &mut State, directory: &str, n: usize) {
    let text = format!(
        "apiVersion: builtin\nkind: AnnotationsTransformer\nmetadata:\n  name: v{n}\nannotations: {{v: w}}\nfieldSpecs: [{{path: spec/none}}]\n"
    );
    broken(state, directory, EdgeKind::Validator, ("validators", &format!("v{n}.yaml"), &text));
}

fn broken(
    state: &mut State,
    directory: &str,
    edge: EdgeKind,
    (field, name, text): (&'static str, &str, &str),
) {
    if !field.is_empty() {
        state.item(directory, field, name);
    }
    let path = format!("{directory}/{name}");
    state.file(&path, text);
    state.spot(edge, Spot::Break(path));
}

fn replacements(state: &mut State, directory: &str, n: usize) -> String {
    for name in [format!("from{n}"), format!("to{n}")] {
        state.item(directory, "resources", format!("{name}.yaml"));
        state.file(format!("{directory}/{name}.yaml"), config_map(&name, "v"));
    }
    format!(
        "source:\n  kind: ConfigMap\n  name: from{n}\n  fieldPath: data.v\ntargets:\n- select: {{kind: ConfigMap, name: to{n}}}\n  fieldPaths: [data.edition-0]\n  options: {{create: true}}\n"
    )
}

fn replacement(state: &mut State, directory: &str, n: usize) {
    let text = replacements(state, directory, n);
    state.item(directory, "replacements", format!("path: r{n}.yaml"));
    edited(state, EdgeKind::Replacement, &format!("{directory}/r{n}.yaml"), &text);
}

fn configuration(state: &mut State, directory: &str, n: usize) {
    state.line(directory, "commonAnnotations", "{a: b}");
    state.item(directory, "configurations", format!("conf{n}.yaml"));
    let text = "commonAnnotations:\n- path: spec/edition-0\n  create: true\n  kind: ConfigMap\n";
    edited(state, EdgeKind::Configuration, &format!("{directory}/conf{n}.yaml"), text);
}

/// Something to clone that is nowhere; a file of that name would be taken in its place.
fn shadow(state: &mut State, directory: &str, n: usize) {
    let place = format!("nobody@127.0.0.1:1/r{n}?ref=0123456789abcdef0123456789abcdef01234567");
    state.item(directory, "resources", format!("\"ssh://{place}\""));
    let spot = Spot::Add(format!("{directory}/ssh:/{place}"), config_map(&format!("c{n}"), "v"));
    state.spot(EdgeKind::Shadow, spot);
}

/// Two patches of one key by way of links: the last one wins, and both are read whichever it is.
fn swapped_links(state: &mut State, directory: &str, n: usize) {
    for (letter, value) in [("a", "first"), ("b", "second")] {
        state.item(directory, "patches", format!("path: l{n}{letter}.yaml\ntarget: {{kind: ConfigMap}}"));
        state.link(format!("{directory}/l{n}{letter}.yaml"), format!("../../shared/s{n}{letter}.yaml"));
        let text = format!("- op: add\n  path: /data/l{n}\n  value: {value}\n");
        state.file(format!("shared/s{n}{letter}.yaml"), text);
    }
    let link = |letter: &str| format!("{directory}/l{n}{letter}.yaml");
    state.spot(EdgeKind::Link, Spot::Swap(link("a"), link("b")));
}

/// A link to a file, a chain of links, or a file in a directory that a link leads to.
fn link(state: &mut State, random: &mut Random, directory: &str, n: usize) {
    let file = format!("shared/d{n}/s.yaml");
    match random.below(3) {
        0 => {
            state.item(directory, "resources", format!("l{n}.yaml"));
            state.link(format!("{directory}/l{n}.yaml"), format!("../../{file}"));
        }
        1 => {
            state.item(directory, "resources", format!("l{n}.yaml"));
            state.link(format!("{directory}/l{n}.yaml"), format!("m{n}.yaml"));
            state.link(format!("{directory}/m{n}.yaml"), format!("../../{file}"));
        }
        _ => {
            state.item(directory, "resources", format!("l{n}/s.yaml"));
            state.link(format!("{directory}/l{n}"), format!("../../shared/d{n}"));
        }
    }
    edited(state, EdgeKind::LinkTarget, &file, &config_map(&format!("c{n}"), "v"));
}

/// A chart in the directory of charts, with values beside the kustomization.
fn chart(state: &mut State, directory: &str, n: usize) {
    let chart = format!("{directory}/charts/app{n}");
    state.item(directory, "helmCharts", format!("name: app{n}\nreleaseName: r\nvaluesFile: hv{n}.yaml"));
    state.file(format!("{chart}/Chart.yaml"), format!("apiVersion: v2\nname: app{n}\nversion: 1.0.0\n"));
    let text = format!("{}  w: \"{{{{ .Values.v }}}}\"\n", config_map(&format!("h{n}"), "v"));
    edited(state, EdgeKind::HelmChart, &format!("{chart}/templates/cm.yaml"), &text);
    edited(state, EdgeKind::HelmValues, &format!("{directory}/hv{n}.yaml"), "v: edition-0\n");
    for target in &mut state.targets {
        if let Renderer::Kustomize(options) = &mut target.renderer {
            let helm = "--enable-helm".to_owned();
            if !options.build_options.contains(&helm) {
                options.build_options.push(helm);
            }
        }
    }
}
