//! The command line.

pub mod local;
