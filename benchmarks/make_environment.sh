#!/usr/bin/env bash
# make_environment.sh PYTHON FOLDER: the environment of `make bench`, with AMICI where it can be compiled (some minutes).
set -euo pipefail
cd "$(dirname "$0")/.."
python=$1 folder=$2

tools/make_environment.sh "$python" "$folder" requirements/bench.lock
pip=("$folder/bin/python" -m pip --disable-pip-version-check)
"${pip[@]}" install --quiet --no-index --no-deps --no-build-isolation --editable .

# The BLAS that AMICI's build brings along is used, so that no system library is needed but a C++ compiler.
if ! AMICI_BLAS_USE_SCIPY_OPENBLAS=TRUE "${pip[@]}" install --quiet --require-hashes --no-deps \
    --requirement requirements/bench-amici.lock; then
    echo "bench: AMICI could not be compiled here (it needs a C++ compiler: apt-get install g++); going on without it" >&2
fi
