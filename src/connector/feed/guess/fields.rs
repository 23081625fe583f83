//! Which column is which field.

use std::collections::BTreeSet;

use super::column::{Look, SIGNS, unit_of};
use super::words::{self, FIELDS, Words};
use super::{Column, FieldLine, Line, Proposal, Sample, is_literal, quoted};
use crate::connector::feed::number::{self, DecimalSign};
use crate::model::Currency;

/// What a name that is the field's own is worth.
const BY_NAME: usize = 100;
/// What a name with a fitting part is worth.
const BY_PART: usize = 50;
/// More rows that are no items are something else.
const MOST_ODD_ROWS: usize = 10;

/// A column as it is judged.
struct Judged<'s> {
    column: &'s Column,
    look: Look,
}

/// A column that may be a field.
#[derive(Clone, Copy)]
struct Candidate<'j, 's> {
    judged: &'j Judged<'s>,
    score: usize,
}

fn judged(sample: &Sample) -> Vec<Judged<'_>> {
    sample.columns.iter().map(|column| Judged { column, look: Look::of(column) }).collect()
}

fn words_of(field: &str) -> Option<&'static Words> {
    FIELDS.iter().find(|words| words.field == field)
}

/// What a name says: a whole name of the table, the earlier the more, or a part of one.
fn name_score(field: &str, column: &Column) -> usize {
    let Some(words) = words_of(field) else { return 0 };
    let plain = words::plain(&column.name);
    let tokens = words::split(&column.name);
    if field == "name" {
        // The name of a brand or category is not the product's.
        let context = words::split(&column.context);
        if words.not.iter().any(|not| context.iter().any(|token| token == not)) {
            return 0;
        }
    }
    let whole = |name: &str| words.names.iter().position(|known| *known == name);
    if let Some(place) = whole(&plain) {
        return BY_NAME + (words.names.len() - place).min(99) / 2;
    }
    let is_not =
        |token: &String, not: &str| token == not || (not.len() > 4 && token.starts_with(not));
    if words.not.iter().any(|not| tokens.iter().any(|token| is_not(token, not))) {
        return 0;
    }
    let best = tokens.iter().filter(|token| token.len() > 2).filter_map(|token| whole(token)).min();
    if let Some(place) = best {
        return BY_PART + 10 + (words.names.len() - place).min(99) / 4;
    }
    let has_part = words.parts.iter().any(|part| plain.contains(part));
    if has_part && !words.not.iter().any(|not| not.len() > 3 && plain.contains(not)) {
        BY_PART
    } else {
        0
    }
}

/// What a column is worth as a field; 0: it cannot be it.
fn field_score(field: &str, judged: &Judged<'_>, items: usize) -> usize {
    let Judged { column, look } = judged;
    let by_name = match column.path.as_str() {
        "@key" if matches!(field, "sku" | "item_id") => BY_PART,
        _ => name_score(field, column),
    };
    let coverage = look.filled * 60 / items.max(1);
    let by_shape = match field {
        "ean" => ean_score(look, by_name),
        "sku" | "item_id" => id_score(look, by_name, items),
        "name" => text_score(look, by_name),
        "quantity" => quantity_score(look, by_name, column),
        "price" => price_score(look, by_name, column),
        "currency" => look.mostly(look.codes).then_some(by_name),
        "parent_sku" => (by_name > 0 && look.urls == 0).then_some(by_name),
        _ => None,
    };
    // What a variant has itself is nearer than what its item has.
    let is_far = column.path.starts_with("../") && !matches!(field, "name" | "currency");
    let far = if is_far { 40 } else { 0 };
    by_shape.filter(|score| *score > 0).map_or(0, |score| (score + coverage).saturating_sub(far))
}

fn ean_score(look: &Look, by_name: usize) -> Option<usize> {
    let is_mostly = look.mostly(look.gtins) && look.filled > 0;
    match (by_name > 0, is_mostly) {
        (true, _) if look.gtins > 0 => Some(by_name + 100 * look.gtins / look.filled),
        // A code of another kind in the ean's place; people see it by its name.
        (true, _) if look.urls == 0 => Some(by_name / 2),
        (false, true) if look.filled > 2 => Some(60),
        _ => None,
    }
}

