// The reference stage `total`: how many values a column has and their sum, by key, in the order in which keys came.
package main

import (
	"encoding/binary"
	"errors"
	"math"

	"parshall"
)

type config struct {
	Key   *string `json:"key"`
	Value *string `json:"value"`
}

type group struct {
	key   string
	null  bool
	count int64
	sum   uint64 // an int64 or a float64, as the column
}

type total struct {
	value, key int // key is -1 without one
	format     string
	groups     []*group
	byKey      map[string]*group
	null       *group
	told       bool
}

const schema = `{"type": "object", "required": ["value"], "additionalProperties": false, "properties": {
"value": {"type": "string", "description": "An int64 or float64 column"},
"key": {"type": "string", "description": "A utf8 column; without it, all rows are one group"}}}`

func init() {
	parshall.Register(parshall.Description{
		Name: "total-go", Version: "0.1.0", Summary: "Counts and sums an int64 or float64 column, by key", ConfigSchema: schema, Stateful: true,
	}, open)
}

func main() {}

func open(config config, opening *parshall.Opening) (*total, []parshall.Port, error) {
	if config.Value == nil {
		return nil, nil, parshall.ConfigError{Message: "`value` is missing"}
	}
	schema, err := opening.SameSchema()
	if err != nil {
		return nil, nil, err
	}
	t := &total{key: -1, byKey: map[string]*group{}}
	if t.value, err = schema.Index(*config.Value, "/value", "l", "g"); err != nil {
		return nil, nil, err
	}
	t.format = schema.Fields[t.value].Format
	fields := []parshall.Field{{Name: "count", Format: "l"}, {Name: "sum", Format: t.format}}
	if config.Key != nil {
		if t.key, err = schema.Index(*config.Key, "/key", "u"); err != nil {
			return nil, nil, err
		}
		fields = append([]parshall.Field{{Name: *config.Key, Format: "u", Flags: parshall.Nullable}}, fields...)
	}
	if opening.Restore != nil {
		err = t.restore(opening.Restore)
	} else if t.key < 0 {
		t.groupOf(nil, true)
	}
	return t, parshall.Out(parshall.Schema{Fields: fields}), err
}

func (t *total) groupOf(key []byte, null bool) *group {
	known := t.null
	if !null {
		known = t.byKey[string(key)]
	}
	if known == nil {
		known = &group{key: string(key), null: null}
		t.groups = append(t.groups, known)
		if null {
			t.null = known
		} else {
			t.byKey[known.key] = known
		}
	}
	return known
}

func (t *total) Process(frame *parshall.Frame) (*parshall.Answer, error) {
	columns := []int{t.value, t.key}
	if t.key < 0 {
		columns = columns[:1]
	}
	read, err := frame.Read(columns...)
	if err != nil {
		return nil, err
	}
	values := parshall.Numbers[uint64](read)
	var keys parshall.Texts
	if t.key >= 0 {
		keys = read.Texts()
	}
	for row, value := range values.Values {
		group := t.null
		if t.key >= 0 {
			if keys.Validity.Valid(row) {
				group = t.groupOf(keys.At(row), false)
			} else {
				group = t.groupOf(nil, true)
			}
		}
		if !values.Validity.Valid(row) {
			continue
		}
		group.count++
		if t.format == "l" {
			group.sum += value
		} else {
			group.sum = math.Float64bits(math.Float64frombits(group.sum) + math.Float64frombits(value))
		}
	}
	return nil, nil
}

func (t *total) Finish() (*parshall.Answer, error) {
	if t.told || len(t.groups) == 0 {
		return nil, nil
	}
	t.told = true
	keys := parshall.Texts{Offsets: []int32{0}}
	keys.Validity.Bits = make([]byte, (len(t.groups)+7)/8)
	var counts []int64
	var sums []uint64
	for row, group := range t.groups {
		keys.Bytes = append(keys.Bytes, group.key...)
		keys.Offsets = append(keys.Offsets, int32(len(keys.Bytes)))
		if group.null {
			keys.Validity.Nulls++
		} else {
			keys.Validity.Bits[row>>3] |= 1 << (row & 7)
		}
		counts, sums = append(counts, group.count), append(sums, group.sum)
	}
	answer := &parshall.Answer{}
	output := answer.Out().Fresh(len(t.groups))
	if t.key >= 0 {
		output.AddTexts(keys)
	}
	parshall.Add(output, parshall.Column[int64]{Values: counts})
	parshall.Add(output, parshall.Column[uint64]{Values: sums})
	return answer, nil
}

// === snapshots: a form that every language's `total` knows ===

const magic = "total\x01"

func (t *total) kind() string {
	if t.key < 0 {
		return magic + t.format + "-"
	}
	return magic + t.format + "k"
}

func (t *total) Snapshot() ([]byte, error) {
	bytes := binary.LittleEndian.AppendUint32([]byte(t.kind()), uint32(len(t.groups)))
	for _, group := range t.groups {
		if t.key >= 0 && group.null {
			bytes = binary.LittleEndian.AppendUint32(bytes, math.MaxUint32)
		} else if t.key >= 0 {
			bytes = append(binary.LittleEndian.AppendUint32(bytes, uint32(len(group.key))), group.key...)
		}
		bytes = binary.LittleEndian.AppendUint64(bytes, uint64(group.count))
		bytes = binary.LittleEndian.AppendUint64(bytes, group.sum)
	}
	return bytes, nil
}

var foreign = errors.New("these bytes are no snapshot of this stage")

func (t *total) restore(bytes []byte) error {
	take := func(size uint32) []byte {
		if uint64(size) > uint64(len(bytes)) {
			panic(foreign)
		}
		taken := bytes[:size]
		bytes = bytes[size:]
		return taken
	}
	if string(take(uint32(len(t.kind())))) != t.kind() {
		return foreign
	}
	for groups := binary.LittleEndian.Uint32(take(4)); groups > 0; groups-- {
		length := uint32(math.MaxUint32)
		if t.key >= 0 {
			length = binary.LittleEndian.Uint32(take(4))
		}
		var key []byte
		if length != math.MaxUint32 {
			key = take(length)
		}
		group := t.groupOf(key, length == math.MaxUint32)
		group.count = int64(binary.LittleEndian.Uint64(take(8)))
		group.sum = binary.LittleEndian.Uint64(take(8))
	}
	if len(bytes) > 0 {
		return foreign
	}
	return nil
}
