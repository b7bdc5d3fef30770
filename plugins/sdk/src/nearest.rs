//! "Did you mean …?": the known name nearest to a misspelt one.

/// The nearest of `known` to `name`, if it is near: a third of its letters wrong at most, but always one.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let best = known.into_iter().map(|candidate| (distance(name, candidate), candidate)).min_by_key(|(distance, _)| *distance);
    best.filter(|(distance, _)| *distance <= (name.chars().count() / 3).max(1)).map(|(_, candidate)| candidate)
}

/// Edits that turn one into the other, a swap of neighbours counting as one (optimal string alignment), capitals aside.
fn distance(left: &str, right: &str) -> usize {
    let letters = |text: &str| text.chars().flat_map(char::to_lowercase).collect::<Vec<_>>();
    let (left, right) = (letters(left), letters(right));
    let mut rows: [Vec<usize>; 3] = [vec![], (0..=right.len()).collect(), vec![]];
    for i in 1..=left.len() {
        rows[2] = vec![i];
        for j in 1..=right.len() {
            let change = usize::from(left[i - 1] != right[j - 1]);
            let mut edits = (rows[1][j] + 1).min(rows[2][j - 1] + 1).min(rows[1][j - 1] + change);
            if i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1] {
                edits = edits.min(rows[0][j - 2] + 1);
            }
            rows[2].push(edits);
        }
        rows.rotate_left(1);
    }
    rows[1][right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects against advice that is worse than none.
    #[test]
    fn near_names_are_offered_and_far_ones_are_not() {
        assert_eq!(nearest("dep_dellay", ["arr_delay", "dep_delay"]), Some("dep_delay"));
        assert_eq!(nearest("cvs", ["path", "csv"]), Some("csv"));
        assert_eq!(nearest("Lower", ["upper", "lower"]), Some("lower"));
        assert_eq!(nearest("tail", ["origin", "carrier"]), None);
        assert_eq!(nearest("x", []), None);
    }
}
