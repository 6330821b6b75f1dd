//! Generated manifests with values that nobody shall see, readable and not: none shows, and each change of one does.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use hydrator::compare::{Comparison, Document, Rules, compare};
use hydrator::model::{ManifestId, SecretRule};

use crate::support::random::Random;

/// The values of one manifest by where they are.
type Values = BTreeMap<String, String>;

/// Few values, so that they often are the same in two places.
fn value(random: &mut Random) -> String {
    format!("hunter{}", random.below(3))
}

fn values(random: &mut Random, keys: &[&str]) -> Values {
    let chosen: Vec<&&str> = keys.iter().filter(|_| random.chance(70)).collect();
    chosen.into_iter().map(|key| ((*key).to_owned(), value(random))).collect()
}

fn edited(random: &mut Random, values: &Values, keys: &[&str]) -> Values {
    let mut edited = values.clone();
    for key in keys {
        if random.chance(15) {
            edited.remove(*key);
        } else if random.chance(20) || (edited.contains_key(*key) && random.chance(15)) {
            edited.insert((*key).to_owned(), value(random));
        }
    }
    edited
}

/// The entries in any order.
fn mixed(random: &mut Random, values: &Values) -> Vec<(String, String)> {
    let mut entries: Vec<(String, String)> = values.clone().into_iter().collect();
    for index in (1..entries.len()).rev() {
        entries.swap(index, random.below(index + 1));
    }
    entries
}

/// What is odd about a text.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Oddity {
    None,
    /// A label stands twice.
    Label,
    /// Every value stands twice, the one that counts below.
    Values,
    /// A key is no text.
    Key,
    /// It nests too deeply to be looked into.
    Depth,
}

fn oddity(random: &mut Random) -> Oddity {
    let all = [Oddity::None, Oddity::None, Oddity::Label, Oddity::Values, Oddity::Key, Oddity::Depth];
    *random.pick(&all).unwrap()
}

fn more(oddity: Oddity) -> String {
    match oddity {
        Oddity::Key => "extra: {[a]: hunter9}\n".to_owned(),
        Oddity::Depth => format!("extra: {}{}\n", "[".repeat(120), "]".repeat(120)),
        _ => String::new(),
    }
}

const KEYS: [&str; 4] = ["user", "password", "token", "tls.key"];

fn secret(random: &mut Random, values: &Values, oddity: Oddity) -> String {
    let labels = if oddity == Oddity::Label { "\n  labels: {app: a, app: a}" } else { "" };
    let mut text = format!("apiVersion: v1\nkind: Secret\nmetadata:\n  name: a{labels}\nstringData:\n");
    for (key, value) in mixed(random, values) {
        if oddity == Oddity::Values {
            let _ = writeln!(text, "  {key}: hunter0");
        }
        let comment = if random.chance(20) { " # it is hunter8" } else { "" };
        let _ = writeln!(text, "  {key}: {value}{comment}");
    }
    text + &more(oddity)
}

/// Where values of an application are; the rules name them by their places and by what they are called.
const PLACES: [&str; 5] = ["token", "users/0", "users/1", "env/A", "env/B"];

fn rules() -> Vec<SecretRule> {
    let paths = ["/spec/token", "/spec/users/*/password", "/spec/env/A/value", "/spec/env/B/value"];
    paths.map(|path| SecretRule { path: path.to_owned(), ..SecretRule::default() }).to_vec()
}

