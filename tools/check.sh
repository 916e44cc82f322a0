#!/bin/sh
# check.sh -- what must hold before a change goes in. Run by ./dev check.
#
#   usage: tools/check.sh [STEP...]       without names: every step, also after one has failed
#
# A step is a function check_STEP. It prints only what is wrong and returns non-zero; what it prints
# goes to build-check/STEP.log and, if it failed, to the terminal. 77 means: not possible here.
set -u
. tools/setup.sh
. tools/build.sh
. tools/sources.sh
. tools/fuzz.sh

steps='scripts text locks packages layers format gcc clang unit neon cppcheck fuzz'
logs=build-check

# Scripts are valid shell; shellcheck has its word where it is installed.
check_scripts() {
    scripts_failed=0
    shell_sources >"$logs/scripts.list"
    while read -r shell script; do
        "$shell" -n "$script" || scripts_failed=1
    done <"$logs/scripts.list"
    if command -v shellcheck >/dev/null 2>&1; then
        awk '{ print $2 }' "$logs/scripts.list" | xargs shellcheck -x -S warning || scripts_failed=1
    fi
    return "$scripts_failed"
}

# No tab and no blank at the end of a line in what we write by hand.
check_text() {
    tab=$(printf '\t')
    if sources '*.c' '*.h' '*.sh' '*.py' '*.yaml' '*.yml' '*meson*' dev .ci tools ':!tests/data' \
        ':!tests/fuzz' | xargs grep -nHE "$tab| +\$"; then
        return 1
    fi
}

# Lock files name packages and hashes, never addresses to download from.
check_locks() {
    sources '*package-lock.json' '*.lock' '*requirements*.txt' '*.wrap' >"$logs/locks.list"
    if [ -s "$logs/locks.list" ] &&
        xargs grep -nHE '"resolved"|^ *(url|source|source_url|registry) *[=:].*://' <"$logs/locks.list"; then
        return 1
    fi
}

# Every library that the build asks for is one that the set-up installs, on each system.
check_packages() {
    packages_failed=0
    for library in $(sources '*meson.build' | xargs sed -n "s/.*dependency('\([^']*\)'.*/\1/p" | sort -u); do
        if [ "$library" = threads ]; then continue; fi # comes with the C library
        for list in tools/packages/*.txt; do
            if ! grep -qE "[[:blank:]]pc:$library([[:blank:]]|\$)" "$list"; then
                echo "$list: no package for dependency('$library')"
                packages_failed=1
            fi
        done
    done
    return "$packages_failed"
}

check_layers() { tools/check_layers; }

# Other releases of clang-format lay out some lines differently, so one release decides.
check_format() {
    format_program=clang-format
    if command -v clang-format-14 >/dev/null 2>&1; then format_program=clang-format-14; fi
    format_release=$("$format_program" --version | sed 's/.*version \([0-9]*\).*/\1/')
    if [ "$format_release" != 14 ]; then
        echo "clang-format 14 decides; here is $format_release"
        return 77
    fi
    if ! c_sources | xargs -n 40 "$format_program" --dry-run -Werror >"$logs/format.words" 2>&1; then
        sed -n 's/^\([^ ]*:[0-9]*\):[0-9]*: error: .*/\1: laid out differently/p' "$logs/format.words" |
            uniq
        echo "./dev fmt lays them out; build-check/format.words has the details"
        return 1
    fi
}

check_gcc() { compile_in build-check-gcc gcc --buildtype=debug -Doptimization=2 -Ddebug=false --werror; }

# clang without warnings, with the sanitizers that the next step wants.
check_clang() { sanitized_build build-asan address,undefined; }

check_unit() {
    case " $failed " in *' clang '*)
        echo "clang did not compile them"
        return 77
        ;;
    esac
    if [ ! -f build-asan/build.ninja ]; then sanitized_build build-asan address,undefined || return 1; fi
    sanitized_tests build-asan
}

# The kernels on another processor, where its compiler and its emulator are installed.
check_neon() { sh tests/neon/neon_test.sh "$PWD"; }

check_cppcheck() {
    mkdir -p "$logs/cppcheck"
    # A reference is shown to candidates in a bug hunt: no comments for a tool in it.
    sources 'src/*.c' 'practice/*.c' 'cmd/*.c' 'labs/*.c' | grep -v '/reference\.c$' >"$logs/cppcheck.list"
    if [ ! -s "$logs/cppcheck.list" ]; then return 0; fi
    # Flags: tools/cppcheck.txt says why what is off is off.
    cppcheck --file-list="$logs/cppcheck.list" --cppcheck-build-dir="$logs/cppcheck" \
        -j "$(getconf _NPROCESSORS_ONLN)" --quiet --error-exitcode=1 --inline-suppr \
        --enable=warning,performance,portability --std=c11 --library=posix,gnu \
        --suppressions-list=tools/cppcheck.txt --template='{file}:{line}: {id}: {message}' \
        -D_GNU_SOURCE -I src -I practice -I cmd
}

check_fuzz() {
    if ! fuzz_is_offered; then
        echo "the build has no fuzz targets"
        return 77
    fi
    fuzz_build || return 1
    fuzz_all=$(fuzz_targets)
    if [ -z "$fuzz_all" ]; then
        echo "the build has no fuzz targets"
        return 77
    fi
    for fuzz_path in $fuzz_all; do
        fuzz_one "$fuzz_path" 3 || return 1
    done
}

# --- the loop over the steps ---------------------------------------------------------------------

if [ $# -gt 0 ]; then
    for step in "$@"; do
        case " $steps " in
        *" $step "*) ;;
        *)
            echo "dev: check: no step $step; there are: $steps" >&2
            exit 2
            ;;
        esac
    done
    steps=$*
fi

# Without the list of files most steps would be content with nothing.
if ! here_git rev-parse --is-inside-work-tree >/dev/null; then
    echo "dev: check: the list of files comes from git, and this is not a clone" >&2
    exit 3
fi

mkdir -p "$logs"
passed=0 failed='' skipped=0 began=$(date +%s)
for step in $steps; do
    step_began=$(date +%s)
    step_status=0
    ("check_$step") >"$logs/$step.log" 2>&1 </dev/null || step_status=$?
    step_seconds=$(($(date +%s) - step_began))
    case $step_status in
    0)
        passed=$((passed + 1))
        printf 'ok       %-10s %4d s\n' "$step" "$step_seconds"
        ;;
    77)
        skipped=$((skipped + 1))
        printf 'skipped  %-10s %4d s   %s\n' "$step" "$step_seconds" "$(tail -n 1 "$logs/$step.log")"
        ;;
    *)
        failed="$failed $step"
        tail -n 200 "$logs/$step.log" | sed 's/^/    /'
        printf 'FAILED   %-10s %4d s   all of it: %s\n' "$step" "$step_seconds" "$logs/$step.log"
        ;;
    esac
done

printf 'check: %d ok, %d failed, %d skipped in %d s\n' "$passed" "$(echo "$failed" | wc -w)" "$skipped" \
    $(($(date +%s) - began))
if [ -n "$failed" ]; then exit 1; fi
