//! What a forge knows of a repository, whichever API it speaks: pull requests, statuses, people, rules. The branches
//! are those of the bare repository, looked at anew for every request, as a forge follows pushes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use camino::Utf8Path;
use git2::{MergeOptions, Oid, Repository};
use hydrator::git::bare::{BareRepository, Combined};
use hydrator::model::{CommitId, MergeMethod};

/// Where a pull request is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    Open,
    Closed,
    Merged,
}

/// How a pull request is merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Merge,
    Squash,
    Rebase,
}

impl From<MergeMethod> for Method {
    fn from(method: MergeMethod) -> Self {
        match method {
            MergeMethod::Merge => Self::Merge,
            MergeMethod::Squash => Self::Squash,
            MergeMethod::Rebase => Self::Rebase,
        }
    }
}

impl Method {
    /// The method with this name, in any case.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        match word.to_lowercase().as_str() {
            "merge" => Some(Self::Merge),
            "squash" => Some(Self::Squash),
            "rebase" => Some(Self::Rebase),
            _ => None,
        }
    }
}

/// One pull request.
#[derive(Clone, Debug)]
pub(crate) struct Pull {
    pub(crate) number: u64,
    pub(crate) author: String,
    pub(crate) title: String,
    pub(crate) body: String,
    pub(crate) life: Life,
    pub(crate) head: String,
    pub(crate) head_sha: String,
    /// Heads that it had before, oldest first.
    pub(crate) earlier: Vec<String>,
    pub(crate) base: String,
    pub(crate) base_sha: String,
    pub(crate) from_fork: bool,
    pub(crate) draft: bool,
    pub(crate) labels: Vec<String>,
    /// Those that it had when that was last looked at.
    worn: Vec<String>,
    /// Every time that a label was put on, oldest first.
    pub(crate) labelled: Vec<(String, i64)>,
    pub(crate) assignees: Vec<String>,
    /// Who is asked now.
    pub(crate) reviewers: Vec<String>,
    pub(crate) teams: Vec<String>,
    /// Who was asked at any time.
    pub(crate) asked: Vec<String>,
    pub(crate) asked_teams: Vec<String>,
    /// Reviewer and whether they approved.
    pub(crate) reviews: Vec<(String, bool)>,
    pub(crate) comments: Vec<Said>,
    pub(crate) auto_merge: Option<Method>,
    pub(crate) created_at: i64,
    /// When its head was moved last.
    pub(crate) moved_at: Option<i64>,
    /// When it was moved last to a commit that does not contain the one before, and to which.
    pub(crate) forced: Option<(i64, String)>,
    pub(crate) merged_at: Option<i64>,
    pub(crate) merge_commit: Option<String>,
    /// Whether somebody ticked that it is squashed.
    pub(crate) squash: bool,
    /// What a squash is to say, where somebody said so.
    pub(crate) squash_message: Option<String>,
    /// What its commits were squashed into.
    pub(crate) squash_commit: Option<String>,
}

impl Pull {
    /// Where the branches point, without what a forge keeps besides.
    pub(crate) fn is_open(&self) -> bool {
        self.life == Life::Open
    }

    fn close(&mut self, life: Life) {
        self.life = life;
        self.auto_merge = None;
    }
}

/// A comment.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) id: u64,
    pub(crate) author: String,
    pub(crate) body: String,
    pub(crate) at: i64,
    /// Who reacted, and how.
    pub(crate) reactions: Vec<(String, String)>,
}

/// A deployment.
#[derive(Clone, Debug)]
pub(crate) struct Deployed {
    pub(crate) id: u64,
    pub(crate) environment: String,
    pub(crate) commit: String,
    pub(crate) task: String,
    pub(crate) description: String,
    /// State and page of each, oldest first.
    pub(crate) statuses: Vec<(String, Option<String>)>,
    pub(crate) created_at: i64,
}

