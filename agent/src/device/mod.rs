//! Devices behind plugins.
