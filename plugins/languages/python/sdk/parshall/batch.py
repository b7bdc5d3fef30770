"""Batches: what the host holds and what leaves."""

from array import array

from componentize_py_types import Err
from wit_world.imports import frames, types

from . import kinds
from .errors import data_error, schema_error
from .schema import DICTIONARY, Schema

#: The schemas of the ports that the stage has opened, by their index.
_ports = []


def opened(ports):
    """From here on, what leaves has these ports' schemas."""
    _ports[:] = [Schema(port.schema) for port in ports]


class Column:
    """A column. Of numbers, `values` is a memoryview, of booleans a list; of strings, `column[row]` is bytes and `offsets` a memoryview."""

    def __init__(self, format, node, buffers):
        self.nulls = node.null_count
        self.validity = buffers[0] or None
        self.length = node.length
        if format == "u":
            self.offsets = memoryview(buffers[1]).cast("i")
            self.text = buffers[2]
        elif format == "b":
            self.values = _flags(buffers[1], self.length)
        else:
            self.values = memoryview(buffers[1]).cast(kinds.letter(format))

    def __len__(self):
        return self.length

    def __getitem__(self, row):
        """The value of a row; null is None."""
        if not -self.length <= row < self.length:
            raise IndexError(f"there is no row {row}: there are {self.length}, from 0 on")
        row %= self.length
        if not self.valid(row):
            return None
        return self.values[row] if hasattr(self, "values") else self.text[self.offsets[row] : self.offsets[row + 1]]

    def valid(self, row):
        """Whether a row is not null."""
        return not self.validity or self.validity[row >> 3] >> (row & 7) & 1 == 1

    def mask(self):
        """For each row whether it is not null."""
        return _flags(self.validity, self.length) if self.nulls else [True] * self.length

    def texts(self):
        """All strings, as bytes; null as None."""
        text, offsets = self.text, self.offsets.tolist()
        found = [text[begin:end] for begin, end in zip(offsets, offsets[1:])]
        if self.nulls:
            found = [one if valid else None for one, valid in zip(found, self.mask())]
        return found


def _flags(bits, length):
    return [bool(byte >> bit & 1) for byte in bits for bit in range(8)][:length]


class Frame:
    """A batch that the host holds: `frame[name]` copies one column in, `frame.read(…)` several in one crossing."""

    def __init__(self, raw, rows, input, schema):
        self.raw, self.rows, self.input, self.schema = raw, rows, input, schema

    def read(self, *names):
        """Columns by name."""
        return self.columns(*names)

    def columns(self, *columns):
        """Columns by index, or by name."""
        indices = [self.schema.place(column) for column in columns]
        formats = [self._readable(index) for index in indices]
        try:
            arrays = self.raw.read(indices)
        except Err as error:
            raise self._unread(indices, error.value) from None
        found, at = [], 0
        for format, node in zip(formats, arrays.nodes):
            count = 3 if format == "u" else 2
            found.append(Column(format, node, arrays.buffers[at : at + count]))
            at += count
        return found

    def _readable(self, index):
        field = self.schema.fields[index]
        if field.flags & DICTIONARY or not (field.format in "ub" or kinds.letter(field.format)):
            found = self.schema._found[index]
            raise schema_error(field.name, f"expected a type that this SDK reads (numbers, bool, utf8, dates and times), found {found}")
        return field.format

    def _unread(self, indices, error):
        named = ", ".join(f"`{self.schema.names[index]}`" for index in indices)
        if isinstance(error, frames.FrameError_TooLarge):
            return data_error(
                f"{named} of this batch ({self.rows} rows) are more than the limit `read_bytes` of {error.value} bytes: "
                "read fewer columns, have smaller batches, or raise `limits.read_bytes` of this stage"
            )
        return data_error(f"{named} cannot be read: there is no column {error.value}")

    def __getitem__(self, name):
        return self.read(name)[0]

    def out(self):
        """Every row and column of this batch, until told otherwise."""
        return Output(len(self.schema.names), self.schema)


