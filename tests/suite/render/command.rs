//! The command renderer, and through it what every outside program is subject to.

use std::sync::atomic::Ordering;
use std::time::Duration;

use hydrator::error::{FailureKind, hint_of, kind_of};
use hydrator::model::EntryKind;

use super::bench::{Bench, Tree, command, ids};

const MANIFEST: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n";

fn shell(script: &str) -> hydrator::model::Target {
    command("apps/web", &["sh", "-c", script], &["**"])
}

fn bench() -> Bench {
    Bench::new(Tree::of(&[
        ("apps/web/a.yaml", MANIFEST),
        ("apps/other.yaml", MANIFEST),
        ("shared/b.yaml", MANIFEST),
    ]))
}

#[test]
fn stdout_is_the_stream_and_stderr_are_warnings() {
    let rendered = bench().render(&shell("cat a.yaml; echo careful >&2; echo careful >&2"));
    assert_eq!(ids(&rendered), ["ConfigMap a"]);
    assert_eq!(rendered.warnings, ["careful"]);
    assert_eq!(rendered.commands, ["sh -c 'cat a.yaml; echo careful >&2; echo careful >&2'"]);
    assert_eq!(rendered.version, None);
}

#[test]
fn a_command_sees_its_inputs_and_nothing_else() {
    let list = "find ../.. -type f | sort >&2";
    let rendered = bench().render(&shell(list));
    assert_eq!(rendered.warnings, ["../../apps/web/a.yaml"]);
    let rendered = bench().render(&command("apps/web", &["sh", "-c", list], &["/shared", "../*.yaml"]));
    assert_eq!(rendered.warnings, ["../../apps/other.yaml", "../../shared/b.yaml"]);
    let rendered = bench().render(&command("apps/web", &["sh", "-c", list], &[]));
    assert_eq!(rendered.warnings.len(), 3);
}

#[test]
fn a_script_of_the_tree_keeps_its_executable_bit() {
    let tree = Tree::default().with(
        "g/make.sh",
        EntryKind::Executable,
        format!("#!/bin/sh\ncat <<E\n{MANIFEST}E\n"),
    );
    assert_eq!(ids(&Bench::new(tree).render(&command("g", &["./make.sh"], &["make.sh"]))), ["ConfigMap a"]);
}

