#include "parshall.h"

const parshall_description parshall_stage = {
    .name = "hello", .version = "0.1.0", .summary = "Doubles the column `n`",
    .config_schema = "{\"type\": \"object\", \"additionalProperties\": false}",
};
static uint32_t n;

static bool parshall_open(const parshall_opening *opening) {
    const parshall_schema *schema;
    return parshall_no_settings(opening) && parshall_same_schema(opening, &schema) &&
           parshall_column_of(schema, PARSHALL_TEXT("n"), "l", "", &n) && parshall_port(PARSHALL_TEXT("out"), schema);
}

static bool parshall_process(const parshall_frame *frame) {
    parshall_column column;
    if (!parshall_read(frame, &n, "l", 1, &column)) return false;
    for (uint64_t row = 0; row < column.length; row++) ((int64_t *)column.values)[row] *= 2;
    parshall_replace(parshall_output_new(0), n, &column, sizeof(int64_t));
    return true;
}
