#!/bin/sh
# Installs hydrator, and on request kustomize and helm, from archives that are pinned below by content.
#
#   scripts/install.sh          prints the directory that holds the programs, and nothing else, on stdout
#
# What it is told, by variables; an empty one counts as unset:
#   HYDRATOR_VERSION            a release, such as v1.2.3; `path`: the hydrator that is installed already; `source`:
#                               built with cargo. Default: the newest release
#   HYDRATOR_SOURCE             what `source` builds: a repository and the whole id of a commit of it, such as
#                               https://example.com/hydrator.git#0123…. Default: the repository around this script
#   HYDRATOR_KUSTOMIZE_VERSION  also this kustomize, such as v5.8.1. Default: none
#   HYDRATOR_HELM_VERSION       also this helm, such as v3.19.0. Default: none
#   HYDRATOR_INSTALL_DIRECTORY  where the programs go. Default: below RUNNER_TEMP in a job, else ~/.local/bin
#   HYDRATOR_INSTALL_CACHE      where archives are kept. Default: below RUNNER_TOOL_CACHE in a job, else ~/.cache
#   HYDRATOR_DOWNLOAD_BASE      a mirror, that holds all archives side by side. Default: where they are released
#
# An archive is unpacked only after its content was compared with the table, whether it was downloaded or kept. Needs
# tar with gzip, curl or wget, and sha256sum, shasum or openssl. In a job of Actions, later steps find the programs, too.
set -eu

# One line for each archive: program, version, platform, SHA-256, address. scripts/release/table.sh adds our releases.
table() {
  cat <<'TABLE'
kustomize v5.8.1 linux-x86_64 029a7f0f4e1932c52a0476cf02a0fd855c0bb85694b82c338fc648dcb53a819d https://github.com/kubernetes-sigs/kustomize/releases/download/kustomize%2Fv5.8.1/kustomize_v5.8.1_linux_amd64.tar.gz
kustomize v5.8.1 linux-aarch64 0953ea3e476f66d6ddfcd911d750f5167b9365aa9491b2326398e289fef2c142 https://github.com/kubernetes-sigs/kustomize/releases/download/kustomize%2Fv5.8.1/kustomize_v5.8.1_linux_arm64.tar.gz
helm v3.19.0 linux-x86_64 a7f81ce08007091b86d8bd696eb4d86b8d0f2e1b9f6c714be62f82f96a594496 https://get.helm.sh/helm-v3.19.0-linux-amd64.tar.gz
helm v3.19.0 linux-aarch64 440cf7add0aee27ebc93fada965523c1dc2e0ab340d4348da2215737fc0d76ad https://get.helm.sh/helm-v3.19.0-linux-arm64.tar.gz
TABLE
}

say() { printf '%s\n' "$*" >&2; }

fail() { # MESSAGE HINT
  say "error: $1"
  say "hint: $2"
  exit 1
}

platform() {
  case $(uname -s) in
    Linux) system=linux ;;
    Darwin) system=macos ;;
    *) fail "there is no archive for $(uname -s)" "build it from source: HYDRATOR_VERSION=source" ;;
  esac
  case $(uname -m) in
    x86_64 | amd64) echo "$system-x86_64" ;;
    aarch64 | arm64) echo "$system-aarch64" ;;
    *) fail "there is no archive for $(uname -m)" "build it from source: HYDRATOR_VERSION=source" ;;
  esac
}

# The versions of a program that the table has, oldest first.
versions() { # PROGRAM
  table | while read -r name version _; do
    if [ "$name" = "$1" ]; then echo "$version"; fi
  done | uniq
}

# `SHA-256 address` of an archive; nothing where the table does not have it.
entry() { # PROGRAM VERSION PLATFORM
  table | while read -r name version where sum address; do
    if [ "$name $version $where" = "$1 $2 $3" ]; then echo "$sum $address"; fi
  done
}

sha256() { # FILE
  if command -v sha256sum >/dev/null; then
    sum=$(sha256sum <"$1")
  elif command -v shasum >/dev/null; then
    sum=$(shasum -a 256 <"$1")
  elif command -v openssl >/dev/null; then
    sum=$(openssl dgst -sha256 -r <"$1")
  else
    fail "cannot check what was downloaded" "install sha256sum, shasum or openssl"
  fi
  echo "${sum%% *}"
}

