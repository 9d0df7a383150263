#!/usr/bin/env bash
# Writes requirements/*.lock from pyproject.toml: versions and hashes, no index. `tools/lock.sh --upgrade` moves to the newest versions.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v uv >/dev/null || { echo "lock: needs uv; install it with: pip install uv" >&2; exit 1; }

compile() { # compile LOCK ARGUMENT...
    local lock=$1
    shift
    uv pip compile pyproject.toml "$@" --output-file "$lock" --quiet \
        --universal --python-version 3.11 --fork-strategy fewest --only-binary :all: --generate-hashes \
        --no-header --no-config --no-emit-index-url --no-emit-find-links --no-sources
}

compile requirements/dev.lock --extra dev --extra independent "$@"
compile requirements/runtime.lock --constraint requirements/dev.lock # the same versions as the tests ran with
