//! Prometheus' text form, read by the letter.

use std::collections::{BTreeMap, BTreeSet};

/// What a scrape has.
#[derive(Default)]
pub struct Scraped {
    /// Metric → type.
    pub kinds: BTreeMap<String, String>,
    /// Name of the series → its labels and value.
    pub series: Vec<(String, BTreeMap<String, String>, f64)>,
}

impl Scraped {
    pub fn read(text: &str) -> Self {
        let mut scraped = Scraped::default();
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').unwrap();
                assert!(scraped.kinds.insert(name.into(), kind.into()).is_none(), "{name} is there twice");
            } else if !line.starts_with('#') && !line.is_empty() {
                scraped.series.push(series(line));
            }
        }
        let unlike: BTreeSet<_> = scraped.series.iter().map(|(name, labels, _)| (name, labels)).collect();
        assert_eq!(unlike.len(), scraped.series.len(), "a series is there twice");
        scraped
    }

    /// The metric that a series is of.
    pub fn metric<'a>(&self, series: &'a str) -> &'a str {
        let parts = ["_bucket", "_sum", "_count"].iter().find_map(|part| series.strip_suffix(part));
        parts.filter(|name| self.kinds.get(*name).is_some_and(|kind| kind == "histogram")).unwrap_or(series)
    }

    /// Series of this name and these labels, and possibly more.
    pub fn find(&self, name: &str, labels: &[(&str, &str)]) -> Vec<f64> {
        let fits = |found: &BTreeMap<String, String>| labels.iter().all(|(key, value)| found.get(*key).is_some_and(|found| found == value));
        self.series.iter().filter(|(found, of, _)| found == name && fits(of)).map(|(_, _, value)| *value).collect()
    }

    /// The only one.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let found = self.find(name, labels);
        assert_eq!(found.len(), 1, "{name}{labels:?} is there {} times", found.len());
        found[0]
    }

    /// The values that a label has.
    pub fn labels(&self, name: &str, label: &str) -> BTreeSet<String> {
        self.series.iter().filter(|(found, ..)| found == name).filter_map(|(_, labels, _)| labels.get(label).cloned()).collect()
    }
}

fn series(line: &str) -> (String, BTreeMap<String, String>, f64) {
    let (series, value) = line.rsplit_once(' ').unwrap();
    let value = value.replace("+Inf", "inf").parse().unwrap_or_else(|_| panic!("no number: {line}"));
    let Some((name, rest)) = series.split_once('{') else { return (series.to_owned(), BTreeMap::new(), value) };
    let labels = rest.strip_suffix('}').unwrap().split("\",").map(|pair| {
        let (name, value) = pair.split_once("=\"").unwrap_or_else(|| panic!("no label: {line}"));
        (name.to_owned(), value.trim_end_matches('"').to_owned())
    });
    (name.to_owned(), labels.collect(), value)
}