# HTTPS; plain HTTP only to this machine itself, where nobody is in between. No user or token in an address: every
# process of the machine sees arguments.
protocols() { # ADDRESS
  case $1 in
    *[!A-Za-z0-9:/._~%+=\&?,-]*) fail "the address of the download has characters that none may have" \
      "look at HYDRATOR_DOWNLOAD_BASE; for a mirror that wants a password, use ~/.netrc" ;;
    https://*) echo '=https' ;;
    http://127.0.0.1[:/]* | http://localhost[:/]*) echo '=http,https' ;;
    *) fail "downloads are made over https only, not from $1" "look at HYDRATOR_DOWNLOAD_BASE" ;;
  esac
}

download() { # ADDRESS FILE
  allowed=$(protocols "$1")
  say "downloading $1"
  if command -v curl >/dev/null; then
    curl --proto "$allowed" --proto-redir '=https' --tlsv1.2 --netrc-optional --globoff --fail --location --silent \
      --show-error --connect-timeout 20 --max-time 600 --retry 2 --output "$2" "$1" >&2 && return
  elif command -v wget >/dev/null; then
    # It may follow a redirect to plain HTTP; the content is checked all the same.
    wget -q -T 60 -O "$2" "$1" >&2 && return
  else
    fail "there is neither curl nor wget to download with" "install one of them before hydrator runs"
  fi
  fail "cannot download $1" "is it reachable from here? HYDRATOR_DOWNLOAD_BASE names a mirror that holds this file"
}

