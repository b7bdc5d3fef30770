/* Everything that a stage in C needs: Parshall's contract as it lies in memory, and words to write a transform with.
 *
 * Include it in one file. It needs no libc and imports nothing but the columns that the stage reads. The stage gives
 *
 *     const parshall_description parshall_stage;      what it says of itself
 *     bool parshall_open(...);                        configuration and input; true or parshall_fail_...(...)
 *     bool parshall_process(...);                     one batch
 *
 * and, if it has state (`#define PARSHALL_STATEFUL` before the include), parshall_finish and parshall_snapshot.
 * It is C++ as well, which `parshall.hpp` stands on.
 *
 * Memory: what parshall_alloc gives lives until the call has returned, what parshall_keep gives as long as the instance.
 * Columns that were read and texts of the configuration live until the call has returned. */
#ifndef PARSHALL_H
#define PARSHALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- values ---- */

/* A string: UTF-8, no terminating zero. */
typedef struct {
    const char *at;
    size_t length;
} parshall_text;

#define PARSHALL_TEXT(literal) ((parshall_text){ (literal), sizeof(literal) - 1 })

typedef struct {
    const char *name;          /* kebab-case */
    const char *version;
    const char *summary;       /* one line */
    const char *documentation; /* Markdown; may be left out */
    const char *config_schema; /* JSON Schema of the configuration */
} parshall_description;

/* One field of a schema; nested ones stand depth-first, as in the contract. `format` is that of the Arrow C data interface. */
typedef struct {
    parshall_text key, value;
} parshall_pair;

typedef struct {
    parshall_text name, format;
    uint8_t flags;
    uint32_t children;
    const parshall_pair *metadata;
    size_t metadata_length;
} parshall_field;

enum { PARSHALL_NULLABLE = 1, PARSHALL_DICTIONARY_ORDERED = 2, PARSHALL_MAP_KEYS_SORTED = 4, PARSHALL_DICTIONARY_ENCODED = 8 };

typedef struct {
    const parshall_field *fields;
    size_t fields_length;
    const parshall_pair *metadata;
    size_t metadata_length;
} parshall_schema;

typedef struct {
    parshall_text name;
    parshall_schema schema;
} parshall_input;

typedef struct {
    const uint8_t *at;
    size_t length;
} parshall_bytes;

/* What an instance is opened with. */
typedef struct {
    parshall_text config; /* a JSON object */
    const parshall_input *inputs;
    size_t inputs_length;
    const parshall_bytes *restore; /* an earlier instance's snapshot, or NULL */
} parshall_opening;

/* One column of a batch: numbers, booleans and texts have these buffers. */
typedef struct {
    uint64_t length, null_count;
    const uint8_t *validity; /* one bit a row, NULL where no row is null */
    union {
        const int64_t *i64;
        const double *f64;
        const int32_t *i32;
        const uint8_t *bits;
        const int32_t *offsets; /* of texts: length + 1 of them */
        const void *values;
    };
    const char *text; /* of texts */
} parshall_column;

typedef struct parshall_frame {
    uint32_t handle;
    uint32_t input;
    uint64_t rows;
} parshall_frame;

/* ---- what a stage writes ---- */

extern const parshall_description parshall_stage;
static bool parshall_open(const parshall_opening *opening);
static bool parshall_process(const parshall_frame *frame);
#ifdef PARSHALL_STATEFUL
#ifndef PARSHALL__REMEMBERS
#define PARSHALL__REMEMBERS 1
#endif
/* Puts out what is still held; false with no error set says that nothing is left. */
static bool parshall_finish(void);
static bool parshall_snapshot(parshall_bytes *snapshot);
#endif

/* ---- memory ---- */

#define PARSHALL__ALIGN 16u

/* A block of linear memory from which one allocation after the other is cut. */
typedef struct parshall__chunk {
    struct parshall__chunk *next;
    size_t size, used;
    size_t pad;
} parshall__chunk;

static parshall__chunk *parshall__call_chunks, *parshall__kept_chunks;

static parshall__chunk *parshall__new_chunk(size_t need) {
    size_t pages = (need + sizeof(parshall__chunk) + 0xffff) >> 16;
    size_t before = __builtin_wasm_memory_grow(0, pages);
    if (before == (size_t)-1) __builtin_trap();
    parshall__chunk *chunk = (parshall__chunk *)(before << 16);
    chunk->size = pages << 16;
    chunk->used = sizeof(parshall__chunk);
    return chunk;
}

static void *parshall__cut(parshall__chunk **chunks, size_t size) {
    size = (size + PARSHALL__ALIGN - 1) & ~(size_t)(PARSHALL__ALIGN - 1);
    parshall__chunk *chunk = *chunks;
    while (chunk && chunk->size - chunk->used < size) chunk = chunk->next;
    if (!chunk) {
        chunk = parshall__new_chunk(size);
        chunk->next = *chunks;
        *chunks = chunk;
    }
    void *at = (char *)chunk + chunk->used;
    chunk->used += size;
    return at;
}

/* Memory until the call has returned. */
static inline void *parshall_alloc(size_t size) { return parshall__cut(&parshall__call_chunks, size); }
/* Memory for as long as the instance lives. */
static inline void *parshall_keep(size_t size) { return parshall__cut(&parshall__kept_chunks, size); }

static inline void parshall_copy(void *to, const void *from, size_t size) {
    if (size) __builtin_memcpy(to, from, size);
}

static inline void parshall_zero(void *at, size_t size) {
    if (size) __builtin_memset(at, 0, size);
}

__attribute__((export_name("cabi_realloc"))) void *parshall__realloc(void *old, size_t old_size, size_t align, size_t size) {
    (void)align;
    void *at = parshall_alloc(size);
    if (old_size) parshall_copy(at, old, old_size < size ? old_size : size);
    return at;
}

