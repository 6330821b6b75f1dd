//! What a question costs, and how much goes into one. Pure.
//!
//! GitLab refuses a question that costs more than 250 of its points. A field costs one, `diffHeadSha` two and `mergedAt`
//! five, an argument that makes a search slow one or two, and a list multiplies all of that by a hundredth of its length. Source: GitLab's documentation of
//! GraphQL, "Limits", and its resolvers.

use super::asked::{Asked, Wish};
use super::pairs;

/// A little less than GitLab allows: its fields do not cost the same in all versions.
const LIMIT: usize = 240;
/// The longest list that it gives.
const LONGEST: usize = 100;

/// The project.
const ROOT: usize = 1;
/// A commit with its pipelines.
const COMMIT: usize = 14;
/// A DRY commit with its first pipeline.
const LANDED: usize = 15;
/// What was merged last, and by whom we are.
const MERGED: usize = 50;

/// So many DRY commits go into a question of their own.
pub(super) const LANDED_AT_ONCE: usize = (LIMIT - ROOT - MERGED) / LANDED;

/// The questions that ask everything: as few as the price allows. At least one.
pub(super) fn questions<'a>(wish: &Wish<'a>) -> Vec<Asked<'a>> {
    let mut all = vec![Asked { pairs: wish.pairs, ..Asked::default() }];
    for heads in wish.heads.chunks(LONGEST) {
        let added = Asked { heads: heads.to_vec(), ..Asked::default() };
        match all.last_mut() {
            Some(last) if last.heads.is_empty() && price(last) + price(&added) <= LIMIT => {
                last.heads = added.heads;
            }
            _ => all.push(added),
        }
    }
    for commit in &wish.commits {
        match all.iter_mut().find(|one| price(one) + COMMIT <= LIMIT) {
            Some(one) => one.commits.push(*commit),
            None => all.push(Asked { commits: vec![*commit], ..Asked::default() }),
        }
    }
    if let Some(cheapest) = all.iter_mut().min_by_key(|one| price(one)) {
        cheapest.base.clone_from(&wish.base);
        cheapest.status = wish.status;
        let room = LIMIT.saturating_sub(price(cheapest) + MERGED) / LANDED;
        cheapest.landed = wish.landed.iter().copied().take(room).collect();
    }
    all
}

fn price(asked: &Asked<'_>) -> usize {
    let list = |one: usize, length: usize| if length == 0 { 0 } else { one + one * length / 100 };
    let merged = if asked.landed.is_empty() { 0 } else { MERGED };
    ROOT + list(21, pairs::length(asked.pairs.len()))
        + list(26, asked.heads.len())
        + COMMIT * asked.commits.len()
        + LANDED * asked.landed.len()
        + merged
}