fn id_score(look: &Look, by_name: usize, items: usize) -> Option<usize> {
    let is_id =
        by_name > 0 && look.mean_bytes() <= 60 && look.urls == 0 && look.filled * 2 > items.min(4);
    let spread = 60 * look.distinct / look.filled.max(1);
    (is_id && look.distinct * 10 >= look.filled * 4).then_some(by_name + spread)
}

fn text_score(look: &Look, by_name: usize) -> Option<usize> {
    let is_text =
        look.letters * 2 > look.filled && look.urls * 2 < look.filled && look.mean_bytes() > 2;
    let spread = 30 * look.distinct / look.filled.max(1);
    let long = if look.mean_bytes() > 150 { 40 } else { 0 };
    (by_name > 0 && is_text).then_some((by_name + spread).saturating_sub(long))
}

fn quantity_score(look: &Look, by_name: usize, column: &Column) -> Option<usize> {
    let (_, readable) = look.sign(look.quantities);
    let fits = |word: &str| {
        let is_known = words::stock_value(word).is_some() || words::is_upper_bound(word);
        is_known || unit_of(word).is_some()
    };
    let known = look.words.iter().filter(|(word, _)| fits(word));
    let worded: usize = known.map(|(_, count)| count).sum();
    // Where there are too many texts, these are not kept.
    let with_unit: usize = look.units.values().sum();
    let fits = readable + worded.max(with_unit);
    let context = column.context.split(' ').next_back().unwrap_or_default();
    let by_name = match by_name {
        // `stock/total`
        0 if words::TOTAL.contains(&words::plain(&column.name).as_str())
            && is_name_of("quantity", context) =>
        {
            BY_PART
        }
        by_name => by_name,
    };
    // A number beats a word for it.
    let exact = 30 * readable / look.filled.max(1);
    let tokens = words::split(&column.name);
    let is_total = tokens.iter().any(|token| words::TOTAL.contains(&token.as_str()));
    let exact = if is_total { exact + 20 } else { exact };
    let is_money = look.money * 2 > look.filled && !column.name.to_lowercase().contains("st");
    (by_name > 0 && look.mostly(fits) && !is_money).then_some(by_name + exact)
}

fn price_score(look: &Look, by_name: usize, column: &Column) -> Option<usize> {
    let (_, readable) = look.sign(look.prices);
    let context = words::plain(&column.context);
    // `price/@net`, `price/PRICE_AMOUNT`: the whole of the name counts.
    let in_price =
        ["price", "pricing", "cena", "preis", "prix"].iter().any(|word| context.contains(word));
    let is_side = ["srp", "shipping", "delivery", "retail", "market", "old"]
        .iter()
        .any(|word| context.contains(word));
    let kinds = words::split(&column.context).join("");
    let kind = words::PRICE_KINDS.iter().position(|kind| kinds.contains(kind));
    let kind = kind.map_or(0, |place| 12 - place);
    let tokens = words::split(&column.name);
    let has = |known: &[&str]| tokens.iter().any(|token| known.contains(&token.as_str()));
    let kind = if has(words::OWN_PRICE) { kind + 15 } else { kind };
    // `pricing/trade`
    let by_name = match by_name {
        0 if in_price && has(words::OWN_PRICE) => BY_PART,
        _ if has(words::RETAIL_PRICE) => by_name.min(BY_PART + 8) / 2,
        by_name => by_name,
    };
    let bare = matches!(words::plain(&column.name).as_str(), "net" | "gross" | "netto" | "brutto");
    let by_name = if bare && !in_price && !context.is_empty() { 0 } else { by_name };
    let by_name = if is_side { by_name / 2 } else { by_name };
    let depth = column.path.matches('/').count() * 3;
    let money = 20 * look.money / look.filled.max(1);
    let fits = by_name > 0 && look.mostly(readable) && look.codes == 0;
    fits.then_some((by_name + money + kind).saturating_sub(depth))
}

