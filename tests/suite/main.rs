//! The one test binary: real repositories, real renderers, a real git server. One line per area, in order.

#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod cases;
#[cfg(test)]
mod checkouts;
#[cfg(test)]
mod closure;
#[cfg(test)]
mod closure_property;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod config;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod diff;
#[cfg(test)]
mod docs;
#[cfg(test)]
mod forge_server;
#[cfg(test)]
mod github;
#[cfg(test)]
mod gitlab;
#[cfg(test)]
mod init;
#[cfg(test)]
mod kills;
#[cfg(test)]
mod local_forge;
#[cfg(test)]
mod packaging;
#[cfg(test)]
mod promotion;
#[cfg(test)]
mod races;
#[cfg(test)]
mod render;
#[cfg(test)]
mod report;
#[cfg(test)]
mod rollback;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod stories;
#[cfg(test)]
mod structure;
#[cfg(test)]
mod support;
