//! What every forge does when it is asked, verb by verb. Each story is one that a run relies on.

use std::collections::BTreeSet;

use hydrator::forge::{
    ArmOutcome, Deployment, Forge, MergeOutcome, MergeState, NewPullRequest, PullRequestLook, Reaction,
};
use hydrator::model::{
    BranchName, CommitId, CommitState, CommitStatus, MergeMethod, PullRequest, PullRequestOperation,
    PullRequestState,
};
use hydrator::promote::{PullRequestStep, apply};

use super::{repo_of, set};
use crate::support::git::TestRepo;
use crate::support::person::Change;

/// A forge that can be asked by the library.
pub(crate) trait Asked: Sized {
    /// A forge over a remote, which merges by itself where it is asked to.
    fn begin(repo: &TestRepo) -> Self;
    /// A new connection, which knows nothing yet.
    fn connect(&self) -> Box<dyn Forge>;
    /// Makes a status required on every branch.
    fn require(&self, context: &str);
}

const GATE: &str = "smoke";
const ACTIVE: &str = "env/dev";
const PROPOSED: &str = "env/dev-next";

/// An active branch with content, and a proposed one with one commit more.
struct Ground<F> {
    repo: TestRepo,
    forge: F,
}

fn branch(name: &str) -> BranchName {
    BranchName::new(name).unwrap()
}

fn look(title: &str, labels: &[&str]) -> PullRequestLook {
    PullRequestLook {
        title: title.to_owned(),
        body: format!("About {title}.\n\n- one\n- two"),
        labels: labels.iter().map(|label| (*label).to_owned()).collect(),
        ..PullRequestLook::default()
    }
}

impl<F: Asked> Ground<F> {
    fn new() -> Self {
        let repo = repo_of(&["dev"]);
        let ground = Self { forge: F::begin(&repo), repo };
        ground.commit(ACTIVE, "a: 1\n");
        let tip = ground.tip(ACTIVE).to_string();
        ground.repo.remote_git().run(&["update-ref", &format!("refs/heads/{PROPOSED}"), &tip]);
        ground.commit(PROPOSED, "a: 2\n");
        ground
    }

    fn commit(&self, branch: &str, text: &str) {
        let files = [("a.yaml".to_owned(), text.to_owned())].into_iter().collect();
        self.repo.person().commit(branch, &Change { files, ..Change::default() }, "Change");
    }

    fn tip(&self, branch: &str) -> CommitId {
        CommitId::parse(&self.repo.tip(branch).expect("it is there")).unwrap()
    }

    /// Whether a commit is in the active branch's history.
    fn holds(&self, commit: CommitId) -> bool {
        self.repo.remote_git().run(&["rev-list", ACTIVE]).contains(&commit.to_string())
    }

    fn wanted(look: PullRequestLook) -> NewPullRequest {
        NewPullRequest { head: branch(PROPOSED), base: branch(ACTIVE), look }
    }

    /// Opens the pull request, with a connection that is used afterwards.
    fn open(&self) -> (Box<dyn Forge>, PullRequest) {
        let forge = self.forge.connect();
        let opened = forge.open(&Self::wanted(look("first", &["ours"]))).unwrap();
        (forge, opened)
    }

    /// The pull request as a new connection sees it.
    fn now(&self) -> PullRequest {
        let (head, base) = (branch(PROPOSED), branch(ACTIVE));
        self.forge.connect().newest_pull_request(&head, &base).unwrap().expect("there is one")
    }

    fn say(&self, forge: &dyn Forge, state: CommitState, description: &str) {
        let description = description.to_owned();
        let status = CommitStatus { context: GATE.to_owned(), state, description, created_at: None };
        forge.set_status(self.tip(PROPOSED), &status).unwrap();
    }
}

fn no_commit() -> CommitId {
    CommitId::parse(&"1".repeat(40)).unwrap()
}

