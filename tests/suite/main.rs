//! The one test binary: real repositories, real renderers, a real forge server.

mod config;
mod support;
