#!/usr/bin/env bash
# The baseline: for every environment a work tree, every application rendered, one commit, one forced push.
# usage: bench-loop.sh CHECKOUT
set -euo pipefail
cd "$1"
short=$(git rev-parse --short HEAD)
for values in environments/*; do
    environment=$(basename "$values")
    branch="hydrator/$environment-next"
    tree=$(mktemp -d)
    if git ls-remote --exit-code --heads origin "$branch" >/dev/null; then
        git fetch --quiet origin "$branch"
        git worktree add --quiet --detach "$tree" FETCH_HEAD
    else
        git worktree add --quiet --detach "$tree" HEAD
        git -C "$tree" checkout --quiet --orphan "new-$environment-$RANDOM"
        git -C "$tree" rm --quiet -r --force .
    fi
    find "$tree" -mindepth 1 -maxdepth 1 ! -name .git -exec rm -rf {} +
    for app in apps/*; do
        name=$(basename "$app")
        mkdir -p "$tree/$name"
        kubectl kustomize "$app/overlays/$environment" >"$tree/$name/manifest.yaml"
    done
    git -C "$tree" add --all
    if ! git -C "$tree" diff --cached --quiet; then
        git -C "$tree" commit --quiet --message "hydrate $environment from $short"
        git -C "$tree" push --quiet --force origin "HEAD:refs/heads/$branch"
    fi
    git worktree remove --force "$tree"
done
