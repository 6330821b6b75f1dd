#!/bin/sh
# Measures hydrator against the shell loop that teams write today: same tools, same commits, same kind of remote.
#
#   scripts/bench.sh [--environments 30] [--apps 20] [--rounds 3] [--alone] [--weight RUNS]
#
# Prints medians; `--alone` leaves the loop out (for sizes at which it takes hours). `--weight` measures instead what
# the remote's own refs weigh after so many runs. Needs what scripts/test.sh installs.
set -eu
cd "$(dirname "$0")/.."
tools=${HYDRATOR_TEST_TOOLS:-}
if [ -z "$tools" ]; then
    scripts/fetch-tools.sh .tools
    tools=$PWD/.tools/bin
fi
cargo build --release --locked --quiet
exec python3 scripts/bench.py --hydrator target/release/hydrator --tools "$tools" "$@"
