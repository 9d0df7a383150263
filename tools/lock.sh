#!/usr/bin/env bash
# Writes requirements/*.lock from pyproject.toml: versions and hashes, no index. `tools/lock.sh --upgrade` moves to the newest versions.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v uv >/dev/null || { echo "lock: needs uv; install it with: pip install uv" >&2; exit 1; }

compile() { # compile LOCK ARGUMENT...
    local lock=$1
    shift
    uv pip compile "$@" --output-file "$lock" --quiet \
        --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
        --no-header --no-config --no-emit-index-url --no-emit-find-links --no-sources
}

binary="--only-binary :all:" # AMICI alone has no wheel
compile requirements/dev.lock pyproject.toml $binary --extra dev --extra independent "$@"
same="--constraint requirements/dev.lock" # the same versions as the tests ran with
compile requirements/runtime.lock pyproject.toml $binary $same
compile requirements/bench.lock pyproject.toml requirements/bench.in $binary --extra dev --extra independent $same
compile requirements/bench-amici.lock requirements/bench-amici.in --constraint requirements/bench.lock
