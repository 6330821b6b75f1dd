#!/usr/bin/env bash
# Every check but the tests, in one list: continuous integration and people run this. Runs all, fails at the end.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

failed=()
check() { # NAME COMMAND…
  local name=$1 log
  shift
  if log=$("$@" 2>&1); then
    printf 'ok      %s\n' "$name"
  else
    printf '%s\nFAILED  %s\n' "$log" "$name"
    failed+=("$name")
  fi
}

format() { cargo fmt --check; }

lints() { cargo clippy --locked --all-targets -- -D warnings; }

documentation() { RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --document-private-items; }

# A budget: every package is code that users must trust and wait for.
dependencies() {
  local count sources
  count=$(grep -c '^\[\[package\]\]' Cargo.lock)
  sources=$(grep '^source = ' Cargo.lock | sort -u)
  if [ "$count" -ge 220 ]; then
    echo "Cargo.lock has $count packages, the budget is 219: leave one out, or raise the budget with a reason"
    return 1
  fi
  if [ "$(wc -l <<<"$sources")" -ne 1 ]; then
    printf 'Cargo.lock takes packages from more than one place:\n%s\n' "$sources"
    return 1
  fi
}

scripts_lint() {
  scripts/fetch-tools.sh "$PWD/.tools" || return 1
  git ls-files -z -- '*.sh' .ci/run | xargs -0 .tools/bin/shellcheck
}

# The action, our own workflows, and the ones that users copy.
workflows_lint() {
  local files
  scripts/fetch-tools.sh "$PWD/.tools" || return 1
  mapfile -t files < <(git ls-files -- '.github/workflows/*.yml' 'examples/github/*.yml')
  .tools/bin/actionlint -shellcheck "$PWD/.tools/bin/shellcheck" "${files[@]}" &&
    .tools/bin/zizmor --offline --no-progress --config .github/zizmor.yml action.yml "${files[@]}"
}

schemas() {
  scripts/fetch-tools.sh "$PWD/.tools" || return 1
  python3 scripts/schemas.py "$PWD/.tools"
}

# Links between the documents, to files and to headings.
links() { python3 scripts/links.py; }

template() { scripts/template.sh --check; }

# Paths and package mirrors of the machine at hand have no place in the project.
no_machine() {
  local word words found=0
  words=$(
    printf '%s/\n%s/\n' "$PWD" "${HOME:-/root}"
    env | grep -E '^(PIP|npm_config|NPM_CONFIG|CARGO|https?_proxy|HTTPS?_PROXY|GOPROXY)' |
      grep -oE 'https?://[^/[:space:]]+' | sed -E 's#^https?://##; s#^.*@##'
  )
  while read -r word; do
    [ "${#word}" -ge 4 ] || continue
    git grep -nIF -e "$word" && found=1
  done <<<"$words"
  [ "$found" = 0 ] || {
    echo "the lines above name a path or a package mirror of this machine: take it out"
    return 1
  }
}

check "format" format
check "lints" lints
check "documentation" documentation
check "dependencies" dependencies
check "shell scripts" scripts_lint
check "workflows" workflows_lint
check "schemas of CI files" schemas
check "GitLab template" template
check "links" links
check "nothing of this machine" no_machine

if [ "${#failed[@]}" -gt 0 ]; then
  printf 'checks failed: %s\n' "$(IFS=,; echo "${failed[*]}")"
  exit 1
fi
echo "all checks passed"