class Output:
    """One batch that leaves. Its methods answer it, so that they can be written one after the other."""

    def __init__(self, width=0, schema=None, port=0):
        self.port, self.schema = port, schema
        self.rows = types.Rows_All()
        self.sources = [types.Column_Input(index) for index in range(width)]
        self.untouched = True
        self.nodes, self.buffers = [], []
        self.rejections = []

    def keep(self, bits):
        """Only the rows whose bit is set; every made column has a value for each of those."""
        self.rows = types.Rows_Bitmap(bytes(bits))
        return self

    def replace(self, column, values, validity=None, nulls=0):
        """Values instead of a column, named or by index: an array, a memoryview, or a list, in which None is null."""
        index = self.schema.place(column) if self.schema else column
        self.untouched = False
        self.sources[index] = types.Column_Made()
        return self._column(index, values, validity, nulls)

    def add(self, values, validity=None, nulls=0):
        """The next column of fresh rows: an array, a memoryview, or a list, in which None is null."""
        self.untouched = False
        self.sources.append(types.Column_Made())
        return self._column(len(self.sources) - 1, values, validity, nulls)

    def add_texts(self, texts):
        """The next column of fresh rows: strings, or their bytes; null as None."""
        self.untouched = False
        self.sources.append(types.Column_Made())
        return self._texts(texts)

    def _column(self, index, values, validity, nulls):
        field = self._field(index)
        if isinstance(values, (list, tuple)):
            if field is None:
                raise ValueError(f"column {index} is none of port {self.port}")
            if field.format == "u":
                return self._texts(values)
            missing = sum(value is None for value in values)
            if missing:
                validity, nulls = bits(value is not None for value in values), missing
            packed = bits(map(bool, values)) if field.format == "b" else kinds.numbers(field.name, field.format, values).tobytes()
            return self._made(len(values), validity, nulls, [packed])
        view = memoryview(values)
        if field is not None and not kinds.same(kinds.letter(field.format), view):
            found = f"values of the format '{view.format}', {view.itemsize} bytes each"
            raise ValueError(f'column "{field.name}": expected a list, or an array of {kinds.name(field.format)}, found {found}')
        return self._made(len(view), validity, nulls, [bytes(view)])

    def _field(self, index):
        """The field of the port that a column leaves by."""
        schema = _ports[self.port] if self.port < len(_ports) else None
        return schema.fields[index] if schema and index < len(schema.fields) else None

    def _texts(self, texts):
        texts = [text.encode() if isinstance(text, str) else text for text in texts]
        offsets, end = array("i", [0]), 0
        for text in texts:
            end += len(text or b"")
            offsets.append(end)
        nulls = sum(text is None for text in texts)
        validity = bits(text is not None for text in texts) if nulls else None
        return self._made(len(texts), validity, nulls, [offsets.tobytes(), b"".join(text or b"" for text in texts)])

    def _made(self, length, validity, nulls, buffers):
        self.nodes.append(types.Node(length, nulls if validity else 0, 0))
        self.buffers += [bytes(validity) if validity and nulls else b"", *buffers]
        return self

    def reject(self, row, reason):
        """Refuses a row of the batch; it must be among the rows of no output."""
        self.rejections.append(types.Rejection(row, reason))
        return self

    def _arrays(self):
        return types.Arrays(self.nodes, self.buffers)

    def _raw(self):
        columns = types.Columns_Untouched() if self.untouched else types.Columns_Each(self.sources)
        return types.Output(self.port, self.rows, columns, self._arrays())


def fresh(rows, port=0):
    """Rows that are not rows of an input: every column is added, in order."""
    output = Output(port=port)
    output.rows = types.Rows_Fresh(rows)
    output.untouched = False
    return output


def bits(flags):
    """One bit a flag, the least significant first."""
    packed, byte, at = bytearray(), 0, 0
    for flag in flags:
        byte |= bool(flag) << at
        at += 1
        if at == 8:
            packed.append(byte)
            byte = at = 0
    if at:
        packed.append(byte)
    return bytes(packed)
