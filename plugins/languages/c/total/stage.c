/* The reference stage `total`: how many values a column has and their sum, by key, in the order in which keys came. */
#define PARSHALL_STATEFUL
#include "parshall.h"

const parshall_description parshall_stage = {
    .name = "total-c",
    .version = "0.1.0",
    .summary = "Counts and sums an int64 or float64 column, by key",
    .config_schema =
        "{\"type\": \"object\", \"required\": [\"value\"], \"additionalProperties\": false, \"properties\": {"
        "\"value\": {\"type\": \"string\", \"description\": \"An int64 or float64 column\"},"
        "\"key\": {\"type\": \"string\", \"description\": \"A utf8 column; without it, all rows are one group\"}}}",
};

typedef union {
    int64_t i64;
    double f64;
} sum;

typedef struct {
    const char *key;
    uint32_t length; /* NO_KEY for null */
    int64_t count;
    sum sum;
} group;

enum { NO_KEY = 0xffffffff };

static uint32_t columns[2]; /* value, key */
static char formats[3];
static bool keyed, told;
static group *groups;
static uint32_t groups_length, groups_room;
static uint32_t *slots; /* index of a group + 1, at its key's hash */
static uint32_t slots_mask;

/* ---- groups ---- */

static uint32_t hash(const char *key, uint32_t length) {
    uint32_t h = 2166136261u ^ length;
    for (uint32_t i = 0; length != NO_KEY && i < length; i++) h = (h ^ (uint8_t)key[i]) * 16777619u;
    return h ^ h >> 15;
}

static bool is(const group *group, const char *key, uint32_t length) {
    if (group->length != length) return false;
    if (length == NO_KEY) return true;
    return parshall_same((parshall_text){ group->key, length }, (parshall_text){ key, length });
}

static void grow(void) {
    groups_room = groups_room ? 2 * groups_room : 64;
    group *more = parshall_keep(groups_room * sizeof *more);
    parshall_copy(more, groups, groups_length * sizeof *more);
    groups = more;
    slots_mask = 2 * groups_room - 1;
    slots = parshall_keep((slots_mask + 1) * sizeof *slots);
    parshall_zero(slots, (slots_mask + 1) * sizeof *slots);
    for (uint32_t i = 0; i < groups_length; i++) {
        uint32_t slot = hash(groups[i].key, groups[i].length) & slots_mask;
        while (slots[slot]) slot = (slot + 1) & slots_mask;
        slots[slot] = i + 1;
    }
}

/* The group of a key, which it keeps a copy of if it is new. */
static group *group_of(const char *key, uint32_t length) {
    if (groups_length == groups_room) grow();
    uint32_t slot = hash(key, length) & slots_mask;
    for (; slots[slot]; slot = (slot + 1) & slots_mask)
        if (is(&groups[slots[slot] - 1], key, length)) return &groups[slots[slot] - 1];
    char *kept = NULL;
    if (length != NO_KEY) {
        kept = parshall_keep(length);
        parshall_copy(kept, key, length);
    }
    slots[slot] = ++groups_length;
    groups[groups_length - 1] = (group){ kept, length, 0, { 0 } };
    return &groups[groups_length - 1];
}

/* ---- snapshots: a form that every language's `total` knows ---- */

static const char MAGIC[6] = { 't', 'o', 't', 'a', 'l', 1 };

static uint8_t *put(uint8_t *to, const void *from, size_t size) {
    parshall_copy(to, from, size);
    return to + size;
}

static bool take(parshall_bytes *from, void *to, size_t size) {
    if (from->length < size) return false;
    parshall_copy(to, from->at, size);
    from->at += size;
    from->length -= size;
    return true;
}

static bool restore(parshall_bytes from) {
    char magic[6], kind[2];
    uint32_t count;
    if (!take(&from, magic, 6) || !take(&from, kind, 2) || !take(&from, &count, 4)) return false;
    for (int i = 0; i < 6; i++)
        if (magic[i] != MAGIC[i]) return false;
    if (kind[0] != formats[0] || (kind[1] == 'k') != keyed) return false;
    while (count--) {
        uint32_t length = NO_KEY;
        if (keyed && !take(&from, &length, 4)) return false;
        const char *key = (const char *)from.at;
        size_t bytes = length == NO_KEY ? 0 : length;
        if (from.length < bytes) return false;
        from.at += bytes;
        from.length -= bytes;
        group *group = group_of(key, length);
        if (!take(&from, &group->count, 8) || !take(&from, &group->sum, 8)) return false;
    }
    return from.length == 0;
}

static bool parshall_snapshot(parshall_bytes *snapshot) {
    size_t size = 12;
    for (uint32_t i = 0; i < groups_length; i++) size += 20 + (groups[i].length == NO_KEY ? 0 : groups[i].length);
    uint8_t *begin = parshall_alloc(size), *end = put(begin, MAGIC, 6);
    *end++ = (uint8_t)formats[0];
    *end++ = keyed ? 'k' : '-';
    end = put(end, &groups_length, 4);
    for (uint32_t i = 0; i < groups_length; i++) {
        const group *group = &groups[i];
        if (keyed) end = put(end, &group->length, 4);
        if (group->length != NO_KEY) end = put(end, group->key, group->length);
        end = put(end, &group->count, 8);
        end = put(end, &group->sum, 8);
    }
    *snapshot = (parshall_bytes){ begin, (size_t)(end - begin) };
    return true;
}

