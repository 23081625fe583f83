//! CSV: RFC 4180 quoting, lines that end with a line feed, texts as they are.

use std::io::{self, Write};

use anyhow::Result;

use super::change::{CHANGE_COLUMNS, each_change};
use super::escape::is_formula;
use super::{RunReport, Sink, Style};

/// Prints one row per change, under one header.
pub(super) struct Csv<'o> {
    style: Style,
    out: &'o mut (dyn Write + Send),
    has_header: bool,
}

impl<'o> Csv<'o> {
    pub(super) fn new(style: Style, out: &'o mut (dyn Write + Send)) -> Self {
        Csv { style, out, has_header: false }
    }

    fn header(&mut self) -> io::Result<()> {
        if !std::mem::replace(&mut self.has_header, true) {
            line(self.out, false, CHANGE_COLUMNS)?;
        }
        Ok(())
    }
}

impl Sink for Csv<'_> {
    fn run(&mut self, report: &RunReport<'_>) -> Result<()> {
        self.header()?;
        let safe = self.style.spreadsheet_safe;
        each_change(report, &mut |texts| line(self.out, safe, texts.iter().copied()))?;
        Ok(self.out.flush()?)
    }

    fn end(&mut self) -> Result<()> {
        self.header()?;
        Ok(self.out.flush()?)
    }
}

/// Prints one line. `safe`: formulas get a leading `'`.
pub(super) fn line<'c>(
    out: &mut dyn Write,
    safe: bool,
    cells: impl IntoIterator<Item = &'c str>,
) -> io::Result<()> {
    for (at, cell) in cells.into_iter().enumerate() {
        if at > 0 {
            out.write_all(b",")?;
        }
        let mark = if safe && is_formula(cell) { "'" } else { "" };
        if cell.contains([',', '"', '\n', '\r']) {
            write!(out, "\"{mark}{}\"", cell.replace('"', "\"\""))?;
        } else {
            out.write_all(mark.as_bytes())?;
            out.write_all(cell.as_bytes())?;
        }
    }
    out.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    fn line(safe: bool, cells: &[&str]) -> String {
        let mut out = Vec::new();
        super::line(&mut out, safe, cells.iter().copied()).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn cells_are_quoted_only_where_they_must_be() {
        let cells = ["a", "b,c", "say \"hi\"", "two\nlines", "", " =1"];
        assert_eq!(line(false, &cells), "a,\"b,c\",\"say \"\"hi\"\"\",\"two\nlines\",, =1\n");
    }

    #[test]
    fn formulas_are_marked_only_when_asked() {
        let cells = ["=HYPERLINK(\"x\")", "-5", "@a", "\rb"];
        assert_eq!(line(false, &cells), "\"=HYPERLINK(\"\"x\"\")\",-5,@a,\"\rb\"\n");
        assert_eq!(line(true, &cells), "\"'=HYPERLINK(\"\"x\"\")\",-5,'@a,\"'\rb\"\n");
    }
}
