// The reference stage `scale`: one column times a factor; all others stay where they are.
#include "parshall.hpp"

struct Scale {
    static constexpr parshall::Description description{
        .name = "scale-cpp",
        .version = "0.1.0",
        .summary = "Multiplies an int64 or float64 column by a factor",
        .config_schema = R"({"type": "object", "required": ["column"], "additionalProperties": false, "properties": {
            "column": {"type": "string", "description": "An int64 or float64 column"},
            "factor": {"type": "number", "default": 2, "description": "A whole number for int64, whose products wrap"},
            "nulls": {"enum": ["keep", "reject"], "default": "keep"}}})",
    };

    parshall::Index index;
    parshall::Number factor;
    bool whole, rejects;
    std::string reason;

    parshall::Result<void> open(const parshall::Opening &opening) {
        auto settings = opening.settings();
        auto name = TRY(settings.string("column"));
        factor = TRY(settings.number("factor", { 2, 2, true }));
        rejects = TRY(settings.word("nulls", { "keep", "reject" })) == 1;
        TRY(settings.done());
        auto schema = TRY(opening.same_schema());
        index = TRY(schema.column(name, "lg", "/column"));
        whole = parshall::view(schema[index].format) == "l";
        if (whole && !factor.whole) return parshall::config_error("/factor", "an int64 column wants a whole number");
        reason = parshall::join("`", name, "` is null");
        return opening.port("out", schema);
    }

    parshall::Result<void> process(const parshall::Frame &frame) {
        // Unsigned, so that products wrap.
        return whole ? scale(frame, static_cast<std::uint64_t>(factor.integer)) : scale(frame, factor.value);
    }

    template <class T> parshall::Result<void> scale(const parshall::Frame &frame, T by) {
        auto [column] = TRY(frame.read<T>(index));
        parshall::Output output;
        if (rejects && column.validity.nulls > 0) {
            output.keep(column.validity.bits, frame.rows());
            column = without_nulls(column);
        }
        for (auto &value : column.values) value *= by;
        output.replace(index, column);
        return {};
    }

    // Values of the rows that are not null move to the front; the others are refused.
    template <class T> parshall::Column<T> without_nulls(parshall::Column<T> column) {
        std::size_t kept = 0;
        for (std::size_t row = 0; row < column.values.size(); row++) {
            if (column.validity[row]) column.values[kept++] = column.values[row];
            else parshall::reject(row, reason);
        }
        return { column.values.first(kept), {} };
    }
};
PARSHALL_TRANSFORM(Scale)
