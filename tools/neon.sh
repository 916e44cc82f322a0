# neon.sh -- the tests of the kernels on 64-bit ARM, under qemu-user. Sourced by tools/check.sh.
#
#   neon_tests DIR      compile into DIR, run; 77: not possible here, and it says why
#
# Debian: gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user, and libcmocka0:arm64, which needs
# `dpkg --add-architecture arm64`; NEON_LIBRARIES names another folder that holds it. No build system:
# the kernels stand on a handful of files.
# shellcheck shell=sh

neon_libraries=${NEON_LIBRARIES:-/usr/lib/aarch64-linux-gnu}
neon_base='error text file pool pages rng clock'

neon_compile() {
    aarch64-linux-gnu-gcc -std=gnu17 -D_GNU_SOURCE -O2 -ffp-contract=off -Wall -Wextra -Werror \
        -DSOURCE_ROOT="\"$PWD\"" -Isrc -Ipractice -I"$neon_dir" "$@"
}

neon_tests() {
    neon_dir=$1
    for neon_tool in aarch64-linux-gnu-gcc qemu-aarch64; do
        if ! command -v "$neon_tool" >/dev/null 2>&1; then
            echo "there is no $neon_tool"
            return 77
        fi
    done
    neon_cmocka=$(find "$neon_libraries" -maxdepth 1 -name 'libcmocka.so*' 2>/dev/null | head -n 1)
    if [ -z "$neon_cmocka" ]; then
        echo "there is no libcmocka for arm64 in $neon_libraries"
        return 77
    fi
    mkdir -p "$neon_dir"
    cp /usr/include/cmocka*.h "$neon_dir" || return 77

    neon_objects=
    for neon_file in $neon_base; do
        neon_compile -c -o "$neon_dir/base_$neon_file.o" "src/base/$neon_file.c" || return 1
        neon_objects="$neon_objects $neon_dir/base_$neon_file.o"
    done
    for neon_file in src/tensor/*.c; do
        neon_name=$(basename "$neon_file" .c)
        neon_kinds=once
        case $neon_name in
        *avx*) continue ;;
        *_kernel) neon_kinds='scalar neon' ;;
        esac
        for neon_kind in $neon_kinds; do
            neon_object=$neon_dir/$neon_name.$neon_kind.o
            neon_compile -O3 -DKERNEL_ISA="$neon_kind" -c -o "$neon_object" "$neon_file" || return 1
            neon_objects="$neon_objects $neon_object"
        done
    done
    neon_failed=0
    for neon_file in tests/base/pool_test.c tests/tensor/*_test.c; do
        neon_name=$(basename "$neon_file" .c)
        if [ "$neon_name" = drills_test ]; then continue; fi # stands on the grader
        # shellcheck disable=SC2086
        neon_compile -o "$neon_dir/$neon_name" "$neon_file" $neon_objects "$neon_cmocka" -lm \
            -lpthread || return 1
        if qemu-aarch64 -L /usr/aarch64-linux-gnu -E LD_LIBRARY_PATH="$neon_libraries" \
            "$neon_dir/$neon_name" >"$neon_dir/$neon_name.log" 2>&1; then
            echo "$neon_file: $(tail -n 1 "$neon_dir/$neon_name.log")"
        else
            cat "$neon_dir/$neon_name.log"
            neon_failed=1
        fi
    done
    return "$neon_failed"
}
