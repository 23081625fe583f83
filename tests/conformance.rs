//! Every connector keeps every promise of `tests/support/conformance.rs`. A new connector adds one
//! [`Format`] and one word at the end of this file.

use crate::support::conformance::{self as promises, Cell, Format, Item};

fn csv() -> Format {
    Format {
        file: "x.csv",
        config: r##"
connector = "csv"
comment = "#"
fields = { sku = "sku", name = "name", quantity = "qty", price = "price" }
"##,
        render: render_csv,
        // Inside a quote that never ends.
        cut: |items| {
            let text = render_csv(items);
            text[..text.rfind("\"\"").unwrap() + 5].to_owned()
        },
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

fn json() -> Format {
    Format {
        file: "x.json",
        config: r#"
connector = "json"
items = "/shop/items"
fields = { sku = "code", name = "title", quantity = "stock/free", price = "price" }
"#,
        render: render_json,
        cut: |items| {
            let text = render_json(items);
            text[..text.len() - 30].to_owned()
        },
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

fn xml() -> Format {
    Format {
        file: "x.xml",
        config: r#"
connector = "xml"
items = "/shop/item"
fields = { sku = "@code", name = "name", quantity = "stock/@free", price = "price" }
"#,
        render: render_xml,
        cut: |items| {
            let text = render_xml(items);
            text[..text.len() - 20].to_owned()
        },
    }
}

/// Quantities are attributes, prices are elements.
fn render_xml(items: &[Item]) -> String {
    let mut text =
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- from the till -->\n<shop>\n".to_owned();
    for item in items {
        let name = item.name.replace('&', "&amp;").replace('<', "&lt;");
        text += &format!("  <item code='{}' ><name>{name}</name>\n", item.sku);
        text += &match item.quantity {
            Cell::Is(number) => format!("    <stock  free='{number}' note=\"a &lt; b\"/>"),
            Cell::Empty => "    <stock free=''/>".to_owned(),
            Cell::Absent => "    <stock/>".to_owned(),
        };
        text += &match item.price {
            Cell::Is(price) => format!("<price cur=\"EUR\">{price}</price>"),
            Cell::Empty => "<price></price>".to_owned(),
            Cell::Absent => String::new(),
        };
        text += "<!-- as it is --> <extra><![CDATA[1 < 2]]></extra>\n  </item>\n";
    }
    text + "</shop>\n"
}

/// One test for each promise, in a module for each connector.
macro_rules! keep {
    ($connector:ident: $($promise:ident)*) => {
        mod $connector {
            $(
                #[test]
                fn $promise() {
                    super::promises::$promise(&super::$connector());
                }
            )*
        }
    };
}

macro_rules! every_promise {
    ($($connector:ident)*) => {
        $(
            keep! { $connector:
                every_item_is_listed_once_with_all_it_has
                a_pull_takes_every_value_exactly
                the_second_pull_changes_nothing
                unknown_is_not_zero
                zero_is_zero
                a_bad_value_stops_no_other
                a_file_that_is_cut_changes_nothing
                an_empty_file_changes_nothing
                an_error_page_in_its_place_changes_nothing
                an_absent_item_is_not_zero
                the_order_of_rows_does_not_matter
                equal_duplicates_count_once_and_unequal_ones_are_trusted_nowhere
                an_item_without_any_key_is_a_problem_and_no_item
                a_push_changes_exactly_the_cells_and_leaves_every_other_byte
                line_ends_and_a_missing_last_one_stay
                the_second_push_changes_nothing
                a_pull_after_a_push_changes_nothing
                an_absent_cell_is_refused_and_the_rest_goes_on
                an_empty_cell_is_filled
                equal_repeated_rows_are_all_written_and_unequal_ones_not_at_all
                a_linked_item_that_is_gone_stops_no_other
                what_the_inventory_does_not_know_is_not_sent
                permissions_stay_and_no_file_is_left_behind
                a_dry_run_writes_nothing_and_plans_the_same
                a_wholesaler_is_never_written
            }
        )*
    };
}

every_promise! { csv json xml }
