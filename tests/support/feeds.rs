//! Feeds of every format, listed by the real binary: what invsync makes of a stranger's file.

use std::io::Write as _;

use invsync::around::Around;
use invsync::connector::{ConnectorError, Context, REGISTRY, RowBatch, Want};
use invsync::model::StorePlaces;
use invsync::settings::{Document, Problems, Table};
use serde_json::Value;

use super::{BASE, Shop, zipped};

/// A feed as a wholesaler `x`, with the keys of its table but for `type` and `source`.
pub(crate) fn feed(toml: &str, bytes: impl AsRef<[u8]>) -> Shop {
    let config =
        format!("{BASE}[integrations.x]\ntype = \"wholesaler\"\nsource = \"feed\"\n{toml}\n");
    Shop::new().file("invsync.toml", config).file("feed", bytes)
}

/// What `list` shows of it: `item_id sku ean name quantity price currency` with `.` for what is
/// null, then the problems as `! line message`.
pub(crate) fn listed(toml: &str, bytes: impl AsRef<[u8]>) -> Vec<String> {
    let shop = feed(toml, bytes);
    let ran = shop.run("list x --limit 0 --format json");
    let keys = ["item_id", "sku", "ean", "name", "quantity", "price", "currency"];
    let text = |key: &str, value: &Value| match (key, value.as_str().unwrap_or(".")) {
        // Prices are shown with the usual decimals of their currency.
        ("price", text) if text.len() > 1 && text.contains('.') => {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        (_, text) => text.to_owned(),
    };
    let item = |item: &Value| keys.map(|key| text(key, &item[key])).join(" ");
    let mut lines: Vec<_> = ran.json()["items"].as_array().unwrap().iter().map(item).collect();
    let problems = ran.stderr.lines().map(|line| {
        let problem = line.rsplit_once("warning: ").map_or(line, |(_, problem)| problem);
        format!("! {}", problem.strip_prefix("line ").unwrap_or(problem))
    });
    lines.extend(problems);
    lines
}

/// The error of a feed that cannot be read, by `list`, with its exit code.
pub(crate) fn refused(toml: &str, bytes: impl AsRef<[u8]>, code: i32) -> String {
    feed(toml, bytes).run("list x").code(code).stderr.clone()
}

/// An xlsx workbook: sheets by name, each with the inside of its `sheetData`. The shared texts are
/// `MUG-01`, `TEA-01` (in two pieces) and `007`; style 1 shows a date, style 2 money.
pub(crate) fn xlsx(sheets: &[(&str, &str)]) -> Vec<u8> {
    const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    const RELATIONS: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
    const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let relation = |id: &str, kind: &str, target: &str| {
        format!("<Relationship Id=\"{id}\" Type=\"{OFFICE}/{kind}\" Target=\"{target}\"/>")
    };
    let relations =
        |inner: &str| format!("<Relationships xmlns=\"{RELATIONS}\">{inner}</Relationships>");
    let (mut list, mut parts, mut members) = (String::new(), String::new(), Vec::new());
    for (at, (name, rows)) in sheets.iter().enumerate() {
        list += &format!("<sheet name=\"{name}\" sheetId=\"{at}\" r:id=\"r{at}\"/>");
        parts += &relation(&format!("r{at}"), "worksheet", &format!("worksheets/sheet{at}.xml"));
        members.push((
            format!("xl/worksheets/sheet{at}.xml"),
            format!("<worksheet xmlns=\"{MAIN}\"><sheetData>{rows}</sheetData></worksheet>"),
        ));
    }
    parts += &relation("s", "sharedStrings", "sharedStrings.xml");
    parts += &relation("t", "styles", "/xl/styles.xml");
    members.extend([
        ("_rels/.rels".to_owned(), relations(&relation("w", "officeDocument", "xl/workbook.xml"))),
        ("xl/_rels/workbook.xml.rels".to_owned(), relations(&parts)),
        (
            "xl/workbook.xml".to_owned(),
            format!(
                "<workbook xmlns=\"{MAIN}\" xmlns:r=\"{OFFICE}\"><sheets>{list}</sheets></workbook>"
            ),
        ),
        (
            "xl/sharedStrings.xml".to_owned(),
            format!(
                "<sst xmlns=\"{MAIN}\"><si><t>MUG-01</t></si><si><r><t>TEA</t></r><r><t>-01</t></r>\
                 <rPh><t>x</t></rPh></si><si><t>007</t></si></sst>"
            ),
        ),
        (
            "xl/styles.xml".to_owned(),
            format!(
                "<styleSheet xmlns=\"{MAIN}\"><numFmts><numFmt numFmtId=\"164\" \
                 formatCode=\"#,##0.00 &quot;d&quot;\"/></numFmts><cellXfs><xf numFmtId=\"0\"/>\
                 <xf numFmtId=\"14\"/><xf numFmtId=\"164\"/></cellXfs></styleSheet>"
            ),
        ),
    ]);
    let members: Vec<_> =
        members.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
    zipped(&members)
}

/// An ods workbook: sheets by name, each with its rows.
pub(crate) fn ods(sheets: &[(&str, &str)]) -> Vec<u8> {
    let tables: String = sheets
        .iter()
        .map(|(name, rows)| {
            format!("<table:table table:name=\"{name}\"><table:table-column/>{rows}</table:table>")
        })
        .collect();
    let content = format!(
        "<office:document-content xmlns:office=\"o\" xmlns:table=\"t\" xmlns:text=\"x\">\
         <office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body>\
         </office:document-content>"
    );
    zipped(&[
        ("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"),
        ("content.xml", content.as_bytes()),
        ("META-INF/manifest.xml", b"<manifest:manifest xmlns:manifest=\"m\"/>"),
    ])
}

/// Reads bytes as a feed in this process, to its end or its error: nothing may panic.
pub(crate) fn read_in_process(toml: &str, bytes: &[u8]) -> Result<usize, String> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    let text = format!("source = '{}'\n{toml}", file.path().display());
    let document = Document::new("invsync.toml".as_ref(), text);
    let values = toml::de::DeTable::parse(document.text()).unwrap();
    let problems = Problems::default();
    let mut table = Table::root(&document, &problems, values.get_ref());
    let (connector, _) = table.string("connector").unwrap();
    let registration = REGISTRY.iter().find(|known| known.name == connector).unwrap();
    let settings = (registration.settings)(&mut table, &Context::new("x", "/", false)).unwrap();
    let read = || -> Result<usize, ConnectorError> {
        let connector = settings.connect(&Around::nobody(), &StorePlaces::default())?;
        let mut reader = connector.open(Want { stock: true, prices: true, names: true })?;
        let (mut batch, mut rows) = (RowBatch::default(), 0);
        while reader.next(&mut batch)? {
            rows += batch.len();
        }
        reader.finish().map(|_| rows)
    };
    read().map_err(|why| why.message)
}

/// The bytes with a few of them changed, taken out or put in; the same for each seed.
pub(crate) fn mutated(bytes: &[u8], seed: u64) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut bytes = bytes.to_vec();
    for _ in 0..random.usize(1..6) {
        let at = random.usize(..bytes.len());
        match random.u8(..5) {
            0 => bytes[at] = random.u8(..),
            1 => bytes[at] ^= 1 << random.u8(..8),
            2 => bytes.truncate(at.max(1)),
            3 => drop(bytes.splice(at..at, [random.u8(..); 3])),
            _ => {
                let end = (at + random.usize(..20)).min(bytes.len());
                drop(bytes.drain(at..end));
                bytes.push(random.u8(..));
            }
        }
    }
    bytes
}
