//! What is the same in every environment but for its name, and what is not. Pure.

use std::collections::BTreeMap;

use super::patterns::ENVIRONMENT;

/// Texts of each environment, as one text and its exceptions. `{environment}` in it stands for the environment's name.
pub(super) fn settle(each: &BTreeMap<String, Vec<String>>) -> (Vec<String>, BTreeMap<String, Vec<String>>) {
    let general = |environment: &str, texts: &[String]| -> Vec<String> {
        texts.iter().map(|text| with_placeholder(text, environment)).collect()
    };
    let plain = each.values().cloned();
    let candidates = plain.chain(each.iter().map(|(environment, texts)| general(environment, texts)));
    let fits = |candidate: &[String], environment: &str, texts: &[String]| {
        let own = candidate.iter().map(|text| text.replace(ENVIRONMENT, environment));
        own.eq(texts.iter().cloned())
    };
    let mut best: (usize, Vec<String>) = (0, Vec::new());
    for candidate in candidates {
        let count = each.iter().filter(|(environment, texts)| fits(&candidate, environment, texts)).count();
        if count > best.0 {
            best = (count, candidate);
        }
    }
    let others = each.iter().filter(|(environment, texts)| !fits(&best.1, environment, texts));
    let others = others.map(|(environment, texts)| (environment.clone(), texts.clone())).collect();
    (best.1, others)
}

/// A text with the placeholder where the environment's name stands as a word.
pub(super) fn with_placeholder(text: &str, environment: &str) -> String {
    let mut found = String::new();
    let mut rest = text;
    let mut before = None;
    while let Some(at) = rest.find(environment).filter(|_| !environment.is_empty()) {
        let (start, after) = (&rest[..at], &rest[at + environment.len()..]);
        let before_it = start.chars().next_back().or(before);
        let is_word = ![before_it, after.chars().next()].into_iter().flatten().any(char::is_alphanumeric);
        found += start;
        found += if is_word { ENVIRONMENT } else { environment };
        before = environment.chars().next_back();
        rest = after;
    }
    found + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(each: &[(&str, &str)]) -> (String, Vec<(String, String)>) {
        let each = each.iter().map(|(name, text)| ((*name).to_owned(), vec![(*text).to_owned()])).collect();
        let (all, others) = settle(&each);
        (all[0].clone(), others.into_iter().map(|(name, texts)| (name, texts[0].clone())).collect())
    }

    #[test]
    fn what_most_have_counts_and_the_rest_is_told() {
        let other = |name: &str, text: &str| vec![(name.to_owned(), text.to_owned())];
        assert_eq!(settled(&[("dev", "web"), ("prod", "web")]), ("web".to_owned(), Vec::new()));
        assert_eq!(
            settled(&[("dev", "web-dev"), ("prod", "web-prod")]),
            ("web-{environment}".to_owned(), Vec::new())
        );
        assert_eq!(
            settled(&[("dev", "web-dev"), ("prod", "web"), ("qa", "web-qa")]),
            ("web-{environment}".to_owned(), other("prod", "web"))
        );
        assert_eq!(settled(&[("dev", "a"), ("prod", "b")]), ("a".to_owned(), other("prod", "b")));
    }

    #[test]
    fn a_name_is_a_whole_word() {
        assert_eq!(with_placeholder("dev-web/dev.yaml", "dev"), "{environment}-web/{environment}.yaml");
        assert_eq!(with_placeholder("devices-dev2", "dev"), "devices-dev2");
        assert_eq!(with_placeholder("devdev", "dev"), "devdev");
    }
}
