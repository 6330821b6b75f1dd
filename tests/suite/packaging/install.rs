//! `scripts/install.sh`: what is installed is what was released, or nothing is.

use super::archives::{Release, Said, VERSION, path_without, refused};
use super::read;

#[test]
fn the_newest_release_is_installed_and_kept() {
    let release = Release::new();
    let path = release.path("github-path");
    let first = release.installer().variable("GITHUB_PATH", path.to_str().unwrap()).run().success();
    let directory = release.path("temporary/hydrator/bin");
    assert_eq!(first.stdout(), format!("{}\n", directory.display()));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), first.stdout());
    assert!(first.stderr().contains("hydrator of the archive: --version\n"), "{}", first.stderr());
    assert_eq!(release.files.asked(), [format!("/{}", Release::archive())]);
    // The second job downloads nothing, and one that asks by version neither.
    std::fs::remove_dir_all(release.path("temporary")).unwrap();
    for version in ["", VERSION, "1.2.3"] {
        _ = release.installer().variable("HYDRATOR_VERSION", version).run().success();
        assert!(release.files.asked().is_empty() && release.has_program());
    }
}

#[test]
fn a_kept_archive_that_somebody_changed_is_not_used() {
    let release = Release::new();
    _ = release.installer().run().success();
    let kept = release.kept().expect("it is kept");
    std::fs::write(&kept, "something else").unwrap();
    release.files.asked();
    _ = release.installer().run().success();
    assert_eq!(release.files.asked().len(), 1);
    let bytes = std::fs::read(release.path(&Release::archive())).unwrap();
    assert!(std::fs::read(kept).unwrap() == bytes, "the right one is kept now");
}

#[test]
fn another_content_is_refused_before_it_is_unpacked() {
    let release = Release::new();
    let path = format!("/{}", Release::archive());
    let bytes = std::fs::read(release.path(&Release::archive())).unwrap();
    let mut changed = bytes.clone();
    changed.push(0);
    for wrong in [bytes[..bytes.len() / 2].to_vec(), changed, Vec::new(), b"<html>sign in</html>".to_vec()] {
        release.files.say(&path, Said::Bytes(wrong));
        refused(&release.installer().run(), "is not what was released");
        assert!(!release.has_program() && release.kept().is_none());
    }
}

#[test]
fn what_cannot_be_downloaded_is_said() {
    let release = Release::new();
    release.files.forget(&format!("/{}", Release::archive()));
    refused(&release.installer().run(), "cannot download http://127.0.0.1:");
    let nobody = release.installer().variable("HYDRATOR_DOWNLOAD_BASE", "http://127.0.0.1:1").run();
    refused(&nobody, "cannot download http://127.0.0.1:1/hydrator-v1.2.3-");
    assert!(!release.has_program());
}

#[test]
fn downloads_are_made_over_https_only() {
    let release = Release::new();
    for base in [
        "http://mirror.example.com",
        "ftp://mirror.example.com",
        "file:///srv/mirror",
        "http://127.0.0.1.example.com",
        "http://localhostess",
        "-o/tmp/x",
    ] {
        let outcome = release.installer().variable("HYDRATOR_DOWNLOAD_BASE", base).run();
        refused(&outcome, "downloads are made over https only");
    }
    for base in [
        "http://127.0.0.1:80@mirror.example.com",
        "https://me:secret@mirror.example.com",
        "https://a b",
        "https://a\n::b",
    ] {
        let outcome = release.installer().variable("HYDRATOR_DOWNLOAD_BASE", base).run();
        refused(&outcome, "characters that none may have");
        assert!(!outcome.stderr().contains(base), "{}", outcome.stderr());
    }
    // And not by way of a server that sends on to plain HTTP.
    let path = format!("/{}", Release::archive());
    release.files.say(&path, Said::Redirect(format!("{}/elsewhere", release.files.address())));
    let bytes = std::fs::read(release.path(&Release::archive())).unwrap();
    release.files.say("/elsewhere", Said::Bytes(bytes));
    refused(&release.installer().run(), "cannot download");
    assert!(!release.files.asked().contains(&"/elsewhere".to_owned()) && !release.has_program());
}

#[test]
fn a_mirror_holds_the_archives_side_by_side() {
    let release = Release::new();
    let bytes = std::fs::read(release.path(&Release::archive())).unwrap();
    release.files.forget(&format!("/{}", Release::archive()));
    release.files.say(&format!("/mirror/{}", Release::archive()), Said::Bytes(bytes));
    let base = format!("{}/mirror/", release.files.address());
    _ = release.installer().variable("HYDRATOR_DOWNLOAD_BASE", &base).run().success();
    assert!(release.has_program());
}

#[test]
fn what_is_not_pinned_is_not_installed() {
    let release = Release::new();
    for (version, wanted) in [
        ("v9.9.9", "pinned are: v1.2.3"),
        ("latest", "pinned are: v1.2.3"),
        ("v1.2.3; echo pwned >x", "is no version of hydrator"),
        ("$(echo pwned >x)", "is no version of hydrator"),
        ("x\n::add-mask::y", "is no version of hydrator"),
        ("../v1.2.3", "is no version of hydrator"),
    ] {
        let outcome = release.installer().variable("HYDRATOR_VERSION", version).run();
        refused(&outcome, wanted);
        assert!(!outcome.stderr().contains("::"), "{}", outcome.stderr());
    }
    let outcome = release.installer().variable("HYDRATOR_HELM_VERSION", "v0.0.1").run();
    refused(&outcome, "no archive of helm `v0.0.1`");
    assert!(release.files.asked().is_empty() && !release.path("x").exists());
}

