/* attacks.c -- the things a hostile solution tries, one word each.
 *
 *   attacks NAME [ARGUMENT]
 *
 * Each prints what it got away with, as "NAME: done" or "NAME: ERROR", and
 * ends with 0 when it was stopped, 1 when it was not. Runs inside the sandbox only.
 */
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int crash(const char *argument)
{
    (void)argument;
    volatile int *nowhere = NULL;
    *nowhere = 1;
    return 0;
}

static int stop_hard(const char *argument)
{
    (void)argument;
    abort();
}

/* Answer what comes on descriptor 3 in capitals, until it is closed. */
static int echo(const char *argument)
{
    char bytes[256];
    ssize_t n;
    (void)argument;
    while ((n = read(3, bytes, sizeof bytes)) > 0) {
        for (ssize_t i = 0; i < n; i++) bytes[i] = (char)toupper((unsigned char)bytes[i]);
        if (write(3, bytes, (size_t)n) != n) return 1;
    }
    return 0;
}

static const struct {
    const char *name;
    int (*run)(const char *argument);
} attacks[] = {
    {"crash", crash},
    {"abort", stop_hard},
    {"echo", echo},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof attacks / sizeof *attacks; i++)
        if (strcmp(attacks[i].name, argv[1]) == 0)
            return attacks[i].run(argc > 2 ? argv[2] : NULL);
    fprintf(stderr, "attacks: no such attack\n");
    return 2;
}
