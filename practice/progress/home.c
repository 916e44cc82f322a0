#include "progress/home.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/locale.h"
#include "base/text.h"

static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

/* The user's home folder, which the caller frees; NULL when there is none. */
static char *home(void)
{
    const char *folder = variable("HOME");
    if (folder && folder[0] == '/') return text_copy(folder);
    struct passwd entry, *found = NULL;
    char strings[16384];
    if (getpwuid_r(geteuid(), &entry, strings, sizeof strings, &found) != 0 || !found) return NULL;
    return found->pw_dir && found->pw_dir[0] == '/' ? text_copy(found->pw_dir) : NULL;
}

static enum status absolute(char **out, const char *path, struct error *err)
{
    char here[PATH_MAX];
    if (path[0] == '/') {
        *out = text_copy(path);
        return STATUS_OK;
    }
    if (!getcwd(here, sizeof here))
        return error_set_errno(err, STATUS_IO, _("%s: the current folder is unknown"), path);
    *out = path_join(here, path);
    return STATUS_OK;
}

/* Ours alone: it holds what a person wrote and how they did. */
static enum status make_private(const char *folder, struct error *err)
{
    struct stat info;
    enum status status = folder_make(folder, 0700, err);
    if (status) return status;
    if (stat(folder, &info) != 0) return error_set_errno(err, STATUS_IO, "%s", folder);
    if ((info.st_mode & 077) && info.st_uid == geteuid() && chmod(folder, 0700) != 0)
        return error_set_errno(err, STATUS_IO, _("%s: cannot be made private"), folder);
    return STATUS_OK;
}

/* Where it is; *is_ours: below the user's home or XDG folder, not where LCX_HOME says. */
static enum status locate(char **out, bool *is_ours, const char *xdg, const char *below_home,
                          const char *below_lcx, struct error *err)
{
    const char *chosen = variable("LCX_HOME"), *base = variable(xdg);
    *out = NULL;
    *is_ours = !chosen;
    if (chosen) {
        char *top;
        const enum status status = absolute(&top, chosen, err);
        if (status) return status;
        *out = below_lcx ? path_join(top, below_lcx) : text_copy(top);
        free(top);
    } else if (base && base[0] == '/') {
        *out = path_join(base, "lynx-cortex");
    } else {
        char *folder = home();
        if (!folder)
            return error_set(err, STATUS_NOT_FOUND,
                             _("home folder: there is none for this user: set LCX_HOME to a "
                               "folder of yours"));
        *out = path_join(folder, below_home);
        free(folder);
    }
    return STATUS_OK;
}

static enum status find(char **out, const char *xdg, const char *below_home, const char *below_lcx,
                        struct error *err)
{
    bool is_ours;
    enum status status = locate(out, &is_ours, xdg, below_home, below_lcx, err);
    if (status) return status;
    status = is_ours ? make_private(*out, err) : folder_make(*out, 0700, err);
    if (status) {
        free(*out);
        *out = NULL;
    }
    return status;
}

enum status home_data_path(char **out, struct error *err)
{
    bool is_ours;
    return locate(out, &is_ours, "XDG_DATA_HOME", ".local/share/lynx-cortex", NULL, err);
}

enum status home_data_folder(char **out, struct error *err)
{
    return find(out, "XDG_DATA_HOME", ".local/share/lynx-cortex", NULL, err);
}

enum status home_cache_folder(char **out, struct error *err)
{
    return find(out, "XDG_CACHE_HOME", ".cache/lynx-cortex", "cache", err);
}