/// The candidates of a field, the best first.
fn candidates<'j, 's>(field: &str, all: &'j [Judged<'s>], items: usize) -> Vec<Candidate<'j, 's>> {
    let mut found: Vec<_> = all
        .iter()
        .map(|judged| Candidate { judged, score: field_score(field, judged, items) })
        .filter(|candidate| candidate.score > 0)
        .collect();
    found.sort_by_key(|candidate| std::cmp::Reverse(candidate.score));
    found
}

/// How much items look like products.
pub(super) fn score(sample: &Sample) -> usize {
    let all = judged(sample);
    let best = |field| candidates(field, &all, sample.items).first().map_or(0, |best| best.score);
    let id = best("sku").max(best("item_id")).max(best("ean"));
    let value = best("quantity").max(best("price"));
    if id == 0 || (value == 0 && best("name") == 0) {
        return 0;
    }
    id.min(150)
        + best("name").min(100)
        + best("ean").min(100)
        + best("quantity").min(120)
        + best("price").min(120)
}

/// Whether these could be variants: each has an id of its own, and a quantity or price.
pub(super) fn is_sellable(sample: &Sample) -> bool {
    let all = judged(sample);
    let best = |field| candidates(field, &all, sample.items).first().map_or(0, |best| best.score);
    let ids = candidates("sku", &all, sample.items);
    let has_id = ids.iter().any(|id| id.judged.look.distinct * 10 >= sample.items * 9);
    has_id && best("quantity").max(best("price")) > 0
}

/// Whether items have a name.
pub(super) fn has_name(sample: &Sample) -> bool {
    !candidates("name", &judged(sample), sample.items).is_empty()
}

/// Whether a text is the name of a field as a whole.
pub(super) fn is_name_of(field: &str, name: &str) -> bool {
    let column = Column { name: name.to_owned(), ..Column::default() };
    name_score(field, &column) >= BY_NAME
}

/// Whether something of this name and text is a currency.
pub(super) fn is_currency(name: &str, text: &str) -> bool {
    is_name_of("currency", name) && Currency::parse(text.trim()).is_some()
}

/// The mapping that a sample speaks for.
pub(super) fn propose(sample: &Sample) -> Proposal {
    let (rule, rows) = filter(&judged(sample));
    let sample = &without(sample, &rows);
    let all = judged(sample);
    let mut options = sample.options.clone();
    options.extend(rule);
    let proposal =
        Proposal { items: sample.items, is_all: sample.is_all, options, ..Proposal::default() };
    let mut mapper = Mapper { sample, all: &all, taken: Vec::new(), proposal };
    mapper.ids();
    mapper.text("name");
    mapper.text("parent_sku");
    mapper.rows();
    let price = mapper.price();
    mapper.quantity(price);
    mapper.currency();
    mapper.in_order()
}

/// The sample without some of its items.
fn without(sample: &Sample, rows: &[usize]) -> Sample {
    let mut sample = sample.clone();
    for column in &mut sample.columns {
        let mut kept = (0..column.values.len()).map(|row| !rows.contains(&row));
        let mut is_kept = kept.clone();
        column.values.retain(|_| kept.next().unwrap_or(true));
        column.numbers.retain(|_| is_kept.next().unwrap_or(true));
    }
    sample.items -= rows.len();
    sample
}

