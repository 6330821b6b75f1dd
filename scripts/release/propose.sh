#!/usr/bin/env bash
# Pins a release in the installer and in the GitLab template, and opens the pull request that does so. Needs the gh
# program with GH_TOKEN.
# usage: scripts/release/propose.sh VERSION SUMS
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
version=$1 sums=$2
base=$GITHUB_SERVER_URL/$GITHUB_REPOSITORY
branch=pin-$version

gh auth setup-git
git fetch --quiet --depth 1 "$base" main
git checkout --quiet --detach FETCH_HEAD
scripts/release/table.sh "$version" "$sums" "$base/releases/download/$version"
scripts/template.sh
if git diff --quiet; then
  echo "$version is pinned already"
  exit 0
fi
git -c user.name="github-actions[bot]" -c user.email="41898282+github-actions[bot]@users.noreply.github.com" \
  commit --all --quiet --message "release: pin $version"
git push --force "$base" "HEAD:refs/heads/$branch"
open=$(gh pr list --repo "$GITHUB_REPOSITORY" --head "$branch" --state open --json number --jq '.[].number')
if [ -n "$open" ]; then
  echo "pull request $open pins it"
  exit 0
fi
gh pr create --head "$branch" --base main --title "release: pin $version" \
  --body "The archives of $version by their content. Users of the major tag get it once this is merged."
