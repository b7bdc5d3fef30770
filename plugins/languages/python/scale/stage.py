"""The reference stage `scale`: one column times a factor; all others stay where they are."""

from array import array
from typing import Literal

import parshall

HALF, WHOLE = 1 << 63, 1 << 64


@parshall.transform(name="scale-python", version="0.1.0", summary="Multiplies an int64 or float64 column by a factor")
class Scale:
    column: str
    factor: float = 2
    nulls: Literal["keep", "reject"] = "keep"

    def open(self, inputs):
        schema = parshall.same_schema(inputs)
        self.index = schema.index(self.column, "lg", "/column")
        self.whole = schema.fields[self.index].format == "l"
        if self.whole and self.factor != int(self.factor):
            raise parshall.config_error("/factor", "an int64 column wants a whole number")
        if self.whole:
            self.factor = int(self.factor)

    def process(self, frame):
        [read] = frame.columns(self.index)
        output = frame.out()
        values, validity, nulls = read.values, read.validity, read.nulls
        if self.nulls == "reject" and nulls:
            output.keep(validity)
            mask = read.mask()
            for row, valid in enumerate(mask):
                if not valid:
                    output.reject(row, f"`{self.column}` is null")
            values = [value for value, valid in zip(values, mask) if valid]
            validity, nulls = None, 0
        return output.replace(self.index, self.scaled(values), validity, nulls)

    def scaled(self, values):
        factor = self.factor
        if not self.whole:
            return array("d", [value * factor for value in values])
        try:
            return array("q", [value * factor for value in values])
        except OverflowError:
            # Products wrap, as those of other languages do.
            return array("q", [(value * factor + HALF) % WHOLE - HALF for value in values])
