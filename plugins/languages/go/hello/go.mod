module hello

go 1.24

require parshall v0.0.0

replace parshall => ../sdk
