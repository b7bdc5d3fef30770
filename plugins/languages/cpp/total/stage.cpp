// The reference stage `total`: how many values a column has and their sum, by key, in the order in which keys came.
#include "parshall.hpp"

#include <unordered_map>

using Key = std::optional<std::string_view>;

struct Total {
    static constexpr parshall::Description description{
        .name = "total-cpp",
        .version = "0.1.0",
        .summary = "Counts and sums an int64 or float64 column, by key",
        .config_schema = R"({"type": "object", "required": ["value"], "additionalProperties": false, "properties": {
            "value": {"type": "string", "description": "An int64 or float64 column"},
            "key": {"type": "string", "description": "A utf8 column; without it, all rows are one group"}}})",
    };

    // A sum is of the column's type: int64, as unsigned that it may wrap, or float64; kept as its bits.
    struct Group {
        std::optional<std::string> key;
        std::int64_t count = 0;
        std::uint64_t sum = 0;
    };

    parshall::Index value, key;
    bool whole, keyed, told = false;
    std::vector<std::unique_ptr<Group>> groups;
    std::unordered_map<Key, Group *> places; // of keys that the groups own

    parshall::Result<void> open(const parshall::Opening &opening) {
        auto settings = opening.settings();
        auto value_name = TRY(settings.string("value"));
        auto key_name = TRY(settings.optional_string("key"));
        TRY(settings.done());
        auto schema = TRY(opening.same_schema());
        value = TRY(schema.column(value_name, "lg", "/value"));
        keyed = key_name.has_value();
        if (keyed) key = TRY(schema.column(*key_name, "u", "/key"));
        auto format = schema[value].format;
        whole = parshall::view(format) == "l";
        if (auto bytes = opening.restore()) {
            if (!restore(*bytes)) return parshall::internal_error("these bytes are no snapshot of this stage");
        } else if (!keyed) {
            group(std::nullopt);
        }
        using parshall::text;
        parshall::Field count{ .name = text("count"), .format = text("l") }, sum{ .name = text("sum"), .format = format };
        if (!keyed) return opening.port("out", { count, sum });
        return opening.port("out", { { .name = text(*key_name), .format = text("u"), .flags = parshall::nullable }, count, sum });
    }

    // The group of a key, which it keeps a copy of if it is new.
    Group &group(Key key) {
        auto found = places.find(key);
        if (found != places.end()) return *found->second;
        auto &made = *groups.emplace_back(std::make_unique<Group>());
        if (key) made.key = std::string(*key);
        places.emplace(made.key, &made);
        return made;
    }

    parshall::Result<void> process(const parshall::Frame &frame) { return whole ? add<std::uint64_t>(frame) : add<double>(frame); }

    template <class T> parshall::Result<void> add(const parshall::Frame &frame) {
        auto count = [](Group &group, const parshall::Column<T> &values, std::size_t row) {
            if (!values.validity[row]) return;
            group.count++;
            group.sum = std::bit_cast<std::uint64_t>(std::bit_cast<T>(group.sum) + values.values[row]);
        };
        if (keyed) {
            auto [values, keys] = TRY(frame.read<T, std::string_view>(value, key));
            for (std::size_t row = 0; row < frame.rows(); row++) {
                count(group(keys.validity[row] ? Key(keys[row]) : std::nullopt), values, row);
            }
        } else {
            auto [values] = TRY(frame.read<T>(value));
            for (std::size_t row = 0; row < frame.rows(); row++) count(*groups[0], values, row);
        }
        return {};
    }

    parshall::Result<bool> finish() {
        if (std::exchange(told, true) || groups.empty()) return false;
        auto counts = parshall::room<std::int64_t>(groups.size());
        auto sums = parshall::room<std::uint64_t>(groups.size());
        for (std::size_t i = 0; i < groups.size(); i++) counts[i] = groups[i]->count, sums[i] = groups[i]->sum;
        parshall::Output output;
        output.fresh(groups.size());
        if (keyed) output.add(keys());
        output.add(parshall::Column<std::int64_t>{ counts, {} }).add(parshall::Column<std::uint64_t>{ sums, {} });
        return true;
    }

    // The keys as a column of texts.
    parshall::Texts keys() const {
        std::size_t bytes = 0, nulls = 0;
        for (auto &group : groups) group->key ? bytes += group->key->size() : nulls++;
        auto validity = parshall::room<std::uint8_t>((groups.size() + 7) / 8);
        auto offsets = parshall::room<std::int32_t>(groups.size() + 1);
        auto text = parshall::room<char>(bytes);
        std::fill(validity.begin(), validity.end(), 0);
        auto end = text.begin();
        offsets[0] = 0;
        for (std::size_t i = 0; i < groups.size(); i++) {
            if (auto &key = groups[i]->key) {
                validity[i >> 3] |= static_cast<std::uint8_t>(1 << (i & 7));
                end = std::copy(key->begin(), key->end(), end);
            }
            offsets[i + 1] = static_cast<std::int32_t>(end - text.begin());
        }
        return { offsets, text.data(), { validity.data(), nulls } };
    }

    // === snapshots: a form that every language's `total` knows ===

    static constexpr std::uint32_t no_key = 0xffffffff;
    std::vector<std::uint8_t> remembered;

    std::string kind() const { return std::string("total\x01") + (whole ? 'l' : 'g') + (keyed ? 'k' : '-'); }

    void put(const void *from, std::size_t size) {
        auto *bytes = static_cast<const std::uint8_t *>(from);
        remembered.insert(remembered.end(), bytes, bytes + size);
    }

    parshall::Result<parshall::Bytes> snapshot() {
        remembered.clear();
        put(kind().data(), 8);
        auto count = static_cast<std::uint32_t>(groups.size());
        put(&count, 4);
        for (auto &group : groups) {
            auto length = group->key ? static_cast<std::uint32_t>(group->key->size()) : no_key;
            if (keyed) put(&length, 4);
            if (group->key) put(group->key->data(), length);
            put(&group->count, 8);
            put(&group->sum, 8);
        }
        return remembered;
    }

    bool restore(parshall::Bytes from) {
        auto take = [&](void *to, std::size_t size) {
            if (from.size() < size) return false;
            std::copy_n(from.begin(), size, static_cast<std::uint8_t *>(to));
            from = from.subspan(size);
            return true;
        };
        char said[8];
        std::uint32_t count;
        if (!take(said, 8) || std::string_view(said, 8) != kind() || !take(&count, 4)) return false;
        while (count--) {
            auto length = no_key;
            if (keyed && !take(&length, 4)) return false;
            if (length != no_key && from.size() < length) return false;
            auto *at = reinterpret_cast<const char *>(from.data());
            auto &restored = group(length == no_key ? Key() : Key({ at, length }));
            if (length != no_key) from = from.subspan(length);
            if (!take(&restored.count, 8) || !take(&restored.sum, 8)) return false;
        }
        return from.empty();
    }
};
PARSHALL_TRANSFORM(Total)
