//! A guest's words on their way into the host's logs.

use crate::{wasm::host::Meter, words::limits::Limits};

/// Whether another log record of this call is within its limit; one that is not is counted as dropped.
pub fn admit(meter: &mut Meter, limits: &Limits) -> bool {
    let admitted = meter.logs < limits.logs;
    *(if admitted { &mut meter.logs } else { &mut meter.dropped }) += 1;
    admitted
}

/// A guest's text within its limit, and without the control characters by which it could forge lines or colours.
pub fn printable(text: &str, limit: usize) -> String {
    let end = text.floor_char_boundary(limit);
    let mut printable: String = text[..end].chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if end < text.len() {
        printable.push('…');
    }
    printable
}
