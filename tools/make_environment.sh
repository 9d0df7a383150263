#!/usr/bin/env bash
# make_environment.sh PYTHON FOLDER LOCK: a new virtual environment in FOLDER with exactly what LOCK names.
set -euo pipefail
python=$1 folder=$2 lock=$3

refuse() { # refuse WHAT REMEDY
    printf 'setup: %s\n       %s\n' "$1" "$2" >&2
    exit 1
}

command -v "$python" >/dev/null ||
    refuse "there is no $python" "install it with: apt-get install python3 python3-venv, or name another: make setup PYTHON=/path/to/python3"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    refuse "$("$python" --version 2>&1) is too old; Python 3.11 or later is needed" \
        "install one with: apt-get install python3.11 python3.11-venv, then: make setup PYTHON=python3.11"
"$python" -c 'import sys; sys.exit(sys.version_info >= (3, 14))' ||
    refuse "$("$python" --version 2>&1) is too new; the locked versions are for Python 3.11 to 3.13" \
        "name an older one: make setup PYTHON=python3.13"
"$python" -c 'import ensurepip, venv' 2>/dev/null ||
    refuse "$python cannot make virtual environments" "install what is missing with: apt-get install python3-venv"

echo "setup: installing $(grep -c == "$lock") packages of $lock into $folder (once; about a minute)"
"$python" -m venv --clear "$folder"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes --requirement "$lock"
"$folder/bin/python" -m pip check
