#include "grader/prose.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <utf8proc.h>

#include "base/text.h"

/* ---- folding ---- */

static const struct {
    const char *from, *to;
} spellings[] = {
    {"√", "sqrt"}, {"×", "x"},  {"·", "*"},  {"−", "-"},  {"–", "-"},
    {"—", " - "},  {"’", "'"},  {"‘", "'"},  {"“", "\""}, {"”", "\""},
    {"≈", "~"},    {"≤", "<="}, {"≥", ">="}, {"→", "->"}, {"∝", " proportional to "},
    {"⁻", "-"},    {"¿", ""},   {"¡", ""},   {"«", "\""}, {"»", "\""},
};

static void add_spelled(struct text *out, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size;) {
        size_t step = 0;
        for (size_t j = 0; !step && j < sizeof spellings / sizeof *spellings; j++) {
            const size_t length = strlen(spellings[j].from);
            if (length <= size - i && memcmp(bytes + i, spellings[j].from, length) == 0) {
                text_add(out, spellings[j].to);
                step = length;
            }
        }
        if (!step) text_add_bytes(out, bytes + i, step = 1);
        i += step;
    }
}

/* The sentence without the bytes that are no UTF-8. */
static void add_valid(struct text *out, const char *bytes, size_t size)
{
    while (size) {
        const size_t valid = text_utf8_valid(bytes, size);
        add_spelled(out, bytes, valid);
        const size_t step = valid < size ? valid + 1 : valid;
        bytes += step;
        size -= step;
    }
}

char *prose_fold(const char *bytes, size_t size)
{
    struct text spelled = {0}, out = {0};
    add_valid(&spelled, bytes, size);

    utf8proc_uint8_t *folded = NULL;
    const utf8proc_ssize_t length = utf8proc_map(
        (const utf8proc_uint8_t *)text_string(&spelled), (utf8proc_ssize_t)spelled.size, &folded,
        UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE | UTF8PROC_STRIPMARK | UTF8PROC_CASEFOLD |
            UTF8PROC_IGNORE);
    bool space = true;
    for (utf8proc_ssize_t i = 0; i < length; i++) {
        const char c = (char)folded[i];
        if (isspace((unsigned char)c)) {
            if (!space) text_add_char(&out, ' ');
            space = true;
        } else {
            text_add_char(&out, c);
            space = false;
        }
    }
    free(folded);
    text_done(&spelled);
    while (out.size && out.data[out.size - 1] == ' ') out.data[--out.size] = '\0';
    return out.data ? text_take(&out) : text_copy("");
}

/* ---- keywords ---- */

/* Words that carry grammar instead of meaning. Real sentences of both languages have a third or
 * more of them; a list of keywords has none. */
static const char *const function_words[] = {
    "a",        "about",   "after", "al",      "all",     "also",    "although", "always",
    "an",       "and",     "any",   "are",     "as",      "asi",     "at",       "aunque",
    "be",       "because", "been",  "before",  "being",   "between", "both",     "but",
    "by",       "cada",    "can",   "como",    "con",     "could",   "cual",     "cuales",
    "cuando",   "de",      "debe",  "deben",   "del",     "desde",   "did",      "do",
    "does",     "done",    "donde", "down",    "e",       "each",    "el",       "en",
    "entonces", "entre",   "era",   "es",      "esa",     "ese",     "eso",      "esta",
    "estan",    "este",    "esto",  "every",   "for",     "from",    "fue",      "ha",
    "had",      "han",     "has",   "hasta",   "have",    "hay",     "he",       "hemos",
    "here",     "his",     "how",   "i",       "if",      "in",      "into",     "is",
    "it",       "its",     "just",  "la",      "las",     "le",      "les",      "less",
    "lo",       "los",     "mas",   "may",     "me",      "menos",   "mi",       "mientras",
    "might",    "mis",     "misma", "mismo",   "more",    "most",    "muy",      "must",
    "my",       "never",   "ni",    "no",      "nor",     "nos",     "not",      "nuestra",
    "nuestro",  "o",       "of",    "off",     "on",      "one",     "only",     "or",
    "other",    "otra",    "otras", "otro",    "otros",   "our",     "out",      "over",
    "per",      "pero",    "por",   "porque",  "pues",    "puede",   "pueden",   "que",
    "quien",    "same",    "se",    "sea",     "sean",    "segun",   "ser",      "should",
    "si",       "sin",     "since", "so",      "sobre",   "solo",    "some",     "son",
    "still",    "su",      "such",  "sus",     "tambien", "tan",     "tanto",    "te",
    "than",     "that",    "the",   "their",   "them",    "then",    "there",    "these",
    "they",     "this",    "those", "through", "tiene",   "tienen",  "to",       "toda",
    "todas",    "todo",    "todos", "too",     "tu",      "tus",     "u",        "un",
    "una",      "unas",    "under", "unless",  "unos",    "until",   "up",       "us",
    "very",     "was",     "we",    "were",    "what",    "when",    "where",    "whether",
    "which",    "while",   "who",   "why",     "will",    "with",    "would",    "y",
    "ya",       "yet",     "yo",    "you",     "your",
};

