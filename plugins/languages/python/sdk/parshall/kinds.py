"""Arrow's types by the letters of the C data interface: what people call them, how they lie in memory, what fits in."""

from array import array

#: What people call them; what stands behind a colon is a parameter.
NAMES = dict(
    pair.split(" ")
    for pair in (
        "n null,b bool,c int8,C uint8,s int16,S uint16,i int32,I uint32,l int64,L uint64,e float16,f float32,g float64,z binary,"
        "Z large_binary,vz binary_view,u utf8,U large_utf8,vu utf8_view,tdD date32,tdm date64,tts time32[s],ttm time32[ms],ttu time64[us],"
        "ttn time64[ns],tDs duration[s],tDm duration[ms],tDu duration[us],tDn duration[ns],tiM interval[year_month],tiD interval[day_time],"
        "tin interval[month_day_nano],tss timestamp[s],tsm timestamp[ms],tsu timestamp[us],tsn timestamp[ns],d decimal,w fixed_size_binary,"
        "+l list,+L large_list,+vl list_view,+vL large_list_view,+w fixed_size_list,+s struct,+m map,+r run_end_encoded,+ud union,+us union"
    ).split(",")
)

#: Python's letters of numbers, by Arrow's. Dates, times and durations are whole numbers of their unit.
LETTERS = {"c": "b", "C": "B", "s": "h", "S": "H", "i": "i", "I": "I", "l": "q", "L": "Q", "f": "f", "g": "d"}
LETTERS |= {"tdD": "i", "tts": "i", "ttm": "i"}
LETTERS |= {letters: "q" for letters in ("tdm", "ttu", "ttn", "tDs", "tDm", "tDu", "tDn", "tss", "tsm", "tsu", "tsn")}


def name(format, dictionary=False):
    """A type as a person reads it, with its letter: `int64 (l)`."""
    known = NAMES.get(format.split(":")[0])
    text = f"{known} ({format})" if known else f"a type of the format `{format}`"
    return f"a dictionary of {text}" if dictionary else text


def letter(format):
    """Python's letter of a type of numbers; nothing of another type."""
    return LETTERS.get(format.split(":")[0])


def same(code, view):
    """Whether the values of a memoryview lie as those of a letter of Python's do."""
    if code is None or view.format == code:
        return code is not None
    return view.itemsize == array(code).itemsize and (view.format in "fd") == (code in "fd")


def numbers(column, format, values):
    """Values as an array of a column's type, with a nought for None; what does not fit is told with its row."""
    code = letter(format)
    try:
        return array(code, values)
    except (OverflowError, TypeError):
        values = list(values)
    found = array(code)
    for row, value in enumerate(values):
        try:
            found.append(0 if value is None else value)
        except (OverflowError, TypeError):
            raise ValueError(f'column "{column}", row {row}: {_misfit(format, code, found.itemsize, value)}') from None
    return found


def _misfit(format, code, size, value):
    kind = name(format)
    if code in "fd":
        return f"expected a number for {kind}, found {value!r}"
    if not isinstance(value, int):
        return f"expected a whole number for {kind}, found {value!r}"
    least, most = (0, 2 ** (8 * size) - 1) if code.isupper() else (-(2 ** (8 * size - 1)), 2 ** (8 * size - 1) - 1)
    return f"{value} does not fit {kind}, which goes from {least} to {most}"
