//! What is fetched and sent by http: shared by every web store.

mod settings;

pub use settings::HttpSettings;