static int compare_words(const void *a, const void *b)
{
    return strcmp(a, *(const char *const *)b);
}

static const char *const first_person[] = {"i", "me", "mi", "mine", "mis", "my", "myself", "yo"};

static bool is_in(const char *const *sorted, size_t n, const char *word)
{
    return bsearch(word, sorted, n, sizeof *sorted, compare_words) != NULL;
}

#define IS_IN(list, word) is_in(list, sizeof list / sizeof *list, word)

/* Verbs of short statements: "sharp softmax means small gradients" is no heap of words. */
static const char *const statement_verbs[] = {
    "adds",      "ahorra",   "allows",     "aumenta",   "averages",    "avoids",    "ayuda",
    "becomes",   "breaks",   "cae",        "comes",     "compara",     "compares",  "costs",
    "crece",     "crecen",   "cuesta",     "cuestan",   "da",          "dan",       "dejan",
    "depende",   "depends",  "desaparece", "desborda",  "dice",        "domina",    "dominates",
    "doubles",   "drops",    "duplica",    "empeora",   "empieza",     "envia",     "equalises",
    "equalizes", "escribe",  "evita",      "explodes",  "explota",     "fails",     "falla",
    "falls",     "funciona", "gana",       "gasta",     "get",         "gets",      "give",
    "gives",     "goes",     "grow",       "grows",     "guarda",      "hacen",     "halves",
    "helps",     "hides",    "hurts",      "implica",   "interpolate", "keep",      "keeps",
    "leads",     "leave",    "lee",        "lleva",     "loses",       "make",      "makes",
    "means",     "mejora",   "muestra",    "mueve",     "necesita",    "necesitan", "need",
    "needs",     "oculta",   "ocupa",      "overflows", "permite",     "pierde",    "promedia",
    "queda",     "quita",    "raise",      "reach",     "reaches",     "reduce",    "removes",
    "replaces",  "rises",    "rompe",      "runs",      "satura",      "saturates", "saves",
    "sends",     "shows",    "shrinks",    "significa", "splits",      "starts",    "stays",
    "stops",     "take",     "takes",      "tells",     "underflows",  "va",        "vanishes",
    "viene",     "works",
};

/* Notes ("no scale: softmax saturates, gradient dies") have few function words, too, but several words
 * between their commas, and a verb where they have many; an equation, a product or an arrow says
 * something in symbols. */
enum {
    KEYWORDS_FROM = 5,
    KEYWORDS_SHARE_PERCENT = 20,
    KEYWORDS_PER_ENTRY = 2,
    ENTRIES_FROM = 6, /* "8C² params, 16C² flop a token" are notes */
    NOTES_PER_ENTRY = 4,
};

static bool is_keywords(const char *folded, int words, int grammar, int verbs, int entries)
{
    if (words < KEYWORDS_FROM || strpbrk(folded, "=<>~")) return false;
    if (grammar * 100 >= words * KEYWORDS_SHARE_PERCENT) return false;
    if (words <= KEYWORDS_PER_ENTRY * entries) return entries >= ENTRIES_FROM;
    const bool product = strstr(folded, " x ") || strstr(folded, " * ");
    return words > NOTES_PER_ENTRY * entries && !grammar && !verbs && !product;
}

static void count_words(struct prose *prose, struct prose_sentence *sentence)
{
    int words = 0, grammar = 0, verbs = 0, entries = 0;
    bool in_entry = false;
    char word[32];
    for (const char *c = sentence->folded; *c;) {
        size_t size = 0, kept = 0;
        while (isalpha((unsigned char)c[size]) || (unsigned char)c[size] >= 0x80) {
            if (kept + 1 < sizeof word) word[kept++] = c[size];
            size++;
        }
        if (!size) {
            if (*c == '?') prose->n_questions++;
            if (strchr(",:;()/+", *c)) in_entry = false;
            if (isdigit((unsigned char)*c)) { /* a number, with its points and commas */
                const bool in_name = c > sentence->folded && isalpha((unsigned char)c[-1]);
                if (!in_name) { /* H100 is a name */
                    prose->n_numbers++;
                    prose->n_words++;
                }
                c += strspn(c, "0123456789.,");
            } else {
                c++;
            }
            continue;
        }
        word[kept] = '\0';
        words++;
        entries += !in_entry;
        in_entry = true;
        if (IS_IN(function_words, word)) grammar++;
        if (IS_IN(statement_verbs, word)) verbs++;
        if (IS_IN(first_person, word)) prose->n_first_person++;
        c += size;
    }
    prose->n_words += words;
    sentence->keywords = is_keywords(sentence->folded, words, grammar, verbs, entries);
}

/* A Spanish verb in the first person of the past: "decidí", "implementé", "hice". The accent tells it
 * apart, so this reads the raw word. */
