package parshall

import (
	"slices"
	"strconv"
	"strings"
)

// Field is one field of a schema. Format is that of the Arrow C data interface: "l" int64, "g" float64, "u" utf8 …
type Field struct {
	Name     string
	Format   string
	Flags    Flags
	Children []Field
	// Dictionary is the field of a dictionary's values; Format is then that of its keys.
	Dictionary *Field
	Metadata   []Pair
}

// Flags of a field.
type Flags uint8

const (
	Nullable Flags = 1 << iota
	DictionaryOrdered
	MapKeysSorted
	dictionaryEncoded
)

// Pair is a key and a value of metadata.
type Pair struct{ Key, Value string }

// Schema is the columns of a batch.
type Schema struct {
	Fields   []Field
	Metadata []Pair
}

func (s Schema) same(other Schema) bool {
	if len(s.Fields) != len(other.Fields) {
		return false
	}
	for i, field := range s.Fields {
		if field.Name != other.Fields[i].Name || field.Format != other.Fields[i].Format {
			return false
		}
	}
	return true
}

// Index is that of a column of one of these formats. What is wrong with the name stands at pointer in the configuration; where that
// is "", it is told of the column.
func (s Schema) Index(name, pointer string, formats ...string) (int, error) {
	for i, field := range s.Fields {
		if field.Name != name {
			continue
		}
		if field.Dictionary == nil && slices.Contains(formats, field.Format) {
			return i, nil
		}
		found := TypeName(field.Format)
		if field.Dictionary != nil {
			found = "a dictionary of " + TypeName(field.Dictionary.Format)
		}
		var expected []string
		for _, format := range formats {
			expected = append(expected, TypeName(format))
		}
		return 0, SchemaError{Column: name, Message: "expected " + strings.Join(expected, " or ") + ", found " + found}
	}
	if pointer == "" {
		return 0, SchemaError{Column: name, Message: "there is no such column; " + s.names()}
	}
	return 0, ConfigError{Pointer: pointer, Message: "there is no column `" + name + "`", Help: s.names()}
}

const mostNamed = 20

// names is the columns that there are, of many only the first.
func (s Schema) names() string {
	if len(s.Fields) == 0 {
		return "the input has no columns"
	}
	var names []string
	for _, field := range s.Fields[:min(len(s.Fields), mostNamed)] {
		names = append(names, field.Name)
	}
	said := "the columns are `" + strings.Join(names, "`, `") + "`"
	if more := len(s.Fields) - mostNamed; more > 0 {
		said += " and " + strconv.Itoa(more) + " more"
	}
	return said
}

// TypeName is a type as a person reads it, with its letter: "int64 (l)".
func TypeName(format string) string {
	letters, _, _ := strings.Cut(format, ":")
	words := strings.Fields(typeNames)
	for i := 0; i < len(words); i += 2 {
		if words[i] == letters {
			return words[i+1] + " (" + format + ")"
		}
	}
	return "a type of the format `" + format + "`"
}

// Words for the letters of the Arrow C data interface; what stands behind a colon is a parameter.
const typeNames = `
n null b bool c int8 C uint8 s int16 S uint16 i int32 I uint32 l int64 L uint64 e float16 f float32 g float64
z binary Z large_binary vz binary_view u utf8 U large_utf8 vu utf8_view tdD date32 tdm date64
tts time32[s] ttm time32[ms] ttu time64[us] ttn time64[ns] tDs duration[s] tDm duration[ms] tDu duration[us] tDn duration[ns]
tiM interval[year_month] tiD interval[day_time] tin interval[month_day_nano]
tss timestamp[s] tsm timestamp[ms] tsu timestamp[us] tsn timestamp[ns] d decimal w fixed_size_binary
+l list +L large_list +vl list_view +vL large_list_view +w fixed_size_list +s struct +m map +r run_end_encoded +ud union +us union`