static void parshall__call_is_over(void) {
    for (parshall__chunk *chunk = parshall__call_chunks; chunk; chunk = chunk->next) chunk->used = sizeof(parshall__chunk);
}

/* ---- texts ---- */

static inline size_t parshall__length(const char *text) {
    size_t length = 0;
    if (text) while (text[length]) length++;
    return length;
}

static inline parshall_text parshall_text_of(const char *text) { return (parshall_text){ text, parshall__length(text) }; }

static inline bool parshall_same(parshall_text a, parshall_text b) {
    if (a.length != b.length) return false;
    for (size_t i = 0; i < a.length; i++)
        if (a.at[i] != b.at[i]) return false;
    return true;
}

/* What is rare is kept small. */
#define PARSHALL__COLD __attribute__((cold, noinline))

/* Up to four texts as one. */
PARSHALL__COLD static parshall_text parshall_join(parshall_text a, parshall_text b, parshall_text c, parshall_text d) {
    char *at = (char *)parshall_alloc(a.length + b.length + c.length + d.length + 1), *end = at;
    const parshall_text parts[4] = { a, b, c, d };
    for (int i = 0; i < 4; i++) {
        parshall_copy(end, parts[i].at, parts[i].length);
        end += parts[i].length;
    }
    return (parshall_text){ at, (size_t)(end - at) };
}

/* ---- the end: a defect after which the instance cannot go on ---- */

/* Traps. The host finds the text in memory and tells it. */
__attribute__((noreturn)) PARSHALL__COLD static void parshall_panic(parshall_text message) {
    static volatile struct {
        uint64_t mark[2];
        const char *at;
        size_t length;
    } words __attribute__((aligned(8)));
    /* `parshall:trapped`, put together only here: where it stands, something was said. */
    words.mark[0] = 0x6c6c616873726170u;
    words.mark[1] = 0x646570706172743au;
    words.at = message.at;
    words.length = message.length;
    __builtin_trap();
}

PARSHALL__COLD static parshall_text parshall__decimal_text(uint64_t number) {
    char *end = (char *)parshall_alloc(20) + 20, *at = end;
    do *--at = (char)('0' + number % 10);
    while (number /= 10);
    return (parshall_text){ at, (size_t)(end - at) };
}

__attribute__((noreturn)) PARSHALL__COLD static void parshall__out_of_bounds(const char *what, uint64_t index, uint64_t length) {
    parshall_text said = parshall_join(parshall_text_of(what), PARSHALL_TEXT(" "), parshall__decimal_text(index), PARSHALL_TEXT(" is out of bounds: there are "));
    parshall_panic(parshall_join(said, parshall__decimal_text(length), (parshall_text){ 0 }, (parshall_text){ 0 }));
}

static inline void parshall__within(const char *what, uint64_t index, uint64_t length) {
    if (__builtin_expect(index >= length, 0)) parshall__out_of_bounds(what, index, length);
}

/* ---- errors: each answers false, so that `return parshall_fail_...` ends a call ---- */

typedef struct {
    uint8_t some;
    parshall_text text;
} parshall__maybe_text;

typedef struct {
    uint8_t some;
    uint32_t number;
} parshall__maybe_number;

typedef struct {
    uint8_t tag;
    union {
        struct {
            parshall_text pointer;
            parshall__maybe_number offset;
            parshall_text message;
            parshall__maybe_text help;
        } config;
        struct {
            parshall__maybe_text column;
            parshall_text message;
        } schema;
        parshall_text message;
    };
} parshall__error;

static parshall__error parshall__failure;
static bool parshall__failed;

/* The configuration is wrong at a JSON Pointer such as "/column". */
PARSHALL__COLD static bool parshall_fail_config(parshall_text pointer, parshall_text message) {
    parshall__failed = true;
    parshall_zero(&parshall__failure, sizeof parshall__failure);
    parshall__failure.config.pointer = pointer;
    parshall__failure.config.message = message;
    return false;
}

/* Advice for the error of the configuration that was just told. */
static bool parshall_help(parshall_text advice) {
    parshall__failure.config.help = (parshall__maybe_text){ 1, advice };
    return false;
}

/* A column does not fit; without a name, it is the whole schema. */
PARSHALL__COLD static bool parshall_fail_schema(parshall_text column, parshall_text message) {
    parshall__failed = true;
    parshall_zero(&parshall__failure, sizeof parshall__failure);
    parshall__failure.tag = 1;
    parshall__failure.schema.column = (parshall__maybe_text){ column.length > 0, column };
    parshall__failure.schema.message = message;
    return false;
}

PARSHALL__COLD static bool parshall__fail(uint8_t tag, parshall_text message) {
    parshall__failed = true;
    parshall__failure.tag = tag;
    parshall__failure.message = message;
    return false;
}

/* The data is wrong, and no single row can be rejected for it. */
static inline bool parshall_fail_data(parshall_text message) { return parshall__fail(2, message); }
/* Something outside did not answer: the same call may succeed later. */
static inline bool parshall_fail_unavailable(parshall_text message) { return parshall__fail(3, message); }
/* A defect of the stage itself. */
static inline bool parshall_fail_internal(parshall_text message) { return parshall__fail(4, message); }

/* ---- columns by name ---- */

/* Index in `fields` of column *n*: children stand between. */
static size_t parshall__skip(const parshall_schema *schema, size_t at) {
    bool dictionary = schema->fields[at].flags & PARSHALL_DICTIONARY_ENCODED;
    uint32_t children = schema->fields[at].children;
    at++;
    if (dictionary) at = parshall__skip(schema, at);
    while (children--) at = parshall__skip(schema, at);
    return at;
}

