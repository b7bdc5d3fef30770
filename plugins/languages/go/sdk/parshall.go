// Package parshall is everything that a stage in Go needs: a transform is a type with a method Process, made by a
// function that takes its configuration, and registered once:
//
//	func init() { parshall.Register(parshall.Description{Name: "hello", …}, open) }
//
// Columns are slices of the memory that the host copied them to. The package needs no code generator: it lays the
// contract's records out as the canonical ABI wants them (abi.go, reply.go).
package parshall

import "reflect"

// Description is what a component says of itself.
type Description struct {
	Name          string // kebab-case
	Version       string
	Summary       string // one line
	Documentation string // Markdown
	ConfigSchema  string // JSON Schema of the configuration; when left out, there are no settings, or any where the type has fields
	Stateful      bool   // whether an instance remembers anything between calls
}

// Transform is a stage that turns batches into others.
type Transform interface {
	// Process takes one batch.
	Process(frame *Frame) (*Answer, error)
}

// Finisher is a Transform that holds something back: Finish is called when the inputs have ended, until it answers nil.
type Finisher interface {
	Finish() (*Answer, error)
}

// Snapshotter is a Transform that remembers. What it answers is given to the function that opens another instance.
type Snapshotter interface {
	Snapshot() ([]byte, error)
}

// Input is what feeds a stage.
type Input struct {
	Name   string
	Schema Schema
}

// Port is a way out of a stage, "out" where there is only one.
type Port struct {
	Name   string
	Schema Schema
}

// Out is the only port.
func Out(schema Schema) []Port { return []Port{{Name: "out", Schema: schema}} }

// Opening is what an instance is opened with.
type Opening struct {
	Inputs  []Input
	Restore []byte // an earlier instance's snapshot, or nil
}

// SameSchema is the schema that all inputs have.
func (o *Opening) SameSchema() (Schema, error) {
	if len(o.Inputs) == 0 {
		return Schema{}, ConfigError{Message: "the stage has no input"}
	}
	first := o.Inputs[0].Schema
	for _, other := range o.Inputs[1:] {
		if !first.same(other.Schema) {
			return first, SchemaError{Message: "input `" + other.Name + "` has other columns than `" + o.Inputs[0].Name + "`"}
		}
	}
	return first, nil
}

// Column is the schema that all inputs have, and the index in it of a column of one of these formats. What is wrong with the
// name stands at pointer in the configuration; where that is "", it is told of the column.
func (o *Opening) Column(name, pointer string, formats ...string) (Schema, int, error) {
	schema, err := o.SameSchema()
	if err != nil {
		return schema, 0, err
	}
	index, err := schema.Index(name, pointer, formats...)
	return schema, index, err
}

// Register makes this component the stage that open opens. Call it once, from an init function.
//
// The configuration's JSON is read into a C as encoding/json does; a setting that C does not have is refused.
func Register[C any, T Transform](description Description, open func(config C, opening *Opening) (T, []Port, error)) {
	if description.ConfigSchema == "" {
		description.ConfigSchema = `{"type": "object"}`
		if kind := reflect.TypeFor[C](); kind.Kind() == reflect.Struct && kind.NumField() == 0 {
			description.ConfigSchema = `{"type": "object", "additionalProperties": false}`
		}
	}
	registered.description = description
	registered.open = func(text string, opening *Opening) (Transform, []Port, error) {
		var config C
		if err := readConfig(text, &config); err != nil {
			return nil, nil, err
		}
		return open(config, opening)
	}
}

var registered struct {
	description Description
	open        func(config string, opening *Opening) (Transform, []Port, error)
	stage       Transform
	schemas     []Schema
}
