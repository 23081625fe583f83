use std::io;

use insta::assert_snapshot;

use super::*;
use crate::model::{
    ChangeStatus, Command, Currency, Decimal, Dialect, Direction, Finding, GuardVerdict,
    ProblemKind, RunStatus, SectionHeading, Severity, Timestamp, Value,
};

struct Rows(Vec<ChangeRow<'static>>);
struct Wrong(Vec<Problem>);

impl Changes for Rows {
    fn each(&self, each: EachChange<'_>) -> Result<()> {
        for change in &self.0 {
            if !each(change)? {
                break;
            }
        }
        Ok(())
    }
}

impl Problems for Wrong {
    fn count(&self) -> u64 {
        self.0.len() as u64
    }

    fn each(&self, each: &mut dyn FnMut(&Problem) -> io::Result<bool>) -> Result<()> {
        for problem in &self.0 {
            if !each(problem)? {
                break;
            }
        }
        Ok(())
    }
}

fn number(text: &str) -> Value<'static> {
    Decimal::parse(text.as_bytes()).ok().into()
}

fn stock(sku: &'static str, name: &'static str, before: &str, after: &str) -> ChangeRow<'static> {
    ChangeRow {
        section: Section::Stock,
        item_id: Some("17"),
        sku: Some(sku),
        name: Some(name),
        place: Some("main"),
        location: None,
        currency: None,
        before: number(before),
        after: number(after),
        status: ChangeStatus::Applied,
        message: None,
    }
}

fn price(sku: &'static str, name: &'static str, before: &str, after: &str) -> ChangeRow<'static> {
    ChangeRow {
        section: Section::Prices,
        place: Some("retail"),
        currency: Currency::parse("EUR"),
        ..stock(sku, name, before, after)
    }
}

fn problem(kind: ProblemKind, sku: &str, line: u64, message: &str) -> Problem {
    Problem {
        kind,
        item_id: Some("99".to_owned()),
        sku: Some(sku.to_owned()),
        file: None,
        line: Some(line),
        message: message.to_owned(),
        accepted: None,
    }
}

fn summary(command: Command) -> RunSummary {
    let heading = |section, place: &str| SectionHeading {
        section,
        direction: Direction::Download,
        place: place.to_owned(),
        location: None,
        currency: None,
    };
    RunSummary {
        run_id: Some(12),
        status: RunStatus::Ok,
        started_at: Timestamp { unix_ms: 1_795_507_200_000 },
        finished_at: Some(Timestamp { unix_ms: 1_795_507_200_840 }),
        items: 2104,
        linked: 2098,
        unlinked: 5,
        duplicates: 1,
        sections: vec![heading(Section::Stock, "main"), heading(Section::Prices, "retail")],
        problems: Vec::new(),
        ..RunSummary::start(Some("store-a"), command, false)
    }
}

fn report(
    summary: RunSummary,
    changes: Vec<ChangeRow<'static>>,
    problems: Vec<Problem>,
) -> RunReport<'static> {
    let changes = Box::new(Rows(changes));
    RunReport { summary, changes, problems: Box::new(Wrong(problems)) }
}

