//! The DRY repositories of `examples/` work as they are, from the configuration to the pull requests.

use super::project;
use crate::support::git::TestRepo;

#[test]
fn every_example_is_hydrated() {
    let mut examples = 0;
    for entry in std::fs::read_dir(project("examples")).unwrap() {
        let directory = entry.unwrap().path();
        if !directory.join("hydrator.yaml").is_file() {
            continue;
        }
        examples += 1;
        let repo = TestRepo::new();
        repo.copy_directory(&directory);
        repo.commit("First version");
        _ = repo.hydration().run().success();
        for environment in ["dev", "prod"] {
            let file = format!("hydrator/{environment}-next:shop/manifest.yaml");
            let manifest = repo.remote_git().run(&["show", &file]);
            let wanted = if environment == "dev" { "shop:1.5.0-rc.1" } else { "shop:1.4.2" };
            assert!(manifest.contains(wanted), "{}: {manifest}", directory.display());
        }
    }
    assert_eq!(examples, 3);
}
