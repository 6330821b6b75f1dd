#!/usr/bin/env bash
# Builds and packs hydrator for a release.
# usage: scripts/release/build.sh VERSION TARGET OUTPUT     TARGET is one of Rust's, such as x86_64-unknown-linux-musl
# PROGRAM names a program that is built already; it is only packed then.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
version=$1 target=$2 output=$3

case $target in
  x86_64-unknown-linux-musl) platform=linux-x86_64 ;;
  aarch64-unknown-linux-musl) platform=linux-aarch64 ;;
  x86_64-apple-darwin) platform=macos-x86_64 ;;
  aarch64-apple-darwin) platform=macos-aarch64 ;;
  *)
    echo "error: scripts/install.sh knows no platform for \`$target\`" >&2
    exit 1
    ;;
esac

if [ -z "${PROGRAM:-}" ]; then
  if [[ $target == *-musl ]]; then
    if ! command -v musl-gcc >/dev/null; then
      echo "error: there is no musl-gcc: install musl-tools" >&2
      exit 1
    fi
    # For libgit2 and the TLS library, which are C; by itself the build looks for a cross compiler on aarch64.
    export "CC_${target//-/_}=musl-gcc"
  fi
  cargo build --release --locked --target "$target"
  PROGRAM=${CARGO_TARGET_DIR:-target}/$target/release/hydrator
fi
said=$("$PROGRAM" --version)
if [ "$said" != "hydrator ${version#v}" ]; then
  echo "error: the program calls itself \`$said\`, and $version shall be released" >&2
  exit 1
fi
python3 scripts/release/archive.py "$PROGRAM" "hydrator-$version-$platform" "$output"
