//! Who waits for whom, as a Mermaid picture coloured by state. Pure.

use std::collections::BTreeSet;

use super::{Stand, State};
use crate::escape::{fence, marker};

/// Up to so many environments, every pull request shows how all of them are; with more, how those around its own are:
/// a state that changes is written into every picture that shows it.
const FEW: usize = 10;

/// The line that ends a picture in a body.
const END: &str = "<!-- /hydrator -->";

/// One environment in a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// What is written on it, each on a line of its own.
    pub lines: Vec<String>,
    /// Those that it waits for, by their places.
    pub after: Vec<usize>,
    /// Its colour; none where nothing is said of it.
    pub state: Option<State>,
    /// A web page.
    pub url: Option<String>,
}

/// All environments, with the short id of what runs and a link to their pull requests.
pub fn nodes(stands: &[Stand]) -> Vec<Node> {
    let node = |stand: &Stand| Node {
        lines: vec![
            stand.name.to_string(),
            stand.runs.map_or_else(|| "nothing yet".to_owned(), |runs| runs.short()),
        ],
        after: stand.after.clone(),
        state: Some(stand.found()),
        url: stand.offer.as_ref().and_then(|offer| offer.request.as_ref()).map(|(_, url)| url.clone()),
    };
    stands.iter().map(node).collect()
}

/// The picture in the pull request of the environment at this place, with its marks. It shows what changes seldom, and
/// nothing that another run would not see: an error is for the summary of the run that met it.
pub fn around(stands: &[Stand], at: usize, page: impl Fn(usize) -> Option<String>) -> String {
    let mut near: BTreeSet<usize> = stands[at].after.iter().copied().collect();
    near.extend((0..stands.len()).filter(|other| stands[*other].after.contains(&at)));
    near.insert(at);
    let nodes: Vec<Node> = stands
        .iter()
        .enumerate()
        .map(|(place, stand)| Node {
            lines: vec![stand.name.to_string()],
            after: stand.after.clone(),
            state: Some(stand.state).filter(|_| stands.len() <= FEW || near.contains(&place)),
            url: page(place).filter(|_| place != at),
        })
        .collect();
    framed(&fence("mermaid", &mermaid(&nodes, Some(at))))
}

/// Text between marks, so that it is found again.
fn framed(text: &str) -> String {
    format!("{}\n{}\n\n{END}", marker(&[("picture", "environments")]), text.trim_end())
}

/// A body with another picture in place of the one that it has; nothing if it has none, or the same one.
pub fn redrawn(body: &str, picture: &str) -> Option<String> {
    let start = body.find(&marker(&[("picture", "environments")]))?;
    let end = start + body[start..].find(END)? + END.len();
    let plain = |text: &str| text.replace("\r\n", "\n");
    (plain(&body[start..end]) != picture).then(|| format!("{}{picture}{}", &body[..start], &body[end..]))
}

/// The picture, without a fence. Only what Mermaid can make nothing of is in it; links are left out unless they are
/// web pages. One node may be the one that it is about.
pub fn mermaid(nodes: &[Node], about: Option<usize>) -> String {
    let mut lines = vec!["flowchart LR".to_owned()];
    for (at, node) in nodes.iter().enumerate() {
        let label: Vec<String> = node.lines.iter().map(|line| plain(line)).collect();
        let state = node.state.map(|state| format!(":::{}", state.word())).unwrap_or_default();
        lines.push(format!("  e{at}[\"{}\"]{state}", label.join("<br/>")));
    }
    for (at, node) in nodes.iter().enumerate() {
        lines.extend(node.after.iter().map(|before| format!("  e{before} --> e{at}")));
        if let Some(url) = node.url.as_ref().filter(|url| is_web_page(url)) {
            lines.push(format!("  click e{at} href \"{url}\""));
        }
    }
    let used = |state: &State| nodes.iter().any(|node| node.state == Some(*state));
    for state in State::ALL.into_iter().filter(used) {
        lines.push(format!("  classDef {} {}", state.word(), style(state)));
    }
    lines.extend(about.map(|at| format!("  style e{at} stroke-width:3px")));
    lines.join("\n") + "\n"
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

/// Letters, digits, blanks, dots, dashes and underscores.
fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || "._- ".contains(*c)).collect()
}

fn is_web_page(url: &str) -> bool {
    let is_harmless = |c: char| c.is_ascii_graphic() && !"\"<>`\\".contains(c);
    (url.starts_with("https://") || url.starts_with("http://")) && url.chars().all(is_harmless)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::EnvironmentName;

    fn stand(name: &str, after: &[usize], state: State) -> Stand {
        Stand {
            name: EnvironmentName::new(name),
            after: after.to_vec(),
            state,
            failed: false,
            active: None,
            runs: None,
            processed: None,
            offer: None,
            hold: None,
            left: None,
        }
    }

    #[test]
    fn a_picture_is_found_and_drawn_again() {
        let mut stands = [stand("dev", &[], State::Current), stand("prod", &[0], State::Waiting)];
        let page = |place: usize| Some(format!("https://example.com/{place}"));
        let before = around(&stands, 1, page);
        assert!(before.contains("e0[\"dev\"]:::current") && before.contains("e0 --> e1"), "{before}");
        assert!(before.contains("click e0 href \"https://example.com/0\""), "{before}");
        assert!(!before.contains("click e1"), "it is on its own page: {before}");
        let body = format!("Above.\r\n{}\nBelow.", before.replace('\n', "\r\n"));
        assert_eq!(redrawn(&body, &before), None);
        stands[0].state = State::Held;
        let after = around(&stands, 1, page);
        let wanted = format!("Above.\r\n{after}\nBelow.");
        assert_eq!(redrawn(&body, &after), Some(wanted));
        assert_eq!(redrawn("Nothing of ours.", &after), None);
        stands[0].failed = true;
        assert_eq!(around(&stands, 1, page), after, "an error that another run would not see");
        assert_eq!(nodes(&stands)[0].state, Some(State::Failed));
    }

    #[test]
    fn with_many_environments_only_what_is_near_has_a_state() {
        let stands: Vec<Stand> = (0..20)
            .map(|at| {
                stand(
                    &format!("e{at}"),
                    &(at > 0).then(|| at - 1).into_iter().collect::<Vec<_>>(),
                    State::Waiting,
                )
            })
            .collect();
        let picture = around(&stands, 5, |_| None);
        assert_eq!(picture.matches(":::waiting").count(), 3, "{picture}");
        assert_eq!(picture.matches("-->").count(), 19 + 2, "all arrows, and two marks: {picture}");
    }
}