#[test]
fn wget_will_do_and_something_must() {
    let release = Release::new();
    let path = path_without(&release.path("no-curl"), &["curl"]);
    assert!(release.path("no-curl/wget").exists(), "the machine of the tests has wget");
    _ = release.installer().variable("PATH", &path).run().success();
    assert!(release.has_program());
    let other = Release::new();
    let path = path_without(&other.path("neither"), &["curl", "wget"]);
    refused(&other.installer().variable("PATH", &path).run(), "neither curl nor wget");
    let path = path_without(&other.path("no-sum"), &["sha256sum", "shasum", "openssl"]);
    refused(&other.installer().variable("PATH", &path).run(), "cannot check what was downloaded");
    assert!(!other.has_program());
}

#[test]
fn other_machines_are_told_to_build() {
    let release = Release::new();
    let path = path_without(&release.path("other"), &["uname"]);
    crate::support::command::write_script(
        &release.path("other/uname"),
        "echo riscv64; [ \"$1\" = -m ] || echo",
    );
    let outcome = release.installer().variable("PATH", &path).run();
    refused(&outcome, "there is no archive for riscv64");
    assert!(outcome.stderr().contains("HYDRATOR_VERSION=source"));
}

#[test]
fn a_cache_that_cannot_be_written_is_no_failure() {
    let release = Release::new();
    // A file where the directory should be: not even root can write there.
    std::fs::write(release.path("cache"), "").unwrap();
    _ = release.installer().run().success();
    assert!(release.has_program());
}

#[test]
fn a_program_that_is_there_counts_only_when_it_is_asked_for() {
    let release = Release::new();
    let path = path_without(&release.path("none"), &["hydrator"]);
    let outcome = release.installer().variable("PATH", &path).variable("HYDRATOR_VERSION", "path").run();
    refused(&outcome, "there is no hydrator on the path");
    refused(
        &release.installer().variable("HYDRATOR_VERSION", "source").run(),
        "there is no source of hydrator",
    );
    let path = path_without(&release.path("there"), &["hydrator"]);
    crate::support::command::write_script(&release.path("there/hydrator"), "echo mine");
    let outcome = release.installer().variable("PATH", &path).variable("HYDRATOR_VERSION", "path").run();
    _ = outcome.success();
    assert!(release.files.asked().is_empty() && !release.has_program());
}

#[test]
fn what_is_built_is_a_commit_by_its_whole_id() {
    let release = Release::new();
    let built = |source: &str| {
        let run = release.installer().variable("HYDRATOR_VERSION", "source");
        run.variable("HYDRATOR_SOURCE", source).run()
    };
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let address = release.files.address();
    for loose in ["", "#", "#main", "#v1", "#0123456", "#$(touch x)", &format!("#{commit}0"), commit] {
        refused(&built(&format!("{address}{loose}")), "does not end with the whole id of a commit");
    }
    assert!(release.files.asked().is_empty() && !release.path("x").exists());
    for other in ["http://example.com/a.git", "ext::sh", "git@example.com:a.git", "--upload-pack=x", ""] {
        let said = built(&format!("{other}#{commit}"));
        assert!(said.stderr().contains("error: ") && said.exit_code() == Some(1), "{}", said.stderr());
        assert!(!said.stderr().contains("fetching"), "{}", said.stderr());
    }
    refused(&built(&format!("{address}/hydrator.git#{commit}")), "cannot fetch the source of hydrator");
    assert!(!release.has_program());
}

#[test]
fn the_table_is_whole() {
    let script = read("scripts/install.sh");
    let table = script.split("<<'TABLE'\n").nth(1).and_then(|rest| rest.split("\nTABLE\n").next()).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for row in table.lines() {
        let cells: Vec<&str> = row.split(' ').collect();
        let [program, version, platform, sum, address] = cells[..] else { panic!("{row}") };
        assert!(["hydrator", "kustomize", "helm"].contains(&program) && version.starts_with('v'), "{row}");
        assert!(
            ["linux-x86_64", "linux-aarch64", "macos-x86_64", "macos-aarch64"].contains(&platform),
            "{row}"
        );
        assert!(sum.len() == 64 && sum.bytes().all(|byte| b"0123456789abcdef".contains(&byte)), "{row}");
        assert!(address.starts_with("https://") && address.ends_with(".tar.gz"), "{row}");
        assert!(seen.insert((program, version, platform)), "{row} is there twice");
    }
    assert!(seen.len() >= 4);
}

#[test]
fn a_pinned_release_never_changes() {
    let release = Release::new();
    let before = std::fs::read_to_string(release.path("scripts/install.sh")).unwrap();
    let pin = |sums: &str| {
        std::fs::write(release.path("SUMS"), sums).unwrap();
        let run = crate::support::command::Run::program(
            super::project("scripts/release/table.sh"),
            &release.path("home"),
        );
        run.variable("INSTALL_SCRIPT", release.path("scripts/install.sh").to_str().unwrap())
            .arguments([VERSION, release.path("SUMS").to_str().unwrap(), release.files.address()])
            .run()
    };
    let sums = std::fs::read_to_string(release.path("SUMS")).unwrap();
    _ = pin(&sums).success();
    let (sum, archive) = sums.split_once("  ").expect("sha256sum prints both");
    let other = pin(&format!("{}  {archive}", "0".repeat(sum.len())));
    assert_eq!(other.exit_code(), Some(1), "{}", other.stderr());
    let foreign = pin(&sums.replace("hydrator-", "helm-"));
    assert_eq!(foreign.exit_code(), Some(1), "{}", foreign.stderr());
    assert_eq!(std::fs::read_to_string(release.path("scripts/install.sh")).unwrap(), before);
}
