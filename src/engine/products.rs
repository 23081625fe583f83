//! The inventory's own commands: set, import, seed, list, backup.

use rustc_hash::FxHashMap;
use std::path::Path;
use std::sync::atomic::Ordering;

use super::matching::Matched;
use super::plan::SectionPlan;
use super::problem_log::{About, ProblemLog};
use super::pull::{plan_at, record_of};
use super::read::Reading;
use super::run::{Ending, IfMissing, RunError};
use super::view::PlanChanges;
use super::{ProductRow, Session, Sink, UsageError};
use crate::connector::feed::number;
use crate::inventory::{
    Column, Inventory, Loaded, NewProduct, ProductId, ProductTexts, Products, Purpose, Tx,
};
use crate::model::{
    Cell, Command, Decimal, DecimalError, Direction, Exit, ProblemKind, RunSummary, Section,
    Timestamp,
};
use crate::report::RunReport;
use crate::settings::nearest;

/// A warehouse's or price group's column in an edit.
#[derive(Clone, Debug, PartialEq, Eq)]
struct PlaceColumn {
    section: Section,
    key: String,
}

/// What is to become of one product.
struct Edit {
    texts: ProductTexts,
    /// By column; `None`: stays as it is.
    values: Vec<Option<Cell>>,
    line: u64,
}

/// What several products are to become.
#[derive(Default)]
struct Edits {
    columns: Vec<PlaceColumn>,
    rows: Vec<Edit>,
    problems: ProblemLog,
    invalid_rows: u64,
}

/// `inventory set`.
pub(super) fn set(
    session: &Session<'_>,
    sku: &str,
    values: &[(String, String)],
    sink: Sink<'_>,
) -> anyhow::Result<Exit> {
    let mut edits = Edits::default();
    let mut row = Vec::new();
    for (column, text) in values {
        edits.columns.push(place_column(session, column)?);
        let text = clean(text);
        row.push(Some(match text {
            "" => Cell::UNKNOWN,
            text => Decimal::parse(text.as_bytes())
                .map_err(|why| UsageError(format!("{column}=\"{text}\" {why}")))?
                .into(),
        }));
    }
    let inventory = session.open(IfMissing::Refuse)?;
    check_sku(&inventory, sku)?;
    let texts = ProductTexts { sku: sku.to_owned(), ..ProductTexts::default() };
    edits.rows.push(Edit { texts, values: row, line: 0 });
    edit(session, &inventory, Command::Set, edits, sink)
}

pub(super) fn check_sku(inventory: &Inventory, sku: &str) -> anyhow::Result<()> {
    let tx = inventory.begin_read()?;
    if tx.product_id(sku)?.is_none() {
        return Err(unknown_sku(&tx.products()?, sku).into());
    }
    Ok(())
}

/// The error for a SKU that no product has, with the nearest ones.
pub(super) fn unknown_sku(products: &Products, sku: &str) -> UsageError {
    let near = products.nearest(sku);
    let hint = if near.is_empty() {
        "`invsync inventory list` shows what there is".to_owned()
    } else {
        format!("did you mean {}?", near.join(" or "))
    };
    UsageError(format!("no product has the SKU {sku}; {hint}"))
}

/// `inventory import FILE`.
pub(super) fn import(session: &Session<'_>, file: &Path, sink: Sink<'_>) -> anyhow::Result<Exit> {
    let edits = read_csv(session, file)?;
    let inventory = session.open(IfMissing::Create)?;
    edit(session, &inventory, Command::Import, edits, sink)
}

