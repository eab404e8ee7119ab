//! Figures of many measurements: the middle, and what the slowest see.

/// Times in microseconds, collected and then asked.
#[derive(Debug, Default)]
pub(super) struct Times {
    micros: Vec<f64>,
    sorted: bool,
}

impl Times {
    pub(super) fn add(&mut self, time: std::time::Duration) {
        self.micros.push(time.as_secs_f64() * 1e6);
        self.sorted = false;
    }

    pub(super) fn count(&self) -> usize {
        self.micros.len()
    }

    /// The time that `percent` of all measurements did not exceed (nearest rank); `None` without any.
    pub(super) fn percentile(&mut self, percent: f64) -> Option<f64> {
        if !self.sorted {
            self.micros.sort_by(f64::total_cmp);
            self.sorted = true;
        }
        let last = self.micros.len().checked_sub(1)?;
        #[expect(clippy::cast_precision_loss, reason = "counts of measurements are small")]
        let rank = (percent / 100.0 * (last as f64 + 1.0)).ceil() - 1.0;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to the positions"
        )]
        let rank = (rank.max(0.0) as usize).min(last);
        Some(self.micros[rank])
    }

    pub(super) fn median(&mut self) -> Option<f64> {
        self.percentile(50.0)
    }
}

/// Rounded to a tenth, for people and JSON.
pub(super) fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let mut times = Times::default();
        assert_eq!(times.median(), None);
        for micros in (1..=100).rev() {
            times.add(Duration::from_micros(micros));
        }
        assert_eq!(times.median().map(f64::round), Some(50.0));
        assert_eq!(times.percentile(99.0).map(f64::round), Some(99.0));
        assert_eq!(times.percentile(100.0).map(f64::round), Some(100.0));
        times.add(Duration::from_secs(1));
        assert_eq!(times.percentile(100.0).map(f64::round), Some(1_000_000.0));
    }
}