/// `where` for rows that are no items (totals, and tests), and these rows.
fn filter(all: &[Judged<'_>]) -> (Option<Line>, Vec<usize>) {
    let (mut rules, mut found) = (Vec::new(), Vec::new());
    for judged in all {
        let mut texts: Vec<&String> = Vec::new();
        for (row, value) in judged.column.values.iter().enumerate() {
            let Some(value) = value.as_ref().filter(|_| !found.contains(&row)) else { continue };
            if is_literal(value) && is_no_item(all, row, value) {
                found.push(row);
                texts.push(value);
            }
        }
        texts.sort();
        texts.dedup();
        if !texts.is_empty() {
            let texts: Vec<_> = texts.iter().map(|text| quoted(text)).collect();
            let path = quoted(&judged.column.path);
            rules.push(format!("{{ path = {path}, not = [{}] }}", texts.join(", ")));
        }
    }
    if rules.is_empty() || found.len() > MOST_ODD_ROWS {
        return (None, Vec::new());
    }
    let evidence = format!("rows that are a total or a test: {}", found.len());
    (Some(Line::new("where", format!("[{}]", rules.join(", ")), evidence)), found)
}

/// Whether a value says that its row is a test, or adds up the others.
fn is_no_item(all: &[Judged<'_>], row: usize, value: &str) -> bool {
    let lower = value.to_lowercase();
    if lower.contains("do not import") {
        return true;
    }
    if !words::FOOTERS.contains(&lower.trim_end_matches([':', ' '])) {
        return false;
    }
    let has = |judged: &&Judged<'_>| judged.column.values.get(row).is_some_and(Option::is_some);
    all.iter().filter(has).count() * 4 <= all.len() * 3
}

struct Mapper<'j, 's> {
    sample: &'s Sample,
    all: &'j [Judged<'s>],
    taken: Vec<&'s Column>,
    proposal: Proposal,
}

impl<'j, 's> Mapper<'j, 's> {
    fn free(&self, field: &str) -> Vec<Candidate<'j, 's>> {
        let mut found = candidates(field, self.all, self.sample.items);
        found.retain(|found| !self.is_taken(found.judged.column));
        found
    }

    fn is_taken(&self, column: &Column) -> bool {
        self.taken.iter().any(|taken| std::ptr::eq(*taken, column))
    }

    fn add(&mut self, line: Line, doubt: Option<String>, others: &[Candidate<'j, 's>]) {
        let alternatives = others.iter().take(3).map(|other| plain_line(line.key, other.judged));
        let alternatives = alternatives.collect();
        self.proposal.fields.push(FieldLine { line, doubt, alternatives });
    }

    fn miss(&mut self, field: &'static str, others: &[Candidate<'j, 's>]) {
        let others = others.iter().take(3).map(|other| plain_line(field, other.judged)).collect();
        self.proposal.missing.push((field, others));
    }

    fn ids(&mut self) {
        let items = self.sample.items;
        let eans = self.free("ean");
        if let Some((best, others)) = eans.split_first() {
            self.taken.push(best.judged.column);
            let look = &best.judged.look;
            let share = percent(look.gtins, look.filled);
            let mut line = plain_line("ean", best.judged);
            line.evidence += &format!("; {share} have a right check digit");
            let is_bad = !look.mostly(look.gtins);
            let doubt =
                is_bad.then(|| "an EAN links only where its check digit is right".to_owned());
            self.add(line, doubt, others);
        } else {
            self.miss("ean", &[]);
        }
        let (skus, ids) = (self.free("sku"), self.free("item_id"));
        let by_sku = skus.first().copied().filter(|best| {
            ids.first().is_none_or(|id| best.score >= BY_NAME || id.score < BY_NAME)
        });
        match by_sku.or_else(|| ids.first().copied()) {
            Some(best) => self.sku(&best, &skus, &ids, by_sku.is_some()),
            None => self.no_sku(items),
        }
    }

    fn sku(
        &mut self,
        best: &Candidate<'j, 's>,
        skus: &[Candidate<'j, 's>],
        ids: &[Candidate<'j, 's>],
        is_named: bool,
    ) {
        let path = best.judged.column.path.as_str();
        self.taken.push(best.judged.column);
        let look = &best.judged.look;
        let (is_unique, is_full) = (look.is_unique(), look.filled == self.sample.items);
        let others: Vec<_> =
            skus.iter().chain(ids).copied().filter(|c| c.judged.column.path != path).collect();
        let id = ids.iter().find(|id| {
            let look = &id.judged.look;
            is_named
                && id.judged.column.path != path
                && look.is_unique()
                && look.filled == self.sample.items
        });
        if let Some(id) = id {
            self.taken.push(id.judged.column);
            self.add(plain_line("item_id", id.judged), None, &[]);
        }
        let mut doubts = Vec::new();
        if !is_named {
            doubts.push(
                "no column is called a SKU; if this is only the feed's own number, call it item_id"
                    .to_owned(),
            );
        }
        if !is_unique {
            doubts.push(format!(
                "{} of {} values differ; rows with one id are trusted only where they are equal",
                look.distinct, look.filled
            ));
        }
        if look.numbers > 0 {
            doubts.push(format!("{} are number cells, which keep no zeros in front", look.numbers));
        }
        if !is_full {
            doubts.push(format!(
                "{} items have none",
                self.sample.items - look.filled.min(self.sample.items)
            ));
        }
        let doubt = (!doubts.is_empty()).then(|| doubts.join("; "));
        let others: Vec<_> = others
            .into_iter()
            .filter(|other| id.is_none_or(|id| id.judged.column.path != other.judged.column.path))
            .collect();
        self.add(plain_line("sku", best.judged), doubt, &others);
    }

    /// One row for each SKU and warehouse: they are added up.
    fn rows(&mut self) {
        let column = |field: &str| {
            let line = self.proposal.fields.iter().find(|found| found.line.key == field)?;
            self.all.iter().find(|judged| quoted(&judged.column.path) == line.line.value)
        };
        let Some(sku) = column("sku").filter(|sku| !sku.look.is_unique()) else { return };
        let pairs = |place: &Judged<'_>| {
            let rows = sku.column.values.iter().zip(&place.column.values);
            let pairs: BTreeSet<_> = rows.collect();
            pairs.len() == sku.column.values.len()
        };
        let place = self.all.iter().find(|judged| {
            words::WAREHOUSES.contains(&words::plain(&judged.column.name).as_str())
                && judged.look.distinct > 1
                && pairs(judged)
        });
        let Some(place) = place else { return };
        let first = place.look.examples.first().map_or("", String::as_str);
        let path = &place.column.path;
        if !is_literal(first) {
            return;
        }
        let evidence = format!(
            "one row for each SKU and {}; for one of these alone: where = [{{ path = {}, is = [{}] }}]",
            shown(path),
            quoted(path),
            quoted(first)
        );
        self.proposal.options.push(Line::new("rows", quoted("sum"), evidence));
    }

    /// Without a SKU or an id, what tells the items apart best has to do.
    fn no_sku(&mut self, items: usize) {
        self.miss("sku", &[]);
        let urls = self.all.iter().filter(|j| {
            j.look.mostly(j.look.urls)
                && words::split(&j.column.name).iter().any(|w| w == "url" || w == "link")
        });
        let gtins = self.all.iter().filter(|j| j.look.mostly(j.look.gtins) && j.look.filled > 2);
        let best = urls.chain(gtins).max_by_key(|j| (j.look.distinct, j.look.filled));
        let Some(best) = best.filter(|best| best.look.distinct > 1 || items == 1) else { return };
        let look = &best.look;
        let doubt = if look.is_unique() && look.filled == items {
            "the feed has no id; this tells the items apart".to_owned()
        } else {
            format!(
                "the feed has no id, and only {} of {items} items differ in this",
                look.distinct
            )
        };
        self.add(plain_line("item_id", best), Some(doubt), &[]);
    }

    fn text(&mut self, field: &'static str) {
        let mut found = self.free(field);
        // The name of a variant is often only its size.
        let best =
            found.first().map(|best| (&best.judged.column.path, best.judged.look.mean_bytes()));
        let fuller = best.and_then(|(path, length)| {
            let above = format!("../{path}");
            found.iter().position(|other| {
                other.judged.column.path == above && other.judged.look.mean_bytes() > length
            })
        });
        if let Some(fuller) = fuller {
            found.swap(0, fuller);
        }
        let Some((best, others)) = found.split_first() else {
            if field == "name" {
                self.miss(field, &[]);
            }
            return;
        };
        self.taken.push(best.judged.column);
        self.add(plain_line(field, best.judged), None, others);
    }

    /// The decimal sign of the prices.
    fn price(&mut self) -> DecimalSign {
        let found = self.free("price");
        let Some((best, others)) = found.split_first() else {
            let shaped: Vec<_> = self.by_shape(|look| {
                look.mostly(look.sign(look.prices).1) && look.money * 2 > look.filled
            });
            self.miss("price", &shaped);
            return DecimalSign::Point;
        };
        let column = best.judged.column;
        self.taken.push(column);
        let look = &best.judged.look;
        let (sign, readable) = look.sign(look.prices);
        let is_sale = |other: &&Candidate<'j, 's>| {
            words::SALE.contains(&words::plain(&other.judged.column.name).as_str())
                && !words::SALE.contains(&words::plain(&column.name).as_str())
        };
        let sale = others.iter().find(is_sale);
        let above = others.iter().find(|other| {
            look.filled < self.sample.items
                && other.judged.column.path == format!("../{}", column.path)
        });
        let source = match (sale, above) {
            (Some(sale), _) => Source::First(&sale.judged.column.path, &column.path),
            (None, Some(above)) => Source::First(&column.path, &above.judged.column.path),
            (None, None) => Source::Path(&column.path),
        };
        let mut field = Field { source, extra: Vec::new() };
        if sign != DecimalSign::Point {
            field.extra.push(format!("decimal = {}", quoted(word_of(sign))));
        }
        self.factors(column, &mut field);
        let mut line = plain_line("price", best.judged);
        line.value = field.toml();
        line.evidence += &format!("; {} can be read", percent(readable, look.filled));
        let mut doubt = ambiguous(look);
        if look.filled < self.sample.items && above.is_none() {
            let missing = self.sample.items - look.filled;
            doubt =
                doubt.or(Some(format!("{missing} items have none, and keep the price they have")));
        }
        self.add(line, doubt, others);
        sign
    }

    /// Prices for several pieces, and factors.
    fn factors(&self, price: &Column, field: &mut Field<'_>) {
        for (key, names) in [("times", words::TIMES), ("per", words::PER)] {
            let parent = price.path.rsplit_once('/').map_or("", |(parent, _)| parent);
            let found = self.all.iter().filter(|judged| {
                let is_one = judged.column.values.iter().flatten().all(|value| value == "1");
                names.contains(&words::plain(&judged.column.name).as_str()) && !is_one
            });
            // What stands beside the price before what stands elsewhere.
            let found =
                found.filter(|judged| key == "per" || judged.column.path.starts_with(parent));
            if let Some(found) = found.min_by_key(|judged| !judged.column.path.starts_with(parent))
            {
                field.extra.push(format!("{key} = {}", quoted(&found.column.path)));
            }
        }
    }

    fn by_shape(&self, fits: impl Fn(&Look) -> bool) -> Vec<Candidate<'j, 's>> {
        let free = self.all.iter().filter(|judged| !self.is_taken(judged.column));
        free.filter(|judged| fits(&judged.look))
            .map(|judged| Candidate { judged, score: 1 })
            .collect()
    }

    fn quantity(&mut self, sign_of_prices: DecimalSign) {
        let found = self.free("quantity");
        let Some((best, others)) = found.split_first() else {
            let shaped = self.by_shape(|look| {
                look.mostly(look.sign(look.quantities).1)
                    && look.money == 0
                    && look.gtins == 0
                    && look.distinct > 1
            });
            self.miss("quantity", &shaped);
            return;
        };
        let (column, look) = (best.judged.column, &best.judged.look);
        self.taken.push(column);
        let source =
            if column.repeats { Source::Sum(&column.path) } else { Source::Path(&column.path) };
        let mut field = Field { source, extra: Vec::new() };
        let mut doubts = Vec::new();
        let values = values_of(look, &mut doubts);
        if !values.is_empty() {
            field.extra.push(format!("values = {{ {} }}", values.join(", ")));
        }
        let units: Vec<_> = look.units.keys().map(|unit| quoted(unit)).collect();
        if !units.is_empty() {
            field.extra.push(format!("unit = [{}]", units.join(", ")));
        }
        // Where prices have a comma, `1.200` pieces are not one and a bit.
        let at = SIGNS.iter().position(|sign| *sign == sign_of_prices).unwrap_or(0);
        let sign = if look.quantities[at] >= look.sign(look.quantities).1 {
            sign_of_prices
        } else {
            look.sign(look.quantities).0
        };
        if sign == DecimalSign::Comma {
            field.extra.push("decimal = \",\"".to_owned());
        }
        if column.repeats {
            doubts.push("an item has several, which are added up".to_owned());
        }
        let sum = all_warehouses(best, others);
        if sum.is_some() {
            doubts.push("there are several; this may be only one warehouse".to_owned());
        }
        let mut line = plain_line("quantity", best.judged);
        line.value = field.toml();
        let doubt = (!doubts.is_empty()).then(|| doubts.join("; "));
        self.add(line, doubt, others);
        if let (Some(sum), Some(added)) = (sum, self.proposal.fields.last_mut()) {
            added.alternatives.insert(0, sum);
        }
    }

    fn currency(&mut self) {
        let found = self.free("currency");
        let price = self.proposal.fields.iter().find(|field| field.line.key == "price");
        let price = price.map_or_else(String::new, |price| price.line.value.clone());
        let of_prices = self.all.iter().filter(|j| price.contains(&quoted(&j.column.path)));
        let mut named = of_prices.flat_map(|judged| &judged.look.currencies);
        if named.next().is_some() {
            return;
        }
        if let Some((best, others)) = found.split_first() {
            self.taken.push(best.judged.column);
            let mut line = plain_line("currency", best.judged);
            let above = self.sample.currencies.first();
            if let Some((path, _)) = above.filter(|_| best.judged.look.filled < self.sample.items) {
                line.value = Field {
                    source: Source::First(&best.judged.column.path, path),
                    extra: Vec::new(),
                }
                .toml();
            }
            self.add(line, None, others);
        } else if let Some((path, value)) = self.sample.currencies.first() {
            let evidence = format!("one for all items: {value}");
            self.add(Line::new("currency", quoted(path), evidence), None, &[]);
        } else if !price.is_empty() {
            self.miss("currency", &[]);
        }
    }

    fn in_order(mut self) -> Proposal {
        let place = |line: &FieldLine| {
            let order =
                ["item_id", "sku", "ean", "name", "parent_sku", "quantity", "price", "currency"];
            order.iter().position(|key| *key == line.line.key)
        };
        self.proposal.fields.sort_by_key(place);
        self.proposal
    }
}