fn printed(style: Style, reports: &[RunReport<'_>]) -> String {
    let mut out = Vec::new();
    let mut sink = sink(style, &mut out);
    for report in reports {
        sink.run(report).unwrap();
    }
    sink.end().unwrap();
    drop(sink);
    String::from_utf8(out).unwrap()
}

fn style(format: Format) -> Style {
    Style { format, ..Style::default() }
}

fn usual() -> RunReport<'static> {
    let mut run = summary(Command::Pull);
    run.status = RunStatus::Partial;
    run.changed.stock = 2;
    run.changed.prices = 1;
    run.held_back = 1;
    run.invalid = 1;
    run.guards = vec![GuardVerdict {
        guard: "max_price_change".to_owned(),
        section: Some("prices".to_owned()),
        limit: "80%".to_owned(),
        actual: "900%".to_owned(),
        allowed: false,
    }];
    let held = ChangeRow {
        status: ChangeStatus::HeldBack,
        message: Some("more than max_price_change"),
        ..price("MUG-02", "Cup", "1.2", "12")
    };
    let changes = vec![
        stock("MUG-01", "Mug", "4", "3"),
        stock("MUG-02", "Cup", "", "1204.5"),
        price("MUG-01", "Mug", "12.3", "12.345"),
        held,
    ];
    let problems = vec![
        problem(ProblemKind::Unlinked, "X-1", 7, "fits no product"),
        problem(ProblemKind::InvalidValue, "X-2", 9, "quantity \"many\" is not a number"),
        problem(ProblemKind::Unlinked, "X-3", 11, "fits no product"),
    ];
    report(run, changes, problems)
}

