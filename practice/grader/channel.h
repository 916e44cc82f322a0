/* channel.h -- records to and from a process that may do anything.
 *
 * Both directions wait with poll() and a deadline; what the process prints is
 * drained meanwhile, with a cap, so that neither side can block the other.
 */
#ifndef GRADER_CHANNEL_H
#define GRADER_CHANNEL_H

#include <stdint.h>

#include "tensor/record.h"

struct drain {
    int fd;            /* -1: nothing to drain */
    struct text *text; /* what came, up to `limit_bytes` */
    size_t limit_bytes;
    bool over; /* more came than the limit */
};

enum channel_end { CHANNEL_OK, CHANNEL_CLOSED, CHANNEL_LATE, CHANNEL_MALFORMED, CHANNEL_FLOODED };

enum channel_end channel_send(int fd, const void *bytes, size_t size, int64_t deadline_ns,
                              struct drain *drain);
enum channel_end channel_receive(struct record *record, int fd, int64_t deadline_ns,
                                 struct drain *drain);

/* Read what is left in the drain, without waiting. */
void drain_rest(struct drain *drain);

/* Send a record with descriptors attached (SCM_RIGHTS). */
bool channel_send_with(int fd, const struct record *record, const int *descriptors, int n);

#endif
