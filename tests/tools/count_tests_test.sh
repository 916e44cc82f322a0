#!/bin/sh
# count_tests_test.sh -- the last line of ./dev test, from records as meson writes them.
#
#   usage: tests/tools/count_tests_test.sh REPOSITORY
set -eu
repository=$(CDPATH='' cd -- "${1:-.}" && pwd)
log=$(mktemp)
trap 'rm -f "$log"' EXIT
failed=0

# expect NAME STATUS OUTPUT RESULT...
expect() {
    name=$1 wanted_status=$2 wanted=$3
    shift 3
    : >"$log"
    for result in "$@"; do
        printf '{"name": "x", "stdout": "said \\"result\\": \\"FAIL\\"", "result": "%s"}\n' "$result" >>"$log"
    done
    status=0
    output=$("$repository/tools/count_tests" "$log" 2>/dev/null) || status=$?
    if [ "$status" -eq "$wanted_status" ] && [ "$output" = "$wanted" ]; then
        echo "ok: $name"
    else
        printf 'FAILED: %s\n  expected %s: %s\n  found    %s: %s\n' \
            "$name" "$wanted_status" "$wanted" "$status" "$output"
        failed=1
    fi
}

expect passes_and_skips_are_counted 0 '3 passed, 0 failed, 1 skipped' OK SKIP OK EXPECTEDFAIL
expect every_kind_of_failure_is_a_failure 1 '1 passed, 5 failed, 0 skipped' \
    OK FAIL TIMEOUT ERROR INTERRUPT UNEXPECTEDPASS
expect only_skips_is_not_a_failure 0 '0 passed, 0 failed, 2 skipped' SKIP SKIP
expect no_test_at_all_is_a_failure 1 ''
exit "$failed"
