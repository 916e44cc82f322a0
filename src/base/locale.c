#include "base/locale.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

static const char *chosen = "en";

static const char *from_environment(void)
{
    static const char *const names[] = {"LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);
        if (value && *value) return strncmp(value, "es", 2) == 0 ? "es" : "en";
    }
    return "en";
}

void locale_init(const char *language, const char *catalogue_folder)
{
    if (!language) language = from_environment();
    chosen = strcmp(language, "es") == 0 ? "es" : "en";

    /* A named locale may be absent; C.UTF-8 is there, and LANGUAGE works on it.
     * Numbers keep the decimal point: files and answers are not localized. */
    setenv("LANGUAGE", chosen, 1);
    if (!setlocale(LC_ALL, "C.UTF-8")) setlocale(LC_ALL, "");
    setlocale(LC_NUMERIC, "C");
    bindtextdomain("lynx-cortex", catalogue_folder);
    bind_textdomain_codeset("lynx-cortex", "UTF-8");
    textdomain("lynx-cortex");
}

const char *locale_language(void) { return chosen; }
