#!/usr/bin/env bash
# Moves the tag that users follow, such as v1, to a commit whose installer pins the newest release.
# usage: scripts/release/major-tag.sh REMOTE        the commit is the one that is checked out
# A tag cannot pin its own archives: they are built from it. So `v1.2.3` is what was built, and `v1` a later commit.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
remote=$1

newest=$(sed -n 's/^hydrator \(v[0-9][0-9.]*\) .*/\1/p' "${INSTALL_SCRIPT:-scripts/install.sh}" | tail -n 1)
if [ -z "$newest" ]; then
  echo "no release is pinned yet: there is nothing to move" >&2
  exit 0
fi
commit=$(git rev-parse HEAD)
git push --force "$remote" "$commit:refs/tags/${newest%%.*}"
