import parshall


@parshall.load(name="hello", version="0.1.0", summary="Sums the column `n`, and tells the sum at every commit")
class Hello:
    def open(self, inputs):
        parshall.same_schema(inputs).index("n", "l")
        self.rows = self.sum = 0

    def write(self, frame):
        n = list(frame["n"])
        known = [value for value in n if value is not None]
        self.rows, self.sum = self.rows + len(known), self.sum + sum(known)
        return [(row, "`n` is null") for row, value in enumerate(n) if value is None]

    def commit(self, last):
        parshall.log("info", "rows were summed", {"rows": self.rows, "sum": self.sum})
        rows, self.rows = self.rows, 0
        return rows, f"the log, as {self.sum}"
