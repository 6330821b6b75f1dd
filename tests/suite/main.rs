//! The one test binary: real repositories, real renderers, a real forge server.

#[cfg(test)]
mod render;
