module parshall

go 1.24
