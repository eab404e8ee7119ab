//! The one place that names algorithms: suite 1, and the verification of release assertions.