# Puts an archive that is what it should be at FILE: the kept one, else a fresh one.
fetch() { # SUM ADDRESS FILE
  kept=$cache/$1.tar.gz
  if cp "$kept" "$3" 2>/dev/null && [ "$(sha256 "$3")" = "$1" ]; then
    return
  fi
  address=$2
  if [ -n "$base" ]; then address=${base%/}/${2##*/}; fi
  download "$address" "$3"
  found=$(sha256 "$3")
  if [ "$found" != "$1" ]; then
    fail "$address is not what was released: its SHA-256 is $found and should be $1" \
      "nothing of it was unpacked; if it is not just truncated, somebody has changed it"
  fi
  # Keeping it is a favour to the next job. Copied aside first: a job beside this one may be reading.
  if mkdir -p "$cache" 2>/dev/null && cp "$3" "$kept.$$" 2>/dev/null; then
    mv -f "$kept.$$" "$kept" 2>/dev/null || rm -f "$kept.$$"
  fi
}

place() { # PROGRAM FILE
  mkdir -p "$directory" || fail "cannot make the directory $directory" "name another one: HYDRATOR_INSTALL_DIRECTORY"
  { cp "$2" "$directory/.$1.$$" && chmod 755 "$directory/.$1.$$" && mv -f "$directory/.$1.$$" "$directory/$1"; } ||
    fail "cannot write $directory/$1" "name another directory: HYDRATOR_INSTALL_DIRECTORY"
}

install_release() { # PROGRAM VERSION
  case $2 in
    # Not shown: what stands in a log may be a command to the runner.
    *[!A-Za-z0-9.+-]*) fail "what is asked for is no version of $1" "a version looks like v1.2.3" ;;
  esac
  version=v${2#v}
  where=$(platform)
  found=$(entry "$1" "$version" "$where")
  if [ -z "$found" ]; then
    known=$(versions "$1" | tr '\n' ' ')
    fail "no archive of $1 \`$2\` for $where is pinned here" \
      "pinned are: ${known:-none yet}; a newer version of the action or the template may know more"
  fi
  fetch "${found%% *}" "${found#* }" "$scratch/$1.tar.gz"
  mkdir "$scratch/$1"
  tar -xzf "$scratch/$1.tar.gz" -C "$scratch/$1" >&2 || fail "cannot unpack the archive of $1" "is tar there, with gzip?"
  for file in "$scratch/$1/$1" "$scratch/$1"/*/"$1"; do
    if [ -f "$file" ] && [ ! -L "$file" ]; then
      place "$1" "$file"
      say "installed $1 $version"
      return
    fi
  done
  fail "there is no $1 in its archive" "report it: the archive is the one that was released"
}

# Puts a commit of a repository into the scratch directory. Its whole id is its content: no branch or tag, that others move.
fetch_source() { # REPOSITORY#COMMIT
  commit=${1##*#}
  case $commit in
    "$1" | '' | *[!0-9a-f]*) commit=none ;;
  esac
  if [ "${#commit}" != 40 ]; then
    fail "HYDRATOR_SOURCE does not end with the whole id of a commit" \
      "write it as https://example.com/hydrator.git#0123…, with all 40 digits"
  fi
  allowed=$(protocols "${1%#*}")
  command -v git >/dev/null || fail "there is no git to fetch the source of hydrator with" "install git"
  say "fetching ${1%#*} at $commit"
  if ! {
    git init --quiet "$scratch/source" &&
      GIT_TERMINAL_PROMPT=0 GIT_ALLOW_PROTOCOL=$(echo "${allowed#=}" | tr , :) git -C "$scratch/source" fetch --quiet \
        --depth 1 --no-tags "${1%#*}" "$commit" &&
      git -C "$scratch/source" -c advice.detachedHead=false checkout --quiet "$commit"
  } >&2; then
    fail "cannot fetch the source of hydrator" "what git says stands above; is it a commit of a branch or a tag there?"
  fi
}

install_from_source() {
  repository=$(cd "$(dirname "$0")/.." && pwd)
  if [ -n "${HYDRATOR_SOURCE:-}" ]; then
    fetch_source "$HYDRATOR_SOURCE"
    repository=$scratch/source
  fi
  if ! grep -q '^name = "hydrator"$' "$repository/Cargo.toml" 2>/dev/null; then
    fail "there is no source of hydrator in $repository" \
      "\`source\` works from a checkout, from the action, or with HYDRATOR_SOURCE"
  fi
  command -v cargo >/dev/null || fail "there is no cargo to build hydrator with" "install Rust and a C compiler"
  CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$cache/target} \
    cargo install --quiet --locked --path "$repository" --root "$scratch/built" --no-track >&2 ||
    fail "hydrator cannot be built" "what cargo says stands above"
  place hydrator "$scratch/built/bin/hydrator"
}

install_hydrator() { # VERSION
  case $1 in
    path)
      command -v hydrator >/dev/null || fail "there is no hydrator on the path" "install it before, or name a release"
      return
      ;;
    source) install_from_source ;;
    '')
      newest=$(versions hydrator | tail -n 1)
      if [ -z "$newest" ]; then
        fail "no release of hydrator is pinned here yet" \
          "build it: HYDRATOR_VERSION=source, and where no source is around this script, HYDRATOR_SOURCE says which"
      fi
      install_release hydrator "$newest"
      ;;
    *) install_release hydrator "$1" ;;
  esac
  "$directory/hydrator" --version >&2 || fail "the hydrator that was installed does not start" "is it for this machine?"
}

base=${HYDRATOR_DOWNLOAD_BASE:-}
cache=${HYDRATOR_INSTALL_CACHE:-${RUNNER_TOOL_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}}/hydrator}
directory=${HYDRATOR_INSTALL_DIRECTORY:-}
if [ -z "$directory" ]; then
  directory=${RUNNER_TEMP:+$RUNNER_TEMP/hydrator/bin}
  directory=${directory:-${HOME:-/usr/local}/.local/bin}
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' HUP INT TERM

if [ -n "${HYDRATOR_KUSTOMIZE_VERSION:-}" ]; then install_release kustomize "$HYDRATOR_KUSTOMIZE_VERSION"; fi
if [ -n "${HYDRATOR_HELM_VERSION:-}" ]; then install_release helm "$HYDRATOR_HELM_VERSION"; fi
install_hydrator "${HYDRATOR_VERSION:-}"
if [ -n "${GITHUB_PATH:-}" ]; then printf '%s\n' "$directory" >>"$GITHUB_PATH"; fi
printf '%s\n' "$directory"
