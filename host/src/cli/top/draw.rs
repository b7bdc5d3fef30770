//! The screen: the run, its stages, the one that is chosen, a tap, and what keys do. Nothing wraps: what has no room is left out or cut.

use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::{Color, Modifier, Style, Stylize as _},
    text::{Line, Span},
    widgets::{Clear, Paragraph},
};

use super::{
    columns::{self, Fitting},
    keys::HELP,
    state::{Mode, State, Tapped},
};
use crate::cli::{amount, tap::Side};

/// What marks the stage that all others wait for.
const MARK: &str = "●";
/// What marks the stage that is chosen.
const CHOSEN: &str = "▸";
/// Widest column of a tap.
const CELL: usize = 24;

/// Draws all of it.
pub fn draw(frame: &mut Frame, state: &State) {
    let stages = state.status.as_ref().map_or(0, |status| status.stages.len()) as u16;
    let height = frame.area().height;
    // A tap takes half of the screen at most from the stages.
    let table = (stages + 1).min(if state.tap.is_some() { (height / 2).max(3) } else { height.saturating_sub(6).max(2) });
    let areas = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(table),
        Constraint::Length(3),
        Constraint::Min(0),
        Constraint::Length(1),
    ]);
    let [head, stages, chosen, rest, foot] = areas.areas(frame.area());
    frame.render_widget(heading(state, head.width.into()), head);
    frame.render_widget(Paragraph::new(table_lines(state, stages)), stages);
    frame.render_widget(Paragraph::new(details(state, chosen.width.into())), chosen);
    if let Some(tap) = &state.tap {
        frame.render_widget(Paragraph::new(tapped(tap, rest)), rest);
    }
    frame.render_widget(footer(state, foot.width.into()), foot);
    if state.mode == Mode::Help {
        help(frame);
    }
}

/// Text of exactly this width: cut with `…`, or filled up.
fn exactly(text: &str, width: usize, right: bool) -> String {
    let text = one_line(text);
    let wide = Span::raw(&text).width();
    if wide <= width {
        let fill = " ".repeat(width - wide);
        return if right { fill + &text } else { text + &fill };
    }
    let mut shown = String::new();
    for character in text.chars() {
        let longer = format!("{shown}{character}");
        if Span::raw(&longer).width() >= width {
            break;
        }
        shown = longer;
    }
    if width > 0 {
        shown.push('…');
    }
    let fill = width.saturating_sub(Span::raw(&shown).width());
    shown + &" ".repeat(fill)
}

/// What comes from a run has no say over the terminal.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn heading(state: &State, width: usize) -> Line<'static> {
    let Some(status) = &state.status else { return Line::raw("") };
    let run = &status.run;
    let state_of = match &state.lost {
        Some(_) => "does not answer".to_owned(),
        None => run.state.clone(),
    };
    let narrow = state.bottleneck().map_or(String::new(), |stage| format!(" · bottleneck {MARK} {stage}"));
    let text = format!(
        " {} · {state_of} · up {}{narrow} · pid {} · {}",
        run.pipeline,
        amount::lasting(run.uptime_seconds),
        run.pid,
        amount::of(run.swaps, "swap"),
    );
    Line::styled(exactly(&text, width, false), Style::new().add_modifier(Modifier::REVERSED))
}

