#include "parshall.hpp"

struct Hello {
    static constexpr parshall::Description description{
        .name = "hello", .version = "0.1.0", .summary = "Doubles the column `n`",
        .config_schema = R"({"type": "object", "additionalProperties": false})"};
    parshall::Index n;

    parshall::Result<void> open(const parshall::Opening &opening) {
        TRY(opening.no_settings());
        auto schema = TRY(opening.same_schema());
        n = TRY(schema.column("n", "l"));
        return opening.port("out", schema);
    }
    parshall::Result<void> process(const parshall::Frame &frame) {
        auto [column] = TRY(frame.read<std::int64_t>(n));
        for (auto &value : column.values) value *= 2;
        parshall::Output().replace(n, column);
        return {};
    }
};
PARSHALL_TRANSFORM(Hello)
