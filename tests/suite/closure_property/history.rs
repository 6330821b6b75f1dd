//! Histories of DRY trees: a first tree with a bit of everything, then a few commits, each a change or two.

use hydrator::model::Renderer;
use hydrator::render::closure::EdgeKind;

use super::features::{self, CHEAP};
use super::others;
use super::state::{Entry, Spot, State, config_map};
use crate::support::random::Random;

/// What a history is to be about.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wanted {
    /// Every history has an edge of this kind, and changes what is behind it.
    pub(super) edge: Option<EdgeKind>,
    /// How many commits follow the first.
    pub(super) commits: usize,
}

/// The trees of a history.
pub(super) fn states(seed: u64, wanted: Wanted) -> Vec<State> {
    let mut random = Random::new(seed);
    let mut states = vec![first(&mut random, wanted.edge)];
    for _ in 0..wanted.commits {
        let mut state = states.last().unwrap().clone();
        for _ in 0..=random.below(2) {
            change(&mut state, &mut random, &states, wanted.edge);
        }
        states.push(state);
    }
    states
}

const OVERLAYS: [&str; 2] = ["over/dev", "over/prod"];

fn first(random: &mut Random, edge: Option<EdgeKind>) -> State {
    let mut state = State::default();
    state.file("README.md", "edition-0\n");
    for name in ["a", "b"] {
        let directory = format!("base/{name}");
        state.item(&directory, "resources", "cm.yaml");
        state.file(format!("{directory}/cm.yaml"), config_map(name, "v"));
        state.edit_spot(EdgeKind::Resource, &format!("{directory}/cm.yaml"));
    }
    if random.chance(30) {
        state.item("base/b", "resources", "../a");
    }
    for (overlay, name) in OVERLAYS.into_iter().zip(["dev", "prod"]) {
        state.item(overlay, "resources", if random.chance(50) { "../../base/a" } else { "../../base/b" });
        // With kustomize's restrictions, what lies elsewhere is as good as missing.
        state.overlay(name, overlay, random.chance(85));
        for _ in 0..random.below(4) {
            let directory = *random.pick(&["base/a", "base/b", overlay, overlay]).unwrap();
            let edge = *random.pick(&CHEAP).unwrap();
            features::add(&mut state, random, directory, edge);
        }
    }
    match edge {
        None => rest(&mut state, random),
        Some(edge) => focused(&mut state, random, edge),
    }
    state
}

/// Sometimes, targets of other renderers.
fn rest(state: &mut State, random: &mut Random) {
    if random.chance(35) {
        let recurse = random.chance(75);
        others::plain(state, recurse);
    }
    if random.chance(25) {
        others::template(state);
    }
    if random.chance(20) {
        others::command(state);
    }
    match random.below(100) {
        0..4 => others::helm(state),
        4..8 => features::add(state, random, OVERLAYS[0], EdgeKind::HelmChart),
        8..13 => others::silent_command(state),
        _ => {}
    }
}

/// Something with an edge of this kind.
fn focused(state: &mut State, random: &mut Random, edge: EdgeKind) {
    match edge {
        EdgeKind::Directory | EdgeKind::LinkInDirectory => others::plain(state, true),
        EdgeKind::ValueFile => others::template(state),
        EdgeKind::CommandInput | EdgeKind::Mode => others::command(state),
        EdgeKind::WholeTree => others::silent_command(state),
        EdgeKind::ChartDependency => others::helm(state),
        edge => features::add(state, random, OVERLAYS[0], edge),
    }
}

/// One change of many kinds.
fn change(state: &mut State, random: &mut Random, before: &[State], edge: Option<EdgeKind>) {
    match random.below(100) {
        0..45 => {
            let wanted = |spot: &&(EdgeKind, Spot)| edge.is_none_or(|edge| spot.0 == edge);
            let spots: Vec<Spot> = state.spots.iter().filter(wanted).map(|(_, spot)| spot.clone()).collect();
            if let Some(spot) = random.pick(&spots) {
                touch(state, random, spot);
            }
        }
        45..53 => any_file(random, state, |state, random, path| edit(state, random, &path)),
        53..58 => any_file(random, state, |state, _, path| {
            let entry = state.files.remove(&path).unwrap();
            state.deleted.push((path, entry));
        }),
        58..63 => {
            if let Some((path, entry)) = state.deleted.pop() {
                state.files.insert(path, entry);
            }
        }
        63..68 => unlisted(state, random),
        68..73 => any_file(random, state, |state, _, path| become_link(state, &path)),
        73..76 => any_file(random, state, |state, _, path| flip_mode(state, &path)),
        76..80 => rename(state, random),
        80..84 => move_target(state, random),
        84..88 => reconfigure(state, random),
        88..92 => grow_or_shrink(state, random),
        92..94 => {
            if let Some(kustomization) = state.kustomizations.values_mut().nth(random.below(6)) {
                kustomization.is_broken = !kustomization.is_broken;
            }
        }
        _ => *state = random.pick(before).unwrap().clone(),
    }
}

fn any_file(random: &mut Random, state: &mut State, change: fn(&mut State, &mut Random, String)) {
    let paths: Vec<String> = state.files.keys().cloned().collect();
    if let Some(path) = random.pick(&paths) {
        change(state, random, path.clone());
    }
}

