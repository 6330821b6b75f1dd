//! Targets of the other renderers, each with what it reads and the change that must show.

use hydrator::model::{
    ChartSource, CommandOptions, HelmOptions, PlainOptions, Renderer, TemplateOptions, ValueFile,
};
use hydrator::render::closure::EdgeKind;

use super::state::{Entry, Spot, State, config_map};

/// Plain YAML with a link in it that leads out.
pub(super) fn plain(state: &mut State, recurse: bool) {
    let n = state.number();
    let source = format!("plain/n{n}");
    for name in ["a.yaml", "sub/b.yaml"] {
        let path = format!("{source}/{name}");
        state.file(&path, config_map(&format!("p{n}{}", &name[..1]), "v"));
        state.edit_spot(EdgeKind::Directory, &path);
    }
    state.spot(EdgeKind::Directory, Spot::Add(format!("{source}/c.yaml"), config_map("added", "v")));
    state.file(format!("shared/p{n}/x.yaml"), config_map(&format!("q{n}"), "v"));
    state.link(format!("{source}/l"), format!("../../shared/p{n}"));
    if recurse {
        state.edit_spot(EdgeKind::LinkInDirectory, &format!("shared/p{n}/x.yaml"));
    }
    state.target("plain", &source, Renderer::Plain(PlainOptions { recurse }));
}

/// A template with an optional file of values elsewhere, and one beside it.
pub(super) fn template(state: &mut State) {
    let n = state.number();
    let source = format!("templates/n{n}");
    let text = config_map(&format!("t{n}"), "v") + "  w: {{ w }}\n{% include \"_more.j2\" %}";
    state.file(format!("{source}/cm.yaml.j2"), text);
    state.edit_spot(EdgeKind::Directory, &format!("{source}/cm.yaml.j2"));
    state.file(format!("{source}/_more.j2"), "  x: edition-0\n");
    state.edit_spot(EdgeKind::Directory, &format!("{source}/_more.j2"));
    state.file(format!("{source}/values.yaml"), "w: own\n");
    let elsewhere = format!("shared/values{n}.yaml");
    state.spot(EdgeKind::ValueFile, Spot::Add(elsewhere.clone(), "w: edition-0\n".to_owned()));
    let value_files = vec![
        ValueFile { path: format!("{source}/values.yaml").into(), optional: false },
        ValueFile { path: elsewhere.into(), optional: true },
    ];
    let options =
        TemplateOptions { value_files, environment: "dev".to_owned(), ..TemplateOptions::default() };
    state.target("template", &source, Renderer::Template(options));
}

/// A script of the tree that reads files by patterns.
pub(super) fn command(state: &mut State) {
    let n = state.number();
    let source = format!("command/n{n}");
    let script = format!("#!/bin/sh\ncat in/*.yaml ../../shared/cmd{n}*.yaml\n");
    state.files.insert(format!("{source}/make.sh"), Entry::Executable(script));
    state.spot(EdgeKind::Mode, Spot::Mode(format!("{source}/make.sh")));
    let document = |name: String| format!("---\n{}", config_map(&name, "v"));
    for (path, name) in
        [(format!("{source}/in/a.yaml"), format!("a{n}")), (format!("shared/cmd{n}-b.yaml"), format!("b{n}"))]
    {
        state.file(&path, document(name));
        state.edit_spot(EdgeKind::CommandInput, &path);
    }
    let added = Spot::Add(format!("{source}/in/c.yaml"), document(format!("c{n}")));
    state.spot(EdgeKind::CommandInput, added);
    let argv = vec!["./make.sh".to_owned()];
    let inputs = ["make.sh".to_owned(), "in/*.yaml".to_owned(), format!("/shared/cmd{n}*.yaml")].to_vec();
    state.target("command", &source, Renderer::Command(CommandOptions { argv, inputs }));
}

/// A command that does not say what it reads.
pub(super) fn silent_command(state: &mut State) {
    let n = state.number();
    let source = format!("command/n{n}");
    state.file(format!("{source}/note"), "");
    state.file(format!("shared/silent{n}.yaml"), config_map(&format!("s{n}"), "v"));
    state.edit_spot(EdgeKind::WholeTree, &format!("shared/silent{n}.yaml"));
    let argv = vec!["cat".to_owned(), format!("../../shared/silent{n}.yaml")];
    state.target("silent", &source, Renderer::Command(CommandOptions { argv, inputs: Vec::new() }));
}

/// A chart that depends on another chart of the tree.
pub(super) fn helm(state: &mut State) {
    let n = state.number();
    let source = format!("charts/app{n}");
    let library = format!("charts/lib{n}");
    let head = |name: String| format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\n");
    let dependencies =
        format!("dependencies:\n- name: lib{n}\n  version: 1.0.0\n  repository: file://../lib{n}\n");
    state.file(format!("{source}/Chart.yaml"), head(format!("app{n}")) + &dependencies);
    state.file(format!("{library}/Chart.yaml"), head(format!("lib{n}")));
    for (chart, edge) in [(&source, EdgeKind::Directory), (&library, EdgeKind::ChartDependency)] {
        let path = format!("{chart}/templates/cm.yaml");
        let name = format!("{}{n}", if edge == EdgeKind::Directory { "own" } else { "lib" });
        state.file(&path, config_map(&name, "v") + "  w: \"{{ .Values.w }}\"\n");
        state.edit_spot(edge, &path);
    }
    let optional = format!("shared/helm{n}.yaml");
    state.spot(EdgeKind::ValueFile, Spot::Add(optional.clone(), "w: edition-0\n".to_owned()));
    let options = HelmOptions {
        chart: ChartSource::Directory,
        release_name: "web".into(),
        namespace: "shop".into(),
        value_files: vec![ValueFile { path: optional.into(), optional: true }],
        values: serde_json::Map::new(),
        kube_version: None,
        api_versions: Vec::new(),
        include_crds: true,
        skip_tests: false,
        allow_remote: false,
    };
    state.target("helm", &source, Renderer::Helm(options));
}
