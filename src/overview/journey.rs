//! How far one DRY commit has come: one stop for each environment, as a page and in one line. Pure.
//!
//! Nothing here counts time, so that a page stays the same until something happens.

use std::collections::BTreeSet;

use super::told::{PROGRESS, mark};
use super::{Node, Stand, State, mermaid};
use crate::escape::{code, code_in_cell, cut, fence, link, one_line, prose};
use crate::model::{CommitId, CommitState, CommitStatus, EnvironmentName};

/// The longest description of a status that every forge takes, in characters.
const DESCRIPTION_LIMIT: usize = 140;
const WAIT_LIMIT: usize = 200;
const FAILED_IN: &str = "error in";
const ROLLED_BACK: &str = "rolled back to";
const FAILED: &str = "an error: see the last run";

/// One environment on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// The environment.
    pub name: EnvironmentName,
    /// Whether it has arrived, and if not, why.
    pub state: StopState,
    /// What is to be said of it, in Markdown.
    pub words: String,
    /// The pull request that brings it.
    pub request: Option<(u64, String)>,
    /// The DRY commit that the environment was rolled back to, away from this one.
    pub back_at: Option<CommitId>,
    after: Vec<usize>,
}

/// How a DRY commit stands to an environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopState {
    /// The environment runs it, or a newer one that has it.
    Arrived,
    /// It changes nothing there.
    Untouched,
    /// Its proposal may be merged.
    Ready,
    /// It waits for something.
    Waiting,
    /// It was not rendered yet.
    Unrendered,
    /// A person or a hold keeps it away.
    Stopped,
    /// An error keeps it away.
    Failed,
}

/// How far a DRY commit has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Journey {
    /// The DRY commit.
    pub commit: CommitId,
    /// In the configuration's order.
    pub stops: Vec<Stop>,
}

/// How far `commit` has come; `has` tells whether another DRY commit is this one or has it.
pub fn journey<E>(
    commit: CommitId,
    stands: &[Stand],
    mut has: impl FnMut(CommitId) -> Result<bool, E>,
) -> Result<Journey, E> {
    let mut stops = Vec::with_capacity(stands.len());
    for stand in stands {
        stops.push(stop(commit, stand, &mut has)?);
    }
    Ok(Journey { commit, stops })
}

fn stop<E>(
    commit: CommitId,
    stand: &Stand,
    has: &mut impl FnMut(CommitId) -> Result<bool, E>,
) -> Result<Stop, E> {
    let mut known = |other: Option<CommitId>| other.map_or(Ok(false), &mut *has);
    let (runs, processed) = (known(stand.runs)?, known(stand.processed)?);
    let brings = match &stand.offer {
        Some(offer) if !runs => known(offer.dry)?,
        _ => false,
    };
    let back_at = if !runs && known(stand.left)? { stand.runs } else { None };
    let offer = stand.offer.as_ref();
    let (state, words) = match offer {
        _ if runs => (StopState::Arrived, arrived(commit, stand.runs)),
        _ if stand.failed => (StopState::Failed, FAILED.to_owned()),
        Some(offer) if brings && offer.rejected => {
            (StopState::Stopped, "a person closed its pull request".to_owned())
        }
        Some(offer) if brings => {
            let gate = prose(&cut(&one_line(offer.verdict.description()), WAIT_LIMIT));
            let also = offer.dry.filter(|dry| *dry != commit);
            let with = also.map(|dry| format!("comes with {}; ", code(&dry.short()))).unwrap_or_default();
            if offer.verdict.is_open() {
                (StopState::Ready, format!("{with}{gate}"))
            } else {
                (StopState::Waiting, format!("{with}waits: {gate}"))
            }
        }
        _ if back_at.is_some() => {
            let to = back_at.map(|to| code(&to.short())).unwrap_or_default();
            (StopState::Stopped, format!("was {ROLLED_BACK} {to}"))
        }
        _ if stand.hold.is_some() => {
            let by = prose(stand.hold.as_deref().unwrap_or_default());
            (StopState::Stopped, format!("held by {by}"))
        }
        Some(_) => {
            let state = if processed { StopState::Waiting } else { StopState::Unrendered };
            (state, "comes after what waits there now".to_owned())
        }
        None if processed && stand.runs.is_some() => {
            (StopState::Untouched, "nothing changes there".to_owned())
        }
        None => (StopState::Unrendered, "not rendered yet".to_owned()),
    };
    Ok(Stop {
        name: stand.name.clone(),
        state,
        words,
        request: offer.filter(|_| brings).and_then(|offer| offer.request.clone()),
        back_at,
        after: stand.after.clone(),
    })
}

