/* Counts rows in a store that outlives the instance, and says so in a log record and in metrics. */
#include "parshall.h"

const parshall_description parshall_stage = {
    .name = "seen", .version = "0.1.0", .summary = "Counts rows in a store that outlives the instance",
    .config_schema = "{\"type\": \"object\", \"additionalProperties\": false}",
};

static bool parshall_open(const parshall_opening *opening) {
    const parshall_schema *schema;
    return parshall_no_settings(opening) && parshall_same_schema(opening, &schema) && parshall_port(PARSHALL_TEXT("out"), schema);
}

static bool parshall_process(const parshall_frame *frame) {
    parshall_bytes before;
    uint64_t rows = 0;
    if (!parshall_state_get(PARSHALL_TEXT("rows"), &before)) return false;
    if (before.length == sizeof rows) parshall_copy(&rows, before.at, sizeof rows);
    rows += frame->rows;
    if (!parshall_state_set(PARSHALL_TEXT("rows"), (parshall_bytes){ (const uint8_t *)&rows, sizeof rows })) return false;
    const parshall_attribute attributes[] = { parshall_attribute_integer(PARSHALL_TEXT("seen.rows"), (int64_t)rows) };
    parshall_log(PARSHALL_INFO, PARSHALL_TEXT("rows were seen"), attributes, 1);
    parshall_count(PARSHALL_TEXT("seen"), frame->rows);
    parshall_observe(PARSHALL_TEXT("batch"), (double)frame->rows);
    parshall_output_new(0);
    return true;
}