pub(crate) fn a_pull_request_is_opened_once_changed_and_closed_once<F: Asked>() {
    let ground = Ground::<F>::new();
    let (forge, opened) = ground.open();
    assert_eq!(
        (opened.state, opened.head.as_str(), opened.base.as_str()),
        (PullRequestState::Open, PROPOSED, ACTIVE)
    );
    assert_eq!((opened.head_sha, opened.draft, opened.auto_merge), (ground.tip(PROPOSED), false, false));
    // Somebody else is as fast, and asks for something else.
    let again = ground.forge.connect().open(&Ground::<F>::wanted(look("other", &["theirs"]))).unwrap();
    assert_eq!(again.number, opened.number);
    let open = ground.forge.connect().open_pull_requests().unwrap();
    assert_eq!(
        open.iter().map(|one| (one.number, one.title.as_str())).collect::<Vec<_>>(),
        [(opened.number, "first")]
    );
    let second = look("second", &["new"]);
    forge.update(opened.number, &second).unwrap();
    let now = ground.now();
    assert_eq!((now.title.as_str(), now.body.trim()), ("second", second.body.as_str()));
    // On GitHub labels are asked for beside, also of one that was there already.
    let labels: BTreeSet<&str> =
        now.labels.iter().map(String::as_str).filter(|label| *label != "theirs").collect();
    assert_eq!(labels, BTreeSet::from(["new", "ours"]), "labels are added");
    forge.remove_label(opened.number, "ours").unwrap();
    forge.remove_label(opened.number, "ours").unwrap();
    assert!(!ground.now().labels.contains(&"ours".to_owned()));
    // The head moves, and it follows.
    ground.commit(PROPOSED, "a: 3\n");
    assert_eq!(ground.now().head_sha, ground.tip(PROPOSED));
    forge.close(opened.number, "Not any more").unwrap();
    forge.close(opened.number, "Not any more").unwrap();
    let closed = ground.now();
    assert_eq!((closed.state, closed.merged_at), (PullRequestState::Closed, None));
    let comments = ground.forge.connect().comments(opened.number).unwrap();
    assert_eq!(comments.iter().map(|one| one.body.as_str()).collect::<Vec<_>>(), ["Not any more"]);
    // It is offered again: a new one.
    let (_, reopened) = ground.open();
    assert_ne!(reopened.number, opened.number);
}

pub(crate) fn steps_become_pull_requests<F: Asked>() {
    let ground = Ground::<F>::new();
    let forge = ground.forge.connect();
    let take = |step: &PullRequestStep| apply(step, forge.as_ref()).unwrap().operation;
    assert_eq!(take(&PullRequestStep::Leave), PullRequestOperation::None);
    assert!(ground.forge.connect().open_pull_requests().unwrap().is_empty());
    // Somebody else was as fast: what is there is made to look as wanted.
    let number = ground.forge.connect().open(&Ground::<F>::wanted(look("theirs", &[]))).unwrap().number;
    assert_eq!(
        take(&PullRequestStep::Open(Ground::<F>::wanted(look("ours", &[])))),
        PullRequestOperation::Created
    );
    assert_eq!((ground.now().number, ground.now().title.as_str()), (number, "ours"));
    let step = PullRequestStep::Update { number, look: look("newer", &["more"]) };
    assert_eq!(take(&step), PullRequestOperation::Updated);
    assert_eq!((ground.now().title.as_str(), ground.now().labels), ("newer", vec!["more".to_owned()]));
    let step = PullRequestStep::Close { number, comment: "Gone.".to_owned() };
    assert_eq!(take(&step), PullRequestOperation::Closed);
    assert_eq!(ground.now().state, PullRequestState::Closed);
    assert!(forge.comments(number).unwrap().iter().any(|said| said.body.contains("Gone.")));
}

pub(crate) fn the_newest_of_each_pair_is_found<F: Asked>() {
    let ground = Ground::<F>::new();
    let (forge, opened) = ground.open();
    let (head, base, other) = (branch(PROPOSED), branch(ACTIVE), branch("env/prod"));
    let found = forge.newest_of(&[(&head, &base), (&other, &base), (&base, &head)]).unwrap();
    let numbers: Vec<Option<u64>> = found.iter().map(|one| one.as_ref().map(|one| one.number)).collect();
    assert_eq!(numbers, [Some(opened.number), None, None]);
}

pub(crate) fn what_was_merged_last_is_found_behind_what_was_closed<F: Asked>() {
    let ground = Ground::<F>::new();
    let (forge, first) = ground.open();
    ground.say(forge.as_ref(), CommitState::Success, "good");
    forge.merge(first.number, first.head_sha, Some(MergeMethod::Merge)).unwrap();
    let tip = ground.tip(ACTIVE);
    ground.commit(PROPOSED, "a: 9\n");
    let (_, second) = ground.open();
    ground.forge.connect().close(second.number, "Not this one").unwrap();
    let (head, base, other) = (branch(PROPOSED), branch(ACTIVE), branch("env/prod"));
    let forge = ground.forge.connect();
    let both = forge.merged_of(&[(&head, &base), (&other, &base)]).unwrap();
    let one = forge.merged_of(&[(&head, &base)]).unwrap();
    let (_, along) = forge.statuses_and_merged(&[tip], &[(&head, &base)]).unwrap();
    for found in [&both, &one, &along] {
        let found = found[0].as_ref().expect("one was merged");
        assert_eq!((found.number, found.head_sha), (first.number, first.head_sha));
        assert!(found.merged_at.is_some() && found.merged_as.is_none_or(|made| made == tip), "{found:?}");
    }
    assert!(both[1].is_none());
    assert_eq!(forge.newest_of(&[(&head, &base)]).unwrap()[0].as_ref().unwrap().number, second.number);
}

