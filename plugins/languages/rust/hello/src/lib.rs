use parshall_light::*;

struct Hello(usize);

impl Transform for Hello {
    type Config = NoConfig;
    const DESCRIPTION: Description = Description { name: "hello", summary: "Doubles the column `n`", ..Description::EMPTY };
    fn open(_: NoConfig, inputs: &[Input], _: Option<&[u8]>) -> Result<(Self, Vec<Port>), StageError> {
        let schema = same_schema(inputs)?;
        Ok((Hello(schema.index("n", &["l"], "")?), Port::out(schema)))
    }
    fn process(&mut self, frame: &Frame) -> Result<Answer, StageError> {
        frame.read(&[self.0])?;
        let n = frame.numbers::<i64>();
        n.values.iter_mut().for_each(|value| *value = value.wrapping_mul(2));
        Ok(Output::all().replace(frame, self.0, n).into())
    }
}
transform!(Hello);
