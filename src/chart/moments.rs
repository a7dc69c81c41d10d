//! Which of a run's snapshots a page shows.

use super::ChartError;

/// Which moments are shown when none was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moments {
    /// The first, the last and others evenly between.
    Spread,
    /// The ones at these places.
    Only(usize),
}

/// The places of the labels in `wanted`, in the order of the run; without wishes, as `otherwise` says, at most `most`.
///
/// # Errors
/// [`ChartError::NoSuchMoment`] for a label that is not there, [`ChartError::TooManyMoments`].
pub fn choose(
    labels: &[&str],
    wanted: &[String],
    most: usize,
    otherwise: Moments,
) -> Result<Vec<usize>, ChartError> {
    if wanted.is_empty() {
        return Ok(match otherwise {
            Moments::Only(index) => (index..labels.len()).take(1).collect(),
            Moments::Spread if labels.len() <= most => (0..labels.len()).collect(),
            Moments::Spread => {
                let last = most.max(2) - 1;
                (0..=last).map(|place| (place * (labels.len() - 1) + last / 2) / last).collect()
            }
        });
    }
    let mut chosen = Vec::new();
    for label in wanted {
        let place = labels.iter().position(|known| known == label);
        chosen.push(place.ok_or_else(|| ChartError::NoSuchMoment {
            label: label.clone(),
            labels: labels.iter().map(|label| format!("{label:?}")).collect::<Vec<_>>().join(", "),
        })?);
    }
    chosen.sort_unstable();
    chosen.dedup();
    if chosen.len() > most {
        return Err(ChartError::TooManyMoments { count: chosen.len(), most });
    }
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_wishes_moments_are_spread_over_the_run() {
        let labels = vec!["x"; 13];
        assert_eq!(choose(&labels, &[], 4, Moments::Spread).unwrap(), [0, 4, 8, 12]);
        assert_eq!(choose(&labels[..3], &[], 4, Moments::Spread).unwrap(), [0, 1, 2]);
        assert_eq!(choose(&labels, &[], 4, Moments::Only(7)).unwrap(), [7]);
        assert!(choose(&[], &[], 4, Moments::Only(0)).unwrap().is_empty());
    }

    #[test]
    fn wishes_are_found_in_the_order_of_the_run_or_refused() {
        let labels = ["a", "b", "c"];
        let wish = |wanted: &[&str], most| {
            let wanted: Vec<String> = wanted.iter().map(|label| (*label).to_owned()).collect();
            choose(&labels, &wanted, most, Moments::Spread).map_err(|error| error.to_string())
        };
        assert_eq!(wish(&["c", "a", "c"], 2), Ok(vec![0, 2]));
        let error = wish(&["d"], 2).unwrap_err();
        assert!(error.contains("\"d\"") && error.contains("\"a\", \"b\", \"c\""), "{error}");
        assert!(wish(&["a", "b", "c"], 2).unwrap_err().contains("at most 2"));
    }
}