fn arrived(commit: CommitId, runs: Option<CommitId>) -> String {
    let newer = runs.filter(|runs| *runs != commit);
    newer.map_or_else(|| "runs it".to_owned(), |runs| format!("runs {}, which has it", code(&runs.short())))
}

impl Journey {
    /// Whether it is everywhere where it changes something.
    pub fn is_over(&self) -> bool {
        self.stops.iter().all(|stop| matches!(stop.state, StopState::Arrived | StopState::Untouched))
    }

    /// Takes over from the status before where it could not be rendered: only a run sees that happen, and whatever
    /// looks at it later would say that it was not tried yet.
    pub fn keep_failed(&mut self, before: &CommitStatus) {
        let unrendered = |stop: &&mut Stop| stop.state == StopState::Unrendered;
        for stop in self.stops.iter_mut().filter(unrendered) {
            if failed_in(before, &stop.name) {
                stop.state = StopState::Failed;
                FAILED.clone_into(&mut stop.words);
            }
        }
    }

    /// Whether an error keeps it away from anywhere.
    pub fn has_failed(&self) -> bool {
        self.stops.iter().any(|stop| stop.state == StopState::Failed)
    }

    /// Whether it changes anything anywhere.
    pub fn matters(&self) -> bool {
        self.stops.iter().any(|stop| stop.state != StopState::Untouched)
    }

    /// Whether it ran somewhere that was rolled back since.
    pub fn is_rolled_back(&self) -> bool {
        self.stops.iter().any(|stop| stop.back_at.is_some())
    }

    /// The status that says so.
    pub fn status(&self) -> CommitStatus {
        let part = |start: &str, is: fn(&Stop) -> bool| {
            let names = self.names(is);
            (!names.is_empty()).then(|| format!("{start} {names}"))
        };
        let mut parts = Vec::from_iter(part(FAILED_IN, |stop| stop.state == StopState::Failed));
        parts.extend(self.rolled_back());
        parts.extend(part("in", |stop| stop.state == StopState::Arrived));
        parts.extend(part("not yet in", |stop| {
            let is_told = stop.state == StopState::Failed || stop.back_at.is_some();
            !is_told && !matches!(stop.state, StopState::Arrived | StopState::Untouched)
        }));
        let text = parts.join("; ");
        let text = if text.is_empty() { "changes no environment".to_owned() } else { text };
        let state = match (self.has_failed(), self.is_over()) {
            (true, _) => CommitState::Failure,
            (false, true) => CommitState::Success,
            (false, false) => CommitState::Pending,
        };
        CommitStatus {
            context: PROGRESS.to_owned(),
            state,
            description: cut(&text, DESCRIPTION_LIMIT),
            created_at: None,
        }
    }

    fn names(&self, is: impl Fn(&Stop) -> bool) -> String {
        let names: Vec<&str> =
            self.stops.iter().filter(|stop| is(stop)).map(|stop| stop.name.as_str()).collect();
        names.join(", ")
    }

    /// One part for each DRY commit that environments were rolled back to. What is offered there is on the page: the
    /// words stay until the environment has arrived again.
    fn rolled_back(&self) -> Vec<String> {
        let mut all: Vec<CommitId> = self.stops.iter().filter_map(|stop| stop.back_at).collect();
        let mut seen = BTreeSet::new();
        all.retain(|to| seen.insert(*to));
        let part = |to: CommitId| {
            let is_it = |stop: &Stop| stop.back_at == Some(to);
            let verb = if self.stops.iter().filter(|stop| is_it(stop)).count() == 1 { "was" } else { "were" };
            format!("{} {verb} {ROLLED_BACK} {}", self.names(is_it), to.short())
        };
        all.into_iter().map(part).collect()
    }

    /// The page, as a comment.
    pub fn page(&self) -> String {
        let title = if self.is_over() { "is everywhere" } else { "is on its way" };
        let mut lines = vec![
            mark(self.commit, &self.status()),
            format!("### DRY commit {} {title}", code(&self.commit.short())),
            String::new(),
            "| environment | | |".to_owned(),
            "| --- | --- | --- |".to_owned(),
        ];
        lines.extend(self.stops.iter().map(row));
        lines.extend([String::new(), fence("mermaid", &mermaid(&self.nodes(), None)).trim_end().to_owned()]);
        if !self.is_over() {
            lines.extend([String::new(), COMMANDS.to_owned()]);
        }
        lines.join("\n") + "\n"
    }

