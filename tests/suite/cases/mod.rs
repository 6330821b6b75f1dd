//! Golden cases (soon).
