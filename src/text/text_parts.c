#include "text/text_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "text/split.h"

enum status text_parts_open(struct text_parts *parts, const char *path, bool cuts,
                            struct error *err)
{
    *parts = (struct text_parts){.path = path, .cuts = cuts, .part = TEXT_PART};
    parts->fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    if (parts->fd >= 0) return STATUS_OK;
    return error_set_errno(err, errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO, "%s", path);
}

void text_parts_close(struct text_parts *parts)
{
    if (parts->fd >= 0) close(parts->fd);
    text_done(&parts->held);
    parts->fd = -1;
}

/* Read so many bytes more, or up to the end. */
static enum status read_more(struct text_parts *parts, struct error *err)
{
    char buffer[65536];
    for (size_t more = parts->part; more;) {
        const ssize_t n = read(parts->fd, buffer, more < sizeof buffer ? more : sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return error_set_errno(err, STATUS_IO, "%s", parts->path);
        parts->ended = n == 0;
        if (n == 0) return STATUS_OK;
        text_add_bytes(&parts->held, buffer, (size_t)n);
        more -= (size_t)n;
    }
    return STATUS_OK;
}

bool text_parts_next(struct text_parts *parts, enum status *status, struct error *err)
{
    *status = STATUS_OK;
    struct text *held = &parts->held;
    if (parts->stop) {
        memmove(held->data, held->data + parts->stop, held->size - parts->stop);
        held->size -= parts->stop;
        parts->stop = 0;
    }
    while (!parts->ended && !parts->stop) {
        *status = read_more(parts, err);
        if (*status) return false;
        if (!parts->ended && parts->cuts)
            parts->stop = split_safe((const unsigned char *)held->data, held->size);
    }
    if (parts->ended) parts->stop = held->size;
    return parts->stop > 0;
}

int text_parts_cut(const struct text_parts *parts, size_t *ends, int n)
{
    int n_ends = 0;
    size_t at = 0;
    for (int i = 1; i < n && parts->cuts; i++) {
        const size_t wanted = parts->stop / (size_t)n * (size_t)i;
        if (wanted <= at) continue;
        const size_t end =
            at + split_safe((const unsigned char *)parts->held.data + at, wanted - at);
        if (end > at) ends[n_ends++] = at = end;
    }
    ends[n_ends++] = parts->stop;
    return n_ends;
}