pub(crate) fn statuses_are_read_as_they_were_set<F: Asked>() {
    let ground = Ground::<F>::new();
    let (forge, opened) = ground.open();
    for (state, description) in [
        (CommitState::Pending, "waits"),
        (CommitState::Pending, "waits"),
        (CommitState::Pending, "soaks"),
        (CommitState::Success, "good"),
        (CommitState::Success, "good"),
        (CommitState::Failure, "bad"),
        (CommitState::Error, "gone"),
        (CommitState::Pending, "again"),
    ] {
        ground.say(forge.as_ref(), state, description);
        let (head, active) = (opened.head_sha, ground.tip(ACTIVE));
        for asked in [&[head][..], &[head, active, no_commit()]] {
            let found = ground.forge.connect().statuses(asked).unwrap();
            let [status] = found[&head].as_slice() else { panic!("{found:?}") };
            assert_eq!((status.context.as_str(), status.state), (GATE, state));
            assert_eq!(status.description, description);
            assert!(status.created_at.is_some());
            assert!(
                asked.iter().skip(1).all(|commit| found.get(commit).is_none_or(Vec::is_empty)),
                "{found:?}"
            );
        }
    }
    let status = CommitStatus {
        context: "x".to_owned(),
        state: CommitState::Success,
        description: String::new(),
        created_at: None,
    };
    assert!(forge.set_status(no_commit(), &status).is_err(), "there is no such commit");
}

pub(crate) fn a_merge_waits_for_its_status_and_names_its_head<F: Asked>() {
    for method in [Some(MergeMethod::Merge), Some(MergeMethod::Squash)] {
        let ground = Ground::<F>::new();
        ground.forge.require(GATE);
        let (forge, opened) = ground.open();
        assert!(forge.requires_status(&opened.base, GATE).unwrap());
        assert!(matches!(forge.mergeability(opened.number).unwrap().state, MergeState::Blocked(_)));
        let before = ground.tip(ACTIVE);
        assert!(matches!(
            forge.merge(opened.number, opened.head_sha, method).unwrap(),
            MergeOutcome::Blocked(_)
        ));
        ground.say(forge.as_ref(), CommitState::Success, "good");
        assert!(matches!(forge.merge(opened.number, no_commit(), method).unwrap(), MergeOutcome::Blocked(_)));
        assert_eq!(ground.tip(ACTIVE), before);
        let ready = forge.mergeability(opened.number).unwrap();
        assert_eq!((ready.state, ready.head_sha, ready.armed), (MergeState::Ready, opened.head_sha, false));
        let MergeOutcome::Merged(made) = forge.merge(opened.number, opened.head_sha, method).unwrap() else {
            panic!("nothing hinders it")
        };
        assert_eq!(made, ground.tip(ACTIVE));
        assert_eq!(ground.holds(opened.head_sha), method != Some(MergeMethod::Squash), "{method:?}");
        assert_eq!(ground.repo.show(ACTIVE, "a.yaml"), "a: 2\n");
        let merged = ground.now();
        assert!(merged.state == PullRequestState::Merged && merged.merged_at.is_some(), "{merged:?}");
        assert!(matches!(forge.mergeability(opened.number).unwrap().state, MergeState::Stuck(_)));
        // What brought the commit in is known afterwards.
        let landed = ground.forge.connect().landings(&[made]).unwrap().remove(&made).unwrap();
        let [by] = landed.pull_requests.as_slice() else { panic!("{landed:?}") };
        assert_eq!((by.number, by.merge_commit, by.base.as_str()), (opened.number, Some(made), ACTIVE));
    }
}

