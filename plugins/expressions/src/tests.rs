//! Tables: expressions with the rows that come out, and wrong expressions with what is said and where.

mod mistakes;
mod results;

use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer};
use arrow_data::ArrayData;
use arrow_schema::{DataType, Field, Schema, TimeUnit};

use crate::{
    batch::Batch,
    expression::Expression,
    mistake::Mistake,
    scope::Scope,
    types::Type,
    value::{Scalar, Value},
};

const ROWS: usize = 4;

/// The columns of the tables, four rows each; the third is null in those that can be.
fn schema() -> Schema {
    let field = |name: &str, data_type| Field::new(name, data_type, true);
    Schema::new(vec![
        Field::new("id", DataType::Int64, false),
        field("n", DataType::Int32),
        field("x", DataType::Float64),
        field("s", DataType::Utf8),
        field("b", DataType::Boolean),
        field("d", DataType::Date32),
        field("t", DataType::Timestamp(TimeUnit::Millisecond, None)),
        field("z", DataType::Timestamp(TimeUnit::Second, Some("+02:00".into()))),
        field("berlin", DataType::Timestamp(TimeUnit::Second, Some("Europe/Berlin".into()))),
        field("a b", DataType::Int64),
        field("big", DataType::Int64),
        field("blob", DataType::Binary),
        field("digits", DataType::Utf8),
        field("price", DataType::Decimal128(10, 2)),
        field("word", DataType::Dictionary(DataType::Int8.into(), DataType::Utf8.into())),
        field("view", DataType::Utf8View),
        field("codes", DataType::Dictionary(DataType::Int8.into(), DataType::Int64.into())),
    ])
}

fn nulls() -> NullBuffer {
    NullBuffer::from(vec![true, true, false, true])
}

fn built(data_type: DataType, buffers: Vec<Buffer>, nullable: bool) -> ArrayData {
    let nulls = nullable.then(nulls);
    ArrayData::builder(data_type).len(ROWS).nulls(nulls).buffers(buffers).build().unwrap()
}

fn texts(words: [&str; ROWS]) -> Vec<Buffer> {
    let ends = words.iter().scan(0, |end, word| {
        *end += word.len() as i32;
        Some(*end)
    });
    vec![Buffer::from_vec(std::iter::once(0).chain(ends).collect::<Vec<i32>>()), Buffer::from_vec(words.concat().into_bytes())]
}

fn column(field: &Field) -> ArrayData {
    let data_type = field.data_type().clone();
    let ints = |values: [i64; ROWS]| vec![Buffer::from_vec(values.to_vec())];
    let buffers = match field.name().as_str() {
        "id" => ints([1, 2, 3, 4]),
        "n" => vec![Buffer::from_vec(vec![10i32, -7, i32::MIN, 0])],
        "x" => vec![Buffer::from_vec(vec![2.5f64, -0.5, 99.0, f64::NAN])],
        "s" | "digits" if field.name() == "s" => texts(["Anna", "bö_b", "", "%c "]),
        "digits" => texts(["12", " 7 ", "", "4x"]),
        "b" => vec![BooleanBuffer::from(vec![true, false, true, true]).into_inner()],
        // 2024-02-29, 1969-12-31, null, 2023-01-01
        "d" => vec![Buffer::from_vec(vec![19782i32, -1, 0, 19358])],
        // 2024-02-29 13:45:01.250, 1969-12-31 23:59:59.999, null, 1970-01-01
        "t" => ints([1_709_214_301_250, -1, 0, 0]),
        "z" | "berlin" => ints([1_709_214_301, -1, 0, 0]),
        "a b" => ints([1, 1, 1, 2]),
        "big" => ints([i64::MAX, 1, i64::MIN, 3_000_000_000]),
        "blob" => texts(["a", "b", "", "d"]),
        "price" => vec![Buffer::from_vec(vec![1999i128, -5, 0, 10])],
        "word" => {
            let words = ArrayData::builder(DataType::Utf8).len(ROWS).buffers(texts(["UA", "AA", "DL", "x"])).build().unwrap();
            let keys = ArrayData::builder(data_type).len(ROWS).nulls(Some(nulls()));
            return keys.add_buffer(Buffer::from_vec(vec![1i8, 0, 0, 2])).add_child_data(words).build().unwrap();
        }
        "view" => {
            let long = "longer than twelve";
            let short = |text: &str| {
                let mut view = [0; 16];
                view[0] = text.len() as u8;
                view[4..4 + text.len()].copy_from_slice(text.as_bytes());
                u128::from_le_bytes(view)
            };
            let prefix = u32::from_le_bytes(*b"long");
            let far = long.len() as u128 | u128::from(prefix) << 32;
            vec![Buffer::from_vec(vec![short("tiny"), far, 0, short("")]), Buffer::from_vec(long.as_bytes().to_vec())]
        }
        other => panic!("{other}"),
    };
    built(data_type, buffers, field.is_nullable())
}

