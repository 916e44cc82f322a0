/* error.h -- how the world's failures travel: a status and a sentence.
 *
 *   broken promise between our own functions   CHECK(...)           aborts, names the place
 *   the world failing us                       enum status + struct error, never ignored
 *   an ordinary "no"                           a plain return value
 *
 * Messages are `what: why`, with numbers and what to do next.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdbool.h>
#include <stddef.h>

enum status {
    STATUS_OK = 0,
    STATUS_USAGE,       /* the caller's words or values are wrong */
    STATUS_FORMAT,      /* bytes from outside are not what they claim to be */
    STATUS_IO,          /* the operating system said no */
    STATUS_NOT_FOUND,   /* the named thing does not exist */
    STATUS_LIMIT,       /* a stated limit was reached */
    STATUS_UNAVAILABLE, /* something that must be installed or permitted is missing */
    STATUS_CONFLICT,    /* it exists already, or another process holds it */
};

struct error {
    enum status status;
    char message[1024]; /* always terminated; cut when longer */
};

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(string, first) __attribute__((format(printf, string, first)))

/* Fill `err` (which may be NULL) and return `status`, so that a caller can
 * write `return error_set(err, STATUS_IO, "%s: cannot open", path);`. */
enum status error_set(struct error *err, enum status status, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* The same, followed by ": " and the text of the current errno. */
enum status error_set_errno(struct error *err, enum status status, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* Put "prefix: " before the message that is already there; returns its status. */
enum status error_prefix(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* Abort with the place when a promise between our own functions is broken. */
#define CHECK(condition) ((condition) ? (void)0 : check_failed(#condition, __FILE__, __LINE__))
_Noreturn void check_failed(const char *condition, const char *file, int line);

#endif
