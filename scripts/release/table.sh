#!/usr/bin/env bash
# Pins the archives of a release in the table of scripts/install.sh.
# usage: scripts/release/table.sh VERSION SUMS BASE
#   SUMS  what `sha256sum hydrator-*.tar.gz` printed; BASE is the address below which the archives are released
# Says nothing and changes nothing where they are pinned already; a pinned archive with another content is an error.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
version=$1 sums=$2 base=${3%/}
script=${INSTALL_SCRIPT:-scripts/install.sh}

fail() {
  printf 'error: %s\n' "$@" >&2
  exit 1
}

[[ $version =~ ^v[0-9]+\.[0-9]+\.[0-9]+$ ]] || fail "\`$version\` is no version such as v1.2.3"
[[ $base =~ ^https?://[A-Za-z0-9:/._~-]+$ ]] || fail "\`$base\` is no address"

rows=
while read -r sum file; do
  file=${file#\*}
  [[ $sum =~ ^[0-9a-f]{64}$ ]] || fail "\`$sum\` in $sums is no SHA-256"
  [[ $file == "hydrator-$version-"*.tar.gz ]] || fail "$file in $sums is no archive of hydrator $version"
  platform=${file#"hydrator-$version-"}
  key="hydrator $version ${platform%.tar.gz} "
  row="$key$sum $base/$file"
  if grep -qF -- "$key" "$script"; then
    grep -qxF -- "$row" "$script" || fail "another archive is pinned as \`${key% }\`: a release never changes"
  else
    rows+=$row$'\n'
  fi
done <"$sums"

if [ -n "$rows" ]; then
  [ "$(grep -cx TABLE "$script")" = 1 ] || fail "there is no end of the table in $script"
  changed=$(mktemp)
  trap 'rm -f "$changed"' EXIT
  while IFS= read -r line || [ -n "$line" ]; do
    if [ "$line" = TABLE ]; then printf '%s' "$rows"; fi
    printf '%s\n' "$line"
  done <"$script" >"$changed"
  cat "$changed" >"$script"
fi