static bool is_first_person_verb(const char *word, size_t size)
{
    static const char *const irregular[] = {"hice",  "fui",  "tuve",   "dije", "puse",  "pude",
                                            "quise", "supe", "estuve", "vine", "traje", "conduje"};
    static const char *const others[] = {"qué",  "porqué", "caché", "café", "té",
                                         "dé",   "esté",   "así",   "aquí", "ahí",
                                         "allí", "sí",     "mí",    "sé",   "casí"};
    for (size_t i = 0; i < sizeof irregular / sizeof *irregular; i++)
        if (strlen(irregular[i]) == size && strncasecmp(irregular[i], word, size) == 0) return true;
    if (size < 4 || (memcmp(word + size - 2, "é", 2) != 0 && memcmp(word + size - 2, "í", 2) != 0))
        return false;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strlen(others[i]) == size && strncasecmp(others[i], word, size) == 0) return false;
    return true;
}

static int count_first_person_verbs(const char *text, size_t size)
{
    int n = 0;
    for (size_t i = 0; i < size;) {
        size_t length = 0;
        while (i + length < size) { /* ASCII and á to ÿ */
            if (isalpha((unsigned char)text[i + length])) length++;
            else if (text[i + length] == '\xC3' && i + length + 1 < size) length += 2;
            else break;
        }
        if (length && is_first_person_verb(text + i, length)) n++;
        i += length ? length : 1;
    }
    return n;
}

/* ---- sentences ---- */

/* "e.g.", "p. ej.", "fig.": the point at `at` ends no sentence. */
static bool is_abbreviation(const char *text, size_t at)
{
    static const char *const words[] = {"e.g", "i.e", "p",   "p.ej",  "ej",     "vs", "etc",
                                        "eq",  "fig", "sec", "aprox", "approx", "cf", "al"};
    size_t start = at;
    while (start > 0 && (isalpha((unsigned char)text[start - 1]) || text[start - 1] == '.'))
        start--;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i]) == at - start && strncasecmp(text + start, words[i], at - start) == 0)
            return true;
    return false;
}

/* The line at `at` opens a list's entry: "- ", "* ", "1. ", "1) ". The bytes up to its words; 0 when
 * it does not. */
static size_t entry_mark(const char *text, size_t at)
{
    const size_t blank = strspn(text + at, " \t"), mark = at + blank;
    if ((text[mark] == '-' || text[mark] == '*') && text[mark + 1] == ' ') return blank + 2;
    const size_t digits = strspn(text + mark, "0123456789");
    if (digits == 0 || digits > 2 || !text[mark + digits] || !strchr(".)", text[mark + digits]) ||
        text[mark + digits + 1] != ' ')
        return 0;
    return blank + digits + 2;
}

static size_t sentence_end(const char *text, size_t start)
{
    for (size_t i = start; text[i]; i++) {
        if (text[i] == '\n') {
            const size_t next = i + 1 + strspn(text + i + 1, " \t\r");
            if (text[next] == '\n' || entry_mark(text, i + 1)) return i + 1;
        }
        if (!strchr(".!?;", text[i])) continue;
        const char after = text[i + 1];
        if (after && !isspace((unsigned char)after) && !strchr(")\"'", after)) continue;
        if (text[i] == '.' && is_abbreviation(text, i)) continue;
        if (i < start + entry_mark(text, start)) continue; /* "1. " */
        return i + 1;
    }
    return start + strlen(text + start);
}

enum status prose_read(struct prose *prose, const char *text, struct error *err)
{
    *prose = (struct prose){0};
    if (strlen(text) > PROSE_SIZE_LIMIT)
        return error_set(err, STATUS_LIMIT, "the answer has %zu bytes, at most %d are read",
                         strlen(text), PROSE_SIZE_LIMIT);

    for (size_t start = 0; text[start];) {
        const size_t end = sentence_end(text, start);
        struct prose_sentence sentence = {.start = start, .size = end - start};
        while (sentence.size && isspace((unsigned char)text[sentence.start])) {
            sentence.start++;
            sentence.size--;
        }
        while (sentence.size && isspace((unsigned char)text[sentence.start + sentence.size - 1]))
            sentence.size--;
        start = end;
        if (!sentence.size) continue;
        if (prose->n_sentences == PROSE_SENTENCE_LIMIT) {
            prose_done(prose);
            return error_set(err, STATUS_LIMIT, "the answer has more than %d sentences",
                             PROSE_SENTENCE_LIMIT);
        }
        sentence.folded = prose_fold(text + sentence.start, sentence.size);
        count_words(prose, &sentence);
        prose->n_first_person += count_first_person_verbs(text + sentence.start, sentence.size);
        prose->sentences =
            memory_grow(prose->sentences, (size_t)prose->n_sentences + 1, sizeof *prose->sentences);
        prose->sentences[prose->n_sentences++] = sentence;
        if (sentence.folded[0] && !text_ends_with(sentence.folded, ";")) prose->n_full_sentences++;
    }
    return STATUS_OK;
}

void prose_done(struct prose *prose)
{
    for (int i = 0; i < prose->n_sentences; i++) free(prose->sentences[i].folded);
    free(prose->sentences);
    *prose = (struct prose){0};
}

double prose_seconds(const struct prose *prose) { return prose->n_words / 2.5; }
