"""The reference stage `total`: how many values a column has and their sum, by key, in the order in which keys came."""

import struct
from array import array

import parshall

MAGIC = b"total\x01"
NO_KEY = 0xFFFFFFFF
HALF, WHOLE = 1 << 63, 1 << 64


@parshall.transform(name="total-python", version="0.1.0", summary="Counts and sums an int64 or float64 column, by key")
class Total:
    value: str
    key: str | None = None

    def open(self, inputs):
        schema = parshall.same_schema(inputs)
        self.columns = [schema.index(self.value, "lg", "/value")]
        self.format = schema.fields[self.columns[0]].format
        fields = [parshall.field("count", "l"), parshall.field("sum", self.format)]
        if self.key is not None:
            self.columns.append(schema.index(self.key, "u", "/key"))
            fields.insert(0, parshall.field(self.key, "u", nullable=True))
        # By key: how many, and their sum. Python's dictionaries keep the order of coming.
        self.groups = {} if self.key is not None else {None: [0, self.nought()]}
        self.told = False
        return [parshall.port(*fields)]

    def nought(self):
        return 0 if self.format == "l" else 0.0

    def process(self, frame):
        values, *keys = frame.columns(*self.columns)
        keys = keys[0].texts() if keys else [None] * len(values)
        for key, value, valid in zip(keys, values.values, values.mask()):
            group = self.groups.get(key)
            if group is None:
                group = self.groups[key] = [0, self.nought()]
            if valid:
                group[0] += 1
                group[1] += value

    def sums(self):
        sums = [sum for _, sum in self.groups.values()]
        return array("d", sums) if self.format == "g" else array("q", [(sum + HALF) % WHOLE - HALF for sum in sums])

    def finish(self):
        if self.told or not self.groups:
            return None
        self.told = True
        output = parshall.fresh(len(self.groups))
        if self.key is not None:
            output.add_texts(list(self.groups))
        return output.add(array("q", [count for count, _ in self.groups.values()])).add(self.sums())

    # === snapshots: a form that every language's `total` knows ===

    def kind(self):
        return MAGIC + self.format.encode() + (b"-" if self.key is None else b"k")

    def snapshot(self):
        parts = [self.kind(), struct.pack("<I", len(self.groups))]
        for (key, (count, _)), sum in zip(self.groups.items(), self.sums()):
            if self.key is not None:
                parts += [struct.pack("<I", NO_KEY if key is None else len(key)), key or b""]
            parts.append(struct.pack("<q" + LETTER[self.format], count, sum))
        return b"".join(parts)

    def restore(self, snapshot):
        try:
            self.groups = self.read(snapshot)
        except (struct.error, ValueError):
            raise ValueError("these bytes are no snapshot of this stage") from None

    def read(self, snapshot):
        kind = self.kind()
        if not snapshot.startswith(kind):
            raise ValueError
        groups, at = {}, len(kind) + 4
        [count] = struct.unpack_from("<I", snapshot, len(kind))
        for _ in range(count):
            key = None
            if self.key is not None:
                [length] = struct.unpack_from("<I", snapshot, at)
                at += 4
                if length != NO_KEY:
                    key = snapshot[at : at + length]
                    at += length
            groups[key] = list(struct.unpack_from("<q" + LETTER[self.format], snapshot, at))
            at += 16
        if at != len(snapshot):
            raise ValueError
        return groups


LETTER = {"l": "q", "g": "d"}
