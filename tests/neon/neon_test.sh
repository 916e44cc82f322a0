#!/bin/sh
# neon_test.sh SOURCE -- the tests of src/tensor on a 64-bit ARM that qemu plays, NEON and plain C.
#
# Wants aarch64-linux-gnu-gcc and qemu-aarch64 (Debian: gcc-aarch64-linux-gnu, qemu-user); without
# them it is skipped. The libraries that other rooms need are not there for ARM, so that only what
# the kernels need is built, with a cmocka of our own.
set -eu
source=$1
compiler=aarch64-linux-gnu-gcc
player=$(command -v qemu-aarch64 || command -v qemu-aarch64-static || true)
if ! command -v "$compiler" >/dev/null || [ -z "$player" ]; then
    echo "needs $compiler and qemu-aarch64"
    exit 77
fi
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT

build() { # OBJECT SOURCE FLAG...
    object=$1 file=$2
    shift 2
    "$compiler" -O2 -std=gnu17 -D_GNU_SOURCE -ffp-contract=off -Wall -Wextra -Wshadow -Werror \
        -I"$source/tests/neon" -I"$source/src" -I"$source/tests/tensor" "$@" \
        -c "$source/$file" -o "$here/$object.o"
}

for file in "$source"/src/tensor/*.c; do
    name=$(basename "$file" .c)
    case $name in
    *_avx*) ;;
    *_kernel)
        build "${name}_scalar" "src/tensor/$name.c" -O3 -DKERNEL_ISA=scalar
        build "${name}_neon" "src/tensor/$name.c" -O3 -DKERNEL_ISA=neon
        ;;
    gemm_*) build "$name" "src/tensor/$name.c" -O3 ;;
    *) build "$name" "src/tensor/$name.c" ;;
    esac
done
for name in error file locale pages pool rng text; do build "base_$name" "src/base/$name.c"; done

failed=0
for test in activation attention bf16 cross_entropy elementwise embedding gemm norm rope softmax \
    tensor tensor_math; do
    build "test" "tests/tensor/${test}_test.c" -Wno-unused
    "$compiler" -static "$here"/*.o -lm -lpthread -o "$here/program"
    echo "$test"
    "$player" "$here/program" || failed=1
done
exit "$failed"
