//! What a comment asks for: the first line that starts with `/hydrator`. Pure.

use crate::history::Reference;
use crate::model::EnvironmentName;

/// What starts a line that asks for something.
const CALL: &str = "/hydrator";

/// What can be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Merge what is offered, if its gate is open.
    Promote,
    /// Keep what is offered from being merged.
    Hold,
    /// Bring an older state back.
    Rollback(Reference),
    /// End a hold, by the label or by a rollback.
    Resume,
}

/// What a comment asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// What to do.
    pub verb: Verb,
    /// Where.
    pub environment: EnvironmentName,
}

/// How a wish is written, for people who wrote something else.
pub const USAGE: &str = "write `/hydrator promote E`, `hold E`, `rollback E`, `rollback E STATE` or `resume E` with an environment E";

/// What the comment asks for; `None` if it asks for nothing, an error if nobody can tell.
pub fn wish(body: &str) -> Option<Result<Wish, String>> {
    // What is shown as code, quoted or hidden is talked about, not asked for.
    for line in super::visible::lines(body) {
        let mut words = line.split_whitespace();
        if line.starts_with(CALL) && words.next() == Some(CALL) {
            return Some(understood(&words.collect::<Vec<_>>()));
        }
    }
    None
}

fn understood(words: &[&str]) -> Result<Wish, String> {
    let (verb, environment) = match words {
        ["promote", environment] => (Verb::Promote, environment),
        ["hold", environment] => (Verb::Hold, environment),
        ["resume", environment] => (Verb::Resume, environment),
        ["rollback", environment] => (Verb::Rollback(Reference::Previous), environment),
        ["rollback", environment, state] => (Verb::Rollback(state.parse()?), environment),
        _ => return Err(USAGE.to_owned()),
    };
    Ok(Wish { verb, environment: EnvironmentName::new(*environment) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(body: &str) -> Option<Result<(Verb, String), String>> {
        wish(body).map(|wish| wish.map(|wish| (wish.verb, wish.environment.to_string())))
    }

    #[test]
    fn every_wish_is_understood() {
        let wish = |verb, name: &str| Some(Ok((verb, name.to_owned())));
        assert_eq!(asked("/hydrator promote prod"), wish(Verb::Promote, "prod"));
        assert_eq!(asked("Now!\r\n/hydrator  hold prod \r\n"), wish(Verb::Hold, "prod"));
        assert_eq!(asked("/hydrator resume dev"), wish(Verb::Resume, "dev"));
        assert_eq!(asked("/hydrator rollback dev"), wish(Verb::Rollback(Reference::Previous), "dev"));
        assert_eq!(
            asked("/hydrator rollback dev last-healthy\n/hydrator hold dev"),
            wish(Verb::Rollback(Reference::LastHealthy), "dev"),
            "the first one counts"
        );
    }

    #[test]
    fn talking_about_it_asks_for_nothing() {
        for body in [
            "",
            "promote prod",
            "Try `/hydrator promote prod`",
            "> /hydrator promote prod",
            "    /hydrator promote prod",
            "```\n/hydrator promote prod\n```",
            "/hydrators promote prod",
            "\t/hydrator promote prod",
            "````\n```\n/hydrator promote prod\n```\n````",
            "````\n```\n````x\n/hydrator promote prod",
            "~~~\n```\n/hydrator promote prod\n~~~",
            "```sh\n~~~\n\n/hydrator promote prod",
            "   ```\n    ```\n/hydrator promote prod\n```",
            "`a\n/hydrator promote prod\n`",
            "> That said:\n/hydrator promote prod",
            "> That said:\n```\n\n/hydrator promote prod\n```",
            "<!--\n/hydrator promote prod\n-->",
            "<!-- It was:\n\n```\n/hydrator promote prod\n-->\n",
            "So <!--\n/hydrator promote prod\n--> it is",
            "<pre>\n\n/hydrator promote prod\n</pre>",
            "<a title='\n/hydrator promote prod\n'>x</a>",
            "See <a title='\n/hydrator promote prod\n'>x</a>",
            "[//]: # (\n/hydrator promote prod\n)",
        ] {
            assert_eq!(asked(body), None, "{body}");
        }
    }

    #[test]
    fn what_is_over_hides_nothing() {
        for before in [
            "```\ncode\n```\n",
            "~~~~ sh\n~~~\n~~~~~  \n",
            "    ```\n",
            "```a`b\n",
            "<!-- a -->\n",
            "<!--\na\n-->\n",
            "<pre>a</pre>\n",
            "<details>\n\n",
            "<https://example.com>\n",
            "> said\n\n",
            "`code` and a single ` of it, 1 < 2, <3\n",
        ] {
            let found = asked(&format!("{before}/hydrator promote prod"));
            assert_eq!(found, Some(Ok((Verb::Promote, "prod".to_owned()))), "{before}");
        }
    }

    #[test]
    fn what_nobody_understands_is_an_error() {
        for body in ["/hydrator", "/hydrator promote", "/hydrator promote a b", "/hydrator destroy prod"] {
            assert_eq!(asked(body), Some(Err(USAGE.to_owned())), "{body}");
        }
        let state = asked("/hydrator rollback prod yesterday").unwrap().unwrap_err();
        assert!(state.contains("a state is"), "{state}");
    }
}
