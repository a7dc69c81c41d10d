//! Random numbers of a scenario's steps: splitmix64, five lines in any language.
//!
//! What a step draws - keys, a mix of garbage, the links of a graph - decides how many entries a map has and which objects
//! stay reachable. A Go program that does the same work must draw the same numbers, so the generator is one that is easily
//! written down again: a counter that moves on by an odd constant, and a finaliser that spreads its bits (S. Vigna,
//! "splitmix64", after G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators", 2014).
//!
//! Each step has a stream of its own for each turn, so that one step's draws do not move another's. What the simulated
//! runtime draws for itself, such as the seeds of maps, comes from another generator in the process.

/// What the counter moves on by: 2^64 divided by the golden ratio, made odd.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// The random numbers of one turn of a step.
#[derive(Clone, Debug)]
pub struct SplitMix64 {
    counter: u64,
}

impl SplitMix64 {
    /// The numbers of the step with `step_seed` in its turn `turn`, in a run with `run_seed`.
    pub fn new(run_seed: u64, step_seed: u64, turn: u64) -> SplitMix64 {
        SplitMix64 { counter: start(run_seed, step_seed, turn) }
    }

    /// The next number.
    pub fn next_u64(&mut self) -> u64 {
        let number = mix(self.counter);
        self.counter = self.counter.wrapping_add(STEP);
        number
    }

    /// A uniform number under `end`. The bias of the multiplication is under 2^-32 for every range of keys.
    pub fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.next_u64()) * u128::from(end)) >> 64) as u64
    }
}

/// One number from three that chose it.
pub(super) fn start(run_seed: u64, step_seed: u64, turn: u64) -> u64 {
    mix(mix(mix(run_seed) ^ step_seed) ^ turn)
}

/// The finaliser: every input bit moves every output bit.
pub(super) fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(STEP);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_splitmix64() {
        // The first numbers of the reference implementation with state 1234567.
        let mut stream = SplitMix64 { counter: 1_234_567 };
        let numbers = [(); 3].map(|()| stream.next_u64());
        assert_eq!(
            numbers,
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }

    #[test]
    fn steps_turns_and_runs_have_streams_of_their_own() {
        let first = |run, step, turn| SplitMix64::new(run, step, turn).next_u64();
        assert_eq!(first(1, 2, 3), first(1, 2, 3));
        let different = [first(1, 2, 3), first(2, 2, 3), first(1, 3, 3), first(1, 2, 4), first(2, 1, 3)];
        assert!((1..different.len()).all(|i| !different[..i].contains(&different[i])));
    }
}
