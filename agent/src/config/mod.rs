//! Checked configuration.
