//! Structure (soon).
