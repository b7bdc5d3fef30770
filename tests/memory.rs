//! Memory stays flat however much flows through.

use std::{fs, thread, time::Duration};

use serde_json::Value;

use crate::binary::{folder, parshall, pipeline, project};

const MIB: u64 = 1 << 20;

/// Aggregates flights-2013-01.parquet so many times; answers the report, and resident memory as it went.
fn flights(times: usize) -> (Value, Vec<u64>) {
    let here = folder();
    let data = here.path().join("data");
    fs::create_dir(&data).unwrap();
    let first = data.join("flights-0000.parquet");
    fs::copy(project("examples/flights/data/flights-2013-01.parquet"), &first).unwrap();
    (1..times).for_each(|copy| fs::hard_link(&first, data.join(format!("flights-{copy:04}.parquet"))).unwrap());
    pipeline(
        &here,
        r#"
        [extract.flights]
        component = "std:read"
        config = { path = "data/*.parquet" }
        grants = { read = ["data/"] }
        [transform.by_carrier]
        inputs = ["flights"]
        component = "std:aggregate"
        config = { group_by = ["carrier"], aggregates = { flights = "count()", planes = "count_distinct(tailnum)" } }
        [load.summary]
        inputs = ["by_carrier"]
        component = "std:write"
        config = { to = "out/summary.csv" }
        grants = { write = ["out/"] }"#,
    );
    let mut command = parshall();
    command.current_dir(here.path()).args(["run", "pipeline.toml", "--report-file", "report.json", "--report", "none"]);
    let mut child = command.spawn().unwrap();
    let mut samples = Vec::new();
    while child.try_wait().unwrap().is_none() {
        samples.extend(resident(child.id()));
        thread::sleep(Duration::from_millis(5));
    }
    assert!(child.wait().unwrap().success());
    (serde_json::from_str(&fs::read_to_string(here.path().join("report.json")).unwrap()).unwrap(), samples)
}

/// Resident memory of a process, in bytes.
fn resident(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().trim_end_matches("kB").trim().parse::<u64>().ok()? * 1024)
}

/// The middle of the samples between these percentages of the run.
fn median(samples: &[u64], percent: std::ops::Range<usize>) -> u64 {
    let mut window = samples[samples.len() * percent.start / 100..samples.len() * percent.end / 100].to_vec();
    window.sort_unstable();
    window[window.len() / 2]
}

/// Protects against anything that is kept per batch or per file: 27 million rows in a thousand files.
#[test]
#[cfg(target_os = "linux")]
fn memory_is_flat_over_a_thousand_times_the_input() {
    let (report, samples) = flights(1_000);
    let stage = &report["stages"][0];
    assert_eq!(stage["rows"]["out"], 27_004_000);
    let bytes = stage["calls"]["bytes_stayed"].as_u64().unwrap();
    let (early, late, peak) = (median(&samples, 10..20), median(&samples, 85..95), samples.iter().max().unwrap());
    let seconds = report["seconds"].as_f64().unwrap();
    println!(
        "{} MiB of batches in {seconds:.1} s; resident: {} MiB after a tenth, {} MiB towards the end, at most {} MiB",
        bytes / MIB,
        early / MIB,
        late / MIB,
        peak / MIB
    );
    assert!(late <= early + early / 4 + 8 * MIB, "resident: {} MiB after a tenth, {} MiB towards the end", early / MIB, late / MIB);
    assert!(peak * 16 < bytes, "{} MiB of memory for {} MiB of batches", peak / MIB, bytes / MIB);
}
