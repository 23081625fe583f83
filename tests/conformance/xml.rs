//! XML files: attributes and elements, entities, comments, CDATA.

use crate::support::conformance::{Cell, Format, Item};

struct Xml;

impl Format for Xml {
    const FILE: &'static str = "x.xml";
    const CONFIG: &'static str = r#"
connector = "xml"
items = "/shop/item"
fields = { sku = "@code", name = "name", quantity = "stock/@free", price = "price" }
"#;

    fn new() -> Xml {
        Xml
    }

    fn render(items: &[Item]) -> String {
        render_xml(items)
    }

    fn cut(items: &[Item]) -> String {
        let text = render_xml(items);
        text[..text.len() - 20].to_owned()
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

every_promise! { Xml }
every_file_promise! { Xml }