/* The field of a column. A column that there is not ends the instance. */
static const parshall_field *parshall_field_at(const parshall_schema *schema, uint32_t column) {
    size_t at = 0;
    for (uint32_t left = column; left && at < schema->fields_length; left--) at = parshall__skip(schema, at);
    if (at >= schema->fields_length) parshall_panic(parshall_join(PARSHALL_TEXT("there is no column "), parshall__decimal_text(column), (parshall_text){ 0 }, (parshall_text){ 0 }));
    return &schema->fields[at];
}

static uint32_t parshall_columns(const parshall_schema *schema) {
    uint32_t columns = 0;
    for (size_t at = 0; at < schema->fields_length; at = parshall__skip(schema, at)) columns++;
    return columns;
}

/* Words for the letters of the Arrow C data interface; what stands behind a colon is a parameter. */
static const char parshall__type_names[] =
    "n null b bool c int8 C uint8 s int16 S uint16 i int32 I uint32 l int64 L uint64 e float16 f float32 g float64 z binary Z large_binary "
    "vz binary_view u utf8 U large_utf8 vu utf8_view tdD date32 tdm date64 tts time32[s] ttm time32[ms] ttu time64[us] ttn time64[ns] "
    "tDs duration[s] tDm duration[ms] tDu duration[us] tDn duration[ns] tiM interval[year_month] tiD interval[day_time] "
    "tin interval[month_day_nano] tss timestamp[s] tsm timestamp[ms] tsu timestamp[us] tsn timestamp[ns] d decimal w fixed_size_binary "
    "+l list +L large_list +vl list_view +vL large_list_view +w fixed_size_list +s struct +m map +r run_end_encoded +ud union +us union ";

/* A type as a person reads it, with its letter: `int64 (l)`. */
PARSHALL__COLD static parshall_text parshall_type_name(parshall_text format) {
    size_t letters = 0;
    while (letters < format.length && format.at[letters] != ':') letters++;
    for (const char *at = parshall__type_names; *at;) {
        parshall_text key = { at, 0 }, name;
        while (key.at[key.length] != ' ') key.length++;
        name.at = at = key.at + key.length + 1;
        while (*at != ' ') at++;
        name.length = (size_t)(at++ - name.at);
        if (parshall_same(key, (parshall_text){ format.at, letters })) return parshall_join(name, PARSHALL_TEXT(" ("), format, PARSHALL_TEXT(")"));
    }
    return parshall_join(PARSHALL_TEXT("a type of the format `"), format, PARSHALL_TEXT("`"), (parshall_text){ 0 });
}

/* `int64 (l) or float64 (g)`, of a list such as "lg". */
PARSHALL__COLD static parshall_text parshall__expected(const char *formats) {
    parshall_text said = { 0 };
    for (; *formats; formats++) {
        parshall_text one = parshall_type_name((parshall_text){ formats, 1 });
        said = said.length ? parshall_join(said, PARSHALL_TEXT(" or "), one, (parshall_text){ 0 }) : one;
    }
    return said;
}

enum { PARSHALL__MOST_NAMED = 20 };

/* The columns that there are, of many only the first. */
PARSHALL__COLD static parshall_text parshall__names(const parshall_schema *schema) {
    const parshall_text nothing = { 0 };
    parshall_text said = nothing;
    uint32_t columns = 0;
    for (size_t at = 0; at < schema->fields_length; at = parshall__skip(schema, at), columns++) {
        if (columns >= PARSHALL__MOST_NAMED) continue;
        parshall_text name = schema->fields[at].name;
        said = columns ? parshall_join(said, PARSHALL_TEXT("`, `"), name, nothing) : name;
    }
    if (!columns) return PARSHALL_TEXT("the input has no columns");
    said = parshall_join(PARSHALL_TEXT("the columns are `"), said, PARSHALL_TEXT("`"), nothing);
    if (columns <= PARSHALL__MOST_NAMED) return said;
    return parshall_join(said, PARSHALL_TEXT(" and "), parshall__decimal_text(columns - PARSHALL__MOST_NAMED), PARSHALL_TEXT(" more"));
}

/* The index of a column by name, of one of the formats in a list such as "lg"; nullable or not. Otherwise an error: of the
 * column when it has another type; at `pointer` when there is none, where that is "" of the column, whose name no setting says. */
static bool parshall_column_of(const parshall_schema *schema, parshall_text name, const char *formats, const char *pointer, uint32_t *column) {
    const parshall_text nothing = { 0 };
    uint32_t index = 0;
    for (size_t at = 0; at < schema->fields_length; at = parshall__skip(schema, at), index++) {
        const parshall_field *field = &schema->fields[at];
        if (!parshall_same(field->name, name)) continue;
        bool dictionary = field->flags & PARSHALL_DICTIONARY_ENCODED;
        for (const char *format = formats; *format; format++)
            if (field->format.length == 1 && field->format.at[0] == *format && !dictionary) {
                *column = index;
                return true;
            }
        /* The values of a dictionary follow its keys. */
        parshall_text found = parshall_type_name(dictionary ? field[1].format : field->format);
        if (dictionary) found = parshall_join(PARSHALL_TEXT("a dictionary of "), found, nothing, nothing);
        found = parshall_join(PARSHALL_TEXT("expected "), parshall__expected(formats), PARSHALL_TEXT(", found "), found);
        return parshall_fail_schema(name, found);
    }
    if (!*pointer) return parshall_fail_schema(name, parshall_join(PARSHALL_TEXT("there is no such column; "), parshall__names(schema), nothing, nothing));
    parshall_fail_config(parshall_text_of(pointer), parshall_join(PARSHALL_TEXT("there is no column `"), name, PARSHALL_TEXT("`"), nothing));
    return parshall_help(parshall__names(schema));
}

