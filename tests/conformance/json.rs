//! JSON files: items deep inside, numbers and texts.

use crate::support::conformance::{Cell, Format, Item};

struct Json;

impl Format for Json {
    const FILE: &'static str = "x.json";
    const CONFIG: &'static str = r#"
connector = "json"
items = "/shop/items"
fields = { sku = "code", name = "title", quantity = "stock/free", price = "price" }
"#;

    fn new() -> Json {
        Json
    }

    fn render(items: &[Item]) -> String {
        render_json(items)
    }

    fn cut(items: &[Item]) -> String {
        let text = render_json(items);
        text[..text.len() - 30].to_owned()
    }
}

/// Quantities are numbers where they can be, prices are strings.
fn render_json(items: &[Item]) -> String {
    let items: Vec<_> = items
        .iter()
        .map(|item| {
            let mut text =
                format!("  {{\"code\": \"{}\",\n   \"title\" : {},", item.sku, quoted(item.name));
            text += &match item.quantity {
                Cell::Is(number) if is_json_number(number) => {
                    format!(" \"stock\": {{ \"free\": {number} }},")
                }
                Cell::Is(word) => format!(" \"stock\": {{ \"free\": {} }},", quoted(word)),
                Cell::Empty => " \"stock\": { \"free\": \"\" },".to_owned(),
                Cell::Absent => " \"stock\": {},".to_owned(),
            };
            text += &match item.price {
                Cell::Is(price) => format!("\"price\":\t{},", quoted(price)),
                Cell::Empty => "\"price\":\t\"\",".to_owned(),
                Cell::Absent => String::new(),
            };
            text + " \"tags\": [\"a\", 1.50, null] }"
        })
        .collect();
    format!(
        "{{\"shop\": {{\"items\": [\n{}\n ], \"count\": 3}},\n \"next\": null}}\n",
        items.join(",\n")
    )
}

fn is_json_number(text: &str) -> bool {
    serde_json::from_str::<serde_json::Number>(text).is_ok()
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

every_promise! { Json }
every_file_promise! { Json }
