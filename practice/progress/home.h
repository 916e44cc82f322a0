/* home.h -- the two folders of the user's data.
 *
 *   data    $LCX_HOME, else $XDG_DATA_HOME/lynx-cortex, else ~/.local/share/lynx-cortex
 *   cache   $LCX_HOME/cache, else $XDG_CACHE_HOME/lynx-cortex, else ~/.cache/lynx-cortex
 *
 * A folder made here is 0700, and so is each folder above it that was missing. The default data
 * folder is made 0700 again when it is found open to others; a folder that LCX_HOME names is the
 * user's own and keeps its mode (what is written into it is private by itself).
 * A relative XDG path is ignored, as the XDG specification asks; a relative LCX_HOME counts from
 * the current folder.
 *
 * Tests: tests/progress/home_test.c
 */
#ifndef PROGRESS_HOME_H
#define PROGRESS_HOME_H

#include "base/error.h"

/* Where the data is, or would be: nothing is made. The caller frees it. STATUS_NOT_FOUND when there is
 * no home folder at all, STATUS_IO when the current folder is unknown and matters. */
MUST_CHECK enum status home_data_path(char **out, struct error *err);

/* The absolute path of the folder, made when missing; the caller frees it.
 * STATUS_IO when it cannot be made, STATUS_NOT_FOUND when there is no home folder at all. */
MUST_CHECK enum status home_data_folder(char **out, struct error *err);
MUST_CHECK enum status home_cache_folder(char **out, struct error *err);

#endif
