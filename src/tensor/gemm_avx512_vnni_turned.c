/* The columns of a tile are the unsigned side. */
#define UNSIGNED(row, column) column
#define SIGNED(row, column) row
#define KERNEL gemm_kernel_avx512_vnni_turned
#include "tensor/gemm_avx512_vnni.c"
