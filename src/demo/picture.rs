//! The environments and their branches as a picture in text: DRY branch, proposals, pull requests, active branches.
//! Pure.

use crate::model::{BranchName, CommitId, PullRequestState};

/// What the picture shows.
#[derive(Clone, Debug)]
pub(super) struct Scene {
    /// The DRY branch's name.
    pub(super) dry_branch: String,
    /// Its tip.
    pub(super) dry: CommitId,
    /// The environments.
    pub(super) lanes: Vec<Lane>,
}

/// One environment.
#[derive(Clone, Debug)]
pub(super) struct Lane {
    /// Where proposals are written.
    pub(super) proposed: Branch,
    /// What the cluster syncs.
    pub(super) active: Branch,
    /// The newest pull request between them.
    pub(super) pull_request: Option<(u64, PullRequestState)>,
}

/// A branch and what is at its tip.
#[derive(Clone, Debug)]
pub(super) struct Branch {
    /// Its name.
    pub(super) name: BranchName,
    /// The tip; `None` if there is no such branch.
    pub(super) tip: Option<CommitId>,
    /// The DRY commit that the tip was rendered from; `None` if it holds no manifests.
    pub(super) dry: Option<CommitId>,
}

/// The widths of the columns, the arrows among them.
struct Columns {
    dry: usize,
    proposed: usize,
    request: usize,
}

const HEADS: [&str; 4] = ["DRY branch", "proposed branch", "pull request", "active branch"];
/// Around the words of a pull request: `── #1 open ─▶`.
const ARROW: usize = 6;
/// The width of [`Trunk`]'s pieces.
const TRUNK: usize = 9;

/// The picture's lines.
pub(super) fn draw(scene: &Scene, colour: bool) -> Vec<String> {
    let columns = Columns::of(scene);
    let [dry, proposed, request, active] = HEADS;
    let dry = format!("{dry:<0$}", columns.dry + TRUNK);
    let mut lines = vec![columns.line(&dry, proposed, &format!("   {request}"), active)];
    for (index, lane) in scene.lanes.iter().enumerate() {
        let trunk = Trunk { first: index == 0, last: index + 1 == scene.lanes.len() };
        let [branch, commit] = trunk.cells(scene, &columns);
        let proposed = dashed(lane.proposed.name.as_str(), columns.proposed);
        lines.push(columns.line(
            &branch,
            &proposed,
            &arrow(lane, &columns, colour),
            lane.active.name.as_str(),
        ));
        lines.push(columns.line(&commit, &tip(&lane.proposed), "", &tip(&lane.active)));
    }
    lines
}

impl Columns {
    fn of(scene: &Scene) -> Self {
        let lanes = || scene.lanes.iter();
        let proposed =
            lanes().flat_map(|lane| [width(lane.proposed.name.as_str()), width(&tip(&lane.proposed))]);
        let request = lanes().map(|lane| width(&words(lane)));
        Self {
            dry: width(&scene.dry_branch).max(scene.dry.short().len()),
            proposed: proposed.chain([HEADS[1].len()]).max().unwrap_or_default() + 1,
            request: request.chain([HEADS[2].len() - 1]).max().unwrap_or_default() + ARROW,
        }
    }

    fn line(&self, dry: &str, proposed: &str, request: &str, active: &str) -> String {
        // Padded by what is seen: colours have no width.
        let blanks = " ".repeat(self.request.saturating_sub(width(request)));
        let request = if request.contains('▶') { request.to_owned() } else { format!("{request}{blanks}") };
        format!("{dry}{proposed:<0$}{request} {active}", self.proposed)
    }
}

/// The line from the DRY branch to an environment.
struct Trunk {
    first: bool,
    last: bool,
}

impl Trunk {
    /// Beside the branches' names, and beside their commits.
    fn cells(&self, scene: &Scene, columns: &Columns) -> [String; 2] {
        let (name, short) = if self.first {
            (dashed(&scene.dry_branch, columns.dry), scene.dry.short())
        } else {
            (" ".repeat(columns.dry), String::new())
        };
        let branching = match (self.first, self.last) {
            (true, true) => "───────▶ ",
            (true, false) => "───┬───▶ ",
            (false, false) => "   ├───▶ ",
            (false, true) => "   └───▶ ",
        };
        let passing = if self.last { "         " } else { "   │     " };
        [format!("{name}{branching}"), format!("{short:<0$}{passing}", columns.dry)]
    }
}

