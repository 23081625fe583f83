//! EDIFACT interchanges: segments that nobody asked for, a summary.

use crate::support::conformance::{Cell, Format, Item};

struct Edifact;

impl Format for Edifact {
    const FILE: &'static str = "x.edi";
    const CONFIG: &'static str = r#"
connector = "edifact"
fields = { sku = "@3.1", name = "IMD/@3.4", quantity = "QTY[@1.1='145']/@1.2", price = "PRI[@1.1='AAA']/@1.2" }
"#;

    fn new() -> Edifact {
        Edifact
    }

    fn render(items: &[Item]) -> String {
        let items: String = items.iter().map(render_item).collect();
        let count = items.matches("'\n").count() + 4;
        format!(
            "UNA:+.? '\nUNB+UNOY:4+A+B+260101:1200+1'\nUNH+7+PRICAT:D:96A:UN'\nBGM+9+2030+9'\n\
             {items}UNS+S'\nUNT+{count}+7'\nUNZ+1+1'\n"
        )
    }

    fn cut(items: &[Item]) -> String {
        let text = Edifact::render(items);
        text[..text.find("UNZ").unwrap()].to_owned()
    }
}

fn render_item(item: &Item) -> String {
    let mut text =
        format!("LIN+1+3+{}:EN'\nIMD+F++TU:::{}'\nQTY+52:12'\n", item.sku, released(item.name));
    text += &match item.quantity {
        Cell::Is(quantity) => format!("QTY+145:{}'\n", released(quantity)),
        Cell::Empty => "QTY+145:'\n".to_owned(),
        Cell::Absent => String::new(),
    };
    text += &match item.price {
        Cell::Is(price) => format!("PRI+AAB:1'\nPRI+AAA:{price}:CT'\n"),
        Cell::Empty => "PRI+AAA'\n".to_owned(),
        Cell::Absent => String::new(),
    };
    text
}

fn released(text: &str) -> String {
    let release = |c: char| if "?+:'".contains(c) { format!("?{c}") } else { c.to_string() };
    text.chars().map(release).collect()
}

every_reading_promise! { Edifact }
every_read_file_promise! { Edifact }
