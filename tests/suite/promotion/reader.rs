//! A small reader of hydrated branches, after GitOps Promoter's rules P1 to P9: what it would refuse fails the test.

use std::collections::BTreeMap;

use hydrator::model::CommitId;
use serde_json::Value;

use super::ground::{Ground, oid};

/// Reads every environment's branches as GitOps Promoter does. `hydrated` is the DRY commit that was just hydrated, with the
/// environments for which it was.
pub(super) fn check(ground: &Ground, hydrated: Option<(CommitId, &[&str])>) {
    notes_only_grow(ground);
    let mut dates: BTreeMap<String, String> = BTreeMap::new();
    for environment in &ground.plan.environments {
        let (active, proposed) =
            (format!("hydrator/{}", environment.name), format!("hydrator/{}-next", environment.name));
        let is_done = |(_, names): &(CommitId, &[&str])| names.contains(&environment.name.as_str());
        let processed = hydrated.filter(is_done).map(|(commit, _)| commit);
        // Somebody deletes a branch, and nothing was hydrated since.
        if processed.is_none() && ground.tip(&proposed).is_none() {
            continue;
        }
        // P1 and P2: both are there, under names that it derives from each other.
        let tips = [&active, &proposed]
            .map(|branch| ground.tip(branch).unwrap_or_else(|| panic!("P1: there is no {branch}")));
        assert!(proposed.len() <= 100 && proposed == format!("{active}-next"), "P2: {proposed}");
        // P3: `git merge-tree` needs a common ancestor.
        let common = ground.git.merge_base(oid(tips[0]), oid(tips[1]));
        assert!(common.is_ok(), "P3: {proposed} shares no history with {active}");
        for (branch, tip) in [&active, &proposed].into_iter().zip(tips) {
            let Some(text) = ground.file(tip, "hydrator.metadata") else {
                assert!(*branch == active, "P4: {branch} has no metadata");
                continue;
            };
            let (dry, date) = metadata(&text, branch);
            // P5: the same instant for the same DRY commit everywhere.
            let known = dates.entry(dry).or_insert_with(|| date.clone());
            assert_eq!(*known, date, "P5: {branch}");
        }
        has_news(ground, tips[1], &proposed);
        // What is rolled back as a whole, or about to be, stays where it is; so does its note.
        let stays = tips.iter().any(|tip| {
            let text = ground.file(*tip, "hydrator.metadata").unwrap_or_default();
            let value: Value = serde_json::from_str(&text).unwrap_or_default();
            let is_whole = value["hold"]["targets"].as_object().is_none_or(serde_json::Map::is_empty);
            !value["hold"].is_null() && (is_whole || !value["intent"].is_null())
        });
        noted(ground, tips[1], &proposed, processed.filter(|_| !stays));
    }
}

/// P4 to P6: the DRY commit's full id, and when it was made.
fn metadata(text: &str, branch: &str) -> (String, String) {
    let value: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("P4: {branch}: {error}"));
    let dry = value["drySha"].as_str().unwrap_or_default().to_owned();
    assert!(is_full(&dry), "P4: {branch}: {dry}");
    let date = value["date"].as_str().unwrap_or_default().to_owned();
    assert!(value["date"].is_null() || date.parse::<jiff::Timestamp>().is_ok(), "P5: {branch}: {date}");
    assert!(value["author"].is_string(), "P6: {branch}: {}", value["author"]);
    for reference in value["references"].as_array().into_iter().flatten() {
        assert!(is_full(reference["commit"]["sha"].as_str().unwrap_or_default()), "P6: {branch}");
        let url = &reference["commit"]["repoURL"];
        assert!(
            url.is_null() || url.as_str().is_some_and(|url| url.starts_with("http")),
            "P6: {branch}: {url}"
        );
    }
    (dry, date)
}

/// P7: a commit of ours changes manifests.
fn has_news(ground: &Ground, tip: CommitId, branch: &str) {
    let commit = ground.git.find_commit(oid(tip)).expect("a tip is a commit");
    let is_ours = commit.message().is_ok_and(|message| message.contains("Hydrator-Dry-Sha: "));
    // The end of a hold may be all that is new.
    let text = ground.file(tip, "hydrator.metadata").unwrap_or_default();
    let is_ours = is_ours && !text.contains("\"intent\": \"resume\"");
    if let (true, Ok(parent)) = (is_ours && commit.parent_count() == 1, commit.parent_id(0)) {
        let before = ground.manifest(super::ground::id(parent));
        assert_ne!(ground.manifest(tip), before, "P7: {branch} has a commit that changes nothing");
    }
}

/// P9: notes are added to those that are there, never put in their place.
fn notes_only_grow(ground: &Ground) {
    let now = ground.git.refname_to_id("refs/notes/hydrator.metadata").ok();
    if let (Some(before), Some(now)) = (ground.notes.replace(now), now) {
        let follows = now == before || ground.git.graph_descendant_of(now, before).expect("both are there");
        assert!(follows, "P9: notes were lost\n{}", super::model::picture(ground));
    }
}

/// P8: the note is there, and names the DRY commit.
fn noted(ground: &Ground, tip: CommitId, branch: &str, processed: Option<CommitId>) {
    let note = ground.note(tip).unwrap_or_else(|| panic!("P8: there is no note on {branch}"));
    let value: Value = serde_json::from_str(&note).unwrap_or_else(|error| panic!("P8: {branch}: {error}"));
    assert!(is_full(value["drySha"].as_str().unwrap_or_default()), "P8: {branch}: {note}");
    if let Some(processed) = processed {
        let story = super::model::picture(ground);
        assert_eq!(value["drySha"], processed.to_string(), "P8: {branch}\n{story}");
    }
}

fn is_full(id: &str) -> bool {
    id.len() == 40 && id.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}
