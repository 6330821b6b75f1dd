//! What gates wait for: statuses of commits, and the newest merge requests between branches; in one question where they
//! are few.

use anyhow::Result;
use serde_json::Value;

use super::shapes::each;
use super::{GitLab, question, statuses};
use crate::error::Failure;
use crate::forge::Statuses;
use crate::forge::http::encoded;
use crate::model::{BranchName, CommitId, PullRequest};

const DOING: &str = "cannot look for the newest merge requests";

/// Both at once, where GitLab's price of a question allows.
pub(super) fn read(
    forge: &GitLab,
    commits: &[CommitId],
    pairs: &[(&BranchName, &BranchName)],
) -> Result<(Statuses, Vec<Option<PullRequest>>)> {
    if !pairs.is_empty()
        && let Some((found, page)) = statuses::read_with(forge, commits, pairs)?
    {
        return Ok((found, forge.newest_in(&page, pairs)?));
    }
    let newest =
        if pairs.is_empty() { Vec::new() } else { crate::forge::Forge::newest_pull_requests(forge, pairs)? };
    Ok((statuses::read_all(forge, commits)?, newest))
}

impl GitLab {
    /// The newest of many pairs at once. Of pairs that are on no first page the rest is asked one by one.
    pub(super) fn newest_of_many(
        &self,
        (graphql, path): (&str, &str),
        pairs: &[(&BranchName, &BranchName)],
    ) -> Result<Vec<Option<PullRequest>>> {
        let project =
            self.ask(graphql, question::newest(path, pairs)).map_err(|refused| refused.while_doing(DOING))?;
        self.newest_in(&project["newest"], pairs)
    }

    /// The newest of each pair out of the page that was told.
    fn newest_in(
        &self,
        page: &Value,
        pairs: &[(&BranchName, &BranchName)],
    ) -> Result<Vec<Option<PullRequest>>> {
        if !page["nodes"].is_array() {
            let path = self.place.path.as_deref().unwrap_or(&self.place.project);
            let doing = DOING;
            return Err(Failure::forge(format!("{doing}: GitLab shows this token no project `{path}`"))
                .hint("check `CI_PROJECT_PATH`, and that the token may see it")
                .into());
        }
        let found: Vec<PullRequest> = each(&page["nodes"]).filter_map(question::of_graphql).collect();
        let newest = |(head, base): &(&BranchName, &BranchName)| {
            let between = found.iter().filter(|one| one.head == **head && one.base == **base);
            match between.max_by_key(|one| one.number) {
                None if page["pageInfo"]["hasNextPage"] == true => self.newest_of_one(head, base),
                newest => Ok(newest.cloned()),
            }
        };
        pairs.iter().map(newest).collect()
    }

    pub(super) fn newest_of_one(&self, head: &BranchName, base: &BranchName) -> Result<Option<PullRequest>> {
        let (source, target) = (encoded(head.as_str()), encoded(base.as_str()));
        let path = format!(
            "/merge_requests?state=all&scope=all&order_by=created_at&sort=desc&per_page=20&source_branch={source}&target_branch={target}"
        );
        let doing = format!("cannot look for the newest merge request from `{head}` to `{base}`");
        let answer = self.get(&path).map_err(|refused| refused.while_doing(&doing))?;
        Ok(each(&answer).filter_map(|one| self.learn(one)).max_by_key(|one| one.number))
    }
}
