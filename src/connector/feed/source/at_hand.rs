//! A source that is fetched once and read several times: for who looks at a feed that nobody has
//! described yet. One reader at a time, for they share the file's position.

use std::io::Read;
use std::sync::Arc;

use super::Source;
use super::fetched::Fetched;
use crate::connector::ConnectorError;

/// A fetched source.
#[derive(Clone, Debug)]
pub struct AtHand(Arc<Fetched>);

impl AtHand {
    /// Fetches a source.
    pub fn of(source: &Source) -> Result<AtHand, ConnectorError> {
        Ok(AtHand(Arc::new(source.fetched()?)))
    }

    /// The first bytes as they came, packed or not.
    pub fn beginning(&self) -> Result<[u8; 8], ConnectorError> {
        let mut beginning = Vec::new();
        let read = Arc::clone(&self.again()?.file).take(8).read_to_end(&mut beginning);
        read.map_err(|why| super::bytes::failed(&self.0.name, &why))?;
        beginning.resize(8, 0);
        Ok(beginning.try_into().unwrap_or_default())
    }

    pub(super) fn again(&self) -> Result<Fetched, ConnectorError> {
        self.0.again()
    }
}
