/* host.h -- what this machine lets us build walls from.
 *
 * Each answer is found by trying, once in a process, not by reading settings:
 * containers and security modules refuse in too many places to list.
 *
 * Does not know: requests, runs. Tests: tests/sandbox/sandbox_test.c
 */
#ifndef SANDBOX_HOST_H
#define SANDBOX_HOST_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "sandbox/sandbox.h"

/* A helper's path below the folder of sandbox_init(); the caller frees it. */
char *host_helper(const char *name);

/* The path of bwrap, or NULL. Borrowed. */
const char *host_bwrap(void);

/* Whether bubblewrap can build its walls here; else why not, in `why` (256 bytes). */
bool host_has_namespaces(char *why);

/* The Landlock ABI, 0 for none (or when sandbox_pretend() says so). */
int host_landlock_abi(void);

/* The delegated cgroup v2 group, or NULL. Borrowed. */
const char *host_cgroup(void);

/* The walls a run gets here. */
enum sandbox_walls host_walls(void);

/* Whether we are uid 0 and can become someone else; and a uid that is
 * nobody's, another for each attempt. `host_is_owner` knows them again; `host_is_owner_of_one`
 * those that only one attempt has. */
bool host_drops(void);
uid_t host_owner_new(void);
bool host_is_owner(uid_t uid);
bool host_is_owner_of_one(uid_t uid);

/* Whether a uid that owns nothing can reach and read the path; whether it can pass
 * through the folder to a name that it knows. */
bool host_reaches(const char *path);
bool host_passes(const char *folder);

#endif
