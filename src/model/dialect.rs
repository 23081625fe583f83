//! How a source is written.

/// How a source is written, as far as that was found by looking at it, for who checks a config.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dialect {
    /// The connector that read it; empty where there is nothing to say of it.
    pub connector: &'static str,
    /// Keys of the config with what holds for them where the config leaves them open.
    pub options: Vec<(&'static str, String)>,
    /// Those of the further files that are joined to it, in their order.
    pub joined: Vec<Dialect>,
}