/// Imports the seed into an inventory that is being made.
pub(super) fn seed(session: &Session<'_>, inventory: &Inventory) -> anyhow::Result<()> {
    let mut places = session.options.clone();
    places.dry_run = false;
    places.skus.clear();
    places.only = None;
    let making = Session { options: places, ..session.clone() };
    making.declare_places(inventory)?;
    let Some(seed) = &session.config.inventory.seed else { return Ok(()) };
    let at = || format!("{}:{}: `inventory.seed`", session.config.path.display(), seed.line());
    let file = seed
        .resolve(&session.config.folder)
        .map_err(|why| UsageError(format!("{}: {why}", at())))?;
    let file = session.config.folder.join(file.expose());
    if !file.is_file() {
        return Err(UsageError(format!(
            "{}: there is no file {}; no inventory was made. Put the file there or take the key \
             out",
            at(),
            file.display()
        ))
        .into());
    }
    let edits = read_csv(&making, &file)?;
    edit(&making, inventory, Command::Import, edits, &mut |report| {
        if report.problems.count() > 0 {
            session.seed_is_partial.store(true, Ordering::Relaxed);
            return tell_problems(session, &file, report);
        }
        Ok(())
    })?;
    Ok(())
}

/// The first problems of a seed: a dry run records none, and a pull reports its own.
fn tell_problems(session: &Session<'_>, seed: &Path, report: &RunReport<'_>) -> anyhow::Result<()> {
    const SHOWN: u64 = 5;
    let count = report.problems.count();
    let mut told = 0;
    report.problems.each(&mut |problem| {
        let line = problem.line.unwrap_or_default();
        session.progress.note(&format!("{}:{line}: {}", seed.display(), problem.message));
        told += 1;
        Ok(told < SHOWN)
    })?;
    if count > SHOWN {
        let more = count - SHOWN;
        session.progress.note(&format!("{}: and {more} more problems", seed.display()));
    }
    Ok(())
}

/// A column `stock.<warehouse>` or `price.<price_group>`, declared in the config.
fn place_column(session: &Session<'_>, name: &str) -> Result<PlaceColumn, UsageError> {
    let (section, key, declared) = if let Some(key) = name.strip_prefix("stock.") {
        (Section::Stock, key, &session.config.warehouses)
    } else if let Some(key) = name.strip_prefix("price.") {
        (Section::Prices, key, &session.config.price_groups)
    } else {
        return Err(UsageError(format!(
            "`{name}` is no column of the inventory: write stock.<warehouse> or \
             price.<price group>"
        )));
    };
    if declared.iter().any(|place| place.key == key) {
        return Ok(PlaceColumn { section, key: key.to_owned() });
    }
    let hint = match nearest(key, declared.iter().map(|place| place.key.as_str())) {
        Some(near) => format!("; did you mean `{near}`?"),
        None => String::new(),
    };
    let what = if section == Section::Stock { "warehouse" } else { "price group" };
    Err(UsageError(format!("`{name}`: the config declares no {what} `{key}`{hint}")))
}

/// Where the columns of an inventory CSV are.
struct Header {
    sku: usize,
    ean: Option<usize>,
    name: Option<usize>,
    parent_sku: Option<usize>,
    places: Vec<(usize, PlaceColumn)>,
}

fn read_csv(session: &Session<'_>, file: &Path) -> anyhow::Result<Edits> {
    let mut reader = open_csv(file)?;
    let header = reader.headers().map_err(|why| unreadable(file, &why))?.clone();
    let header = read_header(session, file, &header)?;
    let mut edits = Edits {
        columns: header.places.iter().map(|(_, column)| column.clone()).collect(),
        ..Edits::default()
    };
    let mut record = csv::StringRecord::new();
    loop {
        match reader.read_record(&mut record) {
            Ok(false) => return Ok(edits),
            Ok(true) => read_row(&header, &record, &mut edits),
            Err(why) => return Err(unreadable(file, &why).into()),
        }
    }
}

/// Opens a CSV of ours: comma, RFC 4180, UTF-8 with or without a byte order mark.
pub(super) fn open_csv(file: &Path) -> anyhow::Result<csv::Reader<std::fs::File>> {
    if file.is_dir() {
        return Err(UsageError(format!("{} is a folder, not a file", file.display())).into());
    }
    csv::ReaderBuilder::new()
        .flexible(true)
        .from_path(file)
        .map_err(|why| unreadable(file, &why).into())
}

