package parshall

import "strings"

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

// Index is that of a column of one of these formats. What is wrong with the name stands at pointer in the configuration.
func (s Schema) Index(name, pointer string, formats ...string) (int, error) {
	var names []string
	for i, field := range s.Fields {
		names = append(names, field.Name)
		if field.Name != name {
			continue
		}
		for _, format := range formats {
			if field.Format == format && field.Dictionary == nil {
				return i, nil
			}
		}
		return 0, SchemaError{Column: name, Message: "expected a type of format " + strings.Join(formats, " or ") + ", found " + field.Format}
	}
	return 0, ConfigError{Pointer: pointer, Message: "there is no column `" + name + "`", Help: "the columns are `" + strings.Join(names, "`, `") + "`"}
}
