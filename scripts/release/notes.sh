#!/usr/bin/env bash
# Prints what the changelog says of a version, the notes of its release. Fails where that is nothing, where Cargo.toml has
# another version, and where README and examples tell people to follow another major tag than the one that will move.
# usage: scripts/release/notes.sh VERSION
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
version=$1

if ! grep -qxF "version = \"${version#v}\"" Cargo.toml; then
  echo "error: Cargo.toml does not say \`version = \"${version#v}\"\`" >&2
  exit 1
fi

major=${version%%.*}
named=$(grep -rhoE '(hydrator@|ref: )v[0-9]+' README.md docs examples templates .gitlab-ci-template.yml | grep -oE 'v[0-9]+$' | sort -u)
if [ "$named" != "$major" ]; then
  echo "error: the documents and examples tell people to follow ${named//$'\n'/, }, and $version moves the tag $major" >&2
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
done <CHANGELOG.md

if [ -z "${notes//[[:space:]]/}" ]; then
  echo "error: CHANGELOG.md has no section \`## ${version#v}\` with text" >&2
  exit 1
fi
while [[ $notes == $'\n'* ]]; do notes=${notes#$'\n'}; done
while [[ $notes == *$'\n\n' ]]; do notes=${notes%$'\n'}; done
printf '%s' "$notes"
