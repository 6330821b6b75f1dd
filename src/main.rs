//! The command line program: parse, call the library, print, exit.

fn main() {}
