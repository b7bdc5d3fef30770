package main

import "parshall"

type hello struct{ n int }

func (h hello) Process(frame *parshall.Frame) (*parshall.Answer, error) {
	n, err := parshall.ReadNumbers[int64](frame, h.n)
	for row := range n.Values {
		n.Values[row] *= 2
	}
	return parshall.Replacing(frame, h.n, n), err
}

func open(_ struct{}, opening *parshall.Opening) (hello, []parshall.Port, error) {
	schema, n, err := opening.Column("n", "", "l")
	return hello{n}, parshall.Out(schema), err
}

func init() {
	parshall.Register(parshall.Description{Name: "hello", Version: "0.1.0", Summary: "Doubles the column `n`"}, open)
}

func main() {}
