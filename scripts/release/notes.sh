#!/usr/bin/env bash
# Prints what the changelog says of a version, the notes of its release. Fails where that is nothing, or where
# Cargo.toml has another version.
# usage: scripts/release/notes.sh VERSION
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
version=$1

if ! grep -qxF "version = \"${version#v}\"" Cargo.toml; then
  echo "error: Cargo.toml does not say \`version = \"${version#v}\"\`" >&2
  exit 1
fi

notes=
inside=
while IFS= read -r line || [ -n "$line" ]; do
  case $line in
    "## ${version#v}" | "## ${version#v} "*) inside=1 ;;
    '## '*) inside= ;;
    *) if [ -n "$inside" ]; then notes+=$line$'\n'; fi ;;
  esac
done <"${CHANGELOG:-CHANGELOG.md}"

if [ -z "${notes//[[:space:]]/}" ]; then
  echo "error: CHANGELOG.md has no section \`## ${version#v}\` with text" >&2
  exit 1
fi
while [[ $notes == $'\n'* ]]; do notes=${notes#$'\n'}; done
while [[ $notes == *$'\n\n' ]]; do notes=${notes%$'\n'}; done
printf '%s' "$notes"
