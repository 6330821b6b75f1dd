//! Which state a word means, on made-up histories.

use std::collections::BTreeMap;

use super::*;
use crate::hydrate::{Hold, Metadata};
use crate::model::{Commit, EnvironmentName, Identity, Moment, ObjectId};

fn id(text: &str) -> ObjectId {
    ObjectId::parse(&format!("{text:0<40}")).unwrap()
}

/// A state from words like `a1 d1 web=1 api=2 rollback`: commit, DRY commit, outputs.
fn state(words: &str) -> State {
    let parts: Vec<&str> = words.split(' ').collect();
    let outputs = parts[2..].iter().filter_map(|part| part.split_once('='));
    let content: BTreeMap<String, ObjectId> =
        outputs.map(|(output, tree)| (output.to_owned(), id(tree))).collect();
    let rollback = parts.contains(&"rollback");
    let metadata = Metadata {
        dry_sha: id(parts[1]).to_string(),
        intent: rollback.then_some(Intent::Rollback),
        hold: parts.contains(&"held").then(Hold::default),
        ..Metadata::default()
    };
    let nobody = Identity { name: String::new(), email: String::new() };
    let never = Moment { seconds: 0, offset_minutes: 0 };
    let commit = Commit {
        id: id(parts[0]),
        tree: id("0"),
        parents: Vec::new(),
        author: nobody,
        authored: never,
        committed: never,
        message: String::new(),
    };
    let tip = Tip { commit, metadata: Some(metadata), content, foreign: None, intact: true };
    State { tip, also: Vec::new(), ours: true, merged: None }
}

fn history(states: &[&str], complete: bool) -> History {
    History { states: states.iter().map(|words| state(words)).collect(), complete }
}

fn found(history: &History, reference: &str, outputs: &[&str]) -> Result<Found, String> {
    let outputs: Vec<String> = outputs.iter().map(|output| (*output).to_owned()).collect();
    let reference: Reference = reference.parse()?;
    resolve(history, &EnvironmentName::new("prod"), &reference, &outputs, &|state| {
        state.tip.commit.id == id("ba")
    })
    .map_err(|failure| failure.message)
}

#[test]
fn previous_is_the_newest_older_one_with_other_manifests() {
    let states = ["e1 d4 web=2", "e2 d3 web=2", "e3 d2 web=1", "e4 d1 web=0"];
    assert_eq!(history(&states, true).previous(&[]), Previous::State(2));
    assert_eq!(history(&states[..2], true).previous(&[]), Previous::None);
    assert_eq!(history(&states[..2], false).previous(&[]), Previous::Deeper);
    assert_eq!(History { states: Vec::new(), complete: true }.previous(&[]), Previous::None);
}

#[test]
fn previous_never_goes_back_to_what_was_rolled_back_from() {
    // 1, then 2 (bad), back to 1, and from there further back.
    let states = ["e1 d1 web=1 rollback", "e2 d2 web=2", "e3 d1 web=1", "e4 d0 web=0"];
    assert_eq!(history(&states, true).previous(&[]), Previous::State(3));
    assert_eq!(history(&states[..2], false).previous(&[]), Previous::Deeper);
    // What was promoted again since then is a state like any other.
    let again = ["e0 d5 web=5", "e9 d4 web=2", "e1 d1 web=1 rollback", "e2 d2 web=2", "e3 d1 web=1"];
    assert_eq!(history(&again, true).previous(&[]), Previous::State(1));
}

#[test]
fn previous_of_a_target_looks_at_the_target_alone() {
    let states = ["e1 d3 web=1 api=3", "e2 d2 web=1 api=2", "e3 d1 web=0 api=2", "e4 d0 api=1"];
    let history = history(&states, true);
    assert_eq!(history.previous(&["web".to_owned()]), Previous::State(2));
    assert_eq!(history.previous(&["api".to_owned()]), Previous::State(1));
    let gone = self::history(&["e1 d1 web=1 api=1", "e2 d0 api=1"], true);
    assert_eq!(gone.previous(&["web".to_owned()]), Previous::None, "it was not there before");
}

#[test]
fn a_state_has_several_names() {
    let mut history = history(&["aaaa1 d1 web=3", "ba d2 web=2", "aaaa2 d3 web=1", "c1 d3 web=1 held"], true);
    history.states[1].also.push(id("beef"));
    assert_eq!(found(&history, "BEEF", &[]), Ok(Found::State(1)));
    assert_eq!(found(&history, "aaaa2", &[]), Ok(Found::State(2)));
    assert_eq!(found(&history, "d3000", &[]), Ok(Found::State(2)));
    assert_eq!(found(&history, "2", &[]), Ok(Found::State(2)));
    assert_eq!(found(&history, "last-healthy", &[]), Ok(Found::State(1)));
    assert_eq!(found(&history, "previous", &[]), Ok(Found::State(1)));
    history.complete = false;
    assert_eq!(found(&history, "ffff", &[]), Ok(Found::Deeper));
    assert_eq!(found(&history, "17", &[]), Ok(Found::Deeper));
}

#[test]
fn what_names_no_state_is_refused() {
    let history = history(&["aaaa1 d1 web=3", "aaaa2 aaaa3 web=2"], true);
    let refused = |reference: &str| found(&history, reference, &[]).unwrap_err();
    assert!(refused("ffff").contains("`ffff` is no state of environment `prod`"));
    assert!(refused("9").contains("cannot go 9 states back: it has 1 older ones"));
    assert!(refused("last-healthy").contains("had all its statuses successful"));
    let ambiguous = refused("aaaa");
    assert!(ambiguous.contains("ambiguous") && ambiguous.contains(&id("aaaa3").to_string()), "{ambiguous}");
    for bad in ["", "abc", "HEAD", "main~1", "-1", "12345678901234567890123456789012345678901", "g000000"] {
        assert!(bad.parse::<Reference>().is_err(), "{bad}");
    }
}
