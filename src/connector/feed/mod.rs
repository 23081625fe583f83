//! What all feeds share, whatever their format: where the bytes come from, how they become text,
//! how a row becomes an item.
