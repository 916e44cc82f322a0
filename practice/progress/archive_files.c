/* archive_files.c -- the files beside the database: the candidate's stories, and drafts of answers. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/locale.h"
#include "progress/archive.h"
#include "progress/archive_internal.h"
#include "progress/progress_internal.h"

const char *const archive_folders[N_FOLDERS] = {"stories", "drafts"};

enum { NAME_LIMIT = 100 };

/* "01-hard-debug.md": one name, visible, of text. A draft's begins with its round's id. */
static bool name_is_good(int folder, const char *name)
{
    const size_t size = strlen(name);
    if (size > NAME_LIMIT || *name == '.' || !text_ends_with(name, ".md") ||
        text_utf8_valid(name, size) != size)
        return false;
    for (size_t i = 0; i < size; i++)
        if (name[i] == '/' || (unsigned char)name[i] < ' ' || name[i] == 0x7F) return false;
    if (folder != FOLDER_DRAFTS) return true;
    char id[ID_SIZE], rest;
    int step, place, at = 0;
    return sscanf(name, "%36[a-f0-9-]%c%2d-%3d.md%n", id, &rest, &step, &place, &at) == 4 &&
           progress_id_valid(id) && rest == '-' && (size_t)at == size;
}

int archive_folder_of(const char *path)
{
    for (int f = 0; f < N_FOLDERS; f++) {
        const size_t size = strlen(archive_folders[f]);
        if (strncmp(path, archive_folders[f], size) == 0 && path[size] == '/' &&
            name_is_good(f, path + size + 1))
            return f;
    }
    return -1;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The good names of regular files, in order; the caller frees each and the list. */
static int list_names(char ***out, struct progress *progress, int folder)
{
    char *path = path_join(progress->folder, archive_folders[folder]);
    DIR *directory = opendir(path);
    int n = 0;
    *out = NULL;
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        struct stat facts;
        if (!name_is_good(folder, entry->d_name) ||
            fstatat(dirfd(directory), entry->d_name, &facts, AT_SYMLINK_NOFOLLOW) != 0 ||
            !S_ISREG(facts.st_mode))
            continue;
        *out = memory_grow(*out, (size_t)n + 1, sizeof **out);
        (*out)[n++] = text_printf("%s/%s", archive_folders[folder], entry->d_name);
    }
    if (directory) closedir(directory);
    if (n) qsort(*out, (size_t)n, sizeof **out, by_name);
    free(path);
    return n;
}

enum status archive_each_file(struct progress *progress, int folder, int *n,
                              enum status (*visit)(void *context, const char *name,
                                                   const struct text *bytes, struct error *err),
                              void *context, struct error *err)
{
    char **names;
    const int n_names = list_names(&names, progress, folder);
    enum status status = STATUS_OK;
    *n = 0;
    for (int i = 0; i < n_names; i++) {
        struct text bytes = {0};
        char *path = path_join(progress->folder, names[i]);
        if (!status) {
            status = file_read(&bytes, path, ARCHIVE_FILE_LIMIT, err);
            if (status == STATUS_NOT_FOUND) status = STATUS_OK; /* it went meanwhile */
            else if (!status) {
                status = visit(context, names[i], &bytes, err);
                ++*n;
            }
        }
        text_done(&bytes);
        free(path);
        free(names[i]);
    }
    free(names);
    return status;
}

enum status archive_add_file(bool *added, struct progress *progress, const char *name,
                             const void *bytes, size_t size, struct error *err)
{
    CHECK(archive_folder_of(name) >= 0);
    char *folder = path_join(progress->folder, archive_folders[archive_folder_of(name)]);
    char *path = path_join(progress->folder, name);
    enum status status = folder_make(folder, 0700, err);
    if (!status) status = file_create(path, bytes, size, 0600, err);
    *added = !status;
    free(path);
    free(folder);
    return status == STATUS_CONFLICT ? STATUS_OK : status; /* what is here stays */
}

void archive_remove_file(struct progress *progress, const char *name)
{
    char *path = path_join(progress->folder, name);
    (void)unlink(path);
    free(path);
}

void archive_file_facts(struct archive_file_facts *facts, struct progress *progress)
{
    *facts = (struct archive_file_facts){0};
    for (int f = 0; f < N_FOLDERS; f++) {
        char **names;
        const int n = list_names(&names, progress, f);
        for (int i = 0; i < n; i++) {
            struct stat info;
            char *path = path_join(progress->folder, names[i]);
            if (stat(path, &info) == 0) facts->size_bytes += info.st_size;
            free(path);
            free(names[i]);
        }
        free(names);
        *(f == FOLDER_STORIES ? &facts->stories : &facts->drafts) = n;
    }
}

enum status archive_forget_files(struct progress *progress, struct archive_counts *removed,
                                 struct error *err)
{
    struct archive_file_facts facts;
    enum status status = STATUS_OK;
    archive_file_facts(&facts, progress);
    for (int f = 0; f < N_FOLDERS && !status; f++) {
        char *path = path_join(progress->folder, archive_folders[f]);
        status = folder_remove(path, err);
        free(path);
    }
    if (!status) {
        removed->stories = facts.stories;
        removed->drafts = facts.drafts;
    }
    return status;
}
