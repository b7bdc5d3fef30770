// Everything that a stage in C++ needs: values, spans and destructors over `parshall.h`. A stage is a type with
//
//     static constexpr parshall::Description description{…};
//     parshall::Result<void> open(const parshall::Opening &opening);     settings, columns, ports
//     parshall::Result<void> process(const parshall::Frame &frame);      one batch
//     parshall::Result<bool> finish();                                   optional: true while it puts out what is held
//     parshall::Result<parshall::Bytes> snapshot();                      optional: it remembers; see Opening::restore
//
// and `PARSHALL_TRANSFORM(Type)` makes it the component. There are no exceptions: what can fail answers a Result, and
// TRY(…) hands its error on.
//
// An index that is out of bounds ends the instance, with words that the host tells.
//
// Memory: views (columns that were read, texts of the configuration, what `join` gives) last until the call has returned.
// `new`, and with it every container, is there for what lasts longer.
#pragma once

// Zig turns the library's checks off where it optimises. Here they are on, the cheap ones, and end the instance with words.
#undef _LIBCPP_HARDENING_MODE
#define _LIBCPP_HARDENING_MODE _LIBCPP_HARDENING_MODE_FAST
#include <__assertion_handler>
#undef _LIBCPP_ASSERTION_HANDLER
#define _LIBCPP_ASSERTION_HANDLER(message) parshall__library_panics()
[[noreturn]] void parshall__library_panics() noexcept;

#define PARSHALL_STATEFUL
#define PARSHALL__REMEMBERS parshall__remembers
extern const bool parshall__remembers;
#include "parshall.h"

#include <algorithm>
#include <bit>
#include <expected>
#include <initializer_list>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

// The value of a Result; an error ends the call that this stands in.
#define TRY(...)                                                                \
    ({                                                                          \
        auto parshall__tried = (__VA_ARGS__);                                   \
        if (!parshall__tried) return std::unexpected(parshall__tried.error());  \
        *std::move(parshall__tried);                                            \
    })

namespace parshall {

using Bytes = std::span<const std::uint8_t>;
using Description = parshall_description;
using Field = parshall_field;

inline constexpr std::uint8_t nullable = PARSHALL_NULLABLE;

constexpr parshall_text text(std::string_view view) { return { view.data(), view.size() }; }
constexpr std::string_view view(parshall_text text) { return { text.at, text.length }; }

// Texts as one.
template <class... Parts> std::string_view join(const Parts &...parts) {
    const std::string_view all[] = { std::string_view(parts)... };
    std::size_t size = 0;
    for (auto part : all) size += part.size();
    char *at = static_cast<char *>(parshall_alloc(size)), *end = at;
    for (auto part : all) end = std::copy(part.begin(), part.end(), end);
    return { at, size };
}

// === errors ===

// That a call failed; what is told of it is with the host's answer already.
struct Error {};
template <class T> using Result = std::expected<T, Error>;
using Failed = std::unexpected<Error>;

// The configuration is wrong at a JSON Pointer such as `/column`.
inline Failed config_error(std::string_view pointer, std::string_view message) {
    parshall_fail_config(text(pointer), text(message));
    return Failed(Error{});
}
// A column does not fit; without a name, it is the whole schema.
inline Failed schema_error(std::string_view column, std::string_view message) {
    parshall_fail_schema(text(column), text(message));
    return Failed(Error{});
}
// The data is wrong, and no single row can be rejected for it.
inline Failed data_error(std::string_view message) {
    parshall_fail_data(text(message));
    return Failed(Error{});
}
// A defect of the stage itself.
inline Failed internal_error(std::string_view message) {
    parshall_fail_internal(text(message));
    return Failed(Error{});
}

// Ends the instance, with words that the host tells: for what cannot be.
[[noreturn]] inline void panic(std::string_view message) { parshall_panic(text(message)); }

inline Result<void> told(bool ok) {
    if (!ok) return Failed(Error{});
    return {};
}

// === configuration ===

struct Number {
    double value;
    std::int64_t integer; // where it is whole
    bool whole;
};

// The settings, asked for by name; `done` refuses those that nobody asked for.
class Settings {
    struct Entry {
        parshall_setting setting;
        bool asked;
    };
    std::vector<Entry> entries;

