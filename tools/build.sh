# build.sh -- configure and compile one build folder. Sourced by ./dev and tools/check.sh.
#
#   compile_in DIR CC OPTION...     DIR is up to date with its options, the drills and the sources
#
# A folder is configured anew when the options that we ask for changed, and reconfigured when what the
# build finds while it is configured came or went: drill folders, and cmocka, without which it has no
# tests (the first ./dev up does not install it, ./dev test does).
# shellcheck shell=sh

# What the build finds while it is configured, as lines.
found_now() {
    if pkg-config --exists cmocka 2>/dev/null; then printf 'cmocka\n'; fi
    for drill in labs/*/drill-* labs/*/drill-*/*.c; do
        if [ -e "$drill" ]; then printf '%s\n' "$drill"; fi
    done
}

# Runs a command with its output in a file; shows the end of it if the command fails.
quietly() {
    quietly_log=$1
    shift
    quietly_status=0
    "$@" >"$quietly_log" 2>&1 </dev/null || quietly_status=$?
    if [ "$quietly_status" -ne 0 ]; then tail -n 60 "$quietly_log" >&2; fi
    return "$quietly_status"
}

configure() {
    configure_dir=$1
    configure_cc=$2
    shift 2
    configure_wanted="CC=$configure_cc $*"
    configure_record=$configure_dir/dev.configured
    configure_found=$(found_now)

    if [ -f "$configure_record" ] && [ "$(head -n 1 "$configure_record")" != "$configure_wanted" ]; then
        rm -rf "$configure_dir"
    fi
    mkdir -p "$configure_dir"
    if [ ! -f "$configure_dir/build.ninja" ]; then
        say "configuring $configure_dir"
        if [ -n "$configure_cc" ]; then
            CC=$configure_cc
            export CC
        fi
        quietly "$configure_dir/dev.log" meson setup "$configure_dir" "$@"
    elif [ ! -f "$configure_record" ] ||
        [ "$(tail -n +2 "$configure_record")" != "$configure_found" ]; then
        say "reconfiguring $configure_dir: there are other drills or libraries than before"
        quietly "$configure_dir/dev.log" meson setup --reconfigure "$configure_dir" "$@"
    fi || return 1
    printf '%s\n%s\n' "$configure_wanted" "$configure_found" >"$configure_record"
}

compile_in() (
    compile_dir=$1
    configure "$@" || exit 1
    ninja_command=$(command -v ninja || command -v ninja-build) || exit 1
    # A terminal gets the progress line; a log gets the compiler's words only, about every file.
    if [ -t 1 ]; then
        "$ninja_command" -C "$compile_dir"
    else
        "$ninja_command" -C "$compile_dir" --quiet -k 0
    fi </dev/null
)

build_release() { compile_in build '' --buildtype=debugoptimized; }

# The unit tests under a sanitizer: sanitized_build DIR VALUE, then sanitized_tests DIR.
# clang, and warnings are errors: this is also the build that proves clang has nothing to say.
sanitized_build() {
    compile_in "$1" clang --buildtype=debug -Doptimization=1 --werror -Db_lundef=false \
        -Db_sanitize="$2"
}

sanitized_tests() {
    ASAN_OPTIONS=halt_on_error=1:abort_on_error=1:detect_stack_use_after_return=1 \
        UBSAN_OPTIONS=halt_on_error=1:abort_on_error=1:print_stacktrace=1 \
        TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1 \
        meson test -C "$1" --suite unit --print-errorlogs --timeout-multiplier 4 </dev/null
}
