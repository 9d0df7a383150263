#!/usr/bin/env bash
# check_wheel.sh PYTHON: builds the wheel, installs it with the locked versions in a new environment outside the repository, and runs it there.
# PYTHON must have the build backend.
set -euo pipefail
builder=$(realpath --no-symlinks "$1")
cd "$(dirname "$0")/.."

away=$(mktemp --directory)
trap 'rm -rf "$away"' EXIT

"$builder" -m pip wheel --quiet --disable-pip-version-check --no-index --no-deps --no-build-isolation --wheel-dir "$away" .
tools/make_environment.sh "$builder" "$away/environment" requirements/runtime.lock
"$away/environment/bin/python" -m pip install --quiet --disable-pip-version-check --no-index --no-deps "$away"/stromal-*.whl

cd "$away"
environment/bin/python - <<'PYTHON'
import pathlib, stromal
assert pathlib.Path(stromal.__file__).is_relative_to(pathlib.Path.cwd()), stromal.__file__
PYTHON
environment/bin/stromal doctor
examples=$(environment/bin/python -c 'from importlib.resources import files; print(files("stromal") / "examples")')
environment/bin/stromal patient "$examples/care-ssc.yaml" --arm two_infusions --patient 1 --out patient.svg
test -s patient.svg
environment/bin/stromal trial example "$examples/two-arm-60.yaml" --out example
environment/bin/stromal trial run "$examples/care-ssc.yaml" --replicates 2 --seed 1 --out run
test -s run/report.html
echo "wheel-check: the wheel works outside the repository"
