//! Rendering with the real programs.

mod bench;
mod builtin;
mod command;
mod export;
mod helm;
mod kustomize;
mod repository;
mod tools;
