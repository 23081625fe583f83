//! Formats of files: readers, and writers that change nothing but the values they are given.

pub mod csv;
pub mod edifact;
pub mod json;
pub mod xlsx;
pub mod xml;

mod columns;
mod edit;
mod items;
mod outline;
mod path;
pub(crate) mod replace;
mod rewrite;
mod tree;
mod tree_write;
mod vocabulary;
mod window;

#[cfg(test)]
pub(crate) mod testing;