fn application(random: &mut Random, values: &Values, oddity: Oddity) -> String {
    let labels = if oddity == Oddity::Label { "\n  labels: {app: a, app: a}" } else { "" };
    let mut text = format!("apiVersion: v1\nkind: App\nmetadata:\n  name: a{labels}\nspec:\n  size: 1\n");
    let (mut users, mut env) = (String::new(), String::new());
    for (place, value) in mixed(random, values) {
        match place.split_once('/') {
            None => {
                let twice = if oddity == Oddity::Values { "  token: hunter0\n" } else { "" };
                let _ = writeln!(text, "{twice}  token: {value}");
            }
            Some(("env", name)) => {
                let _ = writeln!(env, "  - {{name: {name}, value: {value}}}");
            }
            Some(_) => {}
        }
    }
    for value in ["users/0", "users/1"].iter().filter_map(|place| values.get(*place)) {
        let _ = writeln!(users, "  - {{password: {value}, role: x}}");
    }
    for (key, items) in [("users", users), ("env", env)] {
        if !items.is_empty() {
            let _ = write!(text, "  {key}:\n{items}");
        }
    }
    text + &more(oddity)
}

fn compared(kind: &str, base: &str, head: &str, form: bool) -> Comparison {
    let document = |text: &str| {
        let (kind, name) = (kind.to_owned(), "a".to_owned());
        let id = ManifestId { group: String::new(), kind, namespace: String::new(), name };
        Document { id, text: Some(text.to_owned()) }
    };
    let secrets = rules();
    compare(
        "web",
        &[document(base)],
        &[document(head)],
        &Rules { secrets: &secrets, form, ..Rules::default() },
    )
}

/// Whether a manifest means something else; lists without names have places.
fn differs(before: &Values, after: &Values) -> bool {
    let list = |values: &Values| -> Vec<String> {
        ["users/0", "users/1"].iter().filter_map(|place| values.get(*place).cloned()).collect()
    };
    let rest = |values: &Values| -> Values {
        let mut rest = values.clone();
        rest.retain(|place, _| !place.starts_with("users/"));
        rest
    };
    rest(before) != rest(after) || list(before) != list(after)
}

#[test]
fn no_hidden_value_shows_and_every_change_of_one_does() {
    for seed in 0..4_000 {
        let mut random = Random::new(seed);
        let is_secret = random.chance(50);
        let (kind, keys) = if is_secret { ("Secret", &KEYS[..]) } else { ("App", &PLACES[..]) };
        let before = values(&mut random, keys);
        let after = edited(&mut random, &before, keys);
        let odd = oddity(&mut random);
        let oddities = [odd, if random.chance(80) { odd } else { oddity(&mut random) }];
        let write = if is_secret { secret } else { application };
        let base = write(&mut random, &before, oddities[0]);
        let head = write(&mut random, &after, oddities[1]);
        let found = compared(kind, &base, &head, false);
        let seen = format!("{found:?}");
        let exact = compared(kind, &base, &head, true);
        for seen in [&seen, &format!("{exact:?}")] {
            assert!(
                !seen.contains("hunter"),
                "seed {seed}: a value is seen\n{base}\n---\n{head}\n---\n{seen}"
            );
        }
        assert_eq!(exact.changes.len(), usize::from(base != head), "seed {seed}\n{base}\n---\n{head}");
        assert_eq!(seen, format!("{:?}", compared(kind, &base, &head, false)), "seed {seed}: twice the same");
        if !differs(&before, &after) {
            let is_calm = oddities == [Oddity::None; 2];
            assert!(
                !is_calm || found.changes.is_empty(),
                "seed {seed}: nothing changed\n{base}\n---\n{head}"
            );
            continue;
        }
        assert_eq!(found.changes.len(), 1, "seed {seed}: a change is lost\n{base}\n---\n{head}");
        let is_read = oddities.iter().all(|one| ![Oddity::Key, Oddity::Depth].contains(one));
        if is_secret && is_read {
            let signals: Vec<&str> = found.changes[0].signals.iter().map(|one| one.text.as_str()).collect();
            let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
            for key in keys.into_iter().filter(|key| before.get(*key) != after.get(*key)) {
                let is_named = signals.iter().any(|signal| signal.contains(key.as_str()));
                assert!(is_named, "seed {seed}: {key} is not named\n{base}\n---\n{head}\n---\n{signals:?}");
            }
        }
    }
}