#[test]
fn a_table_says_who_is_superior_and_what_changes() {
    assert_snapshot!(printed(style(Format::Table), &[usual()]), @r#"
    store-a → main (store-a is superior)
    SKU     name  before   after  difference  status
    MUG-01  Mug        4       3          -1  applied
    MUG-02  Cup        –  1204.5              applied

    store-a → retail (store-a is superior)
    SKU     name  before   after  difference  status     message
    MUG-01  Mug    12.30  12.345      +0.045  applied
    MUG-02  Cup     1.20   12.00      +10.80  held back  more than max_price_change

    problems: 1 invalid_value, 2 unlinked
    problem        item  SKU  line  message
    invalid_value  99    X-2     9  quantity "many" is not a number
    unlinked       99    X-1     7  fits no product
    unlinked       99    X-3    11  fits no product

    guard max_price_change held back some prices: 900% (limit 80%); accept it for one run with --allow max_price_change

    pull store-a: 2,104 items, 2,098 linked, 5 unlinked, 1 duplicates, 1 invalid · 2 stock, 1 prices changed · 1 held back · 0.8 s · run 12
    "#);
}

#[test]
fn a_push_shows_the_inventory_as_superior_and_a_dry_run_says_so() {
    let mut run = summary(Command::Push);
    run.dry_run = true;
    run.run_id = None;
    run.changed.stock = 1;
    let planned = ChangeRow { status: ChangeStatus::Planned, ..stock("MUG-01", "Mug", "4", "3") };
    let report = report(run, vec![planned], Vec::new());
    assert_snapshot!(printed(style(Format::Table), &[report]), @r#"
    main → store-a (the inventory is superior)
    SKU     name  before  after  difference  status
    MUG-01  Mug        4      3          -1  planned

    retail → store-a (the inventory is superior)
    nothing to change

    push store-a: 2,104 items, 2,098 linked, 5 unlinked, 1 duplicates · 1 stock, 0 prices would change · 0.8 s
    dry run: nothing was written
    "#);
}

#[test]
fn nothing_to_change_says_so() {
    let report = report(summary(Command::Pull), Vec::new(), Vec::new());
    assert_snapshot!(printed(style(Format::Table), &[report]), @r#"
    store-a → main (store-a is superior)
    nothing to change

    store-a → retail (store-a is superior)
    nothing to change

    pull store-a: 2,104 items, 2,098 linked, 5 unlinked, 1 duplicates · 0 stock, 0 prices changed · 0.8 s · run 12
    "#);
    assert_snapshot!(printed(style(Format::Table), &[]), @"nothing to do");
}

#[test]
fn a_table_shows_the_limit_and_a_truthful_total() {
    let changes = vec![stock("MUG-01", "Mug", "4", "3"); 1210];
    let problems = vec![problem(ProblemKind::Unlinked, "X-1", 7, "fits no product"); 1100];
    let report = report(summary(Command::Pull), changes, problems);
    let two = Style { limit: Some(2), ..Style::default() };
    assert_snapshot!(printed(two, std::slice::from_ref(&report)), @r#"
    store-a → main (store-a is superior)
    SKU     name  before  after  difference  status
    MUG-01  Mug        4      3          -1  applied
    MUG-01  Mug        4      3          -1  applied
    … and 1,208 more (--limit 0 shows all)

    store-a → retail (store-a is superior)
    nothing to change

    problems: 1,100 unlinked
    problem   item  SKU  line  message
    unlinked  99    X-1     7  fits no product
    unlinked  99    X-1     7  fits no product
    … and 1,098 more (--limit 0 shows all)

    pull store-a: 2,104 items, 2,098 linked, 5 unlinked, 1 duplicates · 0 stock, 0 prices changed · 0.8 s · run 12
    "#);
    let all = printed(Style { limit: None, ..Style::default() }, &[report]);
    assert_eq!(all.matches("MUG-01").count(), 1210);
    assert!(!all.contains("more"), "{all}");
}

#[test]
fn errors_are_shown_before_warnings_whatever_their_order() {
    let mut problems = vec![problem(ProblemKind::Unlinked, "X-1", 7, "fits no product"); 60];
    problems.push(problem(ProblemKind::InvalidValue, "BAD", 99, "is not a number"));
    let table = printed(
        Style { limit: Some(1), ..Style::default() },
        &[report(summary(Command::Pull), Vec::new(), problems)],
    );
    assert!(table.contains("BAD") && table.contains("… and 60 more"), "{table}");
}

#[test]
fn a_table_is_cut_to_the_width_of_the_terminal() {
    let long = "陶瓷马克杯 with a very long name that says everything about the mug";
    let message = "the price fell by more than max_price_change allows, so it was held back";
    let changes = vec![
        stock("MUG-01", long, "4", "3"),
        ChangeRow { message: Some(message), ..stock("MUG-02", "Cup", "123456", "1") },
    ];
    let problems = vec![problem(ProblemKind::InvalidValue, "X-2", 9, message)];
    let report = report(summary(Command::Pull), changes, problems);
    let narrow = Style { width: Some(72), ..Style::default() };
    let table = printed(narrow, &[report]);
    assert_snapshot!(table, @r#"
    store-a → main (store-a is superior)
    SKU     name       before  after  difference  status   message
    MUG-01  陶瓷马克…       4      3          -1  applied
    MUG-02  Cup        123456      1     -123455  applied  the price fell
                                                           by more than
                                                           max_price_change
                                                           allows, so it
                                                           was held back

    store-a → retail (store-a is superior)
    nothing to change

    problems: 1 invalid_value
    problem        item  SKU  line  message
    invalid_value  99    X-2     9  the price fell by more than
                                    max_price_change allows, so it was held
                                    back

    pull store-a: 2,104 items, 2,098 linked, 5 unlinked, 1 duplicates · 0 stock, 0 prices changed · 0.8 s · run 12
    "#);
    for line in table.lines().filter(|line| !line.starts_with("pull ")) {
        assert!(escape::width(line) <= 72, "{line}");
    }
}

#[test]
fn colours_are_there_only_when_asked() {
    assert!(!printed(Style::default(), &[usual()]).contains('\u{1b}'));
    let table = printed(Style { color: true, ..Style::default() }, &[usual()]);
    assert!(table.contains("\u{1b}[33mMUG-02") && table.contains("\u{1b}[1mstore-a → main"));
}

#[test]
fn names_cannot_steer_a_terminal_or_markdown() {
    let evil = "a\u{1b}[2J|`b`\u{202e}<script>\n";
    let reports = [report(summary(Command::Pull), vec![stock("E", evil, "1", "2")], Vec::new())];
    let table = printed(style(Format::Table), &reports);
    assert!(table.contains(r"a\u{1b}[2J|`b`\u{202e}<script>\n"), "{table}");
    assert_snapshot!(printed(style(Format::Markdown), &reports), @r#"
    | integration | section | item_id | sku | name | target | currency | before | after | status | message |
    | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
    | store-a | stock | 17 | E | a\\u{1b}\[2J\|\`b\`\\u{202e}&lt;script&gt;\\n | main | | 1 | 2 | applied | |
    "#);
    let csv = printed(style(Format::Csv), &reports);
    assert!(csv.contains(evil), "{csv}");
}

#[test]
fn json_has_the_documented_keys_in_the_documented_order() {
    assert_snapshot!(printed(style(Format::Json), &[usual()]), @r#"{"schema_version":1,"runs":[{"run_id":12,"integration":"store-a","command":"pull","dry_run":false,"status":"partial","started_at":"2026-11-24T08:00:00Z","finished_at":"2026-11-24T08:00:00Z","items":2104,"linked":2098,"unlinked":5,"created":0,"missing":0,"duplicates":1,"invalid":1,"changed":{"stock":2,"prices":1},"held_back":1,"refused":0,"changes":[{"section":"stock","item_id":"17","sku":"MUG-01","name":"Mug","warehouse":"main","before":"4","after":"3","status":"applied","message":null},{"section":"stock","item_id":"17","sku":"MUG-02","name":"Cup","warehouse":"main","before":null,"after":"1204.5","status":"applied","message":null},{"section":"prices","item_id":"17","sku":"MUG-01","name":"Mug","price_group":"retail","currency":"EUR","before":"12.30","after":"12.345","status":"applied","message":null},{"section":"prices","item_id":"17","sku":"MUG-02","name":"Cup","price_group":"retail","currency":"EUR","before":"1.20","after":"12.00","status":"held_back","message":"more than max_price_change"}],"problems":[{"kind":"unlinked","severity":"warning","item_id":"99","sku":"X-1","line":7,"message":"fits no product"},{"kind":"invalid_value","severity":"error","item_id":"99","sku":"X-2","line":9,"message":"quantity \"many\" is not a number"},{"kind":"unlinked","severity":"warning","item_id":"99","sku":"X-3","line":11,"message":"fits no product"}],"guards":[{"guard":"max_price_change","section":"prices","limit":"80%","actual":"900%","allowed":false}],"error":null}]}"#);
    assert_snapshot!(printed(style(Format::Json), &[]), @r#"{"schema_version":1,"runs":[]}"#);
}

#[test]
fn json_of_links_has_skus_and_no_place() {
    let mut run = summary(Command::Link);
    run.items = 0;
    run.changed.links = 1;
    run.sections.clear();
    let link = ChangeRow {
        section: Section::Links,
        place: None,
        before: Value::None,
        after: Value::Sku("MUG-01"),
        ..stock("MUG-01", "Mug", "", "")
    };
    let reports = [report(run, vec![link], Vec::new())];
    assert_snapshot!(printed(style(Format::Json), &reports), @r#"{"schema_version":1,"runs":[{"run_id":12,"integration":"store-a","command":"link","dry_run":false,"status":"ok","started_at":"2026-11-24T08:00:00Z","finished_at":"2026-11-24T08:00:00Z","items":0,"linked":2098,"unlinked":5,"created":0,"missing":0,"duplicates":1,"invalid":0,"changed":{"stock":0,"prices":0,"links":1},"held_back":0,"refused":0,"changes":[{"section":"links","item_id":"17","sku":"MUG-01","name":"Mug","before":null,"after":"MUG-01","status":"applied","message":null}],"problems":[],"guards":[],"error":null}]}"#);
    assert_snapshot!(printed(style(Format::Table), &reports), @r#"
    links of store-a
    item  name  before  after   status
    17    Mug   –       MUG-01  applied

    link store-a: 1 duplicates · 1 links changed · 0.8 s · run 12
    "#);
}

#[test]
fn csv_has_one_header_for_all_runs_and_one_without_any() {
    assert_snapshot!(printed(style(Format::Csv), &[usual(), usual()]), @r#"
    integration,section,item_id,sku,name,target,currency,before,after,status,message
    store-a,stock,17,MUG-01,Mug,main,,4,3,applied,
    store-a,stock,17,MUG-02,Cup,main,,,1204.5,applied,
    store-a,prices,17,MUG-01,Mug,retail,EUR,12.30,12.345,applied,
    store-a,prices,17,MUG-02,Cup,retail,EUR,1.20,12.00,held_back,more than max_price_change
    store-a,stock,17,MUG-01,Mug,main,,4,3,applied,
    store-a,stock,17,MUG-02,Cup,main,,,1204.5,applied,
    store-a,prices,17,MUG-01,Mug,retail,EUR,12.30,12.345,applied,
    store-a,prices,17,MUG-02,Cup,retail,EUR,1.20,12.00,held_back,more than max_price_change
    "#);
    assert_snapshot!(printed(style(Format::Csv), &[]), @r#"integration,section,item_id,sku,name,target,currency,before,after,status,message"#);
}

#[test]
fn the_error_of_a_failed_run_stands_in_its_table() {
    let mut run = summary(Command::Pull);
    run.status = RunStatus::Failed;
    run.items = 0;
    run.error = Some("store-a: the file stock.csv is empty. Nothing was changed.".to_owned());
    let report = report(run, Vec::new(), Vec::new());
    assert_snapshot!(printed(style(Format::Table), &[report]), @r#"
    error: store-a: the file stock.csv is empty. Nothing was changed.
    pull store-a: failed · 1 duplicates · 0.8 s · run 12
    "#);
}

fn list(style: Style, runs: u64) -> String {
    let listing = Listing { key: "runs", one: "run", columns: RUN_COLUMNS.to_vec() };
    let mut out = Vec::new();
    let mut records = Records::new(&style, listing, &mut out).unwrap();
    for _ in 0..runs {
        records.row(&summary(Command::Pull)).unwrap();
    }
    records.end().unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn lists_have_a_truthful_total_in_tables_and_all_rows_elsewhere() {
    let two = Style { limit: Some(2), ..Style::default() };
    assert_snapshot!(list(two, 1003), @r#"
    run id  started at            command  integration  status  items  stock  prices  links  held back  refused
        12  2026-11-24T08:00:00Z  pull     store-a      ok       2104      0       0      0          0        0
        12  2026-11-24T08:00:00Z  pull     store-a      ok       2104      0       0      0          0        0
    … and 1,001 more (--limit 0 shows all)
    1,003 runs
    "#);
    assert_snapshot!(list(two, 0), @"no runs");
    let json = list(Style { format: Format::Json, ..two }, 3);
    assert_eq!(json.matches("\"run_id\":12").count(), 3);
    assert_eq!(
        list(Style { format: Format::Json, ..two }, 0),
        "{\"schema_version\":1,\"runs\":[]}\n"
    );
    let csv = list(Style { format: Format::Csv, ..two }, 3);
    assert_eq!(csv.lines().count(), 4);
}

fn finding(problem: Problem, severity: Severity) -> Finding {
    Finding { problem, severity, config_line: 12 }
}

/// What `check` found: in a local file, in a remote one, in the config, and what is accepted.
fn found() -> Vec<Finding> {
    let of = |file: &str, problem: Problem| Problem { file: Some(file.to_owned()), ..problem };
    let accepted = |problem: Problem| Problem { accepted: Some("a gift".to_owned()), ..problem };
    let unlinked = problem(ProblemKind::Unlinked, "X|1", 7, "fits no product");
    vec![
        finding(of("feeds/a,b.csv", unlinked), Severity::Warning),
        finding(problem(ProblemKind::Ambiguous, "X", 3, "100% of\n<2> products"), Severity::Error),
        finding(
            accepted(problem(ProblemKind::InvalidValue, "Y\u{1b}", 9, "\"5O\" is no number")),
            Severity::Error,
        ),
    ]
}

fn of_store(findings: &[Finding]) -> Findings<'_> {
    Findings {
        integration: Some("store-a"),
        config_line: 11,
        items: 1005,
        linked: 4,
        findings,
        ..Findings::default()
    }
}

fn checked(format: Format) -> String {
    let found = found();
    let options = vec![("delimiter", ";".to_owned())];
    let sources = [(None, Dialect { connector: "csv", options, joined: Vec::new() })];
    let all = [Findings { sources: &sources, ..of_store(&found) }];
    let mut out = Vec::new();
    let report = CheckReport { config: "invsync.toml", strict: false, all: &all };
    check(&style(format), &report, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn annotated(annotation: Annotation, all: &[Findings<'_>], strict: bool) -> String {
    let mut out = Vec::new();
    let report = CheckReport { config: "invsync.toml", strict, all };
    let tree = Tree {
        root: "/repo".into(),
        folder: "/repo/shop".into(),
        config: "invsync.toml".to_owned(),
    };
    annotate(annotation, &report, &tree, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn check_shows_findings_in_every_format() {
    assert_snapshot!(checked(Format::Table), @r#"
    store-a
    found csv: delimiter ";"
    problem        item  SKU      where            message
    ambiguous      99    X        line 3           100% of\n<2> products
    unlinked       99    X|1      feeds/a,b.csv:7  fits no product
    invalid_value  99    Y\u{1b}  line 9           "5O" is no number (accepted: a gift)
    check store-a: 1,005 items, 4 linked · 1 error, 1 warning, 1 accepted
    "#);
    assert_snapshot!(checked(Format::Json), @r#"{"schema_version":1,"integrations":[{"integration":"store-a","items":1005,"linked":4,"problems":[{"kind":"unlinked","severity":"warning","item_id":"99","sku":"X|1","line":7,"message":"fits no product","file":"feeds/a,b.csv","config_line":12,"accepted":null},{"kind":"ambiguous","severity":"error","item_id":"99","sku":"X","line":3,"message":"100% of\n<2> products","file":null,"config_line":12,"accepted":null},{"kind":"invalid_value","severity":"error","item_id":"99","sku":"Y\u001b","line":9,"message":"\"5O\" is no number","file":null,"config_line":12,"accepted":"a gift"}],"sources":[{"connector":"csv","detected":{"delimiter":";"},"joined":[],"section":null}],"skipped":false}]}"#);
    assert_snapshot!(checked(Format::Csv), @r#"
    integration,kind,severity,item_id,sku,line,message,file,config_line,accepted
    store-a,unlinked,warning,99,X|1,7,fits no product,"feeds/a,b.csv",12,
    store-a,ambiguous,error,99,X,3,"100% of
    <2> products",,12,
    store-a,invalid_value,error,99,Y,9,"""5O"" is no number",,12,a gift
    "#);
    assert_snapshot!(checked(Format::Markdown), @r#"
    ### invsync check: 1 error, 1 warning, 1 accepted

    | integration | items | linked | errors | warnings | accepted |
    | --- | --- | --- | --- | --- | --- |
    | store-a | 1,005 | 4 | 1 | 1 | 1 |

    | integration | severity | problem | item | SKU | where | message |
    | --- | --- | --- | --- | --- | --- | --- |
    | store-a | error | ambiguous | 99 | X | line 3 | 100% of\\n&lt;2&gt; products |
    | store-a | warning | unlinked | 99 | X\|1 | feeds/a,b.csv:7 | fits no product |
    | store-a | accepted | invalid_value | 99 | Y\\u{1b} | line 9 | "5O" is no number (accepted: a gift) |
    "#);
}

#[test]
fn github_shows_findings_beside_their_lines() {
    let found = found();
    assert_snapshot!(annotated(Annotation::Github, &[of_store(&found)], false), @r#"
    ::error file=shop/invsync.toml,line=12,title=store-a%3A ambiguous::item 99 (X): 100%25 of%0A<2> products
    ::warning file=shop/feeds/a%2Cb.csv,line=7,title=store-a%3A unlinked::item 99 (X|1): fits no product
    ::notice file=shop/invsync.toml,line=12,title=store-a%3A invalid_value::item 99 (Y\u{1b}): "5O" is no number (accepted: a gift)
    check store-a: 1 error, 1 warning, 1 accepted
    "#);
    let nothing = Findings { is_skipped: true, error: Some("store-a: cut\nhere"), ..of_store(&[]) };
    assert_snapshot!(annotated(Annotation::Github, &[nothing], false), @r#"
    ::error file=shop/invsync.toml,line=11,title=store-a::store-a: cut%0Ahere
    check store-a, not read in full (--offline): 0 errors, 0 warnings
    "#);
}

#[test]
fn junit_has_a_suite_for_each_integration() {
    let found = found();
    let broken = Findings {
        error: Some("store-b: \u{1} cut"),
        integration: Some("store-b"),
        ..of_store(&[])
    };
    let text = annotated(Annotation::Junit, &[of_store(&found), broken], false);
    assert_snapshot!(text, @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites name="invsync check" tests="23" failures="1" errors="1" skipped="1">
      <testsuite name="store-a" tests="11" failures="1" errors="0" skipped="1">
        <testcase name="link_conflict" classname="store-a" file="shop/invsync.toml" line="11"/>
        <testcase name="duplicate_sku" classname="store-a" file="shop/invsync.toml" line="11"/>
        <testcase name="broken_link" classname="store-a" file="shop/invsync.toml" line="11"/>
        <testcase name="not_listed" classname="store-a" file="shop/invsync.toml" line="11"/>
        <testcase name="currency_mismatch" classname="store-a" file="shop/invsync.toml" line="11"/>
        <testcase name="not_managed" classname="store-a" file="shop/invsync.toml" line="11"/>
        <testcase name="changed_elsewhere" classname="store-a" file="shop/invsync.toml" line="11"/>
        <testcase name="config" classname="store-a" file="shop/invsync.toml" line="11"/>
        <testcase name="ambiguous: item 99 (X)" classname="store-a" file="shop/invsync.toml" line="12"><failure type="ambiguous" message="100% of\n&lt;2&gt; products">shop/invsync.toml:12</failure></testcase>
        <testcase name="unlinked: item 99 (X|1)" classname="store-a" file="shop/feeds/a,b.csv" line="7"><system-out>fits no product</system-out></testcase>
        <testcase name="invalid_value: item 99 (Y\u{1b})" classname="store-a" file="shop/invsync.toml" line="12"><skipped message="accepted: a gift"/></testcase>
      </testsuite>
      <testsuite name="store-b" tests="12" failures="0" errors="1" skipped="0">
        <testcase name="read" classname="store-b" file="shop/invsync.toml" line="11"><error type="read" message="store-b: \u{1} cut"/></testcase>
        <testcase name="unlinked" classname="store-b" file="shop/invsync.toml" line="11"/>
        <testcase name="ambiguous" classname="store-b" file="shop/invsync.toml" line="11"/>
        <testcase name="link_conflict" classname="store-b" file="shop/invsync.toml" line="11"/>
        <testcase name="duplicate_sku" classname="store-b" file="shop/invsync.toml" line="11"/>
        <testcase name="broken_link" classname="store-b" file="shop/invsync.toml" line="11"/>
        <testcase name="not_listed" classname="store-b" file="shop/invsync.toml" line="11"/>
        <testcase name="invalid_value" classname="store-b" file="shop/invsync.toml" line="11"/>
        <testcase name="currency_mismatch" classname="store-b" file="shop/invsync.toml" line="11"/>
        <testcase name="not_managed" classname="store-b" file="shop/invsync.toml" line="11"/>
        <testcase name="changed_elsewhere" classname="store-b" file="shop/invsync.toml" line="11"/>
        <testcase name="config" classname="store-b" file="shop/invsync.toml" line="11"/>
      </testsuite>
    </testsuites>
    "#);
    let strict = annotated(Annotation::Junit, &[of_store(&found)], true);
    assert!(strict.contains("failures=\"2\""), "{strict}");
}

#[test]
fn sarif_has_a_result_for_each_finding() {
    let found = found();
    let text = annotated(Annotation::Sarif, &[of_store(&found)], false);
    let run: serde_json::Value = serde_json::from_str(&text).unwrap();
    let results = serde_json::to_string_pretty(&run["runs"][0]["results"]).unwrap();
    assert_snapshot!(results, @r#"
    [
      {
        "level": "error",
        "locations": [
          {
            "physicalLocation": {
              "artifactLocation": {
                "uri": "shop/invsync.toml",
                "uriBaseId": "%SRCROOT%"
              },
              "region": {
                "startLine": 12
              }
            }
          }
        ],
        "message": {
          "text": "store-a: item 99 (X): 100% of\\n<2> products"
        },
        "ruleId": "ambiguous",
        "ruleIndex": 1
      },
      {
        "level": "warning",
        "locations": [
          {
            "physicalLocation": {
              "artifactLocation": {
                "uri": "shop/feeds/a,b.csv",
                "uriBaseId": "%SRCROOT%"
              },
              "region": {
                "startLine": 7
              }
            }
          }
        ],
        "message": {
          "text": "store-a: item 99 (X|1): fits no product"
        },
        "ruleId": "unlinked",
        "ruleIndex": 0
      },
      {
        "level": "error",
        "locations": [
          {
            "physicalLocation": {
              "artifactLocation": {
                "uri": "shop/invsync.toml",
                "uriBaseId": "%SRCROOT%"
              },
              "region": {
                "startLine": 12
              }
            }
          }
        ],
        "message": {
          "text": "store-a: item 99 (Y\\u{1b}): \"5O\" is no number"
        },
        "ruleId": "invalid_value",
        "ruleIndex": 6,
        "suppressions": [
          {
            "justification": "a gift",
            "kind": "external",
            "status": "accepted"
          }
        ]
      }
    ]
    "#);
}

/// Makes its changes while they are asked for, as the engine does.
struct Many(u64);

impl Changes for Many {
    fn each(&self, each: EachChange<'_>) -> Result<()> {
        for _ in 0..self.0 {
            if !each(&stock("MUG-01", "Mug", "4", "3"))? {
                break;
            }
        }
        Ok(())
    }
}

#[test]
fn whatever_the_format_all_changes_are_there() {
    let many = || RunReport {
        summary: summary(Command::Pull),
        changes: Box::new(Many(3000)),
        problems: Box::new(Wrong(Vec::new())),
    };
    for format in [Format::Table, Format::Json, Format::Csv, Format::Markdown] {
        let text = printed(Style { limit: None, ..style(format) }, &[many()]);
        assert_eq!(text.matches("MUG-01").count(), 3000, "{format:?}");
    }
    let json = printed(style(Format::Json), &[many(), many()]);
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(value["runs"][1]["changes"].as_array().unwrap().len(), 3000);
}

#[test]
fn a_list_of_runs_goes_without_its_least_columns_where_it_is_narrow() {
    let style = Style { width: Some(80), ..Style::default() };
    let listing = Listing { key: "runs", one: "run", columns: RUN_COLUMNS.to_vec() };
    let mut out = Vec::new();
    let mut records = Records::new(&style, listing, &mut out).unwrap();
    records
        .row(&RunSummary { error: Some("a long error ".repeat(9)), ..summary(Command::Pull) })
        .unwrap();
    records.end().unwrap();
    let table = String::from_utf8(out).unwrap();
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
    assert!(
        table.contains("started at") && !table.contains("held back") && !table.contains('…'),
        "{table}"
    );
}
