# results.sh - what script/check and .ci/run share: headings, and the sum of passed and failed tests. Sourced by both.
# shellcheck shell=bash

passed=0
failed=0
failures=()

# Colour only at a terminal.
heading() {
    if [ -t 1 ]; then printf '\n\033[1m== %s\033[0m\n' "$*"; else printf '\n== %s\n' "$*"; fi
}

# One check that counts as one test: tell NAME STATUS
tell() {
    if [ "$2" = 0 ]; then
        passed=$((passed + 1))
        echo "ok    $1"
    else
        failed=$((failed + 1))
        failures+=("$1")
        echo "FAIL  $1"
    fi
}

# Runs the meson tests of a build directory, four at a time (most wait for the clock), and adds up their cases: run_meson NAME DIR [meson test arguments]
run_meson() {
    local name=$1 dir=$2 status=0 p f s told
    shift 2
    rm -f "$dir/meson-logs/testlog.json"
    meson test -C "$dir" --no-rebuild --print-errorlogs --num-processes 4 "$@" </dev/null || status=$?
    if [ ! -e "$dir/meson-logs/testlog.json" ]; then
        tell "$name" 1
        return
    fi
    { read -r p f s; mapfile -t told; } < <(python3 "$(dirname "${BASH_SOURCE[0]}")/count-tests" "$dir/meson-logs/testlog.json")
    [ "$status" = 0 ] || [ "$f" != 0 ] || f=1
    add "$name" "$p" "$f"
    failures+=("${told[@]/#/$name: }")
    [ "$s" = 0 ] || echo "($s programs were skipped)"
}

# add NAME PASSED FAILED
add() {
    passed=$((passed + $2))
    failed=$((failed + $3))
    [ "$3" = 0 ] || failures+=("$1")
    echo "$1: $2 passed, $3 failed" | sed 's/^/   /'
}

# The last line, and the exit code.
finish() {
    echo
    [ "$failed" = 0 ] || printf 'failed: %s\n' "${failures[@]}"
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
}
