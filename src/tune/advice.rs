//! From predictions to a recommendation and its reason.

use super::search::{Candidate, Prediction, Question, Searched};
use crate::scenario::{Gogc, MemoryLimit, Overrides};
use crate::units::Bytes;

/// What came out.
#[allow(clippy::large_enum_variant, reason = "there is one of it")]
#[derive(Clone, Debug, PartialEq)]
pub enum Advice {
    /// Use this.
    Use {
        /// The settings, and what they do.
        recommended: Prediction,
        /// Why these.
        reasons: Vec<String>,
        /// Go's own settings in the same container.
        default: Prediction,
        /// The nearest more aggressive settings that are not safe; `None` if all that were tried are.
        next: Option<Prediction>,
        /// The nearest more aggressive settings that do not survive.
        killed: Option<Prediction>,
        /// Whether GC takes more CPU than it may, because nothing that is safe takes less.
        over_budget: bool,
    },
    /// Nothing that was tried is safe.
    TooSmall {
        /// A container that would do for the most frugal settings, in bytes.
        needed_bytes: Option<u64>,
        /// Those settings.
        frugal: Candidate,
    },
}

/// Judges what was searched.
pub fn advise(question: &Question, searched: &Searched) -> Advice {
    let Some(best) = question.best(&searched.predictions) else { return too_small(question) };
    let default = match searched.of(Candidate::DEFAULT) {
        Some(default) => default.clone(),
        None => question.predict(&[Candidate::DEFAULT]).remove(0),
    };
    let more_aggressive =
        |prediction: &&Prediction| prediction.candidate.is_more_aggressive_than(best.candidate);
    let others = || searched.predictions.iter().filter(more_aggressive);
    let next = others()
        .filter(|prediction| !question.is_safe(prediction))
        .min_by_key(|prediction| (prediction.cell.peak_rss_bytes, prediction.candidate.reach()))
        .cloned();
    let killed = others()
        .filter(|prediction| prediction.cell.killed > 0)
        .min_by_key(|prediction| prediction.candidate.reach())
        .cloned();
    let over_budget = question.max_gc_cpu.is_some_and(|most| best.cell.gc_cpu_fraction > most);
    let reasons = reasons(question, best, &default, next.as_ref(), over_budget);
    Advice::Use { recommended: best.clone(), reasons, default, next, killed, over_budget }
}

fn too_small(question: &Question) -> Advice {
    let frugal = Candidate { gogc: Gogc::Percent(25), memory_limit: MemoryLimit::Off };
    let unbounded = question.settings.clone().overridden(&Overrides {
        gogc: Some(frugal.gogc),
        memory_limit: Some(frugal.memory_limit),
        // Far beyond anything that a scenario can hold.
        machine_memory_bytes: Some(1 << 50),
        ..Overrides::default()
    });
    let cell = question.simulate(&[unbounded]).remove(0);
    let needed = cell.peak_rss_bytes as f64 / (1.0 - question.margin);
    Advice::TooSmall { needed_bytes: cell.survives().then_some(needed as u64), frugal }
}

/// `GOGC=100 GOMEMLIMIT=460MiB`.
pub(super) fn words(candidate: Candidate) -> String {
    format!("GOGC={} GOMEMLIMIT={}", candidate.gogc, limit_text(candidate.memory_limit))
}

