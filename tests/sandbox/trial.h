/* trial.h -- one run in the sandbox, for the tests of this room.
 *
 * Each test program runs four times: as the user who builds, and as nobody
 * ("--plain"), behind namespaces and without them ("--no-namespaces").
 */
#ifndef TESTS_SANDBOX_TRIAL_H
#define TESTS_SANDBOX_TRIAL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sandbox/sandbox.h"

/* Read the options above, become nobody, choose the walls. Exits with 77, after a
 * line that says why, where this machine cannot do what was asked. */
void trial_begin(int argc, char **argv);

/* A folder for attempts, made by trial_begin(), removed by trial_end(). */
extern const char *trial_parent;
extern const char
    *trial_attacks; /* the program of attacks: where staged.sh put it, else the build's */
int trial_end(int failures);

bool trial_is_plain(void);
bool trial_has_namespaces(void);

/* Run `argv` under `profile` in a fresh folder, which is `trial.folder` until
 * trial_done(). Fails the test when the sandbox itself fails. */
struct trial {
    char *folder;
    struct sandbox_report report;
};
void trial_run(struct trial *trial, const struct sandbox_profile *profile, const char *const *argv);
void trial_run_in(struct trial *trial, const struct sandbox_profile *profile,
                  const char *const *argv); /* trial->folder exists already */
void trial_done(struct trial *trial);

/* The attack program with these words, under the profile. */
void trial_attack(struct trial *trial, const struct sandbox_profile *profile, const char *name,
                  const char *argument);

/* How many processes are alive whose command line holds `mark`. */
int trial_count_processes(const char *mark);

/* Kill them, once; for when a test has failed and must not leave them to the next. */
void trial_kill_processes(const char *mark);

/* A word that no other process on the machine has on its command line. */
const char *trial_mark(void);

#endif
