//! Who waits for whom, as a Mermaid picture coloured by state. Pure.

use super::{EnvironmentStatus, State, Status};

/// The picture, without a fence. Only names and short ids are in it, which can hold nothing that Mermaid understands;
/// links are left out unless they are web pages.
pub fn mermaid(status: &Status) -> String {
    let environments = &status.environments;
    let mut lines = vec!["flowchart LR".to_owned()];
    for (at, environment) in environments.iter().enumerate() {
        lines.push(format!(
            "  e{at}[\"{}<br/>{}\"]:::{}",
            plain(environment.name.as_str()),
            runs(environment),
            environment.state.word()
        ));
    }
    for (at, environment) in environments.iter().enumerate() {
        for before in &environment.after {
            if let Some(from) = environments.iter().position(|one| one.name == *before) {
                lines.push(format!("  e{from} --> e{at}"));
            }
        }
        let url = environment.proposal.as_ref().and_then(|proposal| proposal.url.as_ref());
        if let Some(url) = url.filter(|url| is_web_page(url)) {
            lines.push(format!("  click e{at} href \"{url}\""));
        }
    }
    for state in [
        State::Current,
        State::Behind,
        State::Ready,
        State::Waiting,
        State::Rejected,
        State::Held,
        State::Failed,
    ] {
        lines.push(format!("  classDef {} {}", state.word(), style(state)));
    }
    lines.join("\n") + "\n"
}

/// The short id of what runs.
fn runs(environment: &EnvironmentStatus) -> String {
    let runs = environment.active.as_ref().map(|active| plain(&active.dry_sha));
    runs.map_or_else(|| "nothing yet".to_owned(), |sha| sha.chars().take(7).collect())
}

const fn style(state: State) -> &'static str {
    match state {
        State::Current => "fill:#dafbe1,stroke:#1a7f37,color:#1f2328",
        State::Ready => "fill:#ddf4ff,stroke:#0969da,color:#1f2328",
        State::Waiting | State::Behind => "fill:#fff8c5,stroke:#9a6700,color:#1f2328",
        State::Rejected | State::Held => "fill:#fbefff,stroke:#8250df,color:#1f2328",
        State::Failed => "fill:#ffebe9,stroke:#cf222e,color:#1f2328",
    }
}

/// Letters, digits, dots, dashes and underscores.
fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || "._-".contains(*c)).collect()
}

fn is_web_page(url: &str) -> bool {
    let is_harmless = |c: char| c.is_ascii_graphic() && !"\"<>`\\".contains(c);
    (url.starts_with("https://") || url.starts_with("http://")) && url.chars().all(is_harmless)
}