fn compiled(text: &str) -> Result<Expression, Mistake> {
    Expression::compile(text, &Scope::of(&schema()))
}

fn mistake(text: &str) -> Mistake {
    compiled(text).err().unwrap_or_else(|| panic!("`{text}` is accepted"))
}

fn batch(expression: &Expression) -> Batch {
    let schema = schema();
    let mut batch = Batch::new(ROWS);
    for &index in expression.mentions() {
        batch.insert(index, &column(schema.field(index))).unwrap();
    }
    batch
}

/// What comes out, row by row, or what is said of the row that fails.
fn rows(text: &str) -> Result<[Scalar; ROWS], String> {
    let expression = compiled(text).unwrap_or_else(|mistake| panic!("`{text}`: {mistake:?}"));
    let value = expression.evaluate(&batch(&expression)).map_err(|error| format!("{error:?}"))?;
    let array = expression.array(&value, ROWS);
    array.validate_full().unwrap_or_else(|error| panic!("`{text}`: {error}"));
    assert_eq!(array.data_type(), &expression.data_type(), "`{text}`");
    let found: [Scalar; ROWS] = std::array::from_fn(|row| value.get(row));
    assert!(expression.is_nullable() || !found.contains(&Scalar::Null), "`{text}` was said never to be null");
    Ok(found)
}

/// Something that can be expected of a row.
trait Expected {
    fn scalar(self) -> Scalar;
}

impl Expected for bool {
    fn scalar(self) -> Scalar {
        Scalar::Bool(self)
    }
}

impl Expected for i64 {
    fn scalar(self) -> Scalar {
        Scalar::Int(self)
    }
}

impl Expected for f64 {
    fn scalar(self) -> Scalar {
        Scalar::Float(self)
    }
}

impl Expected for &str {
    fn scalar(self) -> Scalar {
        Scalar::Text(self.into())
    }
}

fn check<T: Expected>(text: &str, expected: [Option<T>; ROWS]) {
    let expected = expected.map(|value| value.map_or(Scalar::Null, Expected::scalar));
    let found = rows(text).unwrap_or_else(|error| panic!("`{text}`: {error}"));
    // NaN equals itself here.
    assert_eq!(format!("{found:?}"), format!("{expected:?}"), "`{text}`");
}

/// What a constant folds to.
fn folded(text: &str) -> Scalar {
    let expression = compiled(text).unwrap_or_else(|mistake| panic!("`{text}`: {mistake:?}"));
    match expression.evaluate(&Batch::constant()).unwrap() {
        Value::One(scalar) => scalar,
        Value::Many(_) => panic!("`{text}` is computed row by row"),
    }
}

fn kind(text: &str) -> Type {
    Type::of(&compiled(text).unwrap_or_else(|mistake| panic!("`{text}`: {mistake:?}")).data_type())
}