/// Where a field's text comes from.
enum Source<'p> {
    Path(&'p str),
    First(&'p str, &'p str),
    Sum(&'p str),
}

/// A field that is put together.
struct Field<'p> {
    source: Source<'p>,
    extra: Vec<String>,
}

impl Field<'_> {
    fn toml(&self) -> String {
        let source = match self.source {
            Source::Path(path) if self.extra.is_empty() => return quoted(path),
            Source::Path(path) => format!("path = {}", quoted(path)),
            Source::First(one, other) => format!("first = [{}, {}]", quoted(one), quoted(other)),
            Source::Sum(path) => format!("sum = [{}]", quoted(path)),
        };
        let parts: Vec<_> = std::iter::once(source).chain(self.extra.iter().cloned()).collect();
        format!("{{ {} }}", parts.join(", "))
    }
}

/// The sum of columns whose names differ in one word only, which none is the total of: they may be
/// the warehouses.
fn all_warehouses(best: &Candidate<'_, '_>, others: &[Candidate<'_, '_>]) -> Option<Line> {
    let tokens = |candidate: &Candidate<'_, '_>| words::split(&candidate.judged.column.name);
    let own = tokens(best);
    let is_sibling = |other: &&Candidate<'_, '_>| {
        let tokens = tokens(other);
        let differing = own.iter().zip(&tokens).filter(|(one, other)| one != other);
        let mut differing = differing.flat_map(|(one, other)| [one, other]);
        let are_places = differing
            .all(|word| !words::TOTAL.contains(&word.as_str()) && !is_name_of("quantity", word));
        tokens.len() == own.len() && own.len() > 1 && tokens[0] == own[0] && are_places
    };
    let siblings: Vec<_> = others.iter().filter(is_sibling).collect();
    if siblings.is_empty() {
        return None;
    }
    let all = std::iter::once(best).chain(siblings);
    let paths: Vec<_> = all.map(|found| quoted(&found.judged.column.path)).collect();
    let value = format!("{{ sum = [{}] }}", paths.join(", "));
    Some(Line::new("quantity", value, "added up, if each is another warehouse"))
}