pub(crate) fn what_is_armed_merges_by_itself<F: Asked>() {
    let ground = Ground::<F>::new();
    ground.forge.require(GATE);
    let (forge, opened) = ground.open();
    let (number, head) = (opened.number, opened.head_sha);
    // GitLab waits for a pipeline that goes on, and for nothing that is not there.
    ground.say(forge.as_ref(), CommitState::Pending, "waits");
    forge.disarm(number).unwrap();
    assert_eq!(forge.arm(number, head, Some(MergeMethod::Squash)).unwrap(), ArmOutcome::Armed);
    assert!(ground.forge.connect().mergeability(number).unwrap().armed && ground.now().auto_merge);
    forge.disarm(number).unwrap();
    assert!(!ground.now().auto_merge);
    assert_eq!(forge.arm(number, head, Some(MergeMethod::Squash)).unwrap(), ArmOutcome::Armed);
    ground.say(ground.forge.connect().as_ref(), CommitState::Success, "good");
    assert_eq!(ground.now().state, PullRequestState::Merged);
    assert!(!ground.holds(head), "it was squashed");
    forge.disarm(number).unwrap();
    let ready = Ground::<F>::new();
    ready.forge.require(GATE);
    let (forge, opened) = ready.open();
    ready.say(forge.as_ref(), CommitState::Success, "good");
    assert_eq!(forge.arm(opened.number, opened.head_sha, None).unwrap(), ArmOutcome::MergeableNow);
}

pub(crate) fn a_race_for_the_merge_has_one_winner<F: Asked>() {
    let ground = Ground::<F>::new();
    let (forge, opened) = ground.open();
    let old = opened.head_sha;
    ground.commit(PROPOSED, "a: 3\n");
    let outcome = forge.merge(opened.number, old, None).unwrap();
    assert!(matches!(outcome, MergeOutcome::Blocked(_)), "its head was moved: {outcome:?}");
    let new = ground.tip(PROPOSED);
    let MergeOutcome::Merged(made) = ground.forge.connect().merge(opened.number, new, None).unwrap() else {
        panic!()
    };
    // The other one is too late, and nothing moves any more.
    assert!(
        !matches!(forge.merge(opened.number, new, None), Ok(MergeOutcome::Merged(other)) if other != made)
    );
    assert_eq!(ground.tip(ACTIVE), made);
}

pub(crate) fn a_conflict_is_stuck<F: Asked>() {
    let ground = Ground::<F>::new();
    let (forge, opened) = ground.open();
    ground.commit(ACTIVE, "a: other\n");
    assert!(matches!(forge.mergeability(opened.number).unwrap().state, MergeState::Stuck(_)));
    let outcome = forge.merge(opened.number, opened.head_sha, None).unwrap();
    assert!(matches!(outcome, MergeOutcome::Blocked(_)), "{outcome:?}");
}

pub(crate) fn comments_are_ours_to_change<F: Asked>() {
    let ground = Ground::<F>::new();
    let (forge, opened) = ground.open();
    let number = opened.number;
    let (first, second) = (forge.say(number, "One\n\n`two`").unwrap(), forge.say(number, "Three").unwrap());
    assert!(first.mine && first.id != second.id && first.author == second.author);
    forge.change_comment(number, first.id, "Four").unwrap();
    assert!(forge.react(number, first.id, Reaction::Seen).unwrap());
    assert!(!ground.forge.connect().react(number, first.id, Reaction::Seen).unwrap());
    assert!(!forge.is_answered(number, first.id).unwrap());
    assert!(forge.react(number, first.id, Reaction::Refused).unwrap());
    assert!(forge.is_answered(number, first.id).unwrap() && !forge.is_answered(number, second.id).unwrap());
    assert!(forge.react(number, first.id, Reaction::Done).unwrap());
    forge.delete_comment(number, second.id).unwrap();
    forge.delete_comment(number, second.id).unwrap();
    let now = ground.forge.connect().comments(number).unwrap();
    assert_eq!(now.iter().map(|one| (one.id, one.body.as_str())).collect::<Vec<_>>(), [(first.id, "Four")]);
    assert!(forge.comments(99).is_err() && forge.change_comment(number, 7, "x").is_err());
}

pub(crate) fn the_newest_deployment_counts<F: Asked>() {
    let ground = Ground::<F>::new();
    let (one, two) = (ground.tip(ACTIVE), {
        set(&ground.repo, &["dev"], "second");
        ground.tip("main")
    });
    for commit in [one, two, one] {
        let (environment, description) = ("dev".to_owned(), "state".to_owned());
        let forge = ground.forge.connect();
        forge.record_deployment(&Deployment { environment, commit, description, url: None }).unwrap();
        let found = ground.forge.connect().deployments(&["dev", "prod"]).unwrap();
        assert_eq!(
            found.iter().map(|(name, one)| (name.as_str(), one.commit)).collect::<Vec<_>>(),
            [("dev", commit)]
        );
    }
}