/* The schema that all inputs have: the first's, if the others have the same names and types. */
static bool parshall_same_schema(const parshall_opening *opening, const parshall_schema **schema) {
    if (opening->inputs_length == 0) return parshall_fail_config((parshall_text){ "", 0 }, PARSHALL_TEXT("the stage has no input"));
    const parshall_schema *first = &opening->inputs[0].schema;
    for (size_t i = 1; i < opening->inputs_length; i++) {
        const parshall_schema *other = &opening->inputs[i].schema;
        bool same = other->fields_length == first->fields_length;
        for (size_t at = 0; same && at < first->fields_length; at++)
            same = parshall_same(first->fields[at].name, other->fields[at].name) && parshall_same(first->fields[at].format, other->fields[at].format);
        if (!same) {
            parshall_text said = parshall_join(PARSHALL_TEXT("input `"), opening->inputs[i].name, PARSHALL_TEXT("` has other columns than `"), opening->inputs[0].name);
            return parshall_fail_schema((parshall_text){ 0 }, parshall_join(said, PARSHALL_TEXT("`"), (parshall_text){ 0 }, (parshall_text){ 0 }));
        }
    }
    *schema = first;
    return true;
}

/* ---- configuration: a JSON object, one setting after the other ---- */

typedef enum { PARSHALL_NULL, PARSHALL_FLAG, PARSHALL_NUMBER, PARSHALL_STRING, PARSHALL_NESTED } parshall_kind;

typedef struct {
    parshall_text name;
    parshall_kind kind;
    parshall_text text; /* of a string: what it says; otherwise as it is written */
    double number;
    bool whole; /* the number is written as a whole one that fits an int64 */
    int64_t integer;
} parshall_setting;

typedef struct {
    const char *at, *end;
    bool begun;
} parshall_settings;

static inline parshall_settings parshall_settings_of(parshall_text config) { return (parshall_settings){ config.at, config.at + config.length, false }; }

static void parshall__blank(parshall_settings *s) {
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\n' || *s->at == '\t' || *s->at == '\r')) s->at++;
}

static uint32_t parshall__hex(const char *at) {
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        value = value << 4 | (uint32_t)(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
    }
    return value;
}

static char *parshall__utf8(char *to, uint32_t c) {
    if (c < 0x80) *to++ = (char)c;
    else {
        if (c < 0x800) *to++ = (char)(0xc0 | c >> 6);
        else {
            if (c < 0x10000) *to++ = (char)(0xe0 | c >> 12);
            else {
                *to++ = (char)(0xf0 | c >> 18);
                *to++ = (char)(0x80 | (c >> 12 & 63));
            }
            *to++ = (char)(0x80 | (c >> 6 & 63));
        }
        *to++ = (char)(0x80 | (c & 63));
    }
    return to;
}

/* The host sends JSON that is well-formed; a string stands at `at`. */
static parshall_text parshall__string(parshall_settings *s) {
    char *begin = (char *)parshall_alloc((size_t)(s->end - s->at)), *to = begin;
    for (s->at++; s->at < s->end && *s->at != '"'; s->at++) {
        if (*s->at != '\\') {
            *to++ = *s->at;
            continue;
        }
        char c = *++s->at;
        if (c == 'u') {
            uint32_t code = parshall__hex(s->at + 1);
            s->at += 4;
            if (code >= 0xd800 && code < 0xdc00 && s->at[1] == '\\') {
                code = 0x10000 + ((code - 0xd800) << 10) + (parshall__hex(s->at + 3) - 0xdc00);
                s->at += 6;
            }
            to = parshall__utf8(to, code);
        } else {
            *to++ = c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c == 'b' ? '\b' : c == 'f' ? '\f' : c;
        }
    }
    s->at++;
    return (parshall_text){ begin, (size_t)(to - begin) };
}

/* A number and what it lacks of the exact value: twice the digits, so that what is rounded at last is rounded once. */
typedef struct {
    double high, low;
} parshall__exact;

static parshall__exact parshall__times(parshall__exact a, parshall__exact b) {
    const double split = 134217729; /* 2^27 + 1 (Veltkamp) */
    double product = a.high * b.high;
    double a_high = a.high * split - (a.high * split - a.high), b_high = b.high * split - (b.high * split - b.high);
    double a_low = a.high - a_high, b_low = b.high - b_high;
    double rest = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low + (a.high * b.low + a.low * b.high);
    double sum = product + rest;
    return (parshall__exact){ sum, rest - (sum - product) };
}

/* digits × 10^exponent. Exact to the last bit but for the far ends of the range, where it may be the neighbour. */
static double parshall__decimal(uint64_t digits, int32_t exponent) {
    double high = (double)digits;
    parshall__exact value = { high, high < 9007199254740992.0 ? 0 : (double)(int64_t)(digits - (uint64_t)high) }, power = { 1, 0 }, base = { 10, 0 };
    if (!digits || exponent < -350) return 0;
    if (exponent > 308) return 1e308 * 1e308;
    for (uint32_t left = (uint32_t)(exponent < 0 ? -exponent : exponent); left; left >>= 1) {
        if (left & 1) power = parshall__times(power, base);
        if (left > 1) base = parshall__times(base, base);
    }
    if (exponent >= 0) {
        parshall__exact product = parshall__times(value, power);
        return product.high != product.high ? value.high * power.high : product.high;
    }
    double quotient = value.high / power.high;
    parshall__exact back = parshall__times((parshall__exact){ quotient, 0 }, power);
    double rest = ((value.high - back.high) - back.low + value.low) / power.high;
    return quotient + rest;
}