fn table_lines(state: &State, area: Rect) -> Vec<Line<'static>> {
    let rows = state.rows();
    let width = usize::from(area.width).saturating_sub(2);
    let longest = rows.iter().map(|(stage, _)| Span::raw(stage.name.as_str()).width()).max().unwrap_or(0).max("STAGE".len());
    let fitting = columns::fitting(width, longest);
    let mut lines = vec![titles(&fitting).bold()];
    let room = usize::from(area.height).saturating_sub(1);
    let at = rows.iter().position(|(stage, _)| Some(&stage.name) == state.chosen.as_ref()).unwrap_or(0);
    // The chosen one is always in sight.
    let first = (at + 1).saturating_sub(room);
    for (stage, rates) in rows.iter().skip(first).take(room) {
        let (chosen, narrow) = (Some(&stage.name) == state.chosen.as_ref(), state.bottleneck() == Some(&stage.name));
        let mut text = format!("{}{}", if chosen { CHOSEN } else { " " }, if narrow { MARK } else { " " });
        text.push_str(&exactly(&stage.name, fitting.name, false));
        for column in &fitting.columns {
            text.push(' ');
            text.push_str(&exactly(&(column.text)(stage, *rates), column.width, true));
        }
        if let Some(rest) = fitting.rest {
            text.push(' ');
            text.push_str(&exactly(stage.last_error.as_deref().unwrap_or_default(), rest, false));
        }
        let colour = if narrow { Style::new().fg(Color::Yellow) } else { Style::new() };
        lines.push(Line::styled(text, if chosen { colour.add_modifier(Modifier::BOLD) } else { colour }));
    }
    lines
}

fn titles(fitting: &Fitting) -> Line<'static> {
    let mut text = format!("  {}", exactly("STAGE", fitting.name, false));
    for column in &fitting.columns {
        text.push(' ');
        text.push_str(&exactly(column.title, column.width, true));
    }
    if let Some(rest) = fitting.rest {
        text.push(' ');
        text.push_str(&exactly("LAST ERROR", rest, false));
    }
    Line::raw(text)
}

/// The stage that is chosen: what has no column, and the whole of its last error.
fn details(state: &State, width: usize) -> Vec<Line<'static>> {
    let Some(stage) = state.chosen_stage() else { return Vec::new() };
    let digest: String = stage.digest.trim_start_matches("sha256:").chars().take(8).collect();
    let from = if stage.inputs.is_empty() { String::new() } else { format!(" ← {}", stage.inputs.join(", ")) };
    let what = format!(
        "{} {} ×{} · {} {digest} · generation {}{from}",
        stage.kind, stage.name, stage.instances, stage.component, stage.generation
    );
    let error = stage.last_error.as_deref().map_or(String::new(), |error| format!("last error: {error}"));
    vec![
        Line::styled("─".repeat(width), Style::new().add_modifier(Modifier::DIM)),
        Line::raw(exactly(&what, width, false)),
        Line::styled(exactly(&error, width, false), Style::new().fg(Color::Red)),
    ]
}

fn tapped(tap: &Tapped, area: Rect) -> Vec<Line<'static>> {
    let width = usize::from(area.width);
    let side = match tap.side {
        Some(Side::In) => "in",
        Some(Side::Out) => "out",
        None => "tap",
    };
    let what = match (&tap.ended, &tap.batch) {
        (Some(why), _) => why.clone(),
        (None, Some(batch)) => batch.title(),
        (None, None) => "waiting for a batch …".to_owned(),
    };
    let style = Style::new().add_modifier(Modifier::REVERSED);
    let mut lines = vec![Line::styled(exactly(&format!(" {side} {} · {what}", tap.stage), width, false), style)];
    let Some(batch) = &tap.batch else { return lines };
    let wide = |at: usize, name: &String| {
        let cells = batch.rows.iter().filter_map(|row| row.get(at)).chain([name]);
        cells.map(|text| Span::raw(text.as_str()).width()).max().unwrap_or(0).min(CELL)
    };
    let widths: Vec<usize> = batch.columns.iter().enumerate().map(|(at, name)| wide(at, name)).collect();
    let line = |cells: &[String]| {
        let cells: Vec<_> = cells.iter().zip(&widths).map(|(text, width)| exactly(text, *width, false)).collect();
        exactly(&cells.join("  "), width, false)
    };
    lines.push(Line::raw(line(&batch.columns)).bold());
    let room = usize::from(area.height).saturating_sub(2);
    lines.extend(batch.rows.iter().take(room).map(|row| Line::raw(line(row))));
    lines
}

