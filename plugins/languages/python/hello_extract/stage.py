import parshall


@parshall.extract(name="hello", version="0.1.0", summary="Counts", columns={"n": "l", "label": "u"})
class Hello:
    rows: int = 10
    batch_rows: int = 4

    def batches(self, position):
        # What came with the last batch that was safely loaded, or nothing: here, how many rows there were.
        for done in range(int(position or 0), self.rows, self.batch_rows):
            n = list(range(done + 1, min(done + self.batch_rows, self.rows) + 1))
            yield parshall.batch({"n": n, "label": [f"number {one}" for one in n]}, position=str(n[-1]))