static void parshall__number(parshall_settings *s, parshall_setting *setting) {
    bool negative = *s->at == '-', whole = true;
    uint64_t digits = 0;
    int32_t exponent = 0, written = 0;
    if (negative) s->at++;
    for (; s->at < s->end && ((*s->at >= '0' && *s->at <= '9') || *s->at == '.'); s->at++) {
        if (*s->at == '.') {
            whole = false;
            continue;
        }
        bool fits = digits < 922337203685477580u;
        if (fits) digits = digits * 10 + (uint64_t)(*s->at - '0');
        else if (whole) whole = false, exponent++;
        if (!whole && fits) exponent--;
    }
    if (s->at < s->end && (*s->at | 32) == 'e') {
        whole = false;
        s->at++;
        bool below = *s->at == '-';
        if (*s->at == '-' || *s->at == '+') s->at++;
        for (; s->at < s->end && *s->at >= '0' && *s->at <= '9'; s->at++)
            if (written < 10000) written = written * 10 + (*s->at - '0');
        exponent += below ? -written : written;
    }
    double number = parshall__decimal(digits, exponent);
    setting->kind = PARSHALL_NUMBER;
    setting->number = negative ? -number : number;
    setting->whole = whole || (setting->number >= -9007199254740992.0 && setting->number <= 9007199254740992.0 && (double)(int64_t)setting->number == setting->number);
    setting->integer = whole ? (negative ? -(int64_t)digits : (int64_t)digits) : setting->whole ? (int64_t)setting->number : 0;
}

static void parshall__nested(parshall_settings *s) {
    for (int32_t depth = 0; s->at < s->end; s->at++) {
        if (*s->at == '"') {
            for (s->at++; s->at < s->end && *s->at != '"'; s->at++)
                if (*s->at == '\\') s->at++;
        } else if (*s->at == '{' || *s->at == '[') depth++;
        else if ((*s->at == '}' || *s->at == ']') && --depth == 0) {
            s->at++;
            return;
        }
    }
}

/* The next setting; false at the end. */
static bool parshall_next_setting(parshall_settings *s, parshall_setting *setting) {
    parshall__blank(s);
    s->at++; /* `{` or `,` */
    parshall__blank(s);
    if (s->at >= s->end || *s->at != '"') return false;
    setting->name = parshall__string(s);
    parshall__blank(s);
    s->at++; /* `:` */
    parshall__blank(s);
    const char *begin = s->at;
    if (*s->at == '"') {
        setting->kind = PARSHALL_STRING;
        setting->text = parshall__string(s);
    } else if (*s->at == '{' || *s->at == '[') {
        setting->kind = PARSHALL_NESTED;
        parshall__nested(s);
    } else if (*s->at == '-' || (*s->at >= '0' && *s->at <= '9')) {
        parshall__number(s, setting);
    } else {
        setting->kind = *s->at == 'n' ? PARSHALL_NULL : PARSHALL_FLAG;
        while (s->at < s->end && *s->at >= 'a' && *s->at <= 'z') s->at++;
    }
    if (setting->kind != PARSHALL_STRING) setting->text = (parshall_text){ begin, (size_t)(s->at - begin) };
    parshall__blank(s);
    return true;
}

static inline bool parshall_is(const parshall_setting *setting, const char *name) { return parshall_same(setting->name, parshall_text_of(name)); }

/* An error at this setting. `~` and `/` of a name are written as JSON Pointer wants them. */
PARSHALL__COLD static bool parshall_fail_setting(const parshall_setting *setting, parshall_text message) {
    char *pointer = (char *)parshall_alloc(2 * setting->name.length + 1), *end = pointer;
    *end++ = '/';
    for (size_t i = 0; i < setting->name.length; i++) {
        char c = setting->name.at[i];
        if (c == '~' || c == '/') *end++ = '~', *end++ = c == '~' ? '0' : '1';
        else *end++ = c;
    }
    return parshall_fail_config((parshall_text){ pointer, (size_t)(end - pointer) }, message);
}

static inline bool parshall_fail_unknown(const parshall_setting *setting) { return parshall_fail_setting(setting, PARSHALL_TEXT("there is no such setting")); }

/* For a stage without settings: any that there is is refused. */
static bool parshall_no_settings(const parshall_opening *opening) {
    parshall_settings rest = parshall_settings_of(opening->config);
    parshall_setting setting;
    return !parshall_next_setting(&rest, &setting) || parshall_fail_unknown(&setting);
}

static bool parshall_string_setting(const parshall_setting *setting, parshall_text *text) {
    if (setting->kind != PARSHALL_STRING) return parshall_fail_setting(setting, PARSHALL_TEXT("expected a string"));
    *text = setting->text;
    return true;
}

static bool parshall_missing(const char *name) {
    return parshall_fail_config((parshall_text){ "", 0 }, parshall_join(PARSHALL_TEXT("`"), parshall_text_of(name), PARSHALL_TEXT("` is missing"), (parshall_text){ 0 }));
}

/* ---- reading ---- */

typedef struct {
    uint64_t length, null_count;
    uint32_t variadic;
} parshall__node;

typedef struct {
    const parshall__node *nodes;
    size_t nodes_length;
    const parshall_bytes *buffers;
    size_t buffers_length;
} parshall__arrays;

typedef struct {
    uint8_t failed;
    union {
        parshall__arrays arrays;
        struct {
            uint8_t tag;
            uint64_t limit;
        } error;
    };
} parshall__read_result;

__attribute__((import_module("parshall:stage/frames@0.1.0"), import_name("[method]frame.read"))) void parshall__frame_read(uint32_t frame, const uint32_t *columns, size_t count, parshall__read_result *result);
__attribute__((import_module("parshall:stage/frames@0.1.0"), import_name("[resource-drop]frame"))) void parshall__frame_drop(uint32_t frame);

PARSHALL__COLD static bool parshall__misread(void) { return parshall_fail_internal(PARSHALL_TEXT("a column was read as what it is not: texts have offsets and bytes, numbers so many bytes a value")); }