/// The pull request between two dashed lines.
fn arrow(lane: &Lane, columns: &Columns, colour: bool) -> String {
    let words = words(lane);
    if words.is_empty() {
        return format!("{}▶", "─".repeat(columns.request - 1));
    }
    let dashes = "─".repeat(columns.request - width(&words) - 5);
    let words = if colour { format!("\u{1b}[{}m{words}\u{1b}[0m", code(lane)) } else { words };
    format!("── {words} {dashes}▶")
}

/// The text, a blank, and dashes up to the width.
fn dashed(text: &str, columns: usize) -> String {
    match columns - width(text) {
        0 => text.to_owned(),
        rest => format!("{text} {}", "─".repeat(rest - 1)),
    }
}

fn tip(branch: &Branch) -> String {
    match (branch.tip, branch.dry) {
        (None, _) => "none yet".to_owned(),
        (Some(tip), None) => format!("{} empty", tip.short()),
        (Some(tip), Some(dry)) => format!("{} from {}", tip.short(), dry.short()),
    }
}

fn words(lane: &Lane) -> String {
    lane.pull_request.map(|(number, state)| format!("#{number} {}", state.word())).unwrap_or_default()
}

/// The colour of a pull request's state.
fn code(lane: &Lane) -> &'static str {
    match lane.pull_request.map(|(_, state)| state) {
        Some(PullRequestState::Open) => "32",
        Some(PullRequestState::Closed) => "31",
        Some(PullRequestState::Merged) => "35",
        None => "0",
    }
}

fn width(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn branch(name: &str, tip: Option<u8>, dry: Option<u8>) -> Branch {
        let id = |byte: u8| CommitId::from_bytes([byte; 20]);
        Branch { name: BranchName::new(name).unwrap(), tip: tip.map(id), dry: dry.map(id) }
    }

    fn scene(lanes: &[Lane]) -> Scene {
        Scene { dry_branch: "main".into(), dry: CommitId::from_bytes([0xdd; 20]), lanes: lanes.to_vec() }
    }

    fn lanes() -> [Lane; 3] {
        let lane = |proposed, active, pull_request| Lane { proposed, active, pull_request };
        [
            lane(
                branch("e/dev-next", Some(0x11), Some(0xdd)),
                branch("e/dev", Some(0x22), None),
                Some((1, PullRequestState::Open)),
            ),
            lane(
                branch("e/staging-next", Some(0x33), Some(0xdd)),
                branch("e/staging", Some(0x44), Some(0xdd)),
                Some((12, PullRequestState::Merged)),
            ),
            lane(branch("e/prod-next", None, None), branch("e/prod", None, None), None),
        ]
    }

    #[test]
    fn every_environment_has_a_lane() {
        let wanted = [
            "DRY branch      proposed branch         pull request   active branch",
            "main ─────┬───▶ e/dev-next ──────────── #1 open ─────▶ e/dev",
            "ddddddd   │     1111111 from ddddddd                   2222222 empty",
            "          ├───▶ e/staging-next ──────── #12 merged ──▶ e/staging",
            "          │     3333333 from ddddddd                   4444444 from ddddddd",
            "          └───▶ e/prod-next ─────────────────────────▶ e/prod",
            "                none yet                               none yet",
        ];
        assert_eq!(draw(&scene(&lanes()), false), wanted);
    }

    #[test]
    fn colours_change_nothing_else() {
        let coloured = draw(&scene(&lanes()), true).join("\n");
        assert!(coloured.contains("\u{1b}[32m#1 open\u{1b}[0m"), "{coloured:?}");
        let codes = ["32", "31", "35", "0"].map(|code| format!("\u{1b}[{code}m"));
        let bare = codes.iter().fold(coloured, |text, code| text.replace(code, ""));
        assert_eq!(bare, draw(&scene(&lanes()), false).join("\n"));
    }

    #[test]
    fn one_environment_needs_no_trunk() {
        let lines = draw(&scene(&lanes()[..1]), false);
        assert!(lines[1].starts_with("main ─────────▶ e/dev-next "), "{lines:#?}");
        assert!(!lines.concat().contains(['┬', '│', '└']), "{lines:#?}");
    }
}
