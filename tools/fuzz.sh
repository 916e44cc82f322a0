# fuzz.sh -- build, replay and run the fuzz targets. Sourced by ./dev and tools/check.sh.
#
# A target is a program fuzz_NAME that the build makes with -Dfuzz=true (clang, libFuzzer). Its corpus
# is tests/fuzz/corpus/NAME/ or tests/fuzz/corpus/fuzz_NAME/; what a run adds stays in build-fuzz/.
# shellcheck shell=sh

fuzz_is_offered() {
    cat meson.options meson_options.txt 2>/dev/null | grep -q "'fuzz'"
}

fuzz_ninja() { "$(command -v ninja || command -v ninja-build)" -C build-fuzz --quiet "$@" </dev/null; }

# The programs, as paths inside build-fuzz.
fuzz_targets() {
    "$(command -v ninja || command -v ninja-build)" -C build-fuzz -t targets all 2>/dev/null |
        sed -n 's/^\(.*fuzz_[A-Za-z0-9_]*\): [a-z]*_LINKER.*/\1/p'
}

fuzz_configure() {
    configure build-fuzz clang --buildtype=debugoptimized -Doptimization=1 -Db_lundef=false \
        -Db_sanitize=address,undefined -Dfuzz=true
}

fuzz_build() {
    (fuzz_configure) || return 1
    fuzz_list=$(fuzz_targets)
    # shellcheck disable=SC2086
    if [ -n "$fuzz_list" ]; then fuzz_ninja $fuzz_list; fi
}

# One target: its corpus, then SECONDS of new inputs. fuzz_one PATH SECONDS
fuzz_one() {
    fuzz_name=$(basename "$1")
    fuzz_new=build-fuzz/corpus/$fuzz_name
    mkdir -p "$fuzz_new"
    set -- "build-fuzz/$1" "$2"
    fuzz_seeds=
    for fuzz_dir in "tests/fuzz/corpus/$fuzz_name" "tests/fuzz/corpus/${fuzz_name#fuzz_}"; do
        if [ -d "$fuzz_dir" ]; then fuzz_seeds=$fuzz_dir; fi
    done
    if [ -n "$fuzz_seeds" ]; then
        "$1" -runs=0 -timeout=10 -artifact_prefix=build-fuzz/ "$fuzz_seeds" || return 1
    fi
    # shellcheck disable=SC2086
    "$1" -max_total_time="$2" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix=build-fuzz/ "$fuzz_new" $fuzz_seeds
}

# fuzz_explore [TARGET] SECONDS: for a person who watches.
fuzz_explore() {
    fuzz_found=no
    for fuzz_path in $(fuzz_targets); do
        case $1 in '' | "$(basename "$fuzz_path")" | "$(basename "$fuzz_path" | sed 's/^fuzz_//')") ;;
        *) continue ;; esac
        fuzz_found=yes
        say "$(basename "$fuzz_path") for $2 s"
        fuzz_one "$fuzz_path" "$2"
    done
    if [ "$fuzz_found" = no ]; then
        say "no fuzz target${1:+ named $1}"
        return 1
    fi
}
