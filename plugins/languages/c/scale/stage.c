/* The reference stage `scale`: one column times a factor; all others stay where they are. */
#include "parshall.h"

const parshall_description parshall_stage = {
    .name = "scale-c",
    .version = "0.1.0",
    .summary = "Multiplies an int64 or float64 column by a factor",
    .config_schema =
        "{\"type\": \"object\", \"required\": [\"column\"], \"additionalProperties\": false, \"properties\": {"
        "\"column\": {\"type\": \"string\", \"description\": \"An int64 or float64 column\"},"
        "\"factor\": {\"type\": \"number\", \"default\": 2, \"description\": \"A whole number for int64, whose products wrap\"},"
        "\"nulls\": {\"enum\": [\"keep\", \"reject\"], \"default\": \"keep\"}}}",
};

static uint32_t column;
static char format;
static int64_t whole_factor = 2;
static double factor = 2;
static bool rejects;
static parshall_text reason;

/* The factor's setting, if it is no whole number. */
static bool settings(parshall_text config, parshall_text *name, bool *fraction) {
    parshall_settings rest = parshall_settings_of(config);
    for (parshall_setting setting; parshall_next_setting(&rest, &setting);) {
        if (parshall_is(&setting, "column")) {
            if (!parshall_string_setting(&setting, name)) return false;
        } else if (parshall_is(&setting, "factor")) {
            if (setting.kind != PARSHALL_NUMBER) return parshall_fail_setting(&setting, PARSHALL_TEXT("expected a number"));
            whole_factor = setting.integer;
            factor = setting.number;
            *fraction = !setting.whole;
        } else if (parshall_is(&setting, "nulls")) {
            parshall_text word = { 0 };
            if (!parshall_string_setting(&setting, &word)) return false;
            rejects = parshall_same(word, PARSHALL_TEXT("reject"));
            if (!rejects && !parshall_same(word, PARSHALL_TEXT("keep"))) return parshall_fail_setting(&setting, PARSHALL_TEXT("expected `keep` or `reject`"));
        } else {
            return parshall_fail_unknown(&setting);
        }
    }
    return name->at || parshall_missing("column");
}

static bool parshall_open(const parshall_opening *opening) {
    parshall_text name = { 0 };
    bool fraction = false;
    const parshall_schema *schema;
    if (!settings(opening->config, &name, &fraction) || !parshall_same_schema(opening, &schema) ||
        !parshall_column_of(schema, name, "lg", "/column", &column))
        return false;
    format = parshall_field_at(schema, column)->format.at[0];
    if (format == 'l' && fraction) return parshall_fail_config(PARSHALL_TEXT("/factor"), PARSHALL_TEXT("an int64 column wants a whole number"));
    parshall_text said = parshall_join(PARSHALL_TEXT("`"), name, PARSHALL_TEXT("` is null"), (parshall_text){ 0 });
    char *kept = parshall_keep(said.length);
    parshall_copy(kept, said.at, said.length);
    reason = (parshall_text){ kept, said.length };
    return parshall_port(PARSHALL_TEXT("out"), schema);
}

/* Values of the rows that are not null move to the front; the others are refused. */
static void reject_nulls(parshall_column *read) {
    int64_t *values = (int64_t *)read->i64;
    uint64_t kept = 0;
    for (uint64_t row = 0; row < read->length; row++) {
        if (parshall_valid(read, row)) values[kept++] = values[row];
        else parshall_reject(row, reason);
    }
    read->length = kept;
    read->null_count = 0;
}

static bool parshall_process(const parshall_frame *frame) {
    parshall_column read;
    if (!parshall_read(frame, &column, &format, 1, &read)) return false;
    parshall_output *output = parshall_output_new(0);
    if (rejects && read.null_count) {
        parshall_rows_kept(output, read.validity, read.length);
        reject_nulls(&read);
    }
    /* What was read is the stage's own: it is worked on in place. */
    if (format == 'l')
        for (uint64_t row = 0; row < read.length; row++) ((uint64_t *)read.i64)[row] *= (uint64_t)whole_factor;
    else
        for (uint64_t row = 0; row < read.length; row++) ((double *)read.f64)[row] *= factor;
    parshall_replace(output, column, &read, 8);
    return true;
}
