package parshall

import "unsafe"

// Answer is what a call puts out: batches, and the rows of the input that are refused.
type Answer struct {
	outputs    []*Output
	rejections []rejection
}

// Output is one batch: which rows, and which columns.
type Output struct {
	port    uint32
	rows    rows
	sources []int // index of an input's column, or made; nil for every column as it is
	nodes   []node
	buffers [][]byte
}

type rows struct {
	tag   uint8
	bits  []byte
	fresh uint64
}

type rejection struct {
	row    uint32
	reason string
}

const made = -1

// Out adds an output: every row and column of the input, until told otherwise.
func (a *Answer) Out() *Output {
	output := &Output{}
	a.outputs = append(a.outputs, output)
	return output
}

// Reject refuses a row, which must be among the rows of no output.
func (a *Answer) Reject(row int, reason string) {
	a.rejections = append(a.rejections, rejection{uint32(row), reason})
}

// Port makes the output leave by the n-th port.
func (o *Output) Port(n int) *Output {
	o.port = uint32(n)
	return o
}

// Keep takes the rows whose bit is set; every made column has a value for each of those.
func (o *Output) Keep(bits []byte) *Output {
	o.rows = rows{tag: 1, bits: bits}
	return o
}

// Fresh says that there are so many rows that are not rows of the input: every column is added, in order.
func (o *Output) Fresh(count int) *Output {
	o.rows = rows{tag: 3, fresh: uint64(count)}
	o.sources = []int{}
	return o
}

// Replace puts a column in the place of the input's; the frame tells how many there are.
func Replace[T Number](o *Output, frame *Frame, index int, column Column[T]) {
	if o.sources == nil {
		for i := range frame.schema.Fields {
			o.sources = append(o.sources, i)
		}
	}
	o.sources[index] = made
	o.numbers(len(column.Values), column.Validity, bytesOf(column.Values))
}

// Replacing is every row of a frame, with one of its columns made and the others untouched.
func Replacing[T Number](frame *Frame, index int, column Column[T]) *Answer {
	answer := &Answer{}
	Replace(answer.Out(), frame, index, column)
	return answer
}

// Add adds a column of numbers to fresh rows.
func Add[T Number](o *Output, column Column[T]) {
	o.sources = append(o.sources, made)
	o.numbers(len(column.Values), column.Validity, bytesOf(column.Values))
}

// AddTexts adds a column of strings to fresh rows.
func (o *Output) AddTexts(column Texts) {
	o.sources = append(o.sources, made)
	o.numbers(column.Len(), column.Validity, bytesOf(column.Offsets))
	o.buffers = append(o.buffers, column.Bytes)
}

func (o *Output) numbers(length int, validity Validity, values []byte) {
	bits := validity.Bits
	if validity.Nulls == 0 {
		bits = nil
	}
	o.nodes = append(o.nodes, node{length, validity.Nulls})
	o.buffers = append(o.buffers, bits, values)
}

func bytesOf[T Number](values []T) []byte {
	var zero T
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(values))), len(values)*int(unsafe.Sizeof(zero)))
}
