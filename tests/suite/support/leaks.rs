//! Looks for a secret wherever a run can leave it.

use std::path::Path;

use super::checkout::walk;
use super::git::TestRepo;

/// Every place of a test's directory that holds the text: names and bytes of files, and the objects of the remote and
/// of the work clone, which are compressed in their files. What a program printed is for the caller to look through;
/// what a stand-in tool saw is found here if the stand-in writes it below its home.
pub(crate) fn places(repo: &TestRepo, secret: &str) -> Vec<String> {
    let mut places = Vec::new();
    walk(repo.root(), &mut |path, about| {
        if path.to_string_lossy().contains(secret) || about.is_file() && holds(&read(path), secret) {
            places.push(path.display().to_string());
        }
    });
    for (name, git) in [("remote", repo.remote_git()), ("work clone", repo.work_git())] {
        if holds(&git.bytes(&["cat-file", "--batch-all-objects", "--batch", "--unordered"]), secret) {
            places.push(format!("an object of the {name}"));
        }
    }
    places
}

/// A file that another program removes meanwhile leaks nothing.
fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_default()
}

fn holds(bytes: &[u8], secret: &str) -> bool {
    bytes.windows(secret.len()).any(|window| window == secret.as_bytes())
}

mod tests {
    use super::*;
    use crate::support::git::files;

    #[test]
    fn finds_a_secret_in_files_names_and_objects() {
        let repo = TestRepo::with_files(&files(&[("a", "harmless\n")]));
        assert_eq!(places(&repo, "hush-1234"), Vec::<String>::new());
        repo.write("log", "token=hush-1234;");
        repo.write("hush-1234/x", "");
        assert_eq!(places(&repo, "hush-1234").len(), 3, "a file, a directory and the file in it");
        repo.commit("It got in");
        repo.remove("log");
        repo.remove("hush-1234");
        let mut found = places(&repo, "hush-1234");
        found.retain(|place| !place.contains("/index"));
        assert_eq!(found, ["an object of the remote", "an object of the work clone"]);
    }
}
