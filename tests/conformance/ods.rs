//! Sheets of ods workbooks: a title above the header, another sheet, cells that show something else.

use crate::support::conformance::{Cell, Item};
use crate::support::feeds::ods;

use super::sheets::{Sheets, Workbook};

struct OdsSheets;

type Ods = Workbook<OdsSheets>;

impl Sheets for OdsSheets {
    const FILE: &'static str = "x.ods";

    fn workbook(items: &[Item]) -> Vec<u8> {
        workbook(items)
    }
}

/// Quantities are number cells where they can be, prices where a number keeps them.
fn workbook(items: &[Item]) -> Vec<u8> {
    let header = ["note", "sku", "name", "qty", "price"].map(text).concat();
    let rows: String = items.iter().map(|item| row(&cells(item))).collect();
    let blank = "<table:table-row><table:table-cell/></table:table-row>";
    let title = row(&text("Stock of today"));
    ods(&[("Macros", ""), ("Stock", &format!("{title}{blank}{}{rows}{blank}", row(&header)))])
}

fn row(cells: &str) -> String {
    format!("<table:table-row>{cells}</table:table-row>")
}

fn cells(item: &Item) -> String {
    let name = item.name.replace('&', "&amp;").replace('<', "&lt;");
    let (quantity, price) = (value(item.quantity), value(item.price));
    format!("<table:table-cell/>{}{}{quantity}{price}", text(item.sku), text(&name))
}

fn text(text: &str) -> String {
    format!(
        "<table:table-cell office:value-type=\"string\"><text:p>{text}</text:p></table:table-cell>"
    )
}

fn value(cell: Cell) -> String {
    match cell {
        Cell::Is(number) if number.parse::<f64>().is_ok_and(|kept| kept.to_string() == number) => {
            format!(
                "<table:table-cell office:value-type=\"float\" office:value=\"{number}\">\
                 <text:p>about {number}</text:p></table:table-cell>"
            )
        }
        Cell::Is(word) => text(word),
        Cell::Empty => "<table:table-cell/>".to_owned(),
        Cell::Absent => "<table:covered-table-cell/>".to_owned(),
    }
}

every_reading_promise! { Ods }
every_read_file_promise! { Ods }
