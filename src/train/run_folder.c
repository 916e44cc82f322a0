#include "train/run_folder.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/locale.h"
#include "base/text.h"

#define LOG_LIMIT ((size_t)1 << 32)

enum status run_log(const char *folder, json_t *row, struct error *err)
{
    char *path = path_join(folder, "log.jsonl");
    char *object = json_line(row), *line = text_printf("%s\n", object);
    enum status status = STATUS_OK;
    const int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0) {
        status = error_set_errno(err, STATUS_IO, "%s", path);
    } else {
        if (!descriptor_write(fd, line, strlen(line)))
            status = error_set_errno(err, STATUS_IO, _("%s: not written"), path);
        close(fd);
    }
    free(path);
    free(object);
    free(line);
    json_decref(row);
    return status;
}

static bool keeps(const char *line, size_t size, int64_t step)
{
    json_t *row;
    if (json_parse(&row, line, size, NULL)) return false;
    const char *kind = json_string_value(json_object_get(row, "kind"));
    const json_t *at = json_object_get(row, "step");
    const bool keep =
        kind && strcmp(kind, "end") != 0 && json_is_integer(at) && json_integer_value(at) <= step;
    json_decref(row);
    return keep;
}

enum status run_log_trim(const char *folder, int64_t step, struct error *err)
{
    char *path = path_join(folder, "log.jsonl");
    struct text all = {0}, kept = {0};
    enum status status = file_read(&all, path, LOG_LIMIT, err);
    if (status == STATUS_OK) {
        const char *line = text_string(&all), *end;
        for (; (end = strchr(line, '\n')); line = end + 1)
            if (keeps(line, (size_t)(end - line), step))
                text_add_bytes(&kept, line, (size_t)(end - line) + 1);
        status = file_write(path, text_string(&kept), kept.size, 0644, err);
    } else if (status == STATUS_NOT_FOUND) {
        status = STATUS_OK;
    }
    text_done(&all);
    text_done(&kept);
    free(path);
    return status;
}