#[test]
fn the_environment_is_cleared() {
    let bench = Bench {
        variables: [
            ("SECRET_TOKEN", "hunter2-hunter2"),
            ("NAMED", "yes-please"),
            ("HTTPS_PROXY", "http://u:p@proxy"),
            ("HOME", "/root"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into(),
        ..bench()
    };
    let names = "env | sed 's/=.*//' | sort >&2";
    let rendered = bench.render(&shell(names));
    for name in ["SECRET_TOKEN", "NAMED", "HTTPS_PROXY", "CARGO_HOME", "HYDRATOR_TEST_TOOLS", "GOGC"] {
        assert!(!rendered.warnings.contains(&name.to_owned()), "{name}: {:?}", rendered.warnings);
    }
    assert!(rendered.warnings.contains(&"TMPDIR".to_owned()));

    let mut target =
        shell("echo \"$NAMED $LC_ALL $TZ\"; echo \"$NAMED in $HOME\" >&2; test -d \"$TMPDIR\"; exit 3");
    target.environment_variables = vec!["NAMED".into(), "HOME".into(), "UNSET".into()];
    let message = bench.error(&target);
    assert!(message.ends_with("fails with exit status 3: *** in home"), "{message}");
}

#[test]
fn a_hanging_command_is_ended_with_everything_that_it_started() {
    let bench = Bench {
        options: hydrator::render::RenderOptions {
            time_limit: Duration::from_millis(300),
            ..bench().options
        },
        ..bench()
    };
    // The grandchild ignores the polite signal and keeps the pipe open.
    let message = bench
        .error(&shell("sh -c 'trap \"\" TERM; sleep 1000; sleep 1000' & echo grandchild $! >&2; sleep 1000"));
    assert!(message.contains("took longer than 0.3 s"), "{message}");
    let pid = message.rsplit("grandchild ").next().unwrap();
    assert!(pid.parse::<u32>().is_ok() && is_gone(pid), "{message}");
}

#[test]
fn a_process_that_is_left_behind_does_not_hold_up_the_run() {
    let rendered = bench().render(&shell("sleep 1000 & echo $! >&2; cat a.yaml"));
    assert_eq!(ids(&rendered), ["ConfigMap a"]);
    assert!(rendered.warnings[1].contains("left a process behind"), "{:?}", rendered.warnings);
    assert!(is_gone(&rendered.warnings[0]));
}

/// A killed process may stay as a zombie where nobody reaps orphans; it is gone all the same.
fn is_gone(pid: &str) -> bool {
    (0..500).any(|_| {
        let Ok(status) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { return true };
        let is_zombie = status.rsplit(')').next().unwrap().trim_start().starts_with('Z');
        if !is_zombie {
            std::thread::sleep(Duration::from_millis(10));
        }
        is_zombie
    })
}

#[test]
fn a_flood_is_cut_off() {
    let bench = Bench {
        options: hydrator::render::RenderOptions { output_limit: 1 << 20, ..bench().options },
        ..bench()
    };
    for script in ["yes", "yes >&2", "head -c 2000000 /dev/zero"] {
        let message = bench.error(&shell(script));
        assert!(message.contains("wrote more than the output limit"), "{message}");
    }
}

#[test]
fn a_signal_is_named_and_the_message_is_clean() {
    let message = bench().error(&shell(
        r"printf '\033[31mE1122 23:24:56.515165   22162 run.go:72] boom\033[0m\n' >&2; kill -SEGV $$",
    ));
    assert!(message.ends_with("was ended by signal 11: boom"), "{message}");
}

#[test]
fn an_interrupted_run_ends_its_programs_and_starts_no_other() {
    let bench = bench();
    let target = shell("sleep 1000");
    std::thread::scope(|scope| {
        let render = scope.spawn(|| bench.try_render(&target).unwrap_err());
        bench.cancel.store(true, Ordering::Relaxed);
        let error = render.join().unwrap();
        assert_eq!(kind_of(&error), FailureKind::Unexpected);
        assert!(format!("{error:#}").ends_with("the run was interrupted"), "{error:#}");
    });
    assert!(bench.error(&target).ends_with("the run was interrupted"));
}

#[test]
fn a_missing_program_is_named() {
    let target = command("apps/web", &["jsonnet-not-here", "x"], &["**"]);
    let error = bench().try_render(&target).unwrap_err();
    assert!(format!("{error:#}").contains("the program `jsonnet-not-here` is not on the path"), "{error:#}");
    assert_eq!(kind_of(&error), FailureKind::Render);
    assert!(hint_of(&error).unwrap().contains("install it"));
}

#[test]
fn output_that_is_no_manifest_names_the_line() {
    let message = bench().error(&shell("cat a.yaml; echo '---'; echo 'error: oops'"));
    assert!(message.contains("line 6 of the output: document 2 has no `kind`"), "{message}");
    let message = bench().error(&shell("cat a.yaml; echo '---'; cat a.yaml"));
    assert!(
        message.contains("ConfigMap a is rendered twice: line 1 of the output and line 6 of the output"),
        "{message}"
    );
}

#[test]
fn results_come_by_index_and_one_failure_stops_no_other() {
    let bench = bench();
    let targets: Vec<_> = (0..12)
        .map(|number| shell(&format!("printf 'kind: A\\nmetadata: {{name: n{number}}}\\n'")))
        .collect();
    let rendered = bench.render_all(&targets);
    let all: Vec<String> = rendered.iter().flat_map(ids).collect();
    assert_eq!(all, (0..12).map(|number| format!("A n{number}")).collect::<Vec<_>>());
}
