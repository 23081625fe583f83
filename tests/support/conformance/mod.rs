//! The one list of promises that every connector keeps, whatever it speaks. A connector says only
//! how its other side gets its items, what it has of them, and what can go wrong there: one file in
//! `tests/conformance/`.
//!
//! `promises` are everyone's; `file_promises` are those of files alone, `store_promises` those of
//! stores that are asked over a network.

pub(crate) mod file_promises;
pub(crate) mod promises;
pub(crate) mod store_promises;

use std::ops::Deref;

use serde_json::Value;

use super::woocommerce::Fault;
use super::{BASE, Run, Shop};

/// A value of an item, as the other side has it.
#[derive(Clone, Copy)]
pub(crate) enum Cell {
    /// This text.
    Is(&'static str),
    /// A place for a value with nothing in it.
    Empty,
    /// No place at all. Of a store: what it does not keep for this item.
    Absent,
}

use Cell::Is;

/// One item as the other side has it.
#[derive(Clone, Copy)]
pub(crate) struct Item {
    pub(crate) sku: &'static str,
    pub(crate) name: &'static str,
    /// Whether it is a variant of some product, where the other side knows such.
    pub(crate) is_variant: bool,
    pub(crate) quantity: Cell,
    /// Of a file: the last cell of its row.
    pub(crate) price: Cell,
}

const MUG: Item = item("MUG-01", "Mug, \"Bonjour\" & co; café", "3", "12.30");
const POT: Item = item("TEA-01", "Teapot <Łódź>", "2", "39.00");
const LID: Item = Item { is_variant: true, ..item("LID-01", "Lid", "41", "4.50") };

const fn item(
    sku: &'static str,
    name: &'static str,
    quantity: &'static str,
    price: &'static str,
) -> Item {
    Item { sku, name, is_variant: false, quantity: Is(quantity), price: Is(price) }
}

/// Nothing known yet: three products without values.
const PRODUCTS: &str = "sku\nLID-01\nMUG-01\nTEA-01\n";

/// One stock and two prices are other than the items'.
const PRICED: &str = "sku,stock.main,price.retail\nLID-01,41,4.50\nMUG-01,17,13\nTEA-01,2,39.5\n";

const PULL: &str = r#"
stock = { direction = "download", warehouse = "main" }
prices = { direction = "download", price_group = "retail" }
"#;

const PUSH: &str = r#"
stock = { direction = "send", warehouse = "main" }
prices = { direction = "send", price_group = "retail" }
"#;

/// A connector with its other side: a file, or a fake store that runs as long as this lives.
pub(crate) trait Party {
    /// The exit code where what comes is no delivery at all: a file stays broken, an answer of a
    /// store may be right the next time.
    const BROKEN: i32 = 1;
    /// Whether a row without its last value is told as too short.
    const TELLS_SHORT_ROWS: bool = false;

    /// One that has nothing yet and shares nothing with any other.
    fn start() -> Self;

    /// The keys of `[integrations.x]` but for `type` and the sections.
    fn config(&self) -> String;

    /// From now on it has these items, no others, and nothing goes wrong.
    fn deliver(&self, shop: &Shop, items: &[Item]);

    /// The same, but reading them ends in the middle, where that can be seen.
    fn deliver_cut(&self, shop: &Shop, items: &[Item]);

    /// This text stands where its items were.
    fn deliver_text(&self, shop: &Shop, text: &str);

    /// All that it has now: whatever an update changes is to be seen in it.
    fn contents(&self, shop: &Shop) -> String;

    /// The same of one that had been made with these items.
    fn contents_of(&self, items: &[Item]) -> String;

    /// The id of the item with this SKU.
    fn item_id(&self, sku: &str) -> String;

    /// How an error names the place where the items come from.
    fn place(&self) -> String;
}

/// A format of files with its way to render items: with the SKU as the id.
pub(crate) trait Format {
    /// The file's name.
    const FILE: &'static str;
    /// `connector`, `fields` and what else the mapping needs.
    const CONFIG: &'static str;
    /// Whether a row without its last value is told as too short.
    const TELLS_SHORT_ROWS: bool = false;

    fn new() -> Self;

    /// The file, with things in it that are nobody's business: unknown columns, comments, odd
    /// white space, another order than the mapping's.
    fn render(items: &[Item]) -> String;

    /// The file, cut where the format shows that it is cut.
    fn cut(items: &[Item]) -> String;
}

impl<F: Format> Party for F {
    const TELLS_SHORT_ROWS: bool = F::TELLS_SHORT_ROWS;

    fn start() -> F {
        F::new()
    }

    fn config(&self) -> String {
        format!("source = \"{}\"\n{}", F::FILE, F::CONFIG)
    }

    fn deliver(&self, shop: &Shop, items: &[Item]) {
        shop.write(F::FILE, F::render(items));
    }

    fn deliver_cut(&self, shop: &Shop, items: &[Item]) {
        shop.write(F::FILE, F::cut(items));
    }

