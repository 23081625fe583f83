//! Sheets of xlsx workbooks: a title above the header, another sheet, numbers and texts in one column.

use crate::support::conformance::{Cell, Item};
use crate::support::feeds::xlsx;

use super::sheets::{Sheets, Workbook};

struct XlsxSheets;

type Xlsx = Workbook<XlsxSheets>;

impl Sheets for XlsxSheets {
    const FILE: &'static str = "x.xlsx";

    fn workbook(items: &[Item]) -> Vec<u8> {
        workbook(items)
    }
}

/// Quantities are number cells where they can be, prices where a number keeps them.
fn workbook(items: &[Item]) -> Vec<u8> {
    let header = ["note", "sku", "name", "qty", "price"].map(text).concat();
    let rows: String = items.iter().map(|item| format!("<row>{}</row>", cells(item))).collect();
    let title = text("Stock of today");
    let stock = format!("<row r=\"1\">{title}</row><row r=\"3\">{header}</row>{rows}<row/>");
    xlsx(&[("Macros", ""), ("Stock", &stock)])
}

fn cells(item: &Item) -> String {
    let name = item.name.replace('&', "&amp;").replace('<', "&lt;");
    format!(
        "<c s=\"2\"/>{}{}{}{}",
        text(item.sku),
        text(&name),
        value(item.quantity),
        value(item.price)
    )
}

fn text(text: &str) -> String {
    format!("<c t=\"inlineStr\"><is><t>{text}</t></is></c>")
}

fn value(cell: Cell) -> String {
    match cell {
        Cell::Is(number) if number.parse::<f64>().is_ok_and(|kept| kept.to_string() == number) => {
            format!("<c s=\"2\"><v>{number}</v></c>")
        }
        Cell::Is(word) => text(word),
        Cell::Empty => "<c s=\"2\"/>".to_owned(),
        Cell::Absent => "<c t=\"str\"><v></v></c>".to_owned(),
    }
}

every_reading_promise! { Xlsx }
every_read_file_promise! { Xlsx }
