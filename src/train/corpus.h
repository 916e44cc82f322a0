/* corpus.h -- a small text of our own, in the binary, so that learning needs no file and no network.
 *
 * English and Spanish, written for this project. CC BY 4.0.
 */
#ifndef TRAIN_CORPUS_H
#define TRAIN_CORPUS_H

#include <stddef.h>

const char *corpus_text(void);
size_t corpus_size(void);

#endif
