#include "text/token_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/file.h"
#include "base/text.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "token files are little-endian, and so must the machine be"
#endif

struct header {
    char magic[8];
    uint32_t version, width;
    uint64_t V, n, tokenizer_hash, hash;
    uint64_t zeros[2];
};
_Static_assert(sizeof(struct header) == TOKEN_FILE_HEADER, "the header has 64 bytes");

static const char magic[8] = {'L', 'C', 'X', 'T', 'O', 'K', 'E', 'N'};

/* Of the whole file: the header without its hash, on top of that of the ids. */
static uint64_t hash_of(const struct header *header, uint64_t ids_hash)
{
    struct header plain = *header;
    plain.hash = 0;
    return XXH3_64bits_withSeed(&plain, sizeof plain, ids_hash);
}

/* ---- reading ---- */

static enum status check_header(const struct header *header, size_t size, const char *path,
                                struct error *err)
{
    if (memcmp(header->magic, magic, sizeof magic) != 0)
        return error_set(err, STATUS_FORMAT, "%s: not a token file: it does not begin with %.8s",
                         path, magic);
    if (header->version != TOKEN_FILE_VERSION)
        return error_set(err, STATUS_FORMAT, "%s: token file version %u; this program reads %d",
                         path, header->version, TOKEN_FILE_VERSION);
    if (header->width != 2 && header->width != 4)
        return error_set(err, STATUS_FORMAT, "%s: %u bytes an id: expected 2 or 4", path,
                         header->width);
    if (header->V == 0 || header->V > (header->width == 2 ? UINT64_C(1) << 16 : UINT64_C(1) << 31))
        return error_set(err, STATUS_FORMAT, "%s: vocabulary of %llu in %u bytes an id", path,
                         (unsigned long long)header->V, header->width);
    if (header->zeros[0] || header->zeros[1])
        return error_set(err, STATUS_FORMAT, "%s: the end of the header is not zero", path);
    if (header->n != (size - sizeof *header) / header->width ||
        (size - sizeof *header) % header->width)
        return error_set(err, STATUS_FORMAT,
                         "%s: the header says %llu ids of %u bytes; %zu bytes follow it", path,
                         (unsigned long long)header->n, header->width, size - sizeof *header);
    return STATUS_OK;
}

static uint64_t greatest_id(const struct token_file *file)
{
    uint32_t greatest = 0;
    if (file->width == 2) {
        const uint16_t *ids = file->ids;
        for (uint64_t i = 0; i < file->n; i++) greatest = ids[i] > greatest ? ids[i] : greatest;
    } else {
        const uint32_t *ids = file->ids;
        for (uint64_t i = 0; i < file->n; i++) greatest = ids[i] > greatest ? ids[i] : greatest;
    }
    return greatest;
}

enum status token_file_view(struct token_file *file, const void *bytes, size_t size,
                            const char *path, struct error *err)
{
    struct header header;
    *file = (struct token_file){0};
    if (size < sizeof header)
        return error_set(err, STATUS_FORMAT, "%s: %zu bytes: shorter than a token file's header",
                         path, size);
    memcpy(&header, bytes, sizeof header);
    const enum status status = check_header(&header, size, path, err);
    if (status) return status;
    const struct token_file found = {
        .width = (int)header.width,
        .V = header.V,
        .n = header.n,
        .tokenizer_hash = header.tokenizer_hash,
        .ids = (const char *)bytes + sizeof header,
    };
    if (hash_of(&header, XXH3_64bits(found.ids, size - sizeof header)) != header.hash)
        return error_set(err, STATUS_FORMAT, "%s: damaged: it is not what was written", path);
    if (found.n && greatest_id(&found) >= found.V)
        return error_set(err, STATUS_FORMAT, "%s: id %llu in a vocabulary of %llu", path,
                         (unsigned long long)greatest_id(&found), (unsigned long long)found.V);
    *file = found;
    return STATUS_OK;
}

enum status token_file_open(struct token_file *file, const char *path, struct error *err)
{
    struct stat info;
    *file = (struct token_file){0};
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return error_set_errno(err, errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO, "%s", path);
    enum status status = STATUS_OK;
    void *map = NULL;
    if (fstat(fd, &info) != 0) status = error_set_errno(err, STATUS_IO, "%s", path);
    else if (!S_ISREG(info.st_mode) || info.st_size < TOKEN_FILE_HEADER)
        status = error_set(err, STATUS_FORMAT, "%s: not a token file: %s", path,
                           S_ISREG(info.st_mode) ? "shorter than its header" : "no regular file");
    const size_t size = status ? 0 : (size_t)info.st_size;
    if (!status) {
        map = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
        if (map == MAP_FAILED) status = error_set_errno(err, STATUS_IO, "%s", path);
    }
    close(fd);
    if (status) return status;
    status = token_file_view(file, map, size, path, err);
    if (status) {
        munmap(map, size);
        return status;
    }
    file->map = map;
    file->map_size = size;
    return STATUS_OK;
}

