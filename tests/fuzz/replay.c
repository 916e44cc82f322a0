/* replay.c -- give a fuzz target every file of its corpus, with any compiler. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    DIR *folder = opendir(argv[1]);
    CHECK(folder);
    int n_files = 0;
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (entry->d_name[0] == '.') continue;
        char *path = path_join(argv[1], entry->d_name);
        struct text bytes = {0};
        struct error err;
        CHECK(!file_read(&bytes, path, 1 << 24, &err));
        LLVMFuzzerTestOneInput((const uint8_t *)bytes.data, bytes.size);
        text_done(&bytes);
        free(path);
        n_files++;
    }
    closedir(folder);
    printf("%d files\n", n_files);
    return n_files ? 0 : 1;
}