/// As Go reads it: `460MiB`, `off`.
pub(super) fn limit_text(limit: MemoryLimit) -> String {
    match limit.bytes() {
        None => "off".to_owned(),
        Some(bytes) if bytes % (1 << 20) == 0 => format!("{}MiB", bytes >> 20),
        Some(bytes) => format!("{bytes}B"),
    }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn reasons(
    question: &Question,
    best: &Prediction,
    default: &Prediction,
    next: Option<&Prediction>,
    over_budget: bool,
) -> Vec<String> {
    let usable = Bytes(question.usable_bytes());
    let mut reasons = Vec::new();
    reasons.push(match default.cell.survives() {
        false => format!("Go's own settings (GOGC=100, no limit) are killed in a container of {}.", Bytes(question.container_bytes)),
        true if !question.is_safe(default) => format!(
            "Go's own settings (GOGC=100, no limit) come too near to the limit: they peak at {}, and {usable} may be used.",
            Bytes(default.cell.peak_rss_bytes)
        ),
        true => format!(
            "Go's own settings (GOGC=100, no limit) peak at {} and spend {} of the CPU on GC; these peak at {} and spend {}.",
            Bytes(default.cell.peak_rss_bytes),
            percent(default.cell.gc_cpu_fraction),
            Bytes(best.cell.peak_rss_bytes),
            percent(best.cell.gc_cpu_fraction)
        ),
    });
    reasons.push(match (question.max_gc_cpu, over_budget) {
        (Some(most), true) => format!(
            "Nothing that is safe keeps GC within {} of the CPU; these settings take the least. A larger container would help.",
            percent(most)
        ),
        (Some(most), false) => {
            format!("Of all that keep GC within {} of the CPU and stay below {usable}, these need the least memory.", percent(most))
        }
        (None, _) => format!("Of all that stay below {usable} with every seed, these spend the least CPU on GC."),
    });
    match (best.candidate.gogc, best.candidate.memory_limit) {
        (Gogc::Off, _) => reasons.push(
            "With GOGC=off the collector runs only when memory comes near the limit. If the program comes to hold more than in \
             this scenario, it collects more and more often, and the limit, which is soft, gives way in the end: watch GC CPU."
                .to_owned(),
        ),
        (Gogc::Percent(_), MemoryLimit::Bytes(_)) => reasons.push(
            "GOGC paces the collector while there is room; the limit takes over when memory comes near it.".to_owned(),
        ),
        (Gogc::Percent(_), MemoryLimit::Off) => {
            reasons.push("No limit did better: what this program holds leaves it nothing to decide.".to_owned());
        }
    }
    if let Some(next) = next {
        let fate = match next.cell.killed {
            0 => format!("peaks at {}", Bytes(next.cell.peak_rss_bytes)),
            killed => format!("is killed with {killed} of {} seeds", next.cell.runs),
        };
        reasons.push(format!("The next more aggressive setting, {}, {fate}.", words(next.candidate)));
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;
    use crate::tune::search;
    use crate::units::MIB;

    /// 32 MiB of live list nodes and a stream of garbage.
    const SIM: &str = "title='t'\nquestion='q'\nanswer='a'\nsteps=[\n\
        { alloc = { into = 'live', count = 512, size = '64KiB' } },\n\
        { garbage = { bytes = '256MiB', size = '4KiB' } },\n]\n[vars]\nlive = '[][]byte'\n";

    fn ask<'q>(scenario: &'q Scenario, mib: u64, max_gc_cpu: Option<f64>) -> Question<'q> {
        let settings = scenario.settings();
        Question {
            scenario,
            settings,
            container_bytes: mib * MIB,
            max_gc_cpu,
            margin: 0.1,
            seeds: 2,
            threads: 2,
        }
    }

    fn advice(mib: u64, max_gc_cpu: Option<f64>) -> Advice {
        let scenario = Scenario::parse("x.toml", SIM).unwrap();
        let question = ask(&scenario, mib, max_gc_cpu);
        advise(&question, &search(&question, &|_| {}))
    }

    #[test]
    fn a_tight_container_gets_settings_that_survive_where_gos_own_do_not() {
        let Advice::Use { recommended, default, next, killed, reasons, .. } = advice(60, None) else {
            panic!("60 MiB hold 32 MiB of live data");
        };
        assert!(recommended.cell.peak_rss_bytes <= 54 * MIB && recommended.cell.survives());
        assert!(default.cell.killed > 0, "{default:?}");
        assert!(reasons[0].contains("are killed"), "{reasons:?}");
        let (next, killed) = (next.unwrap(), killed.unwrap());
        assert!(next.candidate.is_more_aggressive_than(recommended.candidate));
        assert!(next.cell.peak_rss_bytes > recommended.cell.peak_rss_bytes && killed.cell.killed > 0);
    }

    #[test]
    fn an_ample_container_spends_memory_for_cpu_and_a_cpu_bound_saves_it_again() {
        let Advice::Use { recommended: fast, default, .. } = advice(512, None) else { panic!("ample") };
        assert!(fast.cell.gc_cpu_fraction <= default.cell.gc_cpu_fraction);
        let Advice::Use { recommended: small, over_budget: false, .. } = advice(512, Some(0.2)) else {
            panic!("ample")
        };
        assert!(small.cell.gc_cpu_fraction <= 0.2);
        assert!(small.cell.peak_rss_bytes < fast.cell.peak_rss_bytes, "{small:?} against {fast:?}");
    }

    #[test]
    fn a_budget_that_nothing_keeps_is_told() {
        let Advice::Use { over_budget, reasons, .. } = advice(60, Some(1e-6)) else { panic!("it fits") };
        assert!(over_budget && reasons[1].contains("Nothing that is safe"), "{reasons:?}");
    }

    #[test]
    fn a_container_that_is_too_small_is_told_how_large_it_should_be() {
        let Advice::TooSmall { needed_bytes: Some(needed), .. } = advice(20, None) else {
            panic!("20 MiB do not hold 32")
        };
        assert!((40 * MIB..80 * MIB).contains(&needed), "{}", Bytes(needed));
        assert!(matches!(advice(needed.div_ceil(MIB) + 1, None), Advice::Use { .. }));
    }

    #[test]
    fn settings_are_written_as_go_reads_them() {
        let candidate = Candidate { gogc: Gogc::Off, memory_limit: MemoryLimit::Bytes(460 * MIB) };
        assert_eq!(words(candidate), "GOGC=off GOMEMLIMIT=460MiB");
        assert_eq!(limit_text(MemoryLimit::Bytes(1000)), "1000B");
    }
}