/* Bytes of so many values. */
static inline uint64_t parshall__bytes_of(char format, uint64_t rows) {
    switch (format) {
    case 'l': case 'L': case 'g': return 8 * rows;
    case 'i': case 'I': case 'f': return 4 * rows;
    case 'u': case 'z': return rows ? 4 * (rows + 1) : 0;
    case 's': case 'S': case 'e': return 2 * rows;
    case 'c': case 'C': return rows;
    default: return (rows + 7) / 8;
    }
}

/* Copies columns in, in one crossing. `formats` has one letter for each: `u` and `z` have offsets and text, all others values. */
static bool parshall_read(const parshall_frame *frame, const uint32_t *columns, const char *formats, size_t count, parshall_column *read) {
    parshall__read_result result;
    parshall__frame_read(frame->handle, columns, count, &result);
    if (result.failed) return parshall_fail_data(PARSHALL_TEXT("the columns exceed the limit `read_bytes`"));
    const parshall_bytes *buffer = result.arrays.buffers;
    size_t buffers = 2 * count;
    for (size_t i = 0; i < count; i++) buffers += formats[i] == 'u' || formats[i] == 'z';
    if (buffers != result.arrays.buffers_length) return parshall__misread();
    for (size_t i = 0; i < count; i++) {
        const parshall__node *node = &result.arrays.nodes[i];
        bool texts = formats[i] == 'u' || formats[i] == 'z';
        read[i] = (parshall_column){ .length = node->length, .null_count = node->null_count };
        if (buffer[1].length < parshall__bytes_of(formats[i], node->length)) return parshall__misread();
        read[i].validity = buffer[0].length ? buffer[0].at : NULL;
        read[i].values = buffer[1].at;
        read[i].text = texts ? (const char *)buffer[2].at : NULL;
        buffer += texts ? 3 : 2;
    }
    return true;
}

/* Whether a row is not null. A row that there is not ends the instance. */
static inline bool parshall_valid(const parshall_column *column, uint64_t row) {
    parshall__within("row", row, column->length);
    return !column->validity || (column->validity[row >> 3] >> (row & 7) & 1);
}

/* The text of a row. A row that there is not ends the instance. */
static inline parshall_text parshall_text_at(const parshall_column *column, uint64_t row) {
    parshall__within("row", row, column->length);
    return (parshall_text){ column->text + column->offsets[row], (size_t)(column->offsets[row + 1] - column->offsets[row]) };
}

/* ---- telemetry, under the grant `telemetry = true`; what is not called is not imported ---- */

typedef enum { PARSHALL_TRACE, PARSHALL_DEBUG, PARSHALL_INFO, PARSHALL_WARN, PARSHALL_ERROR } parshall_level;

typedef struct {
    parshall_text key; /* dotted, lower-case */
    struct {
        uint8_t kind;
        union {
            parshall_text text;
            int64_t integer;
            double number;
            bool flag;
        };
    } value;
} parshall_attribute;

static inline parshall_attribute parshall_attribute_text(parshall_text key, parshall_text text) {
    parshall_attribute attribute = { key, { 0 } };
    attribute.value.text = text;
    return attribute;
}

static inline parshall_attribute parshall_attribute_integer(parshall_text key, int64_t integer) {
    parshall_attribute attribute = { key, { 1 } };
    attribute.value.integer = integer;
    return attribute;
}

static inline parshall_attribute parshall_attribute_number(parshall_text key, double number) {
    parshall_attribute attribute = { key, { 2 } };
    attribute.value.number = number;
    return attribute;
}

static inline parshall_attribute parshall_attribute_flag(parshall_text key, bool flag) {
    parshall_attribute attribute = { key, { 3 } };
    attribute.value.flag = flag;
    return attribute;
}

#define PARSHALL__TELEMETRY(name) __attribute__((import_module("parshall:stage/telemetry@0.1.0"), import_name(name)))
PARSHALL__TELEMETRY("log") void parshall__log(uint32_t level, const char *at, size_t length, const parshall_attribute *attributes, size_t count);
PARSHALL__TELEMETRY("count") void parshall__count(const char *at, size_t length, uint64_t by);
PARSHALL__TELEMETRY("observe") void parshall__observe(const char *at, size_t length, double value);

/* Writes a log record that carries the call's context. */
static inline void parshall_log(parshall_level level, parshall_text message, const parshall_attribute *attributes, size_t count) {
    parshall__log((uint32_t)level, message.at, message.length, attributes, count);
}
/* Adds to a counter of the stage's own. */
static inline void parshall_count(parshall_text name, uint64_t by) { parshall__count(name.at, name.length, by); }
/* Observes a value in a histogram of the stage's own. */
static inline void parshall_observe(parshall_text name, double value) { parshall__observe(name.at, name.length, value); }

/* ---- state that outlives the instance, under the grant `state = true`; each answers false when the store refused, and it is told ---- */

typedef struct {
    uint8_t failed;
    union {
        struct {
            uint8_t some;
            parshall_bytes value;
        } found;
        struct {
            uint8_t tag;
            parshall_text message;
        } error;
    };
} parshall__state_result;

#define PARSHALL__STATE(name) __attribute__((import_module("parshall:stage/state@0.1.0"), import_name(name)))
PARSHALL__STATE("get") void parshall__state_get(const char *key, size_t length, parshall__state_result *result);
PARSHALL__STATE("set") void parshall__state_set(const char *key, size_t length, const uint8_t *value, size_t value_length, parshall__state_result *result);
PARSHALL__STATE("delete") void parshall__state_delete(const char *key, size_t length, parshall__state_result *result);

