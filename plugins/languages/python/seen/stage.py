import parshall


@parshall.transform(name="seen", version="0.1.0", summary="Counts rows in a store that outlives the instance")
class Seen:
    def process(self, frame):
        rows = int.from_bytes(parshall.state.get("rows", b""), "little") + frame.rows
        parshall.state["rows"] = rows.to_bytes(8, "little")
        parshall.log("info", "rows were seen", {"seen.rows": rows})
        parshall.count("seen", frame.rows)
        parshall.observe("batch", frame.rows)
        return frame.out()
