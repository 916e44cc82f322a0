/* row.h -- where a row starts in a row-major buffer.
 *
 * Every product of sizes goes through here, so that it is widened to size_t before it can overflow.
 */
#ifndef TENSOR_ROW_H
#define TENSOR_ROW_H

#include <stddef.h>

/* Where row [i,j,k,:] starts in a [*,J,K,N] buffer. */
static inline size_t row_at(int i, int j, int k, int J, int K, int N)
{
    return (((size_t)i * (size_t)J + (size_t)j) * (size_t)K + (size_t)k) * (size_t)N;
}

/* Where row [i,:] starts in a [*,N] buffer. */
static inline size_t row_of(int i, int N) { return (size_t)i * (size_t)N; }

#endif
