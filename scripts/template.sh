#!/usr/bin/env bash
# Puts scripts/install.sh into .gitlab-ci-template.yml: a template is one file, and what it runs is part of it.
# usage: scripts/template.sh [--check]      --check changes nothing, and fails where it would
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
template=${TEMPLATE:-.gitlab-ci-template.yml} installer=${INSTALL_SCRIPT:-scripts/install.sh}

wanted=$(mktemp)
trap 'rm -f "$wanted"' EXIT
inside=
while IFS= read -r line; do
  case $line in
    *'# scripts/install.sh begins here'*)
      printf '%s\n' "$line"
      while IFS= read -r text; do
        printf '%s\n' "${text:+      $text}"
      done <"$installer"
      inside=1
      ;;
    *'# scripts/install.sh ends here'*) inside= ;;
  esac
  if [ -z "$inside" ]; then printf '%s\n' "$line"; fi
done <"$template" >"$wanted"

if cmp -s "$wanted" "$template"; then exit 0; fi
if [ "${1:-}" = --check ]; then
  echo "error: $template has another installer than $installer: run scripts/template.sh" >&2
  exit 1
fi
cat "$wanted" >"$template"
