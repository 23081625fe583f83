//! What all workbooks share: where the sheet is, and that they are only read.

use std::marker::PhantomData;

use crate::support::Shop;
use crate::support::conformance::{Item, Party};

/// One format of workbooks.
pub(super) trait Sheets {
    const FILE: &'static str;

    /// A workbook whose sheet `Stock` has its header in row 3.
    fn workbook(items: &[Item]) -> Vec<u8>;
}

pub(super) struct Workbook<S>(PhantomData<S>);

impl<S: Sheets> Party for Workbook<S> {
    fn start() -> Workbook<S> {
        Workbook(PhantomData)
    }

    fn config(&self) -> String {
        let file = S::FILE;
        format!(
            "source = \"{file}\"\nconnector = \"xlsx\"\nsheet = \"Stock\"\nheader_row = 3\n\
             fields = {{ sku = \"sku\", name = \"name\", quantity = \"qty\", price = \"price\" }}\n"
        )
    }

    fn deliver(&self, shop: &Shop, items: &[Item]) {
        shop.write(S::FILE, S::workbook(items));
    }

    fn deliver_cut(&self, shop: &Shop, items: &[Item]) {
        let whole = S::workbook(items);
        shop.write(S::FILE, &whole[..whole.len() - 40]);
    }

    fn deliver_text(&self, shop: &Shop, text: &str) {
        shop.write(S::FILE, text);
    }

    fn contents(&self, shop: &Shop) -> String {
        format!("{:?}", shop.bytes(S::FILE))
    }

    fn contents_of(&self, items: &[Item]) -> String {
        format!("{:?}", S::workbook(items))
    }

    fn item_id(&self, sku: &str) -> String {
        sku.to_owned()
    }

    fn place(&self) -> String {
        S::FILE.to_owned()
    }
}