/// One status of a commit.
#[derive(Clone, Debug)]
pub(crate) struct Status {
    pub(crate) context: String,
    pub(crate) state: String,
    pub(crate) description: String,
    pub(crate) target_url: Option<String>,
    /// The branch that it was set for, where the forge asks for one.
    pub(crate) branch: Option<String>,
    /// The pipeline whose job it is, where the forge has such.
    pub(crate) pipeline: Option<u64>,
    pub(crate) created_at: i64,
}

/// Jobs that ran for a commit of a branch, or statuses from outside.
#[derive(Clone, Debug)]
pub(crate) struct Pipeline {
    pub(crate) id: u64,
    pub(crate) commit: String,
    pub(crate) branch: String,
    /// Such as `push`, `schedule` and `external`.
    pub(crate) source: &'static str,
}

/// Why a pull request is not merged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Hindrance {
    NotOpen,
    Draft,
    Conflict,
    Status(String),
    Review,
    Queue,
}

/// Everything that a forge knows of one repository.
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own on a forge")]
pub(crate) struct State {
    remote: PathBuf,
    /// Who the token belongs to.
    pub(crate) viewer: String,
    pub(crate) pulls: Vec<Pull>,
    /// By commit; the newest last.
    pub(crate) statuses: BTreeMap<String, Vec<Status>>,
    /// Oldest first, where the forge has such.
    pub(crate) pipelines: Vec<Pipeline>,
    /// Check runs by commit: name and, once they ended, how: `SUCCESS`, `SKIPPED`…
    pub(crate) checks: BTreeMap<String, Vec<(String, Option<&'static str>)>>,
    /// Oldest first.
    pub(crate) deployments: Vec<Deployed>,
    /// What people may do, where that is less or more than to write.
    pub(crate) permissions: BTreeMap<String, String>,
    /// People who may review and be assigned.
    pub(crate) people: BTreeSet<String>,
    pub(crate) teams: BTreeSet<String>,
    pub(crate) required_statuses: Vec<String>,
    /// What of the statuses keeps a pull request from being merged, where any are required.
    pub(crate) unmet: fn(&Self, &Pull) -> Option<String>,
    /// Required by classic protection instead of a ruleset.
    pub(crate) classic_statuses: Vec<String>,
    pub(crate) required_reviews: usize,
    pub(crate) allow_auto_merge: bool,
    pub(crate) merge_queue: bool,
    /// Whether pipelines of pull requests are of what a merge would make.
    pub(crate) merged_results: bool,
    pub(crate) drafts_supported: bool,
    pub(crate) default_method: Method,
    pub(crate) delete_branch_on_merge: bool,
    /// Whether merges are as on GitLab: squashes say the title alone where nobody says more, and are merged by a commit
    /// of its own where the project makes those; without such commits, the head itself comes in.
    pub(crate) gitlab_merges: bool,
    /// How often mergeability is asked before it is known.
    pub(crate) unknown: u32,
    /// How often a pull request is shown with the head that it had before the last push.
    pub(crate) late_heads: u32,
    /// Further rules, as the forge's own API describes them.
    pub(crate) rules: Vec<serde_json::Value>,
    /// Rules for branches whose names start like this.
    pub(crate) rules_for: Vec<(&'static str, serde_json::Value)>,
    /// Rulesets that the token's account may pass.
    pub(crate) bypassed: BTreeSet<u64>,
    /// Whether jobs may push with their own tokens.
    pub(crate) jobs_may_push: bool,
    /// Whether jobs may open pull requests; nothing where the token may not see that.
    pub(crate) jobs_may_open: Option<bool>,
    pub(crate) role: &'static str,
    /// Whether the forge itself starts jobs on a schedule.
    pub(crate) is_scheduled: bool,
    pub(crate) forbidden_methods: Vec<Method>,
    clock: i64,
}

/// 2026-01-01T10:00:00Z
const START: i64 = 1_767_261_600;

impl State {
    /// A repository that nobody has used yet.
    pub(crate) fn new(remote: PathBuf) -> Self {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            remote,
            viewer: "hydrator-app[bot]".to_owned(),
            pulls: Vec::new(),
            statuses: BTreeMap::new(),
            pipelines: Vec::new(),
            checks: BTreeMap::new(),
            deployments: Vec::new(),
            permissions: BTreeMap::new(),
            people: names(&["alice", "bob", "carol"]),
            teams: names(&["sre", "platform"]),
            required_statuses: Vec::new(),
            unmet: Self::unsuccessful,
            classic_statuses: Vec::new(),
            required_reviews: 0,
            allow_auto_merge: false,
            rules_for: Vec::new(),
            bypassed: BTreeSet::new(),
            jobs_may_open: None,
            jobs_may_push: false,
            role: "WRITE",
            is_scheduled: false,
            forbidden_methods: Vec::new(),
            merge_queue: false,
            merged_results: false,
            drafts_supported: true,
            default_method: Method::Merge,
            delete_branch_on_merge: false,
            gitlab_merges: false,
            unknown: 0,
            late_heads: 0,
            rules: Vec::new(),
            clock: START,
        }
    }

    /// The time; a second passes each time it is asked.
    pub(crate) fn now(&mut self) -> i64 {
        self.clock += 1;
        self.clock
    }

    /// The bare repository.
    pub(crate) fn git(&self) -> Repository {
        Repository::open_bare(&self.remote).expect("the remote is there")
    }

    /// The commit of a branch.
    pub(crate) fn tip(&self, branch: &str) -> Option<Oid> {
        self.git().refname_to_id(&format!("refs/heads/{branch}")).ok()
    }

    /// A pull request by number.
    pub(crate) fn pull(&mut self, number: u64) -> Option<&mut Pull> {
        self.pulls.iter_mut().find(|pull| pull.number == number)
    }

    /// Starts a pipeline, and returns its number.
    pub(crate) fn start_pipeline(&mut self, commit: &str, branch: &str, source: &'static str) -> u64 {
        let id = 501 + self.pipelines.len() as u64;
        let (commit, branch) = (commit.to_owned(), branch.to_owned());
        self.pipelines.push(Pipeline { id, commit, branch, source });
        id
    }

    /// A pipeline of the forge's own CI, whose jobs all succeed.
    pub(crate) fn run_jobs(&mut self, branch: &str, source: &'static str, jobs: &[&str]) -> u64 {
        let commit = self.tip(branch).expect("the branch is there").to_string();
        self.run_jobs_of((&commit, branch), source, jobs)
    }

    /// The same of a commit that need not be the branch's own.
    pub(crate) fn run_jobs_of(
        &mut self,
        (commit, branch): (&str, &str),
        source: &'static str,
        jobs: &[&str],
    ) -> u64 {
        let id = self.start_pipeline(commit, branch, source);
        for job in jobs {
            let status = Status {
                context: (*job).to_owned(),
                state: "success".to_owned(),
                description: String::new(),
                target_url: None,
                branch: Some(branch.to_owned()),
                pipeline: Some(id),
                created_at: self.now(),
            };
            self.statuses.entry(commit.to_owned()).or_default().push(status);
        }
        id
    }

    /// Writes a comment, and returns its number: large, as on a forge that many people use.
    pub(crate) fn say(&mut self, number: u64, author: &str, body: &str) -> Option<u64> {
        let all = self.pulls.iter().flat_map(|pull| &pull.comments).map(|comment| comment.id);
        let id = all.max().unwrap_or(3_000_000_000) + 1;
        let (author, body, at) = (author.to_owned(), body.to_owned(), self.clock);
        self.pull(number)?.comments.push(Said { id, author, body, at, reactions: Vec::new() });
        Some(id)
    }

    /// A comment by its number.
    pub(crate) fn comment(&mut self, id: u64) -> Option<&mut Said> {
        self.pulls.iter_mut().flat_map(|pull| &mut pull.comments).find(|comment| comment.id == id)
    }

    /// What somebody may do.
    pub(crate) fn permission(&self, login: &str) -> Option<&str> {
        let is_known = self.people.contains(&login.to_lowercase());
        self.permissions.get(login).map(String::as_str).or_else(|| is_known.then_some("write"))
    }

    /// The pull requests that were merged and brought a commit in.
    pub(crate) fn merged_with(&self, commit: &str) -> Vec<u64> {
        let git = self.git();
        let Ok(id) = Oid::from_str(commit) else { return Vec::new() };
        let brought = |pull: &&Pull| {
            let Some(merge) = pull.merge_commit.as_ref().filter(|_| pull.life == Life::Merged) else {
                return false;
            };
            let (Ok(made), Ok(head)) = (Oid::from_str(merge), Oid::from_str(&pull.head_sha)) else {
                return false;
            };
            let is_below = |of: Oid| of == id || git.graph_descendant_of(of, id).unwrap_or(false);
            let before = git.find_commit(made).ok().and_then(|made| made.parent_id(0).ok());
            let squashed = pull.squash_commit.as_deref() == Some(commit);
            made == id || squashed || is_below(head) && before.is_none_or(|before| !is_below(before))
        };
        self.pulls.iter().filter(brought).map(|pull| pull.number).collect()
    }

    /// Follows what was pushed: heads move; a head that lies on its base closes its pull request or calls it merged
    /// (promoter reference, section 4.6), a deleted one closes it.
    pub(crate) fn follow_pushes(&mut self) {
        let git = self.git();
        let now = self.now();
        for pull in self.pulls.iter_mut().filter(|pull| pull.is_open() && !pull.from_fork) {
            let tip = |branch: &str| git.refname_to_id(&format!("refs/heads/{branch}")).ok();
            let (Some(head), Some(base)) = (tip(&pull.head), tip(&pull.base)) else {
                pull.close(Life::Closed);
                continue;
            };
            let moved = pull.head_sha != head.to_string();
            pull.base_sha = base.to_string();
            if !moved {
                continue;
            }
            if head == base {
                pull.close(Life::Closed);
            } else if git.graph_descendant_of(base, head).unwrap_or(false) {
                pull.head_sha = head.to_string();
                pull.merged_at = Some(now);
                pull.merge_commit = Some(head.to_string());
                pull.close(Life::Merged);
            } else {
                let before = Oid::from_str(&pull.head_sha);
                let is_forward =
                    before.is_ok_and(|before| git.graph_descendant_of(head, before).unwrap_or(false));
                if !is_forward {
                    pull.forced = Some((now, head.to_string()));
                }
                pull.moved_at = Some(now);
                // Approvals are of a diff.
                pull.reviews.clear();
                pull.earlier.push(std::mem::replace(&mut pull.head_sha, head.to_string()));
            }
        }
    }

    /// Takes down which labels were put on.
    pub(crate) fn follow_labels(&mut self) {
        for pull in &mut self.pulls {
            let new = pull.labels.iter().filter(|label| !pull.worn.contains(label));
            pull.labelled.extend(new.map(|label| (label.clone(), self.clock)));
            pull.worn.clone_from(&pull.labels);
        }
    }

    /// Merges what is armed and hindered by nothing any more.
    pub(crate) fn merge_armed(&mut self) {
        let armed: Vec<(u64, Method)> =
            self.pulls.iter().filter_map(|pull| Some((pull.number, pull.auto_merge?))).collect();
        for (number, method) in armed {
            if self.hindrance(number).is_none() {
                self.merge(number, method).expect("nothing hinders it");
            }
        }
    }

    /// What keeps a pull request from being merged.
    pub(crate) fn hindrance(&self, number: u64) -> Option<Hindrance> {
        let pull = self.pulls.iter().find(|pull| pull.number == number)?;
        if !pull.is_open() {
            return Some(Hindrance::NotOpen);
        }
        if self.merge_queue {
            return Some(Hindrance::Queue);
        }
        if pull.draft {
            return Some(Hindrance::Draft);
        }
        if self.merged_tree(pull).is_none() {
            return Some(Hindrance::Conflict);
        }
        if let Some(context) = (self.unmet)(self, pull) {
            return Some(Hindrance::Status(context));
        }
        let approvals = pull.reviews.iter().filter(|(_, approved)| *approved).count();
        (approvals < self.required_reviews).then_some(Hindrance::Review)
    }

    /// A status that is required and not successful.
    fn unsuccessful(&self, pull: &Pull) -> Option<String> {
        let mut required = self.required_statuses.iter().chain(&self.classic_statuses);
        let is_met = |context: &str| {
            self.newest(&pull.head_sha, context).is_some_and(|status| status.state == "success")
        };
        required.find(|context| !is_met(context)).cloned()
    }

    /// The newest status of a context of a commit.
    pub(crate) fn newest(&self, commit: &str, context: &str) -> Option<&Status> {
        self.statuses.get(commit)?.iter().rfind(|status| status.context == context)
    }

    /// The newest status of every context of a commit.
    pub(crate) fn newest_of_all(&self, commit: &str) -> Vec<&Status> {
        let mut found: BTreeMap<&str, &Status> = BTreeMap::new();
        for status in self.statuses.get(commit).into_iter().flatten() {
            found.insert(&status.context, status);
        }
        found.into_values().collect()
    }

    /// The tree that a merge would give; nothing where the two sides are in each other's way.
    fn merged_tree(&self, pull: &Pull) -> Option<Oid> {
        let git = self.git();
        let (head, base) = (Oid::from_str(&pull.head_sha).ok()?, self.tip(&pull.base)?);
        let (head, base) = (git.find_commit(head).ok()?, git.find_commit(base).ok()?);
        let mut index = git.merge_commits(&base, &head, Some(&MergeOptions::new())).ok()?;
        if index.has_conflicts() { None } else { index.write_tree_to(&git).ok() }
    }

    /// How many commits a pull request offers.
    pub(crate) fn offered(&self, pull: &Pull) -> usize {
        let git = self.git();
        let count = || {
            let mut walk = git.revwalk().ok()?;
            walk.push(Oid::from_str(&pull.head_sha).ok()?).ok()?;
            walk.hide(self.tip(&pull.base)?).ok()?;
            Some(walk.count())
        };
        count().unwrap_or_default()
    }

    /// The commit that a merge makes, and that of a squash: the same ones as on the local forge, so that cases come out the
    /// same everywhere.
    fn combined(&self, pull: &Pull, method: Method) -> Option<(Oid, Option<Oid>)> {
        let path = Utf8Path::from_path(&self.remote)?;
        let repository = BareRepository::open(path).ok()?;
        let head = CommitId::parse(&pull.head_sha)?;
        let base = CommitId::parse(&self.tip(&pull.base)?.to_string())?;
        let Pull { number, title, .. } = pull;
        let made = match method {
            Method::Merge => {
                let message = format!("Merge pull request #{number} from {}\n\n{title}\n", pull.head);
                repository.merge(base, head, &message)
            }
            Method::Squash if self.gitlab_merges => {
                let squashed = repository.squash(base, head, pull.squash_message.as_ref().unwrap_or(title));
                let squash = commit_of(&squashed.ok()?)?;
                let merged = (self.default_method == Method::Merge).then(|| {
                    let Pull { head, base: onto, .. } = pull;
                    let message = format!(
                        "Merge branch '{head}' into '{onto}'\n\n{title}\n\nSee merge request acme/shop!{number}"
                    );
                    repository.merge(base, CommitId::parse(&squash.to_string())?, &message).ok()
                });
                let tip = merged.map_or(Some(squash), |merged| commit_of(&merged?));
                return Some((tip?, Some(squash)));
            }
            Method::Squash => {
                let message = format!("{title} (#{number})\n\n{}", repository.message_body(head).ok()?);
                repository.squash(base, head, &format!("{}\n", message.trim_end()))
            }
            Method::Rebase if self.gitlab_merges && self.is_ahead(pull) => Ok(Combined::Commit(head)),
            Method::Rebase => repository.rebase(base, head),
        };
        let made = commit_of(&made.ok()?)?;
        Some((made, (method == Method::Squash).then_some(made)))
    }

    /// Whether its base can be fast-forwarded to its head.
    fn is_ahead(&self, pull: &Pull) -> bool {
        let head = Oid::from_str(&pull.head_sha).ok();
        let pair = head.zip(self.tip(&pull.base));
        pair.is_some_and(|(head, base)| self.git().graph_descendant_of(head, base).unwrap_or(false))
    }

    /// Merges whatever hinders it but a conflict, and returns the base's new commit.
    pub(crate) fn merge(&mut self, number: u64, method: Method) -> Option<String> {
        let now = self.now();
        let pull = self.pulls.iter().find(|pull| pull.number == number)?.clone();
        self.merged_tree(&pull)?;
        let (commit, squash) = self.combined(&pull, method)?;
        let git = self.git();
        git.reference(&format!("refs/heads/{}", pull.base), commit, true, "merged").ok()?;
        if self.delete_branch_on_merge
            && let Ok(mut head) = git.find_reference(&format!("refs/heads/{}", pull.head))
        {
            head.delete().ok()?;
        }
        let is_rebased = self.gitlab_merges && method == Method::Rebase;
        let pull = self.pull(number)?;
        if is_rebased {
            pull.head_sha = commit.to_string();
        }
        pull.squash |= method == Method::Squash;
        pull.merged_at = Some(now);
        pull.merge_commit = Some(commit.to_string());
        pull.squash_commit = squash.map(|squash| squash.to_string());
        pull.close(Life::Merged);
        Some(commit.to_string())
    }

    /// Opens a pull request, or says in a word why not.
    pub(crate) fn open(&mut self, head: &str, base: &str, title: &str, body: &str) -> Result<u64, Refusal> {
        let git = self.git();
        let head_sha = self.tip(head).ok_or(Refusal::NoHead)?;
        let base_sha = self.tip(base).ok_or(Refusal::NoBase)?;
        let same = |pull: &&Pull| pull.is_open() && !pull.from_fork && pull.head == head && pull.base == base;
        if let Some(pull) = self.pulls.iter().find(same) {
            return Err(Refusal::Exists(pull.number));
        }
        if head_sha == base_sha || git.graph_descendant_of(base_sha, head_sha).unwrap_or(false) {
            return Err(Refusal::NothingBetween);
        }
        if git.merge_base(head_sha, base_sha).is_err() {
            return Err(Refusal::Unrelated);
        }
        let number = self.pulls.len() as u64 + 1;
        let pull = Pull {
            number,
            author: self.viewer.clone(),
            title: title.to_owned(),
            body: body.to_owned(),
            life: Life::Open,
            head: head.to_owned(),
            head_sha: head_sha.to_string(),
            earlier: Vec::new(),
            base: base.to_owned(),
            base_sha: base_sha.to_string(),
            from_fork: false,
            draft: false,
            labels: Vec::new(),
            worn: Vec::new(),
            labelled: Vec::new(),
            assignees: Vec::new(),
            reviewers: Vec::new(),
            teams: Vec::new(),
            asked: Vec::new(),
            asked_teams: Vec::new(),
            reviews: Vec::new(),
            comments: Vec::new(),
            auto_merge: None,
            created_at: self.now(),
            moved_at: None,
            forced: None,
            merged_at: None,
            merge_commit: None,
            squash: false,
            squash_message: None,
            squash_commit: None,
        };
        self.pulls.push(pull);
        Ok(number)
    }

    /// Closes a pull request.
    pub(crate) fn close(&mut self, number: u64) {
        if let Some(pull) = self.pull(number).filter(|pull| pull.is_open()) {
            pull.close(Life::Closed);
        }
    }
}

fn commit_of(made: &Combined) -> Option<Oid> {
    match made {
        Combined::Commit(commit) => Oid::from_str(&commit.to_string()).ok(),
        Combined::Conflicts(_) | Combined::Impossible(_) => None,
    }
}

/// Why a pull request is not opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    NoHead,
    NoBase,
    Exists(u64),
    NothingBetween,
    Unrelated,
}
