//! One integration binary: what Parshall does, through its public surface and with the components in `plugins/dist`.
//! `PARSHALL_DIST=FOLDER` runs the same tests on freshly built ones.

mod aggregate;
mod bench;
mod binary;
mod command;
mod components;
mod contract;
mod dashboards;
mod delivery;
mod examples;
mod expressions;
mod failures;
mod follow;
mod fuel;
mod generate;
mod graphs;
mod hostile;
mod http;
mod languages;
mod leaving;
mod limits;
mod live;
mod logs;
mod memory;
mod metrics;
mod parse_log;
mod policy;
mod propagation;
mod receiver;
mod report;
mod round_trip;
mod security;
mod select;
mod server;
mod stopping;
mod swap;
mod terminal;
mod tidy;
mod traces;
mod validate;
mod wasi;
mod wasi_http;
#[path = "../benches/work.rs"]
mod work;
mod wrong_files;
