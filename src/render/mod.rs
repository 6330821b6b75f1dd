//! Rendering.
mod exec;
mod identity;
mod list;
mod split;
mod talk;
