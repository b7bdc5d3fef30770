// The reference stage `scale`: one column times a factor; all others stay where they are.
package main

import (
	"math"

	"parshall"
)

type config struct {
	Column *string  `json:"column"`
	Factor *float64 `json:"factor"`
	Nulls  string   `json:"nulls"`
}

type scale struct {
	column  int
	format  string
	factor  float64
	rejects bool
	reason  string
}

const schema = `{"type": "object", "required": ["column"], "additionalProperties": false, "properties": {
"column": {"type": "string", "description": "An int64 or float64 column"},
"factor": {"type": "number", "default": 2, "description": "A whole number for int64, whose products wrap"},
"nulls": {"enum": ["keep", "reject"], "default": "keep"}}}`

func init() {
	parshall.Register(parshall.Description{
		Name: "scale-go", Version: "0.1.0", Summary: "Multiplies an int64 or float64 column by a factor", ConfigSchema: schema,
	}, open)
}

func main() {}

func open(config config, opening *parshall.Opening) (*scale, []parshall.Port, error) {
	if config.Column == nil {
		return nil, nil, parshall.ConfigError{Message: "`column` is missing"}
	}
	if config.Nulls != "" && config.Nulls != "keep" && config.Nulls != "reject" {
		return nil, nil, parshall.ConfigError{Pointer: "/nulls", Message: "expected `keep` or `reject`"}
	}
	schema, err := opening.SameSchema()
	if err != nil {
		return nil, nil, err
	}
	column, err := schema.Index(*config.Column, "/column", "l", "g")
	if err != nil {
		return nil, nil, err
	}
	stage := &scale{column, schema.Fields[column].Format, 2, config.Nulls == "reject", "`" + *config.Column + "` is null"}
	if config.Factor != nil {
		stage.factor = *config.Factor
	}
	if stage.format == "l" && stage.factor != math.Trunc(stage.factor) {
		return nil, nil, parshall.ConfigError{Pointer: "/factor", Message: "an int64 column wants a whole number"}
	}
	return stage, parshall.Out(schema), nil
}

func (s *scale) Process(frame *parshall.Frame) (*parshall.Answer, error) {
	read, err := frame.Read(s.column)
	if err != nil {
		return nil, err
	}
	answer := &parshall.Answer{}
	if s.format == "l" {
		scaled(s, frame, answer, parshall.Numbers[int64](read), int64(s.factor))
	} else {
		scaled(s, frame, answer, parshall.Numbers[float64](read), s.factor)
	}
	return answer, nil
}

// scaled works in place: what was read is the stage's own.
func scaled[T int64 | float64](s *scale, frame *parshall.Frame, answer *parshall.Answer, column parshall.Column[T], factor T) {
	output := answer.Out()
	if s.rejects && column.Validity.Nulls > 0 {
		output.Keep(column.Validity.Bits)
		kept := column.Values[:0]
		for row, value := range column.Values {
			if column.Validity.Valid(row) {
				kept = append(kept, value)
			} else {
				answer.Reject(row, s.reason)
			}
		}
		column = parshall.Column[T]{Values: kept}
	}
	for row := range column.Values {
		column.Values[row] *= factor
	}
	parshall.Replace(output, frame, s.column, column)
}
