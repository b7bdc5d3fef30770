//! One integration binary: what Parshall does, through its public surface and with the components in `plugins/dist`.
//! `PARSHALL_DIST=FOLDER` runs the same tests on freshly built ones.

mod aggregate;
mod components;
mod parse_log;
mod round_trip;
