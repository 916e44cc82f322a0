/* landlock.h -- a process keeps only these paths, and sends signals to nobody above it.
 *
 *   ABI 1  files, by path        ABI 4  TCP: none at all
 *       2  links and renames         5  device ioctls
 *       3  truncate                  6  signals and abstract sockets stay inside
 *
 * Everything that the kernel's ABI knows is handled, hence denied unless a rule allows it.
 * Tests: tests/sandbox/confine_test.c
 */
#ifndef SANDBOX_LANDLOCK_H
#define SANDBOX_LANDLOCK_H

#include <stdbool.h>

/* The newest ABI this kernel offers, 0 when there is none. */
int landlock_abi(void);

/* Keep `path[0..n)`: to read and execute, where `writable` says so also to change. A path to
 * read that does not exist is skipped. Needs no_new_privs. Without Landlock: ENOSYS when
 * `mandatory`, else 0 and nothing done. 0 or an errno value. */
int landlock_apply(const char *const *path, const bool *writable, int n, bool mandatory);

#endif
