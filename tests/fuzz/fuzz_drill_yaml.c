/* fuzz_drill_yaml.c -- any bytes as the drill.yaml of labs/15-attention/drill-01-attention. */
#include "content/drill.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static char root[] = "/tmp/fuzz-drill-XXXXXX";
static char folder[64], path[96];
static int fd = -1;

static void clean(void)
{
    unlink(path);
    rmdir(folder);
    rmdir(root);
}

static void start(void)
{
    CHECK(mkdtemp(root));
    snprintf(folder, sizeof folder, "%s/drill-01-attention", root);
    snprintf(path, sizeof path, "%s/drill.yaml", folder);
    CHECK(mkdir(folder, 0700) == 0);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    atexit(clean);
}

static void look(const struct drill *drill)
{
    CHECK(strcmp(drill->number, "01") == 0 && strcmp(drill->name, "attention") == 0);
    CHECK(drill->minutes >= 1 && strcmp(drill->folder, folder) == 0);
    CHECK(words_in(&drill->title, "es") && words_in(&drill->title, "en"));
    for (unsigned i = 0; i < drill->mistakes_count; i++)
        CHECK(drill_mistake_words(drill, drill->mistakes[i].name, "es"));
    for (unsigned i = 0; i < drill->never_together_count; i++)
        CHECK(drill_mistake_words(drill, drill->never_together[i].names[1], "en"));
    char *file = drill_file_name(drill, LANE_TORCH);
    CHECK(text_ends_with(file, ".py") && !strchr(file, '/'));
    free(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct drill *drill;
    struct error err = {0};
    if (fd < 0) start();
    CHECK(ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0);
    CHECK(descriptor_write(fd, bytes, size));

    const enum status status = drill_load(&drill, folder, &err);
    if (status) CHECK(!drill && err.status == status && err.message[0]);
    else look(drill);
    drill_free(drill);
    return 0;
}