void token_file_close(struct token_file *file)
{
    if (file->map) munmap(file->map, file->map_size);
    *file = (struct token_file){0};
}

void token_file_read(const struct token_file *file, int32_t *ids, uint64_t from, size_t n)
{
    CHECK(from <= file->n && n <= file->n - from);
    if (file->width == 2) {
        const uint16_t *narrow = (const uint16_t *)file->ids + from;
        for (size_t i = 0; i < n; i++) ids[i] = narrow[i];
    } else if (n) {
        memcpy(ids, (const uint32_t *)file->ids + from, n * sizeof *ids);
    }
}

/* ---- writing ---- */

struct token_writer {
    char *path, *scratch;
    int fd;
    struct header header;
    XXH3_state_t *hash;
};

enum status token_writer_open(struct token_writer **out, const char *path, uint64_t V,
                              uint64_t tokenizer_hash, struct error *err)
{
    *out = NULL;
    CHECK(V > 0 && V <= UINT64_C(1) << 31);
    struct token_writer *writer = memory_new(1, sizeof *writer);
    writer->path = text_copy(path);
    writer->scratch = text_printf("%s.%ld.part", path, (long)getpid());
    writer->header = (struct header){.version = TOKEN_FILE_VERSION,
                                     .width = V <= UINT64_C(1) << 16 ? 2 : 4,
                                     .V = V,
                                     .tokenizer_hash = tokenizer_hash};
    memcpy(writer->header.magic, magic, sizeof magic);
    writer->hash = XXH3_createState();
    CHECK(writer->hash);
    XXH3_64bits_reset(writer->hash);
    writer->fd = open(writer->scratch, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (writer->fd < 0) {
        const enum status status = error_set_errno(err, STATUS_IO, "%s", writer->scratch);
        token_writer_drop(writer);
        return status;
    }
    if (!descriptor_write(writer->fd, &writer->header, sizeof writer->header)) {
        const enum status status = error_set_errno(err, STATUS_IO, "%s", writer->scratch);
        token_writer_drop(writer);
        return status;
    }
    *out = writer;
    return STATUS_OK;
}

enum status token_writer_add(struct token_writer *writer, const int32_t *ids, size_t n,
                             struct error *err)
{
    enum { PART = 8192 };
    uint16_t narrow[PART];
    for (size_t at = 0; at < n; at += PART) {
        const size_t part = n - at < PART ? n - at : PART;
        const void *bytes = ids + at;
        for (size_t i = 0; i < part; i++) {
            if (ids[at + i] < 0 || (uint64_t)ids[at + i] >= writer->header.V)
                return error_set(err, STATUS_USAGE, "%s: id %d in a vocabulary of %llu",
                                 writer->path, ids[at + i], (unsigned long long)writer->header.V);
            narrow[i] = (uint16_t)ids[at + i];
        }
        if (writer->header.width == 2) bytes = narrow;
        XXH3_64bits_update(writer->hash, bytes, part * writer->header.width);
        if (!descriptor_write(writer->fd, bytes, part * writer->header.width))
            return error_set_errno(err, STATUS_IO, "%s", writer->path);
    }
    writer->header.n += n;
    return STATUS_OK;
}

enum status token_writer_end(struct token_writer *writer, struct error *err)
{
    enum status status = STATUS_OK;
    writer->header.hash = hash_of(&writer->header, XXH3_64bits_digest(writer->hash));
    if (pwrite(writer->fd, &writer->header, sizeof writer->header, 0) !=
            (ssize_t)sizeof writer->header ||
        fsync(writer->fd) != 0 || rename(writer->scratch, writer->path) != 0)
        status = error_set_errno(err, STATUS_IO, "%s", writer->path);
    if (!status) {
        free(writer->scratch);
        writer->scratch = NULL;
    }
    token_writer_drop(writer);
    return status;
}

void token_writer_drop(struct token_writer *writer)
{
    if (!writer) return;
    if (writer->fd >= 0) close(writer->fd);
    if (writer->scratch) unlink(writer->scratch);
    free(writer->scratch);
    free(writer->path);
    XXH3_freeState(writer->hash);
    free(writer);
}
