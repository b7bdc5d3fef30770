//! Arms that take turns.

/// What arms cost, round by round.
#[derive(Clone, Debug, Default)]
pub struct Rounds {
    /// By arm, then by round.
    arms: Vec<Vec<f64>>,
}

impl Rounds {
    /// Rounds in which every arm has its turn, each time in another order, as long as `more` says so of the rounds that there are.
    /// The first turn that fails ends it.
    pub fn take<E>(arms: usize, more: impl Fn(usize) -> bool, mut turn: impl FnMut(usize) -> Result<f64, E>) -> Result<Self, E> {
        let mut rounds = Rounds { arms: vec![Vec::new(); arms] };
        let mut round = 0;
        while more(round) {
            let mut took = vec![0.0; arms];
            for arm in order(round, arms) {
                took[arm] = turn(arm)?;
            }
            rounds.arms.iter_mut().zip(took).for_each(|(arm, took)| arm.push(took));
            round += 1;
        }
        Ok(rounds)
    }

    /// How many there were.
    pub fn len(&self) -> usize {
        self.arms.first().map_or(0, Vec::len)
    }

    /// Whether there were none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What an arm cost.
    pub fn arm(&self, arm: usize) -> &[f64] {
        &self.arms[arm]
    }

    /// What two arms cost, by round, in one number each: their difference, say. Disturbances that last longer than a round cancel.
    pub fn paired(&self, one: usize, other: usize, number: impl Fn(f64, f64) -> f64) -> Vec<f64> {
        self.arms[one].iter().zip(&self.arms[other]).map(|(one, other)| number(*one, *other)).collect()
    }
}

/// The order of a round. Whoever comes second finds warmer caches, so everybody begins in turn, and forwards and backwards take
/// turns: everybody follows everybody beside it.
fn order(round: usize, arms: usize) -> impl Iterator<Item = usize> {
    let backwards = (round / arms.max(1)) % 2 == 1;
    (0..arms).map(move |place| if backwards { (arms - 1 - place + round) % arms } else { (place + round) % arms })
}
