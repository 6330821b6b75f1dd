//! What kustomize takes for something to fetch, and whether it would always fetch the same. Pure.

use camino::{Utf8Path, Utf8PathBuf};

/// Something that a renderer would fetch.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RemoteInput {
    /// What is named, as it is written.
    pub spec: String,
    /// Whether the same content is fetched for ever: only then may the result be remembered.
    pub pinned: bool,
    /// The file that names it; empty when the configuration does.
    pub file: Utf8PathBuf,
    /// The key that names it.
    pub field: String,
}

/// Whether `reference` is loaded over HTTP where a file may stand.
pub(super) fn is_file(reference: &str) -> bool {
    // As Go's `url.Parse`: the scheme alone decides, so `http:/x` is remote too.
    let scheme = reference.split_once(':').map_or("", |(scheme, _)| scheme);
    scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
}

/// Whether kustomize takes `reference` for a repository to clone, even if a directory of that name exists.
pub(super) fn is_directory(reference: &str) -> bool {
    let lower = reference.trim().to_ascii_lowercase();
    let has_scheme = lower
        .split_once("://")
        .is_some_and(|(scheme, _)| scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+.-:@".contains(c)));
    let has_user = lower.split_once('@').is_some_and(|(user, _)| {
        user.starts_with(|c: char| c.is_ascii_alphabetic())
            && user.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    });
    let is_hosted =
        ["git::", "gh:", "github.com/", "github.com:"].iter().any(|start| lower.starts_with(start));
    has_scheme || has_user || is_hosted || is_file(&lower)
}

/// Whether a repository is named at a full commit id. A file over HTTP never is: its server may change it.
pub(super) fn is_pinned(reference: &str) -> bool {
    let Some((place, query)) = reference.trim().split_once('?') else { return false };
    let looks_like_file = matches!(Utf8Path::new(place).extension(), Some("yaml" | "yml" | "json"));
    let refs: Vec<&str> = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .filter(|(name, _)| matches!(*name, "ref" | "version"))
        .map(|(_, value)| value)
        .collect();
    let is_commit = |value: &&str| value.len() == 40 && value.bytes().all(|byte| byte.is_ascii_hexdigit());
    // An encoded name could come before the one that is seen here.
    let is_encoded = query.contains(['%', '+', ';']);
    !looks_like_file && !is_encoded && !refs.is_empty() && refs.iter().all(is_commit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_kustomize_would_clone_or_fetch() {
        for remote in [
            "https://github.com/acme/base?ref=v1",
            "HTTPS://example.com/x.yaml",
            "git@github.com:acme/base",
            "github.com/acme/base//k8s",
            "GitHub.com:acme/base",
            "git::https://example.com/base",
            "ssh://git@example.com/base",
            "file:///etc",
            "org-1234@github.com:acme/base",
            "http:/x",
            " https://example.com/x\n",
        ] {
            assert!(is_directory(remote), "{remote}");
        }
        for local in
            ["../base", "base.yaml", "b/c@d.yaml", "https", "github.com.yaml", "./github.com/x", "é://"]
        {
            assert!(!is_directory(local), "{local}");
        }
        assert!(!is_directory("kind: ConfigMapGenerator\nfiles: [https://example.com/x]\n"));
        assert!(is_file("Https://example.com/x") && is_file("http:x") && !is_file("github.com/a/b"));
    }

    #[test]
    fn only_a_full_commit_pins() {
        let commit = "0123456789abcdef0123456789abcdef01234567";
        for pinned in [
            format!("https://github.com/acme/base//k8s?ref={commit}"),
            format!("github.com/acme/base?timeout=90s&ref={commit}"),
            format!("git@example.com:acme/base.git?version={commit}"),
        ] {
            assert!(is_pinned(&pinned), "{pinned}");
        }
        for open in [
            "github.com/acme/base".to_owned(),
            "github.com/acme/base?ref=v1.0.0".to_owned(),
            format!("github.com/acme/base?ref={}", &commit[..12]),
            format!("github.com/acme/base?ref={commit}&ref=main"),
            format!("github.com/acme/base?re%66=main&ref={commit}"),
            format!("https://example.com/{commit}/x.yaml"),
            format!("https://example.com/x.yaml?ref={commit}"),
        ] {
            assert!(!is_pinned(&open), "{open}");
        }
    }
}
