//! Counts rows and keeps nothing: the cheapest load there can be.

use parshall_sdk::prelude::*;

struct Collect {
    /// Since the last commit.
    rows: u64,
}

impl Load for Collect {
    type Config = NoConfig;
    const DESCRIPTION: Description = describe!("Counts rows").stateful();

    fn open(_: NoConfig, _: &[Input], restore: Option<Vec<u8>>) -> Result<Self, StageError> {
        Ok(Self { rows: restore.and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_le_bytes) })
    }

    fn write(&mut self, frame: &Frame) -> Result<Vec<Rejection>, StageError> {
        self.rows += frame.rows() as u64;
        Ok(Vec::new())
    }

    fn commit(&mut self, _last: bool) -> Result<Receipt, StageError> {
        Ok(Receipt { rows: std::mem::take(&mut self.rows), location: "nowhere".into() })
    }

    fn snapshot(&mut self) -> Result<Vec<u8>, StageError> {
        Ok(self.rows.to_le_bytes().to_vec())
    }
}

export_load!(Collect);
