//! Plots as SVG, drawn by hand: bars with whiskers, lines over two logarithms, stacked shares. Colours are the page's own classes.

use std::fmt::Write as _;

use crate::measure::Interval;

const WIDTH: f64 = 720.0;
/// Where names of bars end.
const LEFT: f64 = 170.0;
const RIGHT: f64 = 80.0;
const BAR: f64 = 16.0;
const STEP: f64 = 24.0;

/// Text for a page.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn svg(height: f64, label: &str, inside: &str) -> String {
    format!(r#"<svg viewBox="0 0 {WIDTH} {height:.0}" role="img" aria-label="{}">{inside}</svg>"#, escaped(label))
}

fn text(at: (f64, f64), anchor: &str, class: &str, words: &str) -> String {
    format!(r#"<text x="{:.1}" y="{:.1}" text-anchor="{anchor}" class="{class}">{}</text>"#, at.0, at.1, escaped(words))
}

/// A bar of a plot: its name, where it ends, what is written behind it, and the class of its colour.
pub struct Bar {
    pub name: String,
    pub value: Interval,
    pub told: String,
    pub class: &'static str,
}

/// Horizontal bars from 0, with whiskers.
pub fn bars(label: &str, bars: &[Bar]) -> String {
    let most = bars.iter().map(|bar| bar.value.high.max(bar.value.median)).fold(f64::MIN_POSITIVE, f64::max);
    let x = |value: f64| LEFT + value.max(0.0) / most * (WIDTH - LEFT - RIGHT);
    let mut inside = String::new();
    for (at, bar) in bars.iter().enumerate() {
        let (top, middle) = (4.0 + at as f64 * STEP, 4.0 + at as f64 * STEP + BAR / 2.0);
        inside += &text((LEFT - 8.0, middle + 4.0), "end", "name", &bar.name);
        let Interval { low, median, high } = bar.value;
        let _ = write!(
            inside,
            r#"<rect x="{LEFT}" y="{top}" width="{:.1}" height="{BAR}" rx="2" class="{}"><title>{}: {}</title></rect><path d="M{:.1} {middle}H{:.1}" class="whisker"/>"#,
            x(median) - LEFT,
            bar.class,
            escaped(&bar.name),
            escaped(&bar.told),
            x(low),
            x(high),
        );
        inside += &text((x(high.max(median)) + 6.0, middle + 4.0), "start", "value", &bar.told);
    }
    svg(8.0 + bars.len() as f64 * STEP, label, &inside)
}

/// A line of a plot: its name, its points, and the class of its colour.
pub struct Line {
    pub name: String,
    pub points: Vec<(f64, Interval)>,
    pub class: &'static str,
}

/// Lines over two logarithms, each with the band of its intervals. `told` writes what stands at the axis on the left, `rule` is a line
/// across.
pub fn lines(label: &str, lines: &[Line], told: impl Fn(f64) -> String, rule: Option<f64>) -> String {
    const HEIGHT: f64 = 260.0;
    const BOTTOM: f64 = 36.0;
    const SIDE: f64 = 64.0;
    const NAMES: f64 = 120.0;
    let points = || lines.iter().flat_map(|line| &line.points);
    let positive = |value: f64| value.is_finite() && value > 0.0;
    let values = points().flat_map(|(_, value)| [value.low, value.median, value.high]).chain(rule).filter(|value| positive(*value));
    let (least, most) = values.fold((f64::MAX, f64::MIN_POSITIVE), |(least, most), value| (least.min(value), most.max(value)));
    let (first, last) = points().fold((f64::MAX, 1.0_f64), |(first, last), (rows, _)| (first.min(*rows), last.max(*rows)));
    if least > most {
        return svg(40.0, label, &text((SIDE, 24.0), "start", "name", "nothing above the noise"));
    }
    let (low, high) = (least.log10().floor(), most.log10().ceil().max(least.log10().floor() + 1.0));
    let x = |rows: f64| SIDE + (rows.ln() - first.ln()) / (last.ln() - first.ln()).max(1e-9) * (WIDTH - SIDE - NAMES);
    let y = |value: f64| 8.0 + (high - value.max(10_f64.powf(low)).log10()) / (high - low) * (HEIGHT - BOTTOM - 8.0);
    let mut inside = String::new();
    for power in (low as i32)..=(high as i32) {
        let at = y(10_f64.powi(power));
        let _ = write!(inside, r#"<path d="M{SIDE} {at:.1}H{:.1}" class="grid"/>"#, WIDTH - NAMES);
        inside += &text((SIDE - 8.0, at + 4.0), "end", "axis", &told(10_f64.powi(power)));
    }
    let mut ticks: Vec<f64> = points().map(|(rows, _)| *rows).collect();
    ticks.sort_by(f64::total_cmp);
    ticks.dedup();
    for rows in ticks {
        inside += &text((x(rows), HEIGHT - BOTTOM + 18.0), "middle", "axis", &crate::cli::amount::count(rows as u64));
    }
    inside += &text(((SIDE + WIDTH - NAMES) / 2.0, HEIGHT - 2.0), "middle", "axis", "rows of a batch");
    if let Some(rule) = rule {
        let _ = write!(inside, r#"<path d="M{SIDE} {:.1}H{:.1}" class="rule"/>"#, y(rule), WIDTH - NAMES);
        inside += &text((WIDTH - NAMES + 6.0, y(rule) + 4.0), "start", "value", &told(rule));
    }
    let mut taken: Vec<f64> = Vec::new();
    for line in lines {
        let shown: Vec<_> = line.points.iter().filter(|(_, value)| positive(value.median)).collect();
        let band = shown.iter().map(|(rows, value)| (x(*rows), y(value.high)));
        let back = shown.iter().rev().map(|(rows, value)| (x(*rows), y(value.low)));
        let path =
            |points: &mut dyn Iterator<Item = (f64, f64)>| points.map(|(x, y)| format!("{x:.1} {y:.1}")).collect::<Vec<_>>().join("L");
        let _ = write!(inside, r#"<path d="M{}Z" class="band {}"/>"#, path(&mut band.chain(back)), line.class);
        let _ = write!(
            inside,
            r#"<path d="M{}" class="line {}"/>"#,
            path(&mut shown.iter().map(|(rows, value)| (x(*rows), y(value.median)))),
            line.class
        );
        for (rows, value) in &shown {
            let title = escaped(&format!("{}, {} rows: {}", line.name, crate::cli::amount::count(*rows as u64), told(value.median)));
            let _ = write!(
                inside,
                r#"<circle cx="{:.1}" cy="{:.1}" r="3.5" class="dot {}"><title>{title}</title></circle>"#,
                x(*rows),
                y(value.median),
                line.class
            );
        }
        if let Some((rows, value)) = shown.last() {
            // Names do not stand on each other.
            let mut at = y(value.median) + 4.0;
            while taken.iter().any(|other| (other - at).abs() < 14.0) {
                at += 14.0;
            }
            taken.push(at);
            inside += &text((x(*rows) + 10.0, at), "start", "value", &line.name);
        }
    }
    svg(HEIGHT, label, &inside)
}

/// A bar that is cut: its name, its parts with the classes of their colours, and what is written behind it.
pub struct Stack {
    pub name: String,
    pub parts: Vec<(f64, &'static str)>,
    pub told: String,
}

/// Bars of one length, each cut into its shares.
pub fn stacked(label: &str, bars: &[Stack]) -> String {
    let mut inside = String::new();
    for (at, Stack { name, parts, told }) in bars.iter().enumerate() {
        let (top, middle) = (4.0 + at as f64 * STEP, 4.0 + at as f64 * STEP + BAR / 2.0);
        let whole = parts.iter().map(|(part, _)| part).sum::<f64>().max(f64::MIN_POSITIVE);
        inside += &text((LEFT - 8.0, middle + 4.0), "end", "name", name);
        let mut left = LEFT;
        for (part, class) in parts {
            let width = part / whole * (WIDTH - LEFT - RIGHT);
            // A hair of the page between two parts.
            let _ = write!(
                inside,
                r#"<rect x="{left:.1}" y="{top}" width="{:.1}" height="{BAR}" class="{class}"><title>{:.1} %</title></rect>"#,
                (width - 1.5).max(0.0),
                100.0 * part / whole
            );
            left += width;
        }
        inside += &text((WIDTH - RIGHT + 6.0, middle + 4.0), "start", "value", told);
    }
    svg(8.0 + bars.len() as f64 * STEP, label, &inside)
}
