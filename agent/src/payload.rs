//! Buffers that are lent, never copied.