pub(super) fn unreadable(file: &Path, why: &csv::Error) -> RunError {
    let exit = match why.kind() {
        csv::ErrorKind::Io(why) if why.kind() == std::io::ErrorKind::NotFound => Exit::Usage,
        _ => Exit::Failed,
    };
    RunError::new(exit, format!("{} cannot be read: {why}. Nothing was changed", file.display()))
}

fn read_header(
    session: &Session<'_>,
    file: &Path,
    header: &csv::StringRecord,
) -> anyhow::Result<Header> {
    let mut found = [None; 4];
    let mut places: Vec<(usize, PlaceColumn)> = Vec::new();
    for (at, name) in header.iter().enumerate() {
        let name = clean(name);
        let is_repeated = match ["sku", "ean", "name", "parent_sku"].iter().position(|n| *n == name)
        {
            Some(text) => found[text].replace(at).is_some(),
            None => {
                let column = place_column(session, name)
                    .map_err(|UsageError(why)| UsageError(format!("{}: {why}", file.display())))?;
                let is_repeated = places.iter().any(|(_, other)| *other == column);
                places.push((at, column));
                is_repeated
            }
        };
        if is_repeated {
            let message = format!("{}: the column `{name}` is there twice", file.display());
            return Err(UsageError(message).into());
        }
    }
    let [sku, ean, name, parent_sku] = found;
    let sku = sku.ok_or_else(|| {
        UsageError(format!(
            "{}: there is no column `sku` in the first line. The shape is \
             sku,ean,name,parent_sku,stock.<warehouse>,price.<price group>",
            file.display()
        ))
    })?;
    Ok(Header { sku, ean, name, parent_sku, places })
}

fn read_row(header: &Header, record: &csv::StringRecord, edits: &mut Edits) {
    let line = record.position().map_or(0, csv::Position::line);
    let cell = |at: usize| record.get(at).map(clean).filter(|text| !text.is_empty());
    let value = |at: usize| cell(at).filter(|text| !number::is_unknown(text));
    let text = |at: Option<usize>| at.and_then(cell).map(str::to_owned);
    let Some(sku) = cell(header.sku) else {
        if !record.iter().all(|cell| clean(cell).is_empty()) {
            edits.invalid_rows += 1;
            let about = About { line, ..About::default() };
            edits.problems.add(
                ProblemKind::InvalidValue,
                about,
                "the row has no SKU; it was left out",
            );
        }
        return;
    };
    let mut values = Vec::with_capacity(header.places.len());
    for (at, column) in &header.places {
        values.push(match value(*at).map(|text| (text, Decimal::parse(text.as_bytes()))) {
            None => None,
            Some((_, Ok(value))) => Some(value.into()),
            Some((text, Err(why))) => {
                let about = About { item_id: None, sku: Some(sku), line };
                let message = bad_cell(column, text, why);
                edits.problems.add(ProblemKind::InvalidValue, about, &message);
                None
            }
        });
    }
    let texts = ProductTexts {
        sku: sku.to_owned(),
        ean: text(header.ean),
        name: text(header.name),
        parent_sku: text(header.parent_sku),
    };
    edits.rows.push(Edit { texts, values, line });
}

fn bad_cell(column: &PlaceColumn, text: &str, why: DecimalError) -> String {
    let shown: String = text.chars().take(40).flat_map(char::escape_debug).collect();
    let section = if column.section == Section::Stock { "stock" } else { "price" };
    format!(
        "{section}.{} \"{shown}\" {why}; this value was left unchanged. Write a decimal such as \
         12.30",
        column.key
    )
}

/// Trimmed of white space, no-break spaces and byte order marks too.
pub(super) fn clean(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}')
}

