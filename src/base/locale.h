/* locale.h -- messages in the user's language, by gettext.
 *
 * `_("...")` marks and translates a string. The language is "en" or "es".
 */
#ifndef BASE_LOCALE_H
#define BASE_LOCALE_H

#include <libintl.h>

#define _(string) gettext(string)
#define N_(string) string /* marked for translation, translated later */

/* Choose the language of messages ("en", "es"; NULL: from LC_ALL, LC_MESSAGES,
 * LANG, then "en") and where the catalogues lie. Call once, before threads. */
void locale_init(const char *language, const char *catalogue_folder);

/* "en" or "es". */
const char *locale_language(void);

#endif
