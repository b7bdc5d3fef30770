from array import array

import parshall


@parshall.transform(name="hello", version="0.1.0", summary="Doubles the column `n`")
class Hello:
    def open(self, inputs):
        parshall.same_schema(inputs).index("n", "l")

    def process(self, frame):
        n = frame["n"]
        return frame.out().replace("n", array("q", [2 * value for value in n.values]), n.validity, n.nulls)
