//! What keys do.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{
    feed::Feed,
    state::{Mode, Sort, State, Tapped},
};
use crate::cli::tap::Side;

/// Characters of a component's path that can be typed.
const LONGEST: usize = 4096;

/// What the screen says of keys.
pub const HELP: [(&str, &str); 8] = [
    ("↑ ↓", "choose a stage"),
    ("s", "sort by the next: flow, busy, rows/s, p95, memory, name"),
    ("w", "swap the chosen stage: asks for a component"),
    ("t", "tap the chosen stage; once more closes it"),
    ("i o", "tap what goes in, what comes out"),
    ("c", "clear the message"),
    ("?", "this help"),
    ("q", "quit; the run goes on"),
];

/// A key was pressed.
pub fn press(state: &mut State, feed: &mut Feed, key: KeyEvent) {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    if control && matches!(key.code, KeyCode::Char('c' | 'd')) {
        state.quit = true;
        return;
    }
    match std::mem::take(&mut state.mode) {
        Mode::Table => choose(state, feed, key.code),
        Mode::Help => {}
        Mode::Typing(text) => typed(state, feed, text, key.code, control),
    }
}

fn choose(state: &mut State, feed: &mut Feed, key: KeyCode) {
    match key {
        KeyCode::Char('q') | KeyCode::Esc => state.quit = true,
        KeyCode::Char('?' | 'h') => state.mode = Mode::Help,
        KeyCode::Char('s') => {
            let next: Sort = state.sort.next();
            state.sort = next;
        }
        KeyCode::Char('c') => state.message = None,
        KeyCode::Char('w') if state.chosen.is_some() => (state.mode, state.message) = (Mode::Typing(String::new()), None),
        KeyCode::Char('t') if state.tap.is_some() => {
            feed.close_tap();
            state.tap = None;
        }
        KeyCode::Char('t') => tap(state, feed, None),
        KeyCode::Char('i') => tap(state, feed, Some(Side::In)),
        KeyCode::Char('o') => tap(state, feed, Some(Side::Out)),
        KeyCode::Up | KeyCode::Char('k') => state.step(-1),
        KeyCode::Down | KeyCode::Char('j') => state.step(1),
        KeyCode::Home => state.step(isize::MIN),
        KeyCode::End => state.step(isize::MAX),
        _ => {}
    }
}

fn tap(state: &mut State, feed: &mut Feed, side: Option<Side>) {
    let Some(stage) = state.chosen.clone() else { return };
    let number = feed.tap(&stage, side);
    state.tap = Some(Tapped { number, stage, side, batch: None, ended: None });
}

fn typed(state: &mut State, feed: &Feed, mut text: String, key: KeyCode, control: bool) {
    match key {
        KeyCode::Esc => return,
        KeyCode::Enter => {
            let (Some(stage), false) = (state.chosen.clone(), text.trim().is_empty()) else { return };
            let component = text.trim().to_owned();
            state.message = Some(format!("{stage}: {component} is loaded and tried …"));
            feed.swap(stage, component);
            return;
        }
        KeyCode::Backspace => drop(text.pop()),
        KeyCode::Char('u') if control => text.clear(),
        KeyCode::Char(character) if !control && text.len() < LONGEST => text.push(character),
        _ => {}
    }
    state.mode = Mode::Typing(text);
}
