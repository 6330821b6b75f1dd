//! Who started a job, by the CI system's word: for the record only, nobody is let in by it. Pure.

use crate::variables::Variables;

/// Where CI systems, and last the shell, say who it is.
const NAMES: [&str; 3] = ["GITHUB_ACTOR", "GITLAB_USER_LOGIN", "USER"];

/// The login of who started this job, or of who runs the program; `unknown` if nobody says.
pub fn actor(variables: &Variables) -> String {
    let said = NAMES.iter().find_map(|name| variables.get(name));
    crate::escape::cut(&crate::escape::one_line(said.unwrap_or("unknown")), 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_job_says_who_it_is_for() {
        let pairs = |pairs: &[(&str, &str)]| {
            let owned = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            actor(&Variables::new(owned))
        };
        assert_eq!(pairs(&[("GITHUB_ACTOR", "alice"), ("USER", "runner")]), "alice");
        assert_eq!(pairs(&[("GITLAB_USER_LOGIN", "bob"), ("USER", "root")]), "bob");
        assert_eq!(pairs(&[("GITHUB_ACTOR", "")]), "unknown");
    }
}
