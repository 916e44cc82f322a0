/* piece_key.h -- a piece of up to 15 bytes as two numbers, to be looked up without a string.
 *
 *   bytes 0..14, zeros, then how many there are       little-endian, whatever the machine is
 */
#ifndef TEXT_PIECE_KEY_H
#define TEXT_PIECE_KEY_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { PIECE_KEY_LIMIT = 15 };

static inline uint64_t piece_key_word(uint64_t word)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return __builtin_bswap64(word);
#else
    return word;
#endif
}

/* `readable` bytes may be looked at, at least `size`; with 16 it is two loads. */
static inline void piece_key(uint64_t key[2], const unsigned char *bytes, size_t size,
                             size_t readable)
{
    unsigned char padded[16] = {0};
    if (readable < 16) {
        memcpy(padded, bytes, size);
        bytes = padded;
    }
    memcpy(key, bytes, 16);
    key[0] = piece_key_word(key[0]);
    key[1] = piece_key_word(key[1]);
    if (size < 8) key[0] &= (UINT64_C(1) << 8 * size) - 1;
    key[1] = size <= 8 ? 0 : key[1] & ((UINT64_C(1) << 8 * (size - 8)) - 1);
    key[1] |= (uint64_t)size << 56;
}

/* The bytes again; the last of the 16 is not one of them. */
static inline void piece_key_bytes(unsigned char bytes[16], const uint64_t key[2])
{
    const uint64_t words[2] = {piece_key_word(key[0]), piece_key_word(key[1])};
    memcpy(bytes, words, 16);
}

static inline uint64_t piece_key_hash(const uint64_t key[2])
{
    const __uint128_t product =
        (__uint128_t)(key[0] ^ 0xA0761D6478BD642Fu) * (key[1] ^ 0xE7037ED1A0B428DBu);
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

#endif
