# Sourced by bin/up and bin/test: makes .venv from a hashed lock file, once per version of that file.
# Call from the root of the checkout:  venv requirements.lock

find_python() {
    for name in python3 python3.14 python3.13 python3.12 python3.11 /usr/bin/python3; do
        if "$name" -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    echo "Attendant needs Python 3.11 or newer; none was found on PATH." >&2
    return 1
}

make_venv() {
    python=$(find_python)
    rm -rf .venv
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        # Debian keeps ensurepip in a package of its own
        if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
            apt-get update -qq && apt-get install -y -qq python3-venv >/dev/null
        else
            echo "This Python cannot make virtual environments. On Debian: apt install python3-venv" >&2
            return 1
        fi
    fi
    "$python" -m venv .venv
}

venv() {
    lock=$1
    # one at a time: two commands started together in one checkout must not build the same folder
    if command -v flock >/dev/null; then
        exec 9>.venv.lock
        flock 9
    fi
    stamp=$(cat "$lock" | cksum)
    here=$(pwd -P)
    if [ "$(cat .venv/made-for 2>/dev/null)" != "$here" ] || ! .venv/bin/python -c '' 2>/dev/null; then
        echo "Making .venv ..."
        make_venv
        printf '%s\n' "$here" >.venv/made-for
    fi
    if ! grep -qxF "$lock $stamp" .venv/installed 2>/dev/null; then
        echo "Installing what $lock lists ..."
        .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-warn-script-location \
            --require-hashes --requirement "$lock"
        printf '%s\n' "$lock $stamp" >>.venv/installed
    fi
    if command -v flock >/dev/null; then
        exec 9>&-
    fi
}
