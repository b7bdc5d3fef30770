package parshall

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unsafe"
)

// record is memory that is laid out for the host, 8-byte aligned. It lives until the call is over.
type record []byte

func newRecord(size int) record {
	words := make([]uint64, (size+7)/8+1)
	leaving = append(leaving, words)
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), size)
}

func (r record) address() uint32 { return uint32(uintptr(unsafe.Pointer(unsafe.SliceData(r)))) }

func (r record) u32(offset int, value uint32) { binary.LittleEndian.PutUint32(r[offset:], value) }
func (r record) u64(offset int, value uint64) { binary.LittleEndian.PutUint64(r[offset:], value) }

// bytes points at bytes that somebody else holds until the call is over.
func (r record) bytes(offset int, bytes []byte) {
	r.u32(offset, uint32(uintptr(unsafe.Pointer(unsafe.SliceData(bytes)))))
	r.u32(offset+4, uint32(len(bytes)))
}

func (r record) text(offset int, text string) {
	copied := newRecord(len(text))
	copy(copied, text)
	r.bytes(offset, copied)
}

func (r record) maybeText(offset int, text string) {
	if text != "" {
		r[offset] = 1
		r.text(offset+4, text)
	}
}

// list makes room for a list of so many items of a size.
func (r record) list(offset, size, count int) record {
	items := newRecord(size * count)
	r.u32(offset, items.address())
	r.u32(offset+4, uint32(count))
	return items
}

func (r record) pairs(offset int, pairs []Pair) {
	list := r.list(offset, 16, len(pairs))
	for i, pair := range pairs {
		list[16*i:].text(0, pair.Key)
		list[16*i:].text(8, pair.Value)
	}
}

func (r record) schema(offset int, schema Schema) {
	var flat []Field
	for _, field := range schema.Fields {
		flat = flatten(flat, field)
	}
	list := r.list(offset, 32, len(flat))
	for i, field := range flat {
		item := list[32*i:]
		item.text(0, field.Name)
		item.text(8, field.Format)
		item[16] = uint8(field.Flags)
		item.u32(20, uint32(len(field.Children)))
		item.pairs(24, field.Metadata)
	}
	r.pairs(offset+8, schema.Metadata)
}

func flatten(flat []Field, field Field) []Field {
	if field.Dictionary != nil {
		field.Flags |= dictionaryEncoded
	}
	flat = append(flat, field)
	if field.Dictionary != nil {
		flat = flatten(flat, *field.Dictionary)
	}
	for _, child := range field.Children {
		flat = flatten(flat, child)
	}
	return flat
}

// answer lays an answer out; its buffers are those that the stage made.
func (r record) answer(offset int, answer *Answer) {
	outputs := r.list(offset, 56, len(answer.outputs))
	for i, output := range answer.outputs {
		outputs[56*i:].output(output)
	}
	rejections := r.list(offset+8, 12, len(answer.rejections))
	for i, rejection := range answer.rejections {
		rejections[12*i:].u32(0, rejection.row)
		rejections[12*i:].text(4, rejection.reason)
	}
}

func (r record) output(output *Output) {
	r.u32(0, output.port)
	r[8] = output.rows.tag
	switch output.rows.tag {
	case 1:
		r.bytes(16, output.rows.bits)
	case 3:
		r.u64(16, output.rows.fresh)
	}
	if output.sources != nil {
		r[24] = 1
		sources := r.list(28, 8, len(output.sources))
		for i, source := range output.sources {
			if source == made {
				sources[8*i] = 1
			} else {
				sources[8*i:].u32(4, uint32(source))
			}
		}
	}
	nodes := r.list(36, 24, len(output.nodes))
	for i, node := range output.nodes {
		nodes[24*i:].u64(0, uint64(node.length))
		nodes[24*i:].u64(8, uint64(node.nulls))
	}
	buffers := r.list(44, 8, len(output.buffers))
	for i, buffer := range output.buffers {
		buffers[8*i:].bytes(0, buffer)
	}
}

// === what the host calls ===

// The answer that is being given; its buffers must outlive the call.
var given *Answer

