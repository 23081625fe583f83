//! CSV files: odd columns, a comment, quotes.

use crate::support::conformance::{Cell, Format, Item};

struct Csv;

impl Format for Csv {
    const FILE: &'static str = "x.csv";
    const CONFIG: &'static str = r##"
connector = "csv"
comment = "#"
fields = { sku = "sku", name = "name", quantity = "qty", price = "price" }
"##;
    const TELLS_SHORT_ROWS: bool = true;

    fn new() -> Csv {
        Csv
    }

    fn render(items: &[Item]) -> String {
        render_csv(items)
    }

    fn cut(items: &[Item]) -> String {
        // Inside a quote that never ends.
        let text = render_csv(items);
        text[..text.rfind("\"\"").unwrap() + 5].to_owned()
    }
}

fn render_csv(items: &[Item]) -> String {
    let mut text = "id;\"sku\";note;name;qty;price\n# from the till\n".to_owned();
    for item in items {
        let name = item.name.replace('"', "\"\"");
        text += &format!("7;{};  as it is ;\"{name}\"", item.sku);
        match (item.quantity, item.price) {
            (quantity, Cell::Absent) => text += &format!(";{}\n", csv_cell(quantity)),
            (quantity, price) => {
                text += &format!(";{};\"{}\"\n", csv_cell(quantity), csv_cell(price))
            }
        }
    }
    text + "# the end\n"
}

fn csv_cell(cell: Cell) -> &'static str {
    match cell {
        Cell::Is(text) => text,
        Cell::Empty | Cell::Absent => "",
    }
}

every_promise! { Csv }
every_file_promise! { Csv }
