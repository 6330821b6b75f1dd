#!/usr/bin/env bash
# Runs the tests; arguments go to `cargo test`, such as a filter: scripts/test.sh render
# Fetches what they need first. HYDRATOR_TEST_TOOLS names a directory with act, helm, helm3, kubectl and kustomize to use
# instead.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [ -z "${HYDRATOR_TEST_TOOLS:-}" ]; then
  scripts/fetch-tools.sh "$PWD/.tools"
  export HYDRATOR_TEST_TOOLS="$PWD/.tools/bin"
fi

exec cargo test --locked "$@"
