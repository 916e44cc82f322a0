#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum status error_set(struct error *err, enum status status, const char *format, ...)
{
    if (!err) return status;

    va_list args;
    va_start(args, format);
    vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    err->status = status;
    return status;
}

enum status error_set_errno(struct error *err, enum status status, const char *format, ...)
{
    const int number = errno;
    if (!err) return status;

    va_list args;
    va_start(args, format);
    int used = vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    if (used >= 0 && (size_t)used < sizeof err->message)
        snprintf(err->message + used, sizeof err->message - (size_t)used, ": %s", strerror(number));
    err->status = status;
    return status;
}

enum status error_prefix(struct error *err, const char *format, ...)
{
    if (!err) return STATUS_IO;

    char tail[sizeof err->message];
    memcpy(tail, err->message, sizeof tail);
    va_list args;
    va_start(args, format);
    int used = vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    if (used >= 0 && (size_t)used < sizeof err->message)
        snprintf(err->message + used, sizeof err->message - (size_t)used, ": %s", tail);
    return err->status;
}

_Noreturn void check_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr, "lcx: broken promise: %s (%s:%d)\n", condition, file, line);
    abort();
}