/// What words of a quantity stand for; what is unknown is left out, and said.
fn values_of(look: &Look, doubts: &mut Vec<String>) -> Vec<String> {
    let (mut values, mut unknown) = (Vec::new(), Vec::new());
    for word in look.words.keys() {
        match words::stock_value(word) {
            // `unit` takes care of it.
            _ if unit_of(word).is_some() => {}
            Some(value) => values.push(format!("{} = {}", quoted(word), quoted(&value))),
            None => unknown.push(quoted(word)),
        }
    }
    for (word, opposite) in words::OPPOSITES {
        let is_new = look.words.contains_key(*word) && !look.words.contains_key(*opposite);
        if let Some(value) = words::stock_value(opposite).filter(|_| is_new) {
            values.push(format!("{} = {}", quoted(opposite), quoted(&value)));
        }
    }
    if !values.is_empty() {
        doubts.push("what a word counts as is yours to say; \"\" is unknown".to_owned());
    }
    if !unknown.is_empty() {
        doubts.push(format!("say in `values` what these mean: {}", unknown.join(", ")));
    }
    if look.minus_ones > 0 && look.negatives == look.minus_ones {
        values.push("\"-1\" = \"\"".to_owned());
        doubts.push("-1 is often \"not tracked\", so it is unknown here".to_owned());
    }
    values
}