    const parshall_setting *find(std::string_view name) {
        for (auto &entry : entries)
            if (view(entry.setting.name) == name) return entry.asked = true, &entry.setting;
        return nullptr;
    }

public:
    explicit Settings(parshall_text config) {
        auto rest = parshall_settings_of(config);
        for (parshall_setting setting; parshall_next_setting(&rest, &setting);) entries.push_back({ setting, false });
    }

    Result<std::optional<std::string_view>> optional_string(std::string_view name) {
        auto *setting = find(name);
        if (!setting) return std::nullopt;
        parshall_text said;
        TRY(told(parshall_string_setting(setting, &said)));
        return view(said);
    }

    Result<std::string_view> string(std::string_view name) {
        if (auto said = TRY(optional_string(name))) return *said;
        return config_error("", join("`", name, "` is missing"));
    }

    Result<Number> number(std::string_view name, Number otherwise) {
        auto *setting = find(name);
        if (!setting) return otherwise;
        if (setting->kind != PARSHALL_NUMBER) {
            parshall_fail_setting(setting, PARSHALL_TEXT("expected a number"));
            return Failed(Error{});
        }
        return Number{ setting->number, setting->integer, setting->whole };
    }

    // Which of some words it is; the first where nothing is said.
    Result<std::size_t> word(std::string_view name, std::initializer_list<std::string_view> words) {
        auto said = TRY(optional_string(name));
        if (!said) return 0;
        auto found = std::find(words.begin(), words.end(), *said);
        if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
        std::string_view expected = "expected one of";
        for (auto word : words) expected = join(expected, " `", word, "`");
        parshall_fail_setting(find(name), text(expected));
        return Failed(Error{});
    }

    Result<void> done() const {
        for (auto &entry : entries)
            if (!entry.asked) return told(parshall_fail_unknown(&entry.setting));
        return {};
    }
};

// === schemas ===

// A column's place among the columns.
using Index = std::uint32_t;

class Schema {
    const parshall_schema *raw;

public:
    explicit Schema(const parshall_schema *raw) : raw(raw) {}

    // A column by name, of one of the formats in a list such as "lg": `l` int64, `g` float64, `u` utf8 … `pointer` is where in the
    // configuration the name stands, if it does.
    Result<Index> column(std::string_view name, const char *formats, const char *pointer = "") const {
        Index index;
        TRY(told(parshall_column_of(raw, text(name), formats, pointer, &index)));
        return index;
    }
    const Field &operator[](Index column) const { return *parshall_field_at(raw, column); }
    const parshall_schema &contract() const { return *raw; }
};

// What an instance is opened with.
class Opening {
    const parshall_opening &raw;

public:
    explicit Opening(const parshall_opening &raw) : raw(raw) {}

    Settings settings() const { return Settings(raw.config); }
    // For a stage without settings: any that there is is refused.
    Result<void> no_settings() const { return settings().done(); }
    // The schema that all inputs have.
    Result<Schema> same_schema() const {
        const parshall_schema *schema;
        TRY(told(parshall_same_schema(&raw, &schema)));
        return Schema(schema);
    }
    // An earlier instance's snapshot.
    std::optional<Bytes> restore() const {
        if (!raw.restore) return std::nullopt;
        return Bytes(raw.restore->at, raw.restore->length);
    }
    // A way out, `out` where there is only one; at most 8.
    Result<void> port(std::string_view name, const Schema &schema) const { return told(parshall_port(text(name), &schema.contract())); }
    Result<void> port(std::string_view name, std::initializer_list<Field> fields) const {
        auto *kept = static_cast<Field *>(parshall_alloc(fields.size() * sizeof(Field)));
        std::copy(fields.begin(), fields.end(), kept);
        parshall_schema schema{ .fields = kept, .fields_length = fields.size() };
        return told(parshall_port(text(name), &schema));
    }
};

// === columns ===

// The rows that are not null: one bit a row, no bits where no row is null.
struct Validity {
    const std::uint8_t *bits = nullptr;
    std::uint64_t nulls = 0;
    std::size_t rows = std::numeric_limits<std::size_t>::max(); // known of a column that was read

