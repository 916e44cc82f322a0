#include "train/corpus.h"

#include <stdint.h>

/* From corpus_text.S, which the build makes of corpus.txt. */
extern const char lcx_corpus_begin[], lcx_corpus_end[];

const char *corpus_text(void) { return lcx_corpus_begin; }
size_t corpus_size(void) { return (uintptr_t)lcx_corpus_end - (uintptr_t)lcx_corpus_begin; }
