//! Formats of files: readers, and writers that change nothing but the values they are given.

pub mod csv;
pub mod edit;
pub mod json;
pub mod replace;
pub mod xml;

mod items;
mod outline;
mod path;
mod rewrite;
mod tree;
mod tree_write;
mod window;

#[cfg(test)]
pub(crate) mod testing;