    bool operator[](std::size_t row) const {
        parshall__within("row", row, rows);
        return !bits || (bits[row >> 3] >> (row & 7) & 1);
    }
};

// A column of numbers. What was read is the stage's own, to be worked on in place.
template <class T> struct Column {
    std::span<T> values;
    Validity validity;

    T &operator[](std::size_t row) const {
        parshall__within("row", row, values.size());
        return values.data()[row];
    }
};

// A column of strings.
struct Texts {
    std::span<const std::int32_t> offsets;
    const char *bytes;
    Validity validity;

    std::string_view operator[](std::size_t row) const {
        parshall__within("row", row, offsets.size() - 1);
        const auto *offset = offsets.data() + row;
        return { bytes + offset[0], static_cast<std::size_t>(offset[1] - offset[0]) };
    }
};

template <class T> struct Crossed {
    using Type = Column<T>;
    static constexpr char layout = sizeof(T) == 8 ? 'l' : sizeof(T) == 4 ? 'i' : sizeof(T) == 2 ? 's' : 'c'; // validity and values
    static Type of(const parshall_column &raw) {
        auto *values = static_cast<T *>(const_cast<void *>(raw.values));
        const auto rows = static_cast<std::size_t>(raw.length);
        return { { values, rows }, { raw.validity, raw.null_count, rows } };
    }
};
template <> struct Crossed<std::string_view> {
    using Type = Texts;
    static constexpr char layout = 'u'; // validity, offsets and bytes
    static Type of(const parshall_column &raw) {
        const auto rows = static_cast<std::size_t>(raw.length);
        return { { raw.offsets, rows + 1 }, raw.text, { raw.validity, raw.null_count, rows } };
    }
};

// A batch that the host holds.
class Frame {
    const parshall_frame &raw;

public:
    explicit Frame(const parshall_frame &raw) : raw(raw) {}

    std::size_t rows() const { return static_cast<std::size_t>(raw.rows); }
    std::uint32_t input() const { return raw.input; }

    // Copies columns in, in one crossing; of strings, where the type is std::string_view.
    template <class... T, class... I> Result<std::tuple<typename Crossed<T>::Type...>> read(I... columns) const {
        static_assert(sizeof...(T) == sizeof...(I), "a type for each column");
        const Index indices[] = { static_cast<Index>(columns)... };
        const char layouts[] = { Crossed<T>::layout... };
        parshall_column read[sizeof...(T)];
        TRY(told(parshall_read(&raw, indices, layouts, sizeof...(T), read)));
        auto *next = read;
        return std::tuple<typename Crossed<T>::Type...>{ Crossed<T>::of(*next++)... };
    }
};

// === answering ===

// One batch that leaves: every row and every column of the input, until told otherwise. At most 16 a call.
class Output {
    parshall_output *raw;

    static parshall_column contract(const Validity &validity, std::size_t length, const void *values) {
        return { .length = length, .null_count = validity.nulls, .validity = validity.nulls ? validity.bits : nullptr, .values = values };
    }
    template <class T> static parshall_column contract(const Column<T> &column) {
        return contract(column.validity, column.values.size(), column.values.data());
    }
    static parshall_column contract(const Texts &column) {
        auto raw = contract(column.validity, column.offsets.size() - 1, column.offsets.data());
        raw.text = column.bytes ? column.bytes : "";
        return raw;
    }
    template <class T> static constexpr std::size_t width(const Column<T> &) { return sizeof(T); }
    static constexpr std::size_t width(const Texts &) { return 0; }

public:
    explicit Output(std::uint32_t port = 0) : raw(parshall_output_new(port)) {}