fn touch(state: &mut State, random: &mut Random, spot: &Spot) {
    match spot {
        Spot::Edit(path) => edit(state, random, path),
        Spot::Break(path) => {
            if let Some(Entry::File(text)) = state.files.get_mut(path) {
                *text = match text.strip_prefix("}{ [\n") {
                    Some(good) => good.to_owned(),
                    None => format!("}}{{ [\n{text}"),
                };
            }
        }
        Spot::Add(path, text) => {
            if state.files.remove(path).is_none() {
                state.file(path, text);
            }
        }
        Spot::Swap(one, other) => {
            if let (Some(first), Some(second)) =
                (state.files.get(one).cloned(), state.files.get(other).cloned())
            {
                state.files.insert(one.clone(), second);
                state.files.insert(other.clone(), first);
            }
        }
        Spot::Mode(path) => flip_mode(state, path),
        Spot::Suffix(directory) => {
            let suffix = format!("-{}", random.below(4));
            state.line(directory, "nameSuffix", suffix);
        }
    }
}

/// Another edition; what has none gets a comment or loses it.
fn edit(state: &mut State, random: &mut Random, path: &str) {
    if let Some(Entry::File(text) | Entry::Executable(text)) = state.files.get_mut(path) {
        if let Some(place) = text.find("edition-") {
            let digit = place + "edition-".len();
            text.replace_range(digit..=digit, &random.below(4).to_string());
        } else if let Some(without) = text.strip_suffix("# changed\n") {
            *text = without.to_owned();
        } else {
            text.push_str("# changed\n");
        }
    }
}

/// A file that nothing lists; sometimes one where a look-up may have failed.
fn unlisted(state: &mut State, random: &mut Random) {
    let directories: Vec<String> = state.kustomizations.keys().cloned().collect();
    let Some(directory) = random.pick(&directories).cloned() else { return };
    let name = *random
        .pick(&[
            "extra.yaml",
            "kustomization.yml",
            "Kustomization",
            "github.com/acme/base/cm.yaml",
            "sub/x.yaml",
        ])
        .unwrap();
    state.file(format!("{directory}/{name}"), config_map("extra", "v"));
}

/// The content goes to another place, and a link to it comes in its stead.
fn become_link(state: &mut State, path: &str) {
    let Some(Entry::File(text)) = state.files.get(path).cloned() else { return };
    let n = state.number();
    let up = "../".repeat(path.matches('/').count());
    state.file(format!("moved/m{n}"), text);
    state.link(path, format!("{up}moved/m{n}"));
}

fn flip_mode(state: &mut State, path: &str) {
    let flipped = match state.files.get(path) {
        Some(Entry::File(text)) => Entry::Executable(text.clone()),
        Some(Entry::Executable(text)) => Entry::File(text.clone()),
        _ => return,
    };
    state.files.insert(path.to_owned(), flipped);
}

/// A file gets another name, and so do the entries that name it, or not.
fn rename(state: &mut State, random: &mut Random) {
    let paths: Vec<String> = state.files.keys().filter(|path| path.contains('/')).cloned().collect();
    let Some(path) = random.pick(&paths) else { return };
    let (directory, name) = path.rsplit_once('/').unwrap();
    let new = format!("renamed-{name}");
    let entry = state.files.remove(path).unwrap();
    state.files.insert(format!("{directory}/{new}"), entry);
    if random.chance(70)
        && let Some(kustomization) = state.kustomizations.get_mut(directory)
    {
        for item in kustomization.items.values_mut().flatten() {
            *item = item.replace(name, &new);
        }
    }
}

/// An overlay moves to another directory, with its target.
fn move_target(state: &mut State, random: &mut Random) {
    let Some(index) = state.targets.iter().position(|target| target.name == "prod") else { return };
    let old = state.targets[index].source.to_string();
    let new = format!("over/prod{}", random.below(3));
    if new == old {
        return;
    }
    let moved = |path: &String| path.strip_prefix(&format!("{old}/")).map(|rest| format!("{new}/{rest}"));
    state.files = state
        .files
        .iter()
        .map(|(path, entry)| (moved(path).unwrap_or(path.clone()), entry.clone()))
        .collect();
    if let Some(kustomization) = state.kustomizations.remove(&old) {
        state.kustomizations.insert(new.clone(), kustomization);
    }
    state.targets[index].source = new.into();
}

fn reconfigure(state: &mut State, random: &mut Random) {
    let index = random.below(state.targets.len());
    match &mut state.targets[index].renderer {
        Renderer::Kustomize(options) => {
            let option = "--enable-managedby-label".to_owned();
            if options.build_options.contains(&option) {
                options.build_options.retain(|own| *own != option);
            } else {
                options.build_options.push(option);
            }
        }
        Renderer::Plain(options) => options.recurse = !options.recurse,
        Renderer::Helm(options) => options.namespace = format!("space{}", random.below(3)),
        Renderer::Template(options) => {
            options.vars.insert("x".to_owned(), random.below(3).to_string());
        }
        Renderer::Command(_) => {}
    }
}

/// One more feature, or one entry less.
fn grow_or_shrink(state: &mut State, random: &mut Random) {
    let directories: Vec<String> = state.kustomizations.keys().cloned().collect();
    let Some(directory) = random.pick(&directories).cloned() else { return };
    if random.chance(60) && directory.matches('/').count() == 1 {
        let edge = *random.pick(&CHEAP).unwrap();
        return features::add(state, random, &directory, edge);
    }
    let kustomization = state.kustomizations.get_mut(&directory).unwrap();
    let place = random.below(kustomization.items.len());
    if let Some(items) = kustomization.items.values_mut().nth(place)
        && !items.is_empty()
    {
        let index = random.below(items.len());
        items.remove(index);
    }
}