fn footer(state: &State, width: usize) -> Line<'static> {
    let (text, style) = match (&state.mode, &state.lost, &state.message) {
        (Mode::Typing(text), ..) => {
            let stage = state.chosen.as_deref().unwrap_or_default();
            let head = format!("swap {stage} with (path or std:NAME, Enter, Esc): ");
            // The end of what is typed is what one looks at.
            let room = width.saturating_sub(Span::raw(head.as_str()).width() + 1);
            let skipped = text.chars().count().saturating_sub(room);
            (format!("{head}{}█", text.chars().skip(skipped).collect::<String>()), Style::new().fg(Color::Cyan))
        }
        (_, Some(lost), _) => (lost.clone(), Style::new().fg(Color::Red)),
        (_, None, Some(message)) => (message.clone(), Style::new().fg(Color::Cyan)),
        (_, None, None) => {
            let text = format!("q quit  ? help  ↑↓ choose  s sort: {}  w swap  t tap", state.sort.as_str());
            (text, Style::new().add_modifier(Modifier::DIM))
        }
    };
    Line::styled(exactly(&text, width, false), style)
}

fn help(frame: &mut Frame) {
    let area = frame.area();
    let (width, height) = (area.width.min(72), (HELP.len() as u16 + 4).min(area.height));
    let at = Rect { x: (area.width - width) / 2, y: (area.height - height) / 2, width, height };
    let mut lines = vec![Line::raw(exactly(" keys", width.into(), false)).reversed()];
    lines.extend(HELP.iter().map(|(key, what)| Line::raw(format!("  {}  {what}", exactly(key, 4, false)))));
    lines.push(Line::raw(""));
    lines.push(Line::raw(format!("  {MARK} marks the bottleneck: the busiest stage, which all others wait for")));
    frame.render_widget(Clear, at);
    frame.render_widget(Paragraph::new(lines), at);
}

#[cfg(test)]
mod tests {
    use ratatui::{Terminal, backend::TestBackend};

    use super::*;
    use crate::cli::top::{feed::Event, state::tests::status};

    fn screen(width: u16, height: u16, prepare: impl FnOnce(&mut State)) -> Vec<String> {
        let mut state = State::default();
        let mut status = status();
        status.stages[1].last_error = Some("rolled back: `process` failed\nand so on".into());
        state.take(Event::Status(Box::new(status)));
        prepare(&mut state);
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw(frame, &state)).unwrap();
        let buffer = terminal.backend().buffer().clone();
        let line = |y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>().trim_end().to_owned();
        (0..height).map(line).collect()
    }

    /// Protects the screen at its two usual widths: what is important is there, the bottleneck is marked, names can be told apart.
    #[test]
    fn the_screen_at_80_and_at_160_columns() {
        let narrow = screen(80, 24, |_| {});
        assert!(narrow[1].starts_with("  STAGE") && narrow[1].ends_with("FUEL/ROW   MEMORY  GEN"), "{narrow:#?}");
        assert!(narrow[2].starts_with("▸ numbers"), "{narrow:#?}");
        assert!(narrow[3].starts_with(" ●a_transform") && narrow[3].contains("98 %"), "{narrow:#?}");
        assert!(!narrow[1].contains("LAST ERROR") && narrow[23].contains("sort: flow"), "{narrow:#?}");
        let wide = screen(160, 24, |state| state.step(1));
        assert!(wide[1].contains("LAST ERROR") && wide[1].contains("P99"), "{wide:#?}");
        assert!(wide[3].starts_with("▸●a_transform_with_a_rather_long_name ") && wide[3].contains("rolled back"), "{wide:#?}");
        assert!(wide[7].contains("last error: rolled back: `process` failed and so on"), "{wide:#?}");
    }

    /// Protects against a panic on a terminal that is hardly one, and against stages that nobody can reach.
    #[test]
    fn the_smallest_terminals_are_drawn_too() {
        for (width, height) in [(1, 1), (10, 3), (20, 5), (80, 5), (300, 100)] {
            for mode in [Mode::Table, Mode::Help, Mode::Typing("x".repeat(200))] {
                screen(width, height, |state| state.mode = mode);
            }
        }
        let low = screen(80, 8, |state| state.step(9));
        assert!(low.iter().any(|line| line.starts_with("▸ end")), "{low:#?}");
    }
}
