//! placeholder
/// How a format's values are rewritten.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cells;