/// One run of the inventory's own: edits in one transaction, recorded and reported.
fn edit(
    session: &Session<'_>,
    inventory: &Inventory,
    command: Command,
    edits: Edits,
    sink: Sink<'_>,
) -> anyhow::Result<Exit> {
    let mut summary = RunSummary::start(None, command, session.options.dry_run);
    let tx = session.begin(inventory)?;
    let edited = plan_edits(session, &tx, edits, &mut summary)?;
    let Edited { reading, mut plans, renamed } = edited;
    if !session.options.dry_run {
        let run = tx.start_run(None, &Purpose::default(), &summary)?;
        summary.run_id = Some(run);
        tx.insert_products(run, &reading.matched.created)?;
        for (product, texts) in &renamed {
            tx.update_product(*product, texts)?;
        }
        for plan in &mut plans {
            plan.mark_applied();
            let Some(place) = plan.place.id else { continue };
            let values = plan.changes.iter().map(|change| (change.product, change.after));
            tx.write_values(run, plan.section, place, values)?;
            let records = plan.changes.iter().map(|change| record_of(plan, change, &reading));
            tx.record_changes(run, plan.section, place, records)?;
        }
    }
    let problems = &reading.matched.problems;
    let ending = Ending::of(&plans, false, problems);
    summary.status = ending.status();
    for plan in &plans {
        *summary.changed.of(plan.section) += plan.changes.len() as u64;
    }
    summary.finished_at = Some(Timestamp::now());
    match summary.run_id {
        Some(run) => {
            tx.record_problems(run, &mut problems.iter(), &problems.counts())?;
            tx.finish_run(run, &summary)?;
            tx.commit()?;
        }
        // The report begins a transaction of its own.
        None => drop(tx),
    }
    let differs = session.options.exit_code && summary.changed.total() + summary.created > 0;
    let exit = ending.exit().max(if differs { Exit::Differences } else { Exit::Done });
    sink(&RunReport {
        summary,
        changes: Box::new(PlanChanges {
            inventory,
            matched: &reading.matched,
            plans: &plans,
            has_items: false,
        }),
        problems: Box::new(problems),
    })?;
    Ok(exit)
}

struct Edited {
    reading: Reading,
    plans: Vec<SectionPlan>,
    /// Products whose texts change.
    renamed: Vec<(ProductId, ProductTexts)>,
}

fn plan_edits(
    session: &Session<'_>,
    tx: &Tx<'_>,
    edits: Edits,
    summary: &mut RunSummary,
) -> anyhow::Result<Edited> {
    let Edits { columns, rows, problems, invalid_rows } = edits;
    let mut plans = columns
        .iter()
        .map(|column| plan_at(session, tx, column.section, &column.key, Direction::Off))
        .collect::<Result<Vec<_>, _>>()?;
    let places: Vec<_> = plans.iter().map(|plan| (plan.section, plan.place.id)).collect();
    let Loaded { products, mut columns } = tx.load(&places)?;
    summary.items = rows.len() as u64 + invalid_rows;
    let mut wanted = Wanted {
        products,
        created: Vec::new(),
        renamed: Vec::new(),
        problems,
        values: FxHashMap::default(),
    };
    for row in rows {
        wanted.take(row)?;
    }
    let Wanted { products, created, renamed, problems, values } = wanted;
    plan_values(&values, &mut columns, &mut plans);
    summary.created = created.len() as u64;
    summary.invalid = problems.count_of(ProblemKind::InvalidValue);
    summary.sections = plans.iter().map(SectionPlan::heading).collect();
    let mut matched = Matched::of_products(products, created);
    matched.problems = problems;
    let reading = Reading::of_products(matched, columns);
    Ok(Edited { reading, plans, renamed })
}

/// What all rows of an edit want, by product.
struct Wanted {
    products: Products,
    created: Vec<NewProduct>,
    /// Products whose texts change.
    renamed: Vec<(ProductId, ProductTexts)>,
    problems: ProblemLog,
    /// By product and column; `None`: its rows differ.
    values: FxHashMap<(ProductId, usize), Option<Cell>>,
}

impl Wanted {
    fn take(&mut self, row: Edit) -> anyhow::Result<()> {
        let Edit { texts, values, line } = row;
        let sku = texts.sku.clone();
        let product = self.product(texts)?;
        for (at, value) in values.into_iter().enumerate() {
            let Some(value) = value else { continue };
            let wanted = self.values.entry((product, at)).or_insert(Some(value));
            if wanted.is_some_and(|first| first != value) {
                *wanted = None;
                let about = About { item_id: None, sku: Some(&sku), line };
                let message = "the SKU is there several times with different values; the value \
                               was left unchanged. Take out the wrong row";
                self.problems.add(ProblemKind::DuplicateSku, about, message);
            }
        }
        Ok(())
    }

