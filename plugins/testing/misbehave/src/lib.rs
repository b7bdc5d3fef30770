//! What a version may do wrong, from a batch on or where some rows are: for tests of trials, rollbacks and failure policies.

use parshall_sdk::prelude::*;

/// What it does wrong.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Nothing.
    #[default]
    Nothing,
    /// It traps.
    Trap,
    /// It answers an error.
    Error,
    /// It says that the data is wrong.
    Data,
    /// It says that something outside does not answer.
    Unavailable,
    /// It answers with a column that there is not.
    Lie,
    /// It does not come back.
    Loop,
    /// It allocates without end.
    Bomb,
    /// It rejects all rows.
    Reject,
    /// It computes for no reason.
    Spin,
    /// It allocates for no reason.
    Hoard,
    /// It traps in `finish`.
    TrapAtEnd,
    /// It traps in `snapshot`.
    TrapInSnapshot,
    /// It cannot be opened with a state.
    RefuseState,
}

/// In the configuration of a stage.
#[derive(Clone, Copy, Default, Deserialize)]
pub struct Misbehaviour {
    /// What it does wrong.
    #[serde(default)]
    pub misbehave: What,
    /// Batches that it does well.
    #[serde(default)]
    pub after: u64,
    /// Batches after those that it does wrong; without it, all of them.
    #[serde(default)]
    pub times: Option<u64>,
    /// Only a batch is done wrong with a row whose `n` leaves `at` when it is divided by this.
    #[serde(default)]
    pub every: Option<i64>,
    /// See `every`.
    #[serde(default)]
    pub at: i64,
    /// Bytes that are never given back, with every batch.
    #[serde(default)]
    pub leak: usize,
}

/// A misbehaviour that waits for its batch.
#[derive(Default)]
pub struct Fuse {
    how: Misbehaviour,
    seen: u64,
    hoard: Vec<u8>,
}

impl Fuse {
    /// Of a configuration.
    pub fn new(how: Misbehaviour) -> Self {
        Fuse { how, ..Fuse::default() }
    }

    /// Whether this is what it does wrong, whenever that may be.
    pub fn is(&self, what: What) -> bool {
        self.how.misbehave == what
    }

    /// Whether it has to see column `n` of a batch.
    pub fn looks(&self) -> bool {
        self.how.every.is_some()
    }

    /// A batch comes by, with these `n` if it has to see them: traps, fails, or answers what is to be done.
    pub fn batch(&mut self, numbers: &[i64]) -> Result<Do, StageError> {
        if self.how.leak > 0 {
            std::mem::forget(core::hint::black_box(vec![1_u8; self.how.leak]));
        }
        self.seen += 1;
        let over = self.how.times.is_some_and(|times| self.seen > self.how.after + times);
        let touched = self.how.every.is_none_or(|every| numbers.iter().any(|number| number.rem_euclid(every) == self.how.at));
        if self.seen <= self.how.after || over || !touched {
            return Ok(Do::AsUsual);
        }
        match self.how.misbehave {
            What::Trap => panic!("misbehaves"),
            What::Error => return Err(StageError::Internal("misbehaves".into())),
            What::Data => return Err(StageError::Data("misbehaves".into())),
            What::Unavailable => return Err(StageError::Unavailable("misbehaves".into())),
            What::Lie => return Ok(Do::Lie),
            What::Reject => return Ok(Do::Reject),
            What::Loop => loop {
                core::hint::spin_loop();
            },
            What::Bomb => loop {
                std::mem::forget(core::hint::black_box(vec![1_u8; 1 << 20]));
            },
            What::Spin => {
                let sum = (0..2_000_000_u64).fold(0, |sum: u64, number| core::hint::black_box(sum.wrapping_mul(31) ^ number));
                core::hint::black_box(sum);
            }
            What::Hoard => self.hoard.resize(self.hoard.len().max(8 << 20), 1),
            _ => {}
        }
        Ok(Do::AsUsual)
    }
}

/// What is to be done with a batch.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Do {
    /// What the stage does.
    AsUsual,
    /// All rows are rejected.
    Reject,
    /// It is answered with a column that there is not.
    Lie,
}

/// Column `n` of a batch.
#[macro_export]
macro_rules! numbers {
    ($fuse:expr, $frame:expr) => {
        match $fuse.looks() {
            true => $frame.typed::<arrow_array::Int64Array>(column_index($frame.schema(), "n", "")?)?.values().to_vec(),
            false => Vec::new(),
        }
    };
}

/// An answer with a column that there is not.
pub fn lie() -> Answer {
    Output::of(Rows::All).columns([Column::Input(9_999)]).into()
}

/// Every row rejected.
pub fn reject_all(frame: &Frame) -> Answer {
    Answer::nothing().rejecting((0..frame.rows() as u32).map(|row| Rejection { row, reason: "misbehaves".into() }).collect())
}