/// A price that both signs can read, differently.
fn ambiguous(look: &Look) -> Option<String> {
    let [point, comma, auto] = look.prices;
    let is_so = point == look.filled && comma == look.filled && auto < look.filled;
    is_so.then(|| {
        "a sign with three digits behind it can be read in two ways; check `decimal`".to_owned()
    })
}

fn word_of(sign: DecimalSign) -> &'static str {
    match sign {
        DecimalSign::Point => ".",
        DecimalSign::Comma => ",",
        DecimalSign::Auto => "auto",
    }
}

fn plain_line(key: &'static str, judged: &Judged<'_>) -> Line {
    let look = &judged.look;
    let items = judged.column.values.len();
    let examples: Vec<_> = look.examples.iter().map(|text| shown(text)).collect();
    let kind = match look.numbers {
        0 => String::new(),
        all if all == look.filled => ", number cells".to_owned(),
        some => format!(", {some} of them number cells"),
    };
    let share = percent(look.filled, items);
    let evidence = format!("{share} of {items} items{kind}, e.g. {}", examples.join("; "));
    Line::new(key, quoted(&judged.column.path), evidence)
}

fn shown(text: &str) -> String {
    let text: String =
        number::trim(text).chars().take(40).map(|c| if c.is_control() { ' ' } else { c }).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn percent(part: usize, of: usize) -> String {
    let share = part * 100 / of.max(1);
    // Neither all nor none where it is not so.
    let share = if share == 0 && part > 0 { 1 } else { share };
    format!("{share}%")
}
