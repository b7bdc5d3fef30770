package main

import "parshall"

type hello struct{ column int }

func (h hello) Process(frame *parshall.Frame) (*parshall.Answer, error) {
	read, err := frame.Read(h.column)
	if err != nil {
		return nil, err
	}
	n, answer := parshall.Numbers[int64](read), &parshall.Answer{}
	for row := range n.Values {
		n.Values[row] *= 2
	}
	parshall.Replace(answer.Out(), frame, h.column, n)
	return answer, nil
}

func main() {}

func init() {
	parshall.Register(parshall.Description{Name: "hello", Version: "0.1.0", Summary: "Doubles the column `n`"},
		func(_ struct{}, opening *parshall.Opening) (h hello, _ []parshall.Port, err error) {
			schema := opening.Inputs[0].Schema
			h.column, err = schema.Index("n", "", "l")
			return h, parshall.Out(schema), err
		})
}
