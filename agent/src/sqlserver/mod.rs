//! The SQL Server side.