    /// The product of these texts, new where there is none yet.
    fn product(&mut self, texts: ProductTexts) -> anyhow::Result<ProductId> {
        if let Some(product) = self.products.find(&texts.sku) {
            let says_more =
                texts.ean.is_some() || texts.name.is_some() || texts.parent_sku.is_some();
            if says_more {
                self.renamed.push((product, texts));
            }
            return Ok(product);
        }
        let id = self.products.add(&texts.sku)?;
        let ProductTexts { sku, ean, name, parent_sku } = texts;
        self.created.push(NewProduct { id, sku, ean, name, parent_sku });
        Ok(id)
    }
}

fn plan_values(
    values: &FxHashMap<(ProductId, usize), Option<Cell>>,
    columns: &mut [Column],
    plans: &mut [SectionPlan],
) {
    let mut wanted: Vec<_> =
        values.iter().filter_map(|(at, value)| value.map(|value| (*at, value))).collect();
    wanted.sort_unstable_by_key(|(at, _)| *at);
    for ((product, at), value) in wanted {
        let before = columns[at].get(product);
        if before != value {
            plans[at].push(product, value, before);
        }
    }
}

/// All products by SKU with the values of every declared place.
pub(super) fn list(
    session: &Session<'_>,
    each: &mut dyn FnMut(&ProductRow<'_>) -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    list_where(session, &|_| true, each)
}

/// Those of them in whose SKU, EAN or name every word occurs, whatever its case.
pub(super) fn search(
    session: &Session<'_>,
    words: &[String],
    each: &mut dyn FnMut(&ProductRow<'_>) -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    let words: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    let fits = |texts: &ProductTexts| {
        let all = [Some(&texts.sku), texts.ean.as_ref(), texts.name.as_ref()];
        let all: Vec<String> = all.into_iter().flatten().map(|text| text.to_lowercase()).collect();
        words.iter().all(|word| all.iter().any(|text| text.contains(word)))
    };
    list_where(session, &fits, each)
}

fn list_where(
    session: &Session<'_>,
    fits: &dyn Fn(&ProductTexts) -> bool,
    each: &mut dyn FnMut(&ProductRow<'_>) -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    let inventory = session.open_to_read()?;
    session.check_places(&inventory)?;
    let tx = inventory.begin_read()?;
    let mut places = Vec::new();
    for (section, declared) in [
        (Section::Stock, &session.config.warehouses),
        (Section::Prices, &session.config.price_groups),
    ] {
        for place in declared {
            let stored = session.stored_place(&tx, section, &place.key)?;
            places.push((section, stored.map(|place| place.id)));
        }
    }
    let loaded = tx.load(&places)?;
    for sku in &session.options.skus {
        if loaded.products.find(sku).is_none() {
            return Err(unknown_sku(&loaded.products, sku).into());
        }
    }
    let stock_columns = session.config.warehouses.len();
    let mut values = vec![None; places.len()];
    for product in loaded.products.by_sku() {
        let sku = loaded.products.sku(product);
        if !session.options.skus.is_empty() && !session.options.skus.iter().any(|s| s == sku) {
            continue;
        }
        let texts = tx.product_texts(product)?.unwrap_or_default();
        if !fits(&texts) {
            continue;
        }
        for (value, column) in values.iter_mut().zip(&loaded.columns) {
            *value = column.get(product).get();
        }
        let (stock, prices) = values.split_at(stock_columns);
        let row = ProductRow {
            sku,
            ean: texts.ean.as_deref(),
            name: texts.name.as_deref(),
            parent_sku: texts.parent_sku.as_deref(),
            stock,
            prices,
        };
        if !each(&row)? {
            break;
        }
    }
    Ok(())
}
