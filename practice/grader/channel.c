#include "grader/channel.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

/* Take one read from the drain; false at its end. */
static bool drain_once(struct drain *drain)
{
    char buffer[65536];
    const ssize_t n = recv(drain->fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (n < 0) return errno == EAGAIN || errno == EINTR;
    if (n == 0) return false;
    size_t keep = (size_t)n;
    const size_t room = drain->limit_bytes - drain->text->size;
    if (keep > room) {
        keep = room;
        drain->over = true;
    }
    text_add_bytes(drain->text, buffer, keep);
    return true;
}

void drain_rest(struct drain *drain)
{
    if (drain->fd < 0) return;
    for (int i = 0; i < 64 && !drain->over; i++) {
        struct pollfd ready = {.fd = drain->fd, .events = POLLIN};
        if (poll(&ready, 1, 0) <= 0 || !drain_once(drain)) return;
    }
}

/* Wait until `fd` can do `events`. */
static enum channel_end wait_for(int fd, short events, int64_t deadline_ns, struct drain *drain)
{
    bool drain_open = drain && drain->fd >= 0;
    for (;;) {
        const int64_t left = deadline_ns - clock_steady_ns();
        if (left <= 0) return CHANNEL_LATE;
        struct pollfd wait[2] = {{.fd = fd, .events = events},
                                 {.fd = drain_open ? drain->fd : -1, .events = POLLIN}};
        if (poll(wait, 2, (int)(left / 1000000) + 1) < 0 && errno != EINTR) return CHANNEL_CLOSED;
        if (wait[1].revents) {
            drain_open = drain_once(drain);
            if (drain->over) return CHANNEL_FLOODED;
        }
        if (wait[0].revents) return CHANNEL_OK;
    }
}

enum channel_end channel_send(int fd, const void *bytes, size_t size, int64_t deadline_ns,
                              struct drain *drain)
{
    const char *p = bytes;
    while (size) {
        const ssize_t n = send(fd, p, size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n >= 0) {
            p += n;
            size -= (size_t)n;
        } else if (errno == EAGAIN) {
            enum channel_end end = wait_for(fd, POLLOUT, deadline_ns, drain);
            if (end) return end;
        } else if (errno != EINTR) {
            return CHANNEL_CLOSED;
        }
    }
    return CHANNEL_OK;
}

static enum channel_end receive_bytes(int fd, char *bytes, size_t size, int64_t deadline_ns,
                                      struct drain *drain)
{
    while (size) {
        const ssize_t n = recv(fd, bytes, size, MSG_DONTWAIT);
        if (n > 0) {
            bytes += n;
            size -= (size_t)n;
        } else if (n == 0) {
            return CHANNEL_CLOSED;
        } else if (errno == EAGAIN) {
            enum channel_end end = wait_for(fd, POLLIN, deadline_ns, drain);
            if (end) return end;
        } else if (errno != EINTR) {
            return CHANNEL_CLOSED;
        }
    }
    return CHANNEL_OK;
}

enum channel_end channel_receive(struct record *record, int fd, int64_t deadline_ns,
                                 struct drain *drain)
{
    char header[RECORD_HEADER_BYTES];
    uint64_t body = 0;

    *record = (struct record){0};
    enum channel_end end = receive_bytes(fd, header, sizeof header, deadline_ns, drain);
    if (end) return end;
    if (record_body_size(&body, header, NULL) != STATUS_OK) return CHANNEL_MALFORMED;

    char *message = malloc(sizeof header + body);
    if (!message) return CHANNEL_MALFORMED;
    memcpy(message, header, sizeof header);
    end = receive_bytes(fd, message + sizeof header, body, deadline_ns, drain);
    if (!end && record_decode(record, message, sizeof header + body, NULL) != STATUS_OK)
        end = CHANNEL_MALFORMED;
    free(message);
    return end;
}

bool channel_send_with(int fd, const struct record *record, const int *descriptors, int n)
{
    struct text message = {0};
    union {
        char bytes[CMSG_SPACE(4 * sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    CHECK(n >= 0 && n <= 4);
    record_encode(&message, record);

    /* The descriptors travel with the header; the body follows as plain bytes. */
    struct iovec part = {.iov_base = message.data, .iov_len = RECORD_HEADER_BYTES};
    struct msghdr head = {.msg_iov = &part, .msg_iovlen = 1};
    if (n) {
        head.msg_control = control.bytes;
        head.msg_controllen = CMSG_SPACE((size_t)n * sizeof(int));
        struct cmsghdr *rights = CMSG_FIRSTHDR(&head);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN((size_t)n * sizeof(int));
        memcpy(CMSG_DATA(rights), descriptors, (size_t)n * sizeof(int));
    }
    bool sent = sendmsg(fd, &head, MSG_NOSIGNAL) == RECORD_HEADER_BYTES;
    if (sent)
        sent =
            channel_send(fd, message.data + RECORD_HEADER_BYTES, message.size - RECORD_HEADER_BYTES,
                         clock_steady_ns() + 10000000000LL, NULL) == CHANNEL_OK;
    text_done(&message);
    return sent;
}
