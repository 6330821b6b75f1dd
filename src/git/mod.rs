//! Git: objects and refs in process.

pub mod bare;
