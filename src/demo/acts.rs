//! The story, act by act: what people do, what hydrator makes of it, in one short sentence each.

use anyhow::{Context as _, Result, ensure};
use camino::Utf8Path;

use super::files;
use super::page::Page;
use super::picture::{Scene, draw};
use super::stage::Stage;
use crate::model::{Operation, PullRequest, PullRequestState};

/// The manifest whose change is shown.
const MANIFEST: &str = "shop/manifest.yaml";

/// Plays all acts.
pub(super) fn play(stage: Stage<'_>, page: &mut Page<'_>, directory: &Utf8Path, program: &str) -> Result<()> {
    let mut stage = stage;
    page.title("hydrator demo: a throwaway repository, and what becomes of each push to it")?;
    write_dry_branch(&mut stage, page)?;
    first_run(&stage, page)?;
    merge(&stage, page)?;
    change(&mut stage, page)?;
    review(&stage, page)?;
    run_again(&stage, page)?;
    withdraw(&mut stage, page)?;
    roll_back(&mut stage, page)?;
    your_turn(page, directory, program)
}

fn write_dry_branch(stage: &mut Stage<'_>, page: &mut Page<'_>) -> Result<()> {
    page.chapter("People edit the DRY branch")?;
    page.text("One template, values for each environment, some plain YAML, and `hydrator.yaml`:")?;
    stage.push("Add the shop\n", &files::FIRST)?;
    page.block(files::CONFIGURATION.1.lines())
}

fn first_run(stage: &Stage<'_>, page: &mut Page<'_>) -> Result<()> {
    page.chapter("hydrator run: a commit and a pull request for each environment")?;
    page.text(
        "It renders each environment, commits the manifests to a proposed branch, and asks to merge them into the \
         active branch, which the cluster syncs.",
    )?;
    stage.run()?;
    show(&stage.scene()?, page)
}

fn merge(stage: &Stage<'_>, page: &mut Page<'_>) -> Result<()> {
    page.chapter("dev and staging are merged")?;
    stage.merge(1)?;
    stage.merge(2)?;
    page.text(
        "Pull requests #1 and #2 are merged, as on any forge: both clusters now get version 1.0.0. #3 waits.",
    )
}

fn change(stage: &mut Stage<'_>, page: &mut Page<'_>) -> Result<()> {
    page.chapter("A change is pushed: version 1.1.0, two replicas")?;
    page.text("dev and staging get new pull requests; that of prod, still open, is updated in place.")?;
    stage.push("Release shop 1.1.0\n", &[files::NEW_VALUES])?;
    stage.run()?;
    show(&stage.scene()?, page)?;
    page.text("What reviewers see is what the cluster will get, here in dev:")?;
    let scene = stage.scene()?;
    let dev = scene.lanes.first().context("the demo has environments")?;
    let before = stage.file(&dev.active, MANIFEST)?;
    let after = stage.file(&dev.proposed, MANIFEST)?;
    let named = |branch: &dyn std::fmt::Display| format!("{branch}:{MANIFEST}");
    page.difference((&named(&dev.active.name), &before), (&named(&dev.proposed.name), &after))
}

fn review(stage: &Stage<'_>, page: &mut Page<'_>) -> Result<()> {
    page.chapter("The open pull requests")?;
    let mut open = stage.pull_requests()?;
    open.retain(|request| request.state == PullRequestState::Open);
    page.block(open.iter().map(|request| format!("#{}  {}", request.number, request.title)))?;
    let last = open.last().context("a pull request is open")?;
    page.text(&format!("Each tells which manifests it changes. From the text of #{}:", last.number))?;
    page.block(shown_body(last))
}

/// The part of the body that is about manifests.
fn shown_body(request: &PullRequest) -> std::str::Lines<'_> {
    let body = request.body.split_once("### What changes\n\n").map_or("", |(_, body)| body);
    let body = body.split_once("\n---\n").map_or(body, |(body, _)| body);
    body.split_once("\n### ").map_or(body, |(body, _)| body).trim_end().lines()
}