// outcome is a result that fits every shape of result there is.
func outcome(err error) record {
	result := newRecord(48)
	if err == nil {
		return result
	}
	result[0] = 1
	var config ConfigError
	var schema SchemaError
	var data DataError
	var unavailable UnavailableError
	switch {
	case errors.As(err, &config):
		result.text(8, config.Pointer)
		result.text(24, config.Message)
		result.maybeText(32, config.Help)
	case errors.As(err, &schema):
		result[4] = 1
		result.maybeText(8, schema.Column)
		result.text(20, schema.Message)
	case errors.As(err, &data):
		result[4] = 2
		result.text(8, string(data))
	case errors.As(err, &unavailable):
		result[4] = 3
		result.text(8, string(unavailable))
	default:
		result[4] = 4
		result.text(8, err.Error())
	}
	return result
}

// attempt turns a panic into an error of the stage, so that it is told in words.
func attempt(call func() error) (err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("panic: %v", reason)
		}
	}()
	return call()
}

//go:wasmexport parshall:stage/transform@0.1.0#describe
func describe() uint32 {
	said := registered.description
	result := newRecord(44)
	for i, text := range []string{said.Name, said.Version, said.Summary, said.Documentation, said.ConfigSchema} {
		result.text(8*i, text)
	}
	if said.Stateful {
		result[40] = 1
	}
	return result.address()
}

//go:wasmexport parshall:stage/transform@0.1.0#open
func open(config, configLength, inputs, inputsLength, restores, restore, restoreLength uint32) uint32 {
	var ports []Port
	err := attempt(func() (err error) {
		opening := &Opening{}
		list := &place{base: pointerAt(inputs), size: 24, left: int(inputsLength)}
		for list.next() {
			opening.Inputs = append(opening.Inputs, Input{list.text(0), list.schema(8)})
		}
		for _, input := range opening.Inputs {
			registered.schemas = append(registered.schemas, input.Schema)
		}
		if restores != 0 {
			opening.Restore = append([]byte{}, unsafe.Slice((*byte)(pointerAt(restore)), restoreLength)...)
		}
		text := string(unsafe.Slice((*byte)(pointerAt(config)), configLength))
		registered.stage, ports, err = registered.open(text, opening)
		return err
	})
	result := outcome(err)
	if err == nil {
		list := result.list(4, 24, len(ports))
		for i, port := range ports {
			list[24*i:].text(0, port.Name)
			list[24*i:].schema(8, port.Schema)
		}
	}
	return result.address()
}

//go:wasmexport parshall:stage/transform@0.1.0#process
func process(input uint32, rows uint64, handle uint32) uint32 {
	err := attempt(func() (err error) {
		defer frameDrop(handle)
		frame := &Frame{Rows: int(rows), Input: int(input), handle: handle, schema: &registered.schemas[input]}
		given, err = registered.stage.Process(frame)
		return err
	})
	result := outcome(err)
	if err == nil && given != nil {
		result.answer(4, given)
	}
	return result.address()
}

//go:wasmexport parshall:stage/transform@0.1.0#finish
func finish() uint32 {
	given = nil
	err := attempt(func() (err error) {
		if finisher, holds := registered.stage.(Finisher); holds {
			given, err = finisher.Finish()
		}
		return err
	})
	result := outcome(err)
	if err == nil && given != nil {
		result[4] = 1
		result.answer(8, given)
	}
	return result.address()
}

//go:wasmexport parshall:stage/transform@0.1.0#snapshot
func snapshot() uint32 {
	var bytes []byte
	err := attempt(func() (err error) {
		if remembers, does := registered.stage.(Snapshotter); does {
			bytes, err = remembers.Snapshot()
		}
		return err
	})
	result := outcome(err)
	if err == nil {
		copied := newRecord(len(bytes))
		copy(copied, bytes)
		result.bytes(4, copied)
	}
	return result.address()
}

// over lets go of what the call had.
func over() {
	arriving, leaving, given = arriving[:0], leaving[:0], nil
	clear(arriving[:cap(arriving)])
	clear(leaving[:cap(leaving)])
}

//go:wasmexport cabi_post_parshall:stage/transform@0.1.0#describe
func afterDescribe(uint32) { over() }

//go:wasmexport cabi_post_parshall:stage/transform@0.1.0#open
func afterOpen(uint32) { over() }

//go:wasmexport cabi_post_parshall:stage/transform@0.1.0#process
func afterProcess(uint32) { over() }

//go:wasmexport cabi_post_parshall:stage/transform@0.1.0#finish
func afterFinish(uint32) { over() }

//go:wasmexport cabi_post_parshall:stage/transform@0.1.0#snapshot
func afterSnapshot(uint32) { over() }
