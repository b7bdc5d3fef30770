package parshall

import "unsafe"

// The host copies into memory that lives until the call is over, or as long as somebody holds a slice of it.
var arriving, leaving [][]uint64

//go:wasmexport cabi_realloc
func reallocate(old unsafe.Pointer, oldSize, align, size uint32) unsafe.Pointer {
	words := make([]uint64, (size+7)/8+1)
	arriving = append(arriving, words)
	pointer := unsafe.Pointer(unsafe.SliceData(words))
	if oldSize > 0 {
		copy(unsafe.Slice((*byte)(pointer), size), unsafe.Slice((*byte)(old), min(oldSize, size)))
	}
	return pointer
}

//go:wasmimport parshall:stage/frames@0.1.0 [method]frame.read
func frameRead(frame uint32, columns unsafe.Pointer, count uint32, result unsafe.Pointer)

//go:wasmimport parshall:stage/frames@0.1.0 [resource-drop]frame
func frameDrop(frame uint32)

// === reading what lies in memory ===

// place is somewhere in memory where the host has laid something.
type place struct {
	base unsafe.Pointer
	// Of a list: the size of an item, how many are left, and whether the first was reached.
	size, left int
	begun      bool
}

func at(pointer unsafe.Pointer) *place { return &place{base: pointer} }

func (p *place) u8(offset int) uint8   { return *(*uint8)(unsafe.Add(p.base, offset)) }
func (p *place) u32(offset int) uint32 { return *(*uint32)(unsafe.Add(p.base, offset)) }
func (p *place) u64(offset int) uint64 { return *(*uint64)(unsafe.Add(p.base, offset)) }

func (p *place) bytes(offset int) []byte {
	return unsafe.Slice((*byte)(pointerAt(p.u32(offset))), p.u32(offset+4))
}

func (p *place) text(offset int) string { return string(p.bytes(offset)) }

// list is the list at an offset, in front of its first item.
func (p *place) list(offset, size int) *place {
	return &place{base: pointerAt(p.u32(offset)), size: size, left: int(p.u32(offset + 4))}
}

func (p *place) next() bool {
	if p.left == 0 {
		return false
	}
	if p.begun {
		p.base = unsafe.Add(p.base, p.size)
	}
	p.begun = true
	p.left--
	return true
}

func pointerAt(address uint32) unsafe.Pointer {
	word := uintptr(address)
	return *(*unsafe.Pointer)(unsafe.Pointer(&word))
}

func (p *place) schema(offset int) Schema {
	schema := Schema{Metadata: p.pairs(offset + 8)}
	for fields := p.list(offset, 32); fields.next(); {
		schema.Fields = append(schema.Fields, fields.field())
	}
	return schema
}

// field takes a field and what stands depth-first behind it.
func (p *place) field() Field {
	field := Field{Name: p.text(0), Format: p.text(8), Flags: Flags(p.u8(16)), Metadata: p.pairs(24)}
	children := int(p.u32(20))
	if field.Flags&dictionaryEncoded != 0 {
		field.Flags &^= dictionaryEncoded
		p.next()
		values := p.field()
		field.Dictionary = &values
	}
	for range children {
		p.next()
		field.Children = append(field.Children, p.field())
	}
	return field
}

func (p *place) pairs(offset int) []Pair {
	var pairs []Pair
	for list := p.list(offset, 16); list.next(); {
		pairs = append(pairs, Pair{list.text(0), list.text(8)})
	}
	return pairs
}
