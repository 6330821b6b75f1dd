//! Which step a pull request needs, by example.

use super::*;
use crate::model::{CommitId, LabelNames, ObjectId, PullRequestSettings};

fn branch(name: &str) -> BranchName {
    BranchName::new(name).unwrap()
}

fn wanted_look() -> PullRequestLook {
    PullRequestLook {
        title: "Promote".to_owned(),
        body: "Body\nof two lines\n".to_owned(),
        labels: vec!["production".to_owned()],
        reviewers: vec!["Alice".to_owned()],
        ..Default::default()
    }
}

fn wanted_open() -> NewPullRequest {
    NewPullRequest { head: branch("next"), base: branch("active"), look: wanted_look() }
}

fn existing(number: u64, base: &str) -> PullRequest {
    PullRequest {
        number,
        url: format!("https://example.com/{number}"),
        state: PullRequestState::Open,
        head: branch("next"),
        head_sha: CommitId::from_bytes([1; 20]),
        base: branch(base),
        title: "Promote".to_owned(),
        body: "Body\r\nof two lines".to_owned(),
        labels: vec!["by-a-person".to_owned(), "Production".to_owned()],
        label_names: LabelNames::AnyCase,
        reviewers: vec!["alice".to_owned(), "bob".to_owned()],
        team_reviewers: Vec::new(),
        assignees: vec!["carol".to_owned()],
        draft: true,
        auto_merge: false,
        merged_at: None,
        head_statuses: None,
    }
}

#[test]
fn nothing_is_written_where_nothing_differs() {
    let step = decide(&Wanted::Open(wanted_open()), &[existing(1, "active")]);
    assert_eq!(step, PullRequestStep::Leave);
}

#[test]
fn every_difference_is_an_update() {
    let changes: [fn(&mut PullRequest); 4] = [
        |found| found.title.push('!'),
        |found| found.body.push('!'),
        |found| found.labels.clear(),
        |found| found.reviewers.clear(),
    ];
    for change in changes {
        let mut found = existing(1, "active");
        change(&mut found);
        let step = decide(&Wanted::Open(wanted_open()), &[found]);
        assert_eq!(step, PullRequestStep::Update { number: 1, look: wanted_look() });
    }
}

#[test]
fn a_pull_request_to_another_base_is_left_alone() {
    let step = decide(&Wanted::Open(wanted_open()), &[existing(1, "elsewhere")]);
    assert_eq!(step, PullRequestStep::Open(wanted_open()));
    let closed = Wanted::Closed { head: branch("next"), base: branch("active"), comment: "Gone.".to_owned() };
    assert_eq!(decide(&closed, &[existing(1, "elsewhere")]), PullRequestStep::Leave);
}

#[test]
fn an_unwanted_one_is_closed_with_a_comment() {
    let closed = Wanted::Closed { head: branch("next"), base: branch("active"), comment: "Gone.".to_owned() };
    let step = decide(&closed, &[existing(1, "elsewhere"), existing(2, "active")]);
    assert_eq!(step, PullRequestStep::Close { number: 2, comment: "Gone.".to_owned() });
    assert_eq!(decide(&closed, &[]), PullRequestStep::Leave);
}

#[test]
fn names_and_labels_are_current_however_they_are_written() {
    let settings = PullRequestSettings {
        labels: vec!["production".to_owned()],
        reviewers: vec!["Alice".to_owned()],
        assignees: vec!["CAROL".to_owned()],
        ..Default::default()
    };
    let change = ObjectId::from_bytes([7; 20]);
    let text = crate::promote::text_version(&settings);
    let change_text = change.to_string();
    let mut open = existing(1, "active");
    open.body = crate::escape::marker(&[("change", &change_text), ("text", &text)]);
    assert!(crate::promote::is_current(&open, change, &settings));
    // Where labels are what is written, that one is another.
    open.label_names = LabelNames::Scoped;
    assert!(!crate::promote::is_current(&open, change, &settings));
    open.labels.push("production".to_owned());
    assert!(crate::promote::is_current(&open, change, &settings));
}