/* ---- the stage ---- */

static bool parshall_open(const parshall_opening *opening) {
    parshall_text value = { 0 }, key = { 0 };
    parshall_settings rest = parshall_settings_of(opening->config);
    for (parshall_setting setting; parshall_next_setting(&rest, &setting);) {
        if (parshall_is(&setting, "value") ? !parshall_string_setting(&setting, &value)
                                           : parshall_is(&setting, "key") ? !parshall_string_setting(&setting, &key) : !parshall_fail_unknown(&setting))
            return false;
    }
    const parshall_schema *schema;
    keyed = key.at != NULL;
    if (!value.at) return parshall_missing("value");
    if (!parshall_same_schema(opening, &schema) || !parshall_column_of(schema, value, "lg", "/value", &columns[0]) ||
        (keyed && !parshall_column_of(schema, key, "u", "/key", &columns[1])))
        return false;
    formats[0] = parshall_field_at(schema, columns[0])->format.at[0];
    formats[1] = 'u';
    if (opening->restore ? !restore(*opening->restore) : (!keyed && !group_of(NULL, NO_KEY)))
        return parshall_fail_internal(PARSHALL_TEXT("these bytes are no snapshot of this stage"));
    parshall_field fields[3] = {
        { .name = key, .format = PARSHALL_TEXT("u"), .flags = PARSHALL_NULLABLE },
        { .name = PARSHALL_TEXT("count"), .format = PARSHALL_TEXT("l") },
        { .name = PARSHALL_TEXT("sum"), .format = { parshall_field_at(schema, columns[0])->format.at, 1 } },
    };
    parshall_field *declared = parshall_alloc(sizeof fields);
    parshall_copy(declared, fields, sizeof fields);
    return parshall_port(PARSHALL_TEXT("out"), &(parshall_schema){ .fields = declared + !keyed, .fields_length = keyed ? 3 : 2 });
}

static bool parshall_process(const parshall_frame *frame) {
    parshall_column read[2];
    if (!parshall_read(frame, columns, formats, keyed ? 2 : 1, read)) return false;
    group *group = groups;
    for (uint64_t row = 0; row < frame->rows; row++) {
        if (keyed) {
            parshall_text key = parshall_text_at(&read[1], row);
            bool some = parshall_valid(&read[1], row);
            group = group_of(some ? key.at : NULL, some ? (uint32_t)key.length : NO_KEY);
        }
        if (!parshall_valid(&read[0], row)) continue;
        group->count++;
        if (formats[0] == 'l') group->sum.i64 = (int64_t)((uint64_t)group->sum.i64 + (uint64_t)read[0].i64[row]);
        else group->sum.f64 += read[0].f64[row];
    }
    return true;
}

/* The keys as a column of texts. */
static parshall_column keys(void) {
    size_t bytes = 0, nulls = 0;
    for (uint32_t i = 0; i < groups_length; i++) groups[i].length == NO_KEY ? nulls++ : (bytes += groups[i].length);
    uint8_t *validity = parshall_alloc((groups_length + 7) / 8);
    int32_t *offsets = parshall_alloc((groups_length + 1) * sizeof *offsets);
    char *text = parshall_alloc(bytes + 1);
    parshall_zero(validity, (groups_length + 7) / 8);
    offsets[0] = 0;
    for (uint32_t i = 0; i < groups_length; i++) {
        uint32_t length = groups[i].length == NO_KEY ? 0 : groups[i].length;
        if (groups[i].length != NO_KEY) validity[i >> 3] |= (uint8_t)(1 << (i & 7));
        parshall_copy(text + offsets[i], groups[i].key, length);
        offsets[i + 1] = offsets[i] + (int32_t)length;
    }
    return (parshall_column){ .length = groups_length, .null_count = nulls, .validity = validity, .offsets = offsets, .text = text };
}

static bool parshall_finish(void) {
    if (told || groups_length == 0) return false;
    told = true;
    int64_t *counts = parshall_alloc(groups_length * sizeof *counts);
    sum *sums = parshall_alloc(groups_length * sizeof *sums);
    for (uint32_t i = 0; i < groups_length; i++) {
        counts[i] = groups[i].count;
        sums[i] = groups[i].sum;
    }
    parshall_output *output = parshall_output_new(0);
    parshall_rows_fresh(output, groups_length);
    parshall_column key = keys();
    if (keyed) parshall_add(output, &key, 0);
    parshall_add(output, &(parshall_column){ .length = groups_length, .i64 = counts }, 8);
    parshall_add(output, &(parshall_column){ .length = groups_length, .values = sums }, 8);
    return true;
}
