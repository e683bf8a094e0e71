//! A library that is no plugin at all.

#![allow(unsafe_code)] // exports a symbol

/// Some symbol.
#[unsafe(no_mangle)]
pub extern "C" fn not_a_device() -> u32 {
    42
}
