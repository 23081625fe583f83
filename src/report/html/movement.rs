//! How far prices moved, as bars of an inline SVG.

use std::io::{self, Write};

use crate::model::{ChangeRow, Section};
use crate::report::table::is_wrong;
use crate::report::words::count;

/// The upper ends of the bars in thousandths of the price before; the last bar has none.
const BOUNDS: [i128; 9] = [-500, -200, -100, -50, 0, 50, 100, 200, 500];
const LABELS: [&str; 10] =
    ["≤ −50 %", "−20 %", "−10 %", "−5 %", "< 0", "> 0", "+5 %", "+10 %", "+20 %", "≥ +50 %"];
const WIDTH: usize = 66;
const HEIGHT: u64 = 120;

/// How many prices moved how far.
#[derive(Default)]
pub(super) struct Movements {
    bars: [u64; 10],
}

impl Movements {
    /// Counts a change; what is no price, was not applied, or has nothing to compare with is left
    /// out.
    pub(super) fn add(&mut self, change: &ChangeRow<'_>) {
        let sides = change.before.number().zip(change.after.number());
        let Some((before, after)) =
            sides.filter(|_| change.section == Section::Prices && !is_wrong(change.status))
        else {
            return;
        };
        let (before, after) = (i128::from(before.micros()), i128::from(after.micros()));
        if before > 0 && before != after {
            self.bars[bar(before, after)] += 1;
        }
    }

    fn total(&self) -> u64 {
        self.bars.iter().sum()
    }

    /// Writes the chart, where there is something to show.
    pub(super) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.total() == 0 {
            return Ok(());
        }
        let (down, up) = self.bars.split_at(5);
        let (down, up) = (down.iter().sum(), up.iter().sum());
        let said = format!("prices down: {}, prices up: {}", count(down), count(up));
        write!(
            out,
            "<section>\n<h2>Price movements</h2>\n<p class=\"soft\">{said}</p>\n\
             <svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{said}\">\n",
            WIDTH * self.bars.len(),
            HEIGHT + 50
        )?;
        let most = self.bars.iter().copied().max().unwrap_or(1).max(1);
        for (at, (bar, label)) in self.bars.iter().zip(LABELS).enumerate() {
            let (x, class) = (at * WIDTH, if at < 5 { "down" } else { "up" });
            // Even a single price is to be seen beside thousands.
            let height = (bar * HEIGHT / most).max(u64::from(*bar > 0) * 2);
            let (y, middle) = (HEIGHT + 20 - height, x + WIDTH / 2);
            if *bar > 0 {
                write!(
                    out,
                    "<rect class=\"{class}\" x=\"{}\" y=\"{y}\" width=\"{}\" height=\"{height}\"/>\
                     <text x=\"{middle}\" y=\"{}\">{}</text>",
                    x + 6,
                    WIDTH - 12,
                    y - 6,
                    count(*bar)
                )?;
            }
            let label = label.replace('<', "&lt;").replace('>', "&gt;");
            writeln!(out, "<text x=\"{middle}\" y=\"{}\">{label}</text>", HEIGHT + 40)?;
        }
        let (end, y) = (WIDTH * self.bars.len(), HEIGHT + 20);
        writeln!(out, "<path class=\"axis\" d=\"M0 {y}H{end}\"/>\n</svg>\n</section>")
    }
}

/// The bar of a move: falls of exactly a bound belong to the larger fall, rises to the larger rise.
fn bar(before: i128, after: i128) -> usize {
    let moved = (after - before) * 1000;
    BOUNDS
        .iter()
        .position(|bound| match moved {
            ..0 => moved <= bound * before,
            _ => *bound > 0 && moved < bound * before,
        })
        .unwrap_or(BOUNDS.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_move_has_its_bar() {
        let of = |after| LABELS[bar(1000, after)];
        let found = [1, 500, 501, 800, 900, 950, 951, 999].map(of);
        assert_eq!(found, ["≤ −50 %", "≤ −50 %", "−20 %", "−20 %", "−10 %", "−5 %", "< 0", "< 0"]);
        let found = [1001, 1049, 1050, 1100, 1200, 1499, 1500, 90_000].map(of);
        assert_eq!(found, ["> 0", "> 0", "+5 %", "+10 %", "+20 %", "+20 %", "≥ +50 %", "≥ +50 %"]);
    }
}