static inline bool parshall__state_told(const parshall__state_result *result) {
    if (!result->failed) return true;
    return parshall__fail(result->error.tag == 0 ? 4 : 3, result->error.message);
}

/* The value of a key; `at` is NULL where there is none. It lasts until the call has returned. */
static inline bool parshall_state_get(parshall_text key, parshall_bytes *value) {
    parshall__state_result result;
    parshall__state_get(key.at, key.length, &result);
    value->at = NULL;
    value->length = 0;
    if (!result.failed && result.found.some) *value = result.found.value;
    return parshall__state_told(&result);
}

static inline bool parshall_state_set(parshall_text key, parshall_bytes value) {
    parshall__state_result result;
    parshall__state_set(key.at, key.length, value.at, value.length, &result);
    return parshall__state_told(&result);
}

static inline bool parshall_state_delete(parshall_text key) {
    parshall__state_result result;
    parshall__state_delete(key.at, key.length, &result);
    return parshall__state_told(&result);
}

/* ---- answering: the batches that a call puts out, and the rows that it refuses ---- */

typedef struct {
    uint8_t tag;
    union {
        parshall_bytes bitmap;
        struct {
            const uint32_t *at;
            size_t length;
        } indices;
        uint64_t fresh;
    };
} parshall__rows;

typedef struct {
    uint8_t made;
    uint32_t input;
} parshall__source;

typedef struct {
    uint32_t port;
    parshall__rows rows;
    uint8_t each;
    const parshall__source *sources;
    size_t sources_length;
    parshall__arrays made;
} parshall_output;

typedef struct {
    uint32_t row;
    parshall_text reason;
} parshall__rejection;

typedef struct {
    parshall_output *outputs;
    size_t outputs_length;
    parshall__rejection *rejections;
    size_t rejections_length;
} parshall__answer;

#define PARSHALL__MOST_OUTPUTS 16
#define PARSHALL__MOST_MADE 64

static parshall__answer parshall__reply;
static size_t parshall__rejections_room;
static uint32_t parshall__width; /* columns of the input */

/* Another batch of the answer: every row and every column of the input, until told otherwise. At most 16 a call. */
static parshall_output *parshall_output_new(uint32_t port) {
    if (!parshall__reply.outputs) parshall__reply.outputs = (parshall_output *)parshall_alloc(PARSHALL__MOST_OUTPUTS * sizeof(parshall_output));
    if (parshall__reply.outputs_length == PARSHALL__MOST_OUTPUTS) parshall_panic(PARSHALL_TEXT("more than 16 outputs in one call"));
    parshall_output *output = &parshall__reply.outputs[parshall__reply.outputs_length++];
    parshall_zero(output, sizeof *output);
    output->port = port;
    output->made.nodes = (parshall__node *)parshall_alloc(PARSHALL__MOST_MADE * sizeof(parshall__node));
    output->made.buffers = (parshall_bytes *)parshall_alloc(3 * PARSHALL__MOST_MADE * sizeof(parshall_bytes));
    return output;
}

/* Only the rows whose bit is set; every made column has a value for each of those. */
static inline void parshall_rows_kept(parshall_output *output, const uint8_t *bitmap, uint64_t rows) {
    output->rows.tag = 1;
    output->rows.bitmap = (parshall_bytes){ bitmap, (size_t)((rows + 7) / 8) };
}

/* Rows that are not rows of the input: every column is made, in order. */
static inline void parshall_rows_fresh(parshall_output *output, uint64_t rows) {
    output->rows.tag = 3;
    output->rows.fresh = rows;
}

static void parshall__made(parshall_output *output, const parshall_column *column, size_t value_bytes, size_t text_bytes) {
    if (output->made.nodes_length == PARSHALL__MOST_MADE) parshall_panic(PARSHALL_TEXT("more than 64 made columns in one output"));
    ((parshall__node *)output->made.nodes)[output->made.nodes_length++] = (parshall__node){ column->length, column->validity ? column->null_count : 0, 0 };
    parshall_bytes *buffers = (parshall_bytes *)output->made.buffers + output->made.buffers_length;
    *buffers++ = (parshall_bytes){ column->validity, column->validity && column->null_count ? (size_t)((column->length + 7) / 8) : 0 };
    *buffers++ = (parshall_bytes){ (const uint8_t *)column->values, value_bytes };
    if (column->text) *buffers++ = (parshall_bytes){ (const uint8_t *)column->text, text_bytes };
    output->made.buffers_length += column->text ? 3 : 2;
}

static void parshall__add(parshall_output *output, const parshall_column *column, size_t width) {
    if (column->text) parshall__made(output, column, (size_t)(column->length + 1) * 4, (size_t)column->offsets[column->length]);
    else parshall__made(output, column, width ? (size_t)column->length * width : (size_t)(column->length + 7) / 8, 0);
}

/* Instead of column `index` of the input, this one, whose values are `width` bytes each (0: one bit). */
static void parshall_replace(parshall_output *output, uint32_t index, const parshall_column *column, size_t width) {
    if (!output->each) {
        parshall__source *sources = (parshall__source *)parshall_alloc(parshall__width * sizeof *sources);
        for (uint32_t i = 0; i < parshall__width; i++) sources[i] = (parshall__source){ 0, i };
        output->each = 1;
        output->sources = sources;
        output->sources_length = parshall__width;
    }
    parshall__within("column", index, parshall__width);
    ((parshall__source *)output->sources)[index].made = 1;
    parshall__add(output, column, width);
}

/* The next column of fresh rows. */
static void parshall_add(parshall_output *output, const parshall_column *column, size_t width) {
    if (!output->each) {
        output->each = 1;
        output->sources = (parshall__source *)parshall_alloc(PARSHALL__MOST_MADE * sizeof(parshall__source));
    }
    if (output->sources_length >= PARSHALL__MOST_MADE) parshall_panic(PARSHALL_TEXT("more than 64 made columns in one output"));
    ((parshall__source *)output->sources)[output->sources_length++] = (parshall__source){ 1, 0 };
    parshall__add(output, column, width);
}