    // Only the rows whose bit is set; every made column has a value for each of those.
    Output &keep(const std::uint8_t *bits, std::size_t rows) { return parshall_rows_kept(raw, bits, rows), *this; }
    // Rows that are not rows of the input: every column is added, in order.
    Output &fresh(std::size_t rows) { return parshall_rows_fresh(raw, rows), *this; }
    // A column instead of the input's.
    template <class C> Output &replace(Index index, const C &column) {
        auto made = contract(column);
        return parshall_replace(raw, index, &made, width(column)), *this;
    }
    // The next column of fresh rows.
    template <class C> Output &add(const C &column) {
        auto made = contract(column);
        return parshall_add(raw, &made, width(column)), *this;
    }
};

// Refuses a row; it must be among the rows of no output.
inline void reject(std::size_t row, std::string_view reason) { parshall_reject(row, text(reason)); }

// Room for values until the call has returned.
template <class T> std::span<T> room(std::size_t count) { return { static_cast<T *>(parshall_alloc(count * sizeof(T))), count }; }

// === the stage's own life ===

template <class Stage> struct Life {
    // Raw memory, so that nothing need run before the host's first call.
    alignas(Stage) static inline std::byte memory[sizeof(Stage)];
    static Stage &stage() { return *std::launder(reinterpret_cast<Stage *>(memory)); }

    static bool open(const parshall_opening *opening) {
        auto *stage = std::construct_at(reinterpret_cast<Stage *>(memory));
        return stage->open(Opening(*opening)).has_value();
    }
    static bool process(const parshall_frame *frame) { return stage().process(Frame(*frame)).has_value(); }
    static bool finish() {
        if constexpr (requires(Stage stage) { stage.finish(); }) return stage().finish().value_or(false);
        return false;
    }
    static bool snapshot(parshall_bytes *snapshot) {
        if constexpr (remembers) {
            auto bytes = stage().snapshot();
            if (!bytes) return false;
            *snapshot = { bytes->data(), bytes->size() };
        }
        return true;
    }
    static constexpr bool remembers = requires(Stage stage) { stage.snapshot(); };
};

// === memory that is given back ===

// Blocks of powers of two, each after 16 bytes that say which; what is freed is kept for the next of its size.
struct Heap {
    struct Block {
        Block *next;
        std::uint32_t power;
    };
    static inline Block *free[32];

    static void *take(std::size_t size) {
        auto power = static_cast<std::uint32_t>(std::bit_width(std::max<std::size_t>(size + 16, 32) - 1));
        auto *block = free[power];
        if (block) free[power] = block->next;
        else block = static_cast<Block *>(parshall_keep(std::size_t{ 1 } << power));
        block->power = power;
        return reinterpret_cast<char *>(block) + 16;
    }
    static void give(void *at) {
        if (!at) return;
        auto *block = reinterpret_cast<Block *>(static_cast<char *>(at) - 16);
        block->next = std::exchange(free[block->power], block);
    }
};

} // namespace parshall

void *operator new(std::size_t size) { return parshall::Heap::take(size); }
void *operator new[](std::size_t size) { return parshall::Heap::take(size); }
void operator delete(void *at) noexcept { parshall::Heap::give(at); }
void operator delete[](void *at) noexcept { parshall::Heap::give(at); }
void operator delete(void *at, std::size_t) noexcept { parshall::Heap::give(at); }
void operator delete[](void *at, std::size_t) noexcept { parshall::Heap::give(at); }

// What the C++ library has compiled, which is not linked here: strings, what hash tables ask, and the end where a program is wrong.
template class std::basic_string<char>;
_LIBCPP_BEGIN_NAMESPACE_STD
std::size_t __next_prime(std::size_t from) {
    auto prime = [](std::size_t number) {
        for (std::size_t by = 2; by * by <= number; by++)
            if (number % by == 0) return false;
        return true;
    };
    while (!prime(from)) from++;
    return from;
}
std::size_t __hash_memory(_LIBCPP_NOESCAPE const void *at, std::size_t size) noexcept { // FNV-1a
    std::size_t hash = 2166136261u;
    for (auto *byte = static_cast<const unsigned char *>(at); size--; byte++) hash = (hash ^ *byte) * 16777619u;
    return hash ^ hash >> 15;
}
[[noreturn]] void __libcpp_verbose_abort(const char *, ...) noexcept { parshall__library_panics(); }
_LIBCPP_END_NAMESPACE_STD

PARSHALL__COLD void parshall__library_panics() noexcept {
    parshall_panic(PARSHALL_TEXT("the C++ library was asked for what there is not: an index out of bounds, the value of an empty optional"));
}

#define PARSHALL_TRANSFORM(Stage)                                                                     \
    const parshall_description parshall_stage = Stage::description;                                   \
    const bool parshall__remembers = parshall::Life<Stage>::remembers;                                \
    bool parshall_open(const parshall_opening *opening) { return parshall::Life<Stage>::open(opening); } \
    bool parshall_process(const parshall_frame *frame) { return parshall::Life<Stage>::process(frame); } \
    bool parshall_finish() { return parshall::Life<Stage>::finish(); }                                \
    bool parshall_snapshot(parshall_bytes *snapshot) { return parshall::Life<Stage>::snapshot(snapshot); }