fn run_again(stage: &Stage<'_>, page: &mut Page<'_>) -> Result<()> {
    page.chapter("hydrator run again: nothing changed, so nothing happens")?;
    let before = stage.state()?;
    let report = stage.run()?;
    let unchanged = report.environments.iter().all(|environment| environment.operation == Operation::None);
    ensure!(unchanged && before == stage.state()?, "a run for the same DRY commit changed something");
    page.text("Nothing was pushed, no pull request was touched: a run can be repeated at any time.")
}

fn withdraw(stage: &mut Stage<'_>, page: &mut Page<'_>) -> Result<()> {
    page.chapter("The change is withdrawn")?;
    page.text(
        "The release is reverted on the DRY branch. dev and staging have what they should have, so their pull \
         requests are closed; that of prod offers version 1.0.0 again.",
    )?;
    stage.push("Revert \"Release shop 1.1.0\"\n", &[files::VALUES])?;
    stage.run()?;
    show(&stage.scene()?, page)
}

fn roll_back(stage: &mut Stage<'_>, page: &mut Page<'_>) -> Result<()> {
    page.chapter("hydrator rollback: the exact old manifests, and they stay")?;
    page.text("The release comes again, and #6 brings it to dev, where it breaks something:")?;
    stage.push("Release shop 1.1.0 again\n", &[files::NEW_VALUES])?;
    stage.run()?;
    stage.merge(6)?;
    let dev = stage.scene()?.lanes.into_iter().next().context("the demo has environments")?;
    let broken = stage.file(&dev.active, MANIFEST)?;
    page.block(["hydrator rollback --environment dev --reason 'it breaks'"])?;
    stage.roll_back("dev", "it breaks")?;
    page.text("Nothing is rendered: #8 offers what dev had before, byte for byte. It is merged:")?;
    stage.merge(8)?;
    let active = format!("{}:{MANIFEST}", dev.active.name);
    let dev = stage.scene()?.lanes.into_iter().next().context("the demo has environments")?;
    let healed = stage.file(&dev.active, MANIFEST)?;
    page.difference((&active, &broken), (&active, &healed))?;
    page.text("The next runs leave dev alone, and say so, until `hydrator resume --environment dev`:")?;
    let report = stage.run()?;
    let held = report.environments.first().filter(|environment| environment.operation == Operation::Held);
    let held = held.context("dev is held")?;
    page.block([format!("dev  {}  {}", held.operation.word(), held.note.clone().unwrap_or_default())])
}

fn show(scene: &Scene, page: &mut Page<'_>) -> Result<()> {
    page.block(draw(scene, page.colour()))
}

fn your_turn(page: &mut Page<'_>, directory: &Utf8Path, program: &str) -> Result<()> {
    page.chapter("Your turn")?;
    page.text("Everything is still there: a checkout, its remote, and the pull requests. For example:")?;
    let steps = [
        (format!("cd {}", quoted(&directory.join("checkout"))), ""),
        (format!("{program} local list"), "the pull requests"),
        (format!("{program} local merge 3"), "prod gets version 1.1.0"),
        ("echo 'replicas: 5' > apps/shop/values-prod.yaml".to_owned(), ""),
        ("git commit --quiet --all --message 'More of prod'".to_owned(), ""),
        ("git push --quiet".to_owned(), ""),
        (format!("{program} plan --repo . --forge local"), "what a run would do"),
        (format!("{program} run --repo . --forge local"), "prod alone gets a new pull request"),
        ("git fetch --quiet".to_owned(), ""),
        ("git diff origin/hydrator/prod origin/hydrator/prod-next".to_owned(), ""),
    ];
    page.block(steps.iter().map(|(command, about)| command_line(command, about)))?;
    page.text("Delete the directory when you have seen enough.")
}

fn command_line(command: &str, about: &str) -> String {
    if about.is_empty() { command.to_owned() } else { format!("{command:<44}  # {about}") }
}

/// The path as one word of a shell.
fn quoted(path: &Utf8Path) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
    if path.as_str().chars().all(plain) {
        path.to_string()
    } else {
        format!("'{}'", path.as_str().replace('\'', r"'\''"))
    }
}