    fn nodes(&self) -> Vec<Node> {
        let node = |stop: &Stop| Node {
            lines: vec![stop.name.to_string()],
            after: stop.after.clone(),
            state: match stop.state {
                StopState::Arrived => Some(State::Current),
                StopState::Untouched => None,
                StopState::Ready => Some(State::Ready),
                StopState::Waiting | StopState::Unrendered => Some(State::Waiting),
                StopState::Stopped => Some(State::Held),
                StopState::Failed => Some(State::Failed),
            },
            url: stop.request.as_ref().map(|(_, url)| url.clone()),
        };
        self.stops.iter().map(node).collect()
    }
}

/// Whether a status of a DRY commit says that an environment was rolled back from it.
pub fn is_rolled_back(status: &CommitStatus) -> bool {
    status.context == PROGRESS && status.description.contains(&format!(" {ROLLED_BACK} "))
}

/// Whether a status of a DRY commit says that it could not be rendered for the environment.
pub fn failed_in(status: &CommitStatus, name: &EnvironmentName) -> bool {
    if status.context != PROGRESS || status.state != CommitState::Failure {
        return false;
    }
    let first = status.description.split("; ").next().unwrap_or_default();
    let Some(names) = first.strip_prefix(FAILED_IN) else { return false };
    // A list that was cut may have had any name.
    names.ends_with('…') || names.trim().split(", ").any(|one| one == name.as_str())
}

const COMMANDS: &str = "Comments that do something here, with the name of an environment: `/hydrator promote`, \
                        `/hydrator hold`, `/hydrator rollback`, `/hydrator resume`.";

