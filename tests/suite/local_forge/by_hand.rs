//! `hydrator local`, as a person types it.

use clap::Parser as _;
use hydrator::cli::local::{LocalArgs, run};

use super::*;

#[derive(clap::Parser)]
struct Line {
    #[command(flatten)]
    local: LocalArgs,
}

fn run_line(ground: &Ground, words: &[&str]) -> anyhow::Result<String> {
    let line = Line::try_parse_from([&["local"], words].concat())?;
    let mut out = Vec::new();
    run(&line.local, &ground.bare, &mut out)?;
    Ok(String::from_utf8(out)?)
}

fn open_with_marker(ground: &Ground) {
    let mut new = wanted("next", "active", "Promote");
    new.look.body = String::from("<!-- hydrator environment=\"prod\" -->\nText.");
    ground.forge().open(&new).unwrap();
}

#[test]
fn the_list_is_one_array() {
    let ground = Ground::new();
    assert_eq!(run_line(&ground, &["list", "--format", "json"]).unwrap(), "[]\n");
    assert_eq!(run_line(&ground, &["list"]).unwrap(), "no pull requests\n");
    open_with_marker(&ground);
    let text = run_line(&ground, &["list", "--format", "json"]).unwrap();
    let wanted = serde_json::json!([{
        "number": 1, "state": "open", "environment": "prod",
        "head": "next", "base": "active", "title": "Promote"
    }]);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), wanted);
    assert_eq!(run_line(&ground, &["list"]).unwrap(), "#1  open  prod  next -> active  Promote\n");
}

#[test]
fn a_person_meets_the_required_status() {
    let ground = Ground::new();
    open_with_marker(&ground);
    run_line(&ground, &["require", "hydrator/promotion"]).unwrap();
    let error = run_line(&ground, &["merge", "1"]).unwrap_err();
    assert_eq!(kind_of(&error), FailureKind::Forge);
    let head = ground.tip("next").short();
    assert_eq!(
        error.to_string(),
        format!(
            "pull request #1 cannot be merged: the required status `hydrator/promotion` on {head} is missing"
        )
    );
    let said = run_line(&ground, &["status", &head, "hydrator/promotion", "success"]).unwrap();
    assert_eq!(said, format!("status `hydrator/promotion` on {head} is success\n"));
    let said = run_line(&ground, &["merge", "1", "--method", "squash", "--delete-branch"]).unwrap();
    assert_eq!(said, format!("merged #1 as {}\n", ground.tip("active").short()));
    assert_eq!(ground.git(&["for-each-ref", "--format=%(refname)"]), "refs/heads/active\n");
}

#[test]
fn what_cannot_be_done_says_why() {
    let ground = Ground::new();
    ground.open();
    assert!(run_line(&ground, &["close", "2"]).unwrap_err().to_string().contains("no pull request #2"));
    assert!(
        run_line(&ground, &["status", "ffff", "x", "success"]).unwrap_err().to_string().contains("`ffff`")
    );
    assert!(
        run_line(&ground, &["status", "f", "x", "success"]).unwrap_err().to_string().contains("too short")
    );
    assert!(run_line(&ground, &["status", "ffff", "x", "green"]).is_err());
    assert_eq!(run_line(&ground, &["close", "1", "--comment", "No."]).unwrap(), "closed #1\n");
    assert_eq!(ground.forge().comments(1).unwrap()[0].body, "No.");
}