    fn deliver_text(&self, shop: &Shop, text: &str) {
        shop.write(F::FILE, text);
    }

    fn contents(&self, shop: &Shop) -> String {
        shop.read(F::FILE)
    }

    fn contents_of(&self, items: &[Item]) -> String {
        F::render(items)
    }

    fn item_id(&self, sku: &str) -> String {
        sku.to_owned()
    }

    fn place(&self) -> String {
        F::FILE.to_owned()
    }
}

/// A store that is asked over a network, and what can happen to it.
pub(crate) trait Store: Party {
    /// The names of everything that may stand in what is sent to it.
    const MAY_SEND: &'static [&'static str];

    /// The bodies of all requests so far that can change something, in their order.
    fn writes(&self) -> Vec<Value>;

    /// How many requests there were so far.
    fn requests(&self) -> usize;

    /// Something goes wrong. Of two troubles that fit a request the first one counts.
    fn trouble(&self, trouble: Trouble, on: On);

    /// Nothing goes wrong any more.
    fn heal(&self);

    /// Saving this item fails, for a reason of the store's own.
    fn refuse(&self, sku: &str);

    /// Right before the nth request from now, somebody changes something.
    fn change_before(&self, nth: usize, change: Change);

    /// The credentials of the config are no longer known.
    fn revoke(&self);

    /// The credentials of the config may only read.
    fn forbid_writes(&self);

    /// What must never be seen, in every form that it travels in.
    fn secrets(&self) -> Vec<String>;
}

/// What goes wrong at a store.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Trouble {
    /// It answers 503.
    Down,
    /// It answers 200 with a page for people.
    Page,
    /// It refuses with a text that repeats the credentials.
    Blab,
    /// The answer ends in the middle.
    Cut,
    /// The request gets lost before anything is done.
    RequestLost,
    /// What was asked is done, and the answer gets lost.
    AnswerLost,
}

/// What goes wrong, as a fake does it. `blabbed`: the code and the text of an error that repeats the
/// credentials.
pub(crate) fn fault_of(trouble: Trouble, on: On, blabbed: (&str, &str)) -> Fault {
    let fault = match trouble {
        Trouble::Down => Fault::status(503),
        Trouble::Page => Fault::login_page(),
        Trouble::Blab => Fault::json(400, blabbed.0, blabbed.1),
        Trouble::Cut => Fault::cut_in_body(),
        Trouble::RequestLost => Fault::close(),
        Trouble::AnswerLost => Fault::close().after_applying(),
    };
    match on {
        On::Everything => fault,
        On::Writes => fault.on("POST"),
        On::NextWrite => fault.on("POST").times(1),
        On::After(requests) => fault.skip(requests),
    }
}

/// Which requests something goes wrong with.
#[derive(Clone, Copy)]
pub(crate) enum On {
    Everything,
    Writes,
    NextWrite,
    /// Everything after so many requests from now.
    After(usize),
}

/// What somebody else does in a store.
#[derive(Clone, Copy)]
pub(crate) enum Change {
    /// The item with this SKU goes for good.
    Removed(&'static str),
    /// The item with this SKU has this quantity from then on.
    Sold(&'static str, &'static str),
}

/// A shop with `x`, which is this party.
pub(crate) struct Connected<P> {
    shop: Shop,
    party: P,
}

impl<P> Deref for Connected<P> {
    type Target = Shop;

    fn deref(&self) -> &Shop {
        &self.shop
    }
}

fn pulling<P: Party>(inventory: &str, items: &[Item]) -> Connected<P> {
    Connected::new(PULL, inventory, items)
}

fn pushing<P: Party>(inventory: &str, items: &[Item]) -> Connected<P> {
    Connected::new(PUSH, inventory, items)
}

impl<P: Party> Connected<P> {
    fn new(sections: &str, inventory: &str, items: &[Item]) -> Connected<P> {
        let party = P::start();
        let config = party.config();
        let config = format!("{BASE}[integrations.x]\ntype = \"store\"\n{config}\n{sections}");
        let shop = Shop::new().file("invsync.toml", config).inventory(inventory);
        party.deliver(&shop, items);
        Connected { shop, party }
    }

    /// Replaces a part of the config.
    fn reconfigure(&self, from: &str, to: &str) {
        self.write("invsync.toml", self.read("invsync.toml").replace(from, to));
    }

    fn deliver(&self, items: &[Item]) {
        self.party.deliver(&self.shop, items);
    }

    fn contents(&self) -> String {
        self.party.contents(&self.shop)
    }

    /// The other side is as if it had been made with these items.
    fn has(&self, items: &[Item]) {
        assert_eq!(self.contents(), self.party.contents_of(items));
    }

    fn pull(&self, code: i32) -> Run {
        self.run("pull x --format json").code(code).one_run()
    }

    fn push(&self, code: i32) -> Run {
        self.run("push x --format json").code(code).one_run()
    }
}
