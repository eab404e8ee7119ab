//! What can be said: formats as data files, checks, time limits, rendering in six languages.