/* Refuses a row; it must be among the rows of no output. */
static void parshall_reject(uint64_t row, parshall_text reason) {
    if (parshall__reply.rejections_length == parshall__rejections_room) {
        size_t room = parshall__rejections_room ? 2 * parshall__rejections_room : 64;
        parshall__rejection *more = (parshall__rejection *)parshall_alloc(room * sizeof *more);
        parshall_copy(more, parshall__reply.rejections, parshall__reply.rejections_length * sizeof *more);
        parshall__reply.rejections = more;
        parshall__rejections_room = room;
    }
    parshall__reply.rejections[parshall__reply.rejections_length++] = (parshall__rejection){ (uint32_t)row, reason };
}

/* ---- ports ---- */

static parshall_input parshall__ports[8];
static size_t parshall__ports_length;

/* A way out, `out` where there is only one; at most 8. */
static bool parshall_port(parshall_text name, const parshall_schema *schema) {
    if (parshall__ports_length == 8) return parshall_fail_internal(PARSHALL_TEXT("more than 8 ports"));
    parshall__ports[parshall__ports_length++] = (parshall_input){ name, *schema };
    return true;
}

/* ---- what the host calls ---- */

typedef struct {
    parshall_text name, version, summary, documentation, config_schema;
    uint8_t stateful;
} parshall__description;

typedef struct {
    uint8_t failed;
    union {
        struct {
            const void *at;
            size_t length;
        } list;
        parshall__answer answer;
        struct {
            uint8_t some;
            parshall__answer answer;
        } maybe;
        parshall__error error;
    };
} parshall__result;

static parshall__result parshall__returned;

static void parshall__begin(void) {
    parshall__failed = false;
    parshall_zero(&parshall__reply, sizeof parshall__reply);
    parshall__rejections_room = 0;
    parshall_zero(&parshall__returned, sizeof parshall__returned);
}

static parshall__result *parshall__end(bool ok) {
    if (!ok && !parshall__failed) parshall_fail_internal(PARSHALL_TEXT("the stage failed without saying why"));
    if (!ok) {
        parshall__returned.failed = 1;
        parshall__returned.error = parshall__failure;
    }
    return &parshall__returned;
}

#define PARSHALL__EXPORT(name) __attribute__((export_name("parshall:stage/transform@0.1.0#" name)))
#define PARSHALL__AFTER(name) __attribute__((export_name("cabi_post_parshall:stage/transform@0.1.0#" name)))

PARSHALL__EXPORT("describe") parshall__description *parshall__describe(void) {
    static parshall__description said;
    said.name = parshall_text_of(parshall_stage.name);
    said.version = parshall_text_of(parshall_stage.version);
    said.summary = parshall_text_of(parshall_stage.summary);
    said.documentation = parshall_text_of(parshall_stage.documentation);
    said.config_schema = parshall_text_of(parshall_stage.config_schema);
#ifdef PARSHALL_STATEFUL
    said.stateful = PARSHALL__REMEMBERS;
#endif
    return &said;
}

PARSHALL__EXPORT("open")
parshall__result *parshall__open(const char *config, size_t config_length, const parshall_input *inputs, size_t inputs_length, uint32_t restores, const uint8_t *restore, size_t restore_length) {
    parshall__begin();
    parshall_bytes snapshot = { restore, restore_length };
    parshall_opening opening = { { config, config_length }, inputs, inputs_length, restores ? &snapshot : NULL };
    parshall__ports_length = 0;
    parshall__width = inputs_length ? parshall_columns(&inputs[0].schema) : 0;
    bool ok = parshall_open(&opening);
    if (ok) {
        parshall__returned.list.at = parshall__ports;
        parshall__returned.list.length = parshall__ports_length;
    }
    return parshall__end(ok);
}

PARSHALL__EXPORT("process") parshall__result *parshall__process(uint32_t input, uint64_t rows, uint32_t handle) {
    parshall__begin();
    parshall_frame frame = { handle, input, rows };
    bool ok = parshall_process(&frame);
    parshall__frame_drop(handle);
    if (ok) parshall__returned.answer = parshall__reply;
    return parshall__end(ok);
}

PARSHALL__EXPORT("finish") parshall__result *parshall__finish(void) {
    parshall__begin();
#ifdef PARSHALL_STATEFUL
    if (parshall_finish()) {
        parshall__returned.maybe.some = 1;
        parshall__returned.maybe.answer = parshall__reply;
    } else if (parshall__failed) return parshall__end(false);
#endif
    return parshall__end(true);
}

PARSHALL__EXPORT("snapshot") parshall__result *parshall__snapshot(void) {
    parshall__begin();
#ifdef PARSHALL_STATEFUL
    parshall_bytes snapshot = { 0 };
    if (!parshall_snapshot(&snapshot)) return parshall__end(false);
    parshall__returned.list.at = snapshot.at;
    parshall__returned.list.length = snapshot.length;
#endif
    return parshall__end(true);
}

PARSHALL__AFTER("describe") void parshall__after_describe(void *result) { (void)result; }
PARSHALL__AFTER("open") void parshall__after_open(void *result) { (void)result; parshall__call_is_over(); }
PARSHALL__AFTER("process") void parshall__after_process(void *result) { (void)result; parshall__call_is_over(); }
PARSHALL__AFTER("finish") void parshall__after_finish(void *result) { (void)result; parshall__call_is_over(); }
PARSHALL__AFTER("snapshot") void parshall__after_snapshot(void *result) { (void)result; parshall__call_is_over(); }

#endif