fn row(stop: &Stop) -> String {
    let sign = match stop.state {
        StopState::Arrived => "✅",
        StopState::Untouched => "➖",
        StopState::Ready => "🔵",
        StopState::Waiting | StopState::Unrendered => "⏳",
        StopState::Stopped => "⛔",
        StopState::Failed => "❌",
    };
    let request = stop.request.as_ref().map(|(number, url)| link(&format!("\\#{number}"), url));
    let words: Vec<&str> = request.iter().map(String::as_str).chain([stop.words.as_str()]).collect();
    format!("| {} | {sign} | {} |", code_in_cell(stop.name.as_str()), words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::Verdict;
    use crate::overview::Offer;

    fn commit(byte: u8) -> CommitId {
        CommitId::from_bytes([byte; 20])
    }

    /// An environment that runs one DRY commit and has processed another one.
    fn stand(name: &str, runs: u8, processed: u8, offer: Option<Offer>) -> Stand {
        Stand {
            name: EnvironmentName::new(name),
            after: Vec::new(),
            state: State::Waiting,
            failed: false,
            active: None,
            runs: Some(commit(runs)),
            processed: Some(commit(processed)),
            offer,
            hold: None,
            left: None,
        }
    }

    fn offer(dry: u8, verdict: Verdict) -> Offer {
        Offer {
            head: commit(dry),
            previewed: None,
            dry: Some(commit(dry)),
            is_rollback: false,
            rejected: false,
            request: Some((12, "https://example.com/12".to_owned())),
            verdict,
        }
    }

    /// DRY commits are numbered; each has those before it.
    fn travel(of: u8, stands: &[Stand]) -> Journey {
        let has = |other: CommitId| Ok::<_, std::convert::Infallible>(other >= commit(of));
        journey(commit(of), stands, has).unwrap()
    }

    fn said(journey: &Journey) -> Vec<(StopState, &str)> {
        journey.stops.iter().map(|stop| (stop.state, stop.words.as_str())).collect()
    }

    #[test]
    fn every_way_to_stand_to_a_commit_has_its_words() {
        let waits = || Verdict::Waits("dev: smoke is pending".to_owned());
        let closed = Offer { rejected: true, ..offer(3, waits()) };
        let mut held = stand("held", 1, 1, None);
        held.hold = Some("rollback".to_owned());
        let mut failed = stand("failed", 1, 1, None);
        failed.failed = true;
        let stands = [
            stand("there", 2, 3, None),
            stand("past", 3, 3, None),
            stand("untouched", 1, 2, None),
            stand("ready", 1, 2, Some(offer(2, Verdict::Open))),
            stand("waits", 1, 3, Some(offer(3, waits()))),
            stand("older", 0, 1, Some(offer(1, waits()))),
            stand("closed", 1, 3, Some(closed)),
            held,
            failed,
            stand("behind", 1, 1, None),
        ];
        let journey = travel(2, &stands);
        let newer = commit(3).short();
        let wanted = [
            (StopState::Arrived, "runs it".to_owned()),
            (StopState::Arrived, format!("runs `{newer}`, which has it")),
            (StopState::Untouched, "nothing changes there".to_owned()),
            (StopState::Ready, "may be merged".to_owned()),
            (StopState::Waiting, format!("comes with `{newer}`; waits: dev: smoke is pending")),
            (StopState::Unrendered, "comes after what waits there now".to_owned()),
            (StopState::Stopped, "a person closed its pull request".to_owned()),
            (StopState::Stopped, "held by rollback".to_owned()),
            (StopState::Failed, "an error: see the last run".to_owned()),
            (StopState::Unrendered, "not rendered yet".to_owned()),
        ];
        let wanted: Vec<(StopState, &str)> =
            wanted.iter().map(|(state, words)| (*state, words.as_str())).collect();
        assert_eq!(said(&journey), wanted);
        let status = journey.status();
        assert_eq!(status.state, CommitState::Failure);
        let start = "error in failed; in there, past; not yet in ready, waits, older, closed, held, behind";
        assert_eq!(status.description, start);
        let page = journey.page();
        assert!(page.contains("| `ready` | 🔵 | [\\#12](https://example.com/12) may be merged |"), "{page}");
        assert!(page.contains("click e3 href"), "{page}");
        assert!(page.contains("`/hydrator promote`"), "{page}");
    }

    #[test]
    fn what_was_rolled_back_says_so_until_it_arrives_again() {
        let back = |name: &str, offer: Option<Offer>| Stand {
            hold: Some("rollback".to_owned()),
            left: Some(commit(3)),
            ..stand(name, 1, 1, offer)
        };
        let stands = [
            stand("dev", 3, 3, None),
            back("qa", None),
            back("live", Some(offer(4, Verdict::Open))),
            Stand { left: Some(commit(1)), ..back("older", None) },
            Stand { runs: Some(commit(0)), ..back("prod", None) },
        ];
        let journey = travel(2, &stands);
        let (one, newer) = (commit(1).short(), commit(4).short());
        let wanted = [
            (StopState::Arrived, format!("runs `{}`, which has it", commit(3).short())),
            (StopState::Stopped, format!("was rolled back to `{one}`")),
            (StopState::Ready, format!("comes with `{newer}`; may be merged")),
            (StopState::Stopped, "held by rollback".to_owned()),
            (StopState::Stopped, format!("was rolled back to `{}`", commit(0).short())),
        ];
        let wanted: Vec<(StopState, &str)> =
            wanted.iter().map(|(state, words)| (*state, words.as_str())).collect();
        assert_eq!(said(&journey), wanted);
        let status = journey.status();
        let words = format!(
            "qa, live were rolled back to {one}; prod was rolled back to {}; in dev; not yet in older",
            commit(0).short()
        );
        assert_eq!((status.state, status.description), (CommitState::Pending, words));
        assert!(journey.is_rolled_back() && is_rolled_back(&journey.status()));
        // What it ran before does not have this one either, or it is back.
        for not in [travel(4, &stands), travel(1, &stands[..4])] {
            assert!(!not.is_rolled_back() && !is_rolled_back(&not.status()), "{:?}", not.status());
        }
    }

    #[test]
    fn an_error_is_kept_in_mind_until_it_is_rendered() {
        let stands = [
            stand("dev", 1, 1, None),
            stand("qa", 2, 2, None),
            stand("prod", 0, 1, Some(offer(1, Verdict::Open))),
        ];
        let mut journey = travel(2, &stands);
        let mut before = journey.status();
        assert_eq!(
            (before.state, before.description.as_str()),
            (CommitState::Pending, "in qa; not yet in dev, prod")
        );
        before.description = "error in dev, prod; in qa".to_owned();
        journey.keep_failed(&before);
        assert!(!journey.has_failed(), "it was no failure");
        before.state = CommitState::Failure;
        journey.keep_failed(&before);
        let now = journey.status();
        assert_eq!((now.state, &now.description), (CommitState::Failure, &before.description));
        let mut rendered = travel(2, &[stand("dev", 1, 2, None), stand("qa", 2, 2, None)]);
        rendered.keep_failed(&before);
        assert_eq!(rendered.status().state, CommitState::Success);
        let many: Vec<Stand> =
            (0..50).map(|at| Stand { failed: true, ..stand(&format!("cluster-{at}"), 1, 1, None) }).collect();
        let cut = travel(2, &many).status();
        assert!(failed_in(&cut, &many[49].name), "{}", cut.description);
    }

    #[test]
    fn a_journey_is_over_when_it_is_everywhere() {
        let journey = travel(2, &[stand("dev", 2, 2, None), stand("qa", 1, 2, None)]);
        assert!(journey.is_over() && journey.matters());
        let status = journey.status();
        assert_eq!((status.state, status.description.as_str()), (CommitState::Success, "in dev"));
        assert!(!journey.page().contains("/hydrator"), "nothing is left to do");
        let nothing = travel(2, &[stand("dev", 1, 2, None)]);
        assert!(!nothing.matters());
        assert_eq!(nothing.status().description, "changes no environment");
    }
}
