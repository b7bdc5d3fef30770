package parshall

import (
	"fmt"
	"unsafe"
)

// Frame is a batch that the host holds. What is not read stays there.
type Frame struct {
	Rows  int
	Input int // index of the input it came from

	handle uint32
	schema *Schema
}

// Column is a column of values of one width: numbers.
type Column[T Number] struct {
	Values   []T
	Validity Validity
}

// Texts is a column of strings: the n-th is Bytes[Offsets[n]:Offsets[n+1]].
type Texts struct {
	Offsets  []int32
	Bytes    []byte
	Validity Validity
}

// Number is what a column of numbers is made of.
type Number interface {
	~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~float32 | ~float64
}

// Validity tells the rows that are not null: one bit a row, none at all where no row is null.
type Validity struct {
	Bits  []byte
	Nulls int

	known bool // of a column that was read: how many rows it has
	rows  int
}

// Valid says whether a row is not null. A row that there is not is a panic.
func (v Validity) Valid(row int) bool {
	if v.known && uint(row) >= uint(v.rows) {
		panic(fmt.Sprintf("row %d is out of bounds: there are %d", row, v.rows))
	}
	return v.Bits == nil || v.Bits[row>>3]>>(row&7)&1 != 0
}

// Len is the number of rows.
func (t Texts) Len() int { return len(t.Offsets) - 1 }

// At is the text of a row.
func (t Texts) At(row int) []byte { return t.Bytes[t.Offsets[row]:t.Offsets[row+1]] }

// Read copies columns in, in one crossing.
func (f *Frame) Read(columns ...int) (*Read, error) {
	indices := make([]uint32, len(columns))
	for i, column := range columns {
		indices[i] = uint32(column)
	}
	var result [24]byte
	frameRead(f.handle, unsafe.Pointer(unsafe.SliceData(indices)), uint32(len(indices)), unsafe.Pointer(&result))
	arrived := at(unsafe.Pointer(&result))
	if arrived.u8(0) != 0 {
		return nil, DataError("the columns exceed the limit `read_bytes`")
	}
	read := &Read{}
	for nodes := arrived.list(8, 24); nodes.next(); {
		read.nodes = append(read.nodes, node{int(nodes.u64(0)), int(nodes.u64(8))})
	}
	for buffers := arrived.list(16, 8); buffers.next(); {
		read.buffers = append(read.buffers, buffers.bytes(0))
	}
	return read, nil
}

// Read is columns that have crossed; take them in the order in which they were asked for.
type Read struct {
	nodes   []node
	buffers [][]byte
}

type node struct{ length, nulls int }

func (r *Read) begin() (node, Validity) {
	taken := r.nodes[0]
	r.nodes = r.nodes[1:]
	validity := Validity{Nulls: taken.nulls, known: true, rows: taken.length}
	if bits := r.buffer(); len(bits) > 0 {
		validity.Bits = bits
	}
	return taken, validity
}

func (r *Read) buffer() []byte {
	taken := r.buffers[0]
	r.buffers = r.buffers[1:]
	return taken
}

// Numbers takes the next column, which holds values of type T.
func Numbers[T Number](r *Read) Column[T] {
	taken, validity := r.begin()
	return Column[T]{slice[T](r.buffer(), taken.length), validity}
}

// ReadNumbers copies one column in, which holds values of type T.
func ReadNumbers[T Number](frame *Frame, column int) (Column[T], error) {
	read, err := frame.Read(column)
	if err != nil {
		return Column[T]{}, err
	}
	return Numbers[T](read), nil
}

// Texts takes the next column, which holds strings (utf8).
func (r *Read) Texts() Texts {
	taken, validity := r.begin()
	if taken.length == 0 {
		r.buffer()
		return Texts{[]int32{0}, r.buffer(), validity}
	}
	offsets := slice[int32](r.buffer(), taken.length+1)
	return Texts{offsets, r.buffer(), validity}
}

// The host's bytes as values: what it copied in lies aligned, because reallocate gives aligned memory.
func slice[T Number](bytes []byte, length int) []T {
	var zero T
	if len(bytes) < length*int(unsafe.Sizeof(zero)) {
		panic("a column was read as what it is not: texts have offsets and bytes, numbers so many bytes a value")
	}
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(bytes))), length)
}
