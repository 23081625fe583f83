//! The JSON Schema of the config says what the readers of the config say: neither knows a key that
//! the other does not.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::Shop;

/// A key that nobody knows: where it stands, the reader lists those that it does.
const NO_KEY: &str = "qqqqqqqqqqqqqqqqqqqq";
const FEEDS: [&str; 5] = ["csv", "json", "xml", "xlsx", "edifact"];

fn schema() -> Value {
    Shop::new().run("schema").code(0).json()
}

/// The config as JSON; dates and floats are errors of the config anyway.
fn as_json(toml: &str) -> Value {
    serde_json::to_value(toml::from_str::<toml::Table>(toml).unwrap()).unwrap()
}

/// What the schema finds wrong.
fn wrong(toml: &str) -> Vec<String> {
    let validator = jsonschema::draft7::new(&schema()).unwrap();
    let found: Vec<_> = validator
        .iter_errors(&as_json(toml))
        .map(|error| format!("{} {error}", error.instance_path()))
        .collect();
    found
}

/// A config with every table that there is, and in each a key that nobody knows.
fn maximal() -> String {
    let mut config = format!(
        "{NO_KEY} = 1\n[inventory]\n{NO_KEY} = 1\n[warehouses]\nmain = {{ {NO_KEY} = 1 }}\n\
         [price_groups]\nretail = {{ currency = \"EUR\", {NO_KEY} = 1 }}\n\
         [integrations.woocommerce]\ntype = \"store\"\nconnector = \"woocommerce\"\n\
         url = \"https://x/\"\nconsumer_key = {{ env = \"K\", {NO_KEY} = 1 }}\n\
         consumer_secret = \"${{S}}\"\n{NO_KEY} = 1\n\
         [integrations.medusa]\ntype = \"store\"\nconnector = \"medusa\"\n\
         url = \"https://x/\"\napi_key = \"${{K}}\"\n{NO_KEY} = 1\n\
         stock = {{ direction = \"send\", locations = {{ a = \"main\" }}, {NO_KEY} = 1 }}\n\
         prices = {{ direction = \"send\", price_group = \"retail\", {NO_KEY} = 1 }}\n"
    );
    for feed in FEEDS {
        let items = match feed {
            "json" | "xml" => "items = \"/a/b\"",
            _ => "",
        };
        let path = if feed == "edifact" { "QTY/@1.2" } else { "q" };
        let shared = format!("quantity = {{ path = \"{path}\", {NO_KEY} = 1 }}, {NO_KEY} = 1");
        let fields =
            format!("fields = {{ sku = {{ path = \"{path}\", {NO_KEY} = 1 }}, {shared} }}");
        let section = |place: &str| {
            format!("direction = \"download\", {place}, guard = {{ {NO_KEY} = 1 }}, {NO_KEY} = 1")
        };
        config += &format!(
            "[integrations.{feed}]\ntype = \"store\"\nconnector = \"{feed}\"\n\
             source = {{ exec = [\"true\"], {NO_KEY} = 1 }}\n{items}\n{fields}\n{NO_KEY} = 1\n\
             where = [{{ path = \"{path}\", is = [\"b\"], {NO_KEY} = 1 }}]\n\
             join = [{{ connector = \"{feed}\", source = \"j\", \
             key = {{ path = \"{path}\", {NO_KEY} = 1 }}, fields = {{ {shared} }}, {}{NO_KEY} = 1 }}]\n\
             guard = {{ {NO_KEY} = 1 }}\nhttp = {{ {NO_KEY} = 1 }}\n\
             stock = {{ {} }}\nprices = {{ {} }}\n",
            if items.is_empty() { String::new() } else { format!("{items}, ") },
            section("warehouse = \"main\""),
            section("price_group = \"retail\"")
        );
        config += &format!(
            "[integrations.{feed}-own]\ntype = \"store\"\nconnector = \"{feed}\"\n\
             source = \"https://x/\"\n{items}\n{fields}\nlogin = {{ {NO_KEY} = 1 }}\n\
             stock = {{ {}, source = \"y\", connector = \"{feed}\", {}{fields} }}\n",
            section("warehouse = \"main\""),
            if items.is_empty() { String::new() } else { format!("{items}, ") },
        );
    }
    config
}

/// The keys that the reader knows in each table, by the path of the table.
fn read_keys() -> BTreeMap<String, BTreeSet<String>> {
    let shop = Shop::new().file("invsync.toml", maximal());
    let ran = shop.run("check --all --format json").code(2);
    let problems = ran.json()["integrations"][0]["problems"].clone();
    let mut found = BTreeMap::new();
    for problem in problems.as_array().unwrap() {
        let message = problem["message"].as_str().unwrap();
        let Some(at) = message.find(NO_KEY) else { continue };
        let words: Vec<_> = message.split('`').skip(1).step_by(2).collect();
        let (path, keys) = words.split_first().unwrap();
        let path = path.strip_suffix(NO_KEY).unwrap().trim_end_matches('.');
        assert!(message[at..].contains("known here"), "{message}");
        let keys: BTreeSet<String> = keys.iter().map(|key| (*key).to_owned()).collect();
        found.entry(path.to_owned()).or_insert_with(BTreeSet::new).extend(keys);
    }
    found
}

/// Whether the schema lets a key stand in a table, and by which tables it may be judged.
struct Walk<'s> {
    root: &'s Value,
    config: &'s Value,
}

impl Walk<'_> {
    /// The schema of the value at `path`, with references followed, and the value.
    fn at(&self, path: &str) -> (Vec<&Value>, &Value) {
        let (mut schemas, mut value) = (vec![self.root], self.config);
        for part in path.split('.').filter(|part| !part.is_empty()) {
            let above = value;
            value = &value[part];
            value = value.as_array().map_or(value, |list| &list[0]);
            let below = schemas.into_iter().flat_map(|schema| {
                let by_rule = rules(schema, above).map(|then| &then["properties"][part]);
                let known = [&schema["properties"][part], &schema["additionalProperties"]];
                by_rule.chain(known).find(|below| below.is_object())
            });
            schemas = below.flat_map(|schema| self.tables(schema)).collect();
            // Of several sorts of tables it is the one that needs a key which is there.
            let needs = |schema: &&Value| {
                let needed = schema["required"].as_array().into_iter().flatten();
                let mut needed = needed.map(|key| key.as_str().unwrap()).peekable();
                needed.peek().is_some() && needed.all(|key| value.get(key).is_some())
            };
            if schemas.iter().any(needs) {
                schemas.retain(needs);
            }
        }
        (schemas, value)
    }

    /// The schemas of tables that a schema stands for.
    fn tables<'v>(&'v self, schema: &'v Value) -> Vec<&'v Value> {
        if let Some(name) = schema["$ref"].as_str() {
            let name = name.strip_prefix("#/definitions/").unwrap();
            return self.tables(&self.root["definitions"][name]);
        }
        if schema["type"] == "array" {
            return self.tables(&schema["items"]);
        }
        if schema["type"] == "object" {
            return vec![schema];
        }
        let all = ["anyOf", "allOf"].into_iter().filter_map(|key| schema[key].as_array());
        all.flatten().flat_map(|schema| self.tables(schema)).collect()
    }

    /// The keys that may stand in the table at `path`, as far as its connector allows them.
    fn keys(&self, path: &str) -> BTreeSet<String> {
        let (schemas, value) = self.at(path);
        let mut keys = BTreeSet::new();
        for schema in schemas {
            let own: Vec<_> = schema["properties"].as_object().into_iter().flatten().collect();
            keys.extend(own.into_iter().map(|(key, _)| key.clone()).filter(|key| {
                let names = rules(schema, value).map(|then| &then["propertyNames"]["enum"]);
                let mut names = names.filter_map(Value::as_array);
                names.all(|names| names.iter().any(|name| name == key.as_str()))
            }));
        }
        keys
    }
}

/// What the rules of a schema ask for that hold for this table.
fn rules<'s>(schema: &'s Value, table: &Value) -> impl Iterator<Item = &'s Value> {
    let all = schema["allOf"].as_array().into_iter().flatten();
    all.filter(|rule| jsonschema::draft7::new(&rule["if"]).unwrap().is_valid(table))
        .map(|rule| &rule["then"])
}

#[test]
fn the_schema_and_the_reader_know_the_same_keys_in_every_table() {
    let (root, config) = (schema(), as_json(&maximal()));
    let walk = Walk { root: &root, config: &config };
    let read = read_keys();
    assert!(read.len() > 80, "{:?}", read.keys());
    for (path, keys) in &read {
        let known = walk.keys(path);
        let (lacks, has): (Vec<_>, Vec<_>) =
            (keys.difference(&known).collect(), known.difference(keys).collect());
        assert!(lacks.is_empty() && has.is_empty(), "{path}: lacks {lacks:?}, has {has:?}");
    }
}

#[test]
fn every_key_of_the_schema_says_what_it_means() {
    fn look(schema: &Value, path: &str) {
        for (key, below) in schema["properties"].as_object().into_iter().flatten() {
            let path = format!("{path}.{key}");
            let is_table_of_its_own = below["$ref"].is_string();
            assert!(is_table_of_its_own || below["description"].is_string(), "{path}");
            look(below, &path);
        }
        for (key, below) in schema["definitions"].as_object().into_iter().flatten() {
            look(below, key);
        }
    }
    look(&schema(), "");
}

#[test]
fn the_configs_of_the_repository_are_valid_by_the_schema() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |name: &str| fs::read_to_string(root.join(name)).unwrap();
    assert_eq!(wrong(&read("sample-config.toml")), Vec::<String>::new());
    assert_eq!(wrong(&read("src/config/starter.toml")), Vec::<String>::new());
    let readme = read("README.md");
    let blocks = readme.split("```toml\n").skip(1).filter_map(|rest| rest.split_once("```"));
    let mut seen = 0;
    for (block, _) in blocks {
        // Some show keys of an integration without its table.
        let stands_alone = block.trim_start().starts_with('[');
        if stands_alone && toml::from_str::<toml::Table>(block).is_ok() {
            let found: Vec<_> =
                wrong(block).into_iter().filter(|why| !why.contains("required")).collect();
            assert_eq!(found, Vec::<String>::new(), "{block}");
            seen += 1;
        }
    }
    assert!(seen >= 3, "{seen}");
}

#[test]
fn what_the_reader_refuses_the_schema_marks() {
    let shop = Shop::new().config("[integrations.x]\ntype = \"store\"\nconnector = \"csv\"\nsource = \"x\"\nfields = { sku = \"s\" }\n");
    let good = shop.read("invsync.toml");
    assert_eq!(wrong(&good), Vec::<String>::new());
    for bad in [
        "typo = 1",
        "sheet = \"A\"",
        "unlinked = \"make\"",
        "guard = { max_changed = \"fifty\" }",
        "stock = { direction = \"down\", warehouse = \"main\" }",
        "stock = { direction = \"download\", warehouse = \"main\", every = \"soon\" }",
        "stock = { direction = \"download\", warehouse = \"main\", delimiter = \";\" }",
        "http = { retries = 1000 }",
        "stock = { direction = \"download\", warehouse = \"main\", location = \"Main\" }",
        "prices = { direction = \"download\", price_group = \"retail\", region = \"DE\" }",
    ] {
        let config = format!("{good}{bad}\n");
        shop.write("invsync.toml", &config);
        shop.run("check --all").code(2);
        assert!(!wrong(&config).is_empty(), "{bad}");
    }
}

#[test]
fn init_writes_the_schema_that_its_config_names_and_keeps_one_that_is_there() {
    let shop = Shop::new();
    fs::remove_file(shop.path("invsync.toml")).unwrap();
    shop.run("init").code(0).stderr("created invsync.schema.json, for your editor");
    assert!(shop.read("invsync.toml").starts_with("#:schema ./invsync.schema.json\n"));
    assert_eq!(shop.read("invsync.schema.json"), shop.run("schema").code(0).stdout);
    shop.write("invsync.schema.json", "{}");
    shop.run("init").code(0).wrote("invsync.schema.json", "{}");
}

#[test]
fn a_text_of_a_few_words_may_come_from_the_environment_as_the_tool_takes_it() {
    let with = |direction: &str, zero: &str| {
        format!(
            "[inventory]\npath = \"i.db\"\n[warehouses]\nmain = \"Main\"\n\
             [integrations.a]\ntype = \"store\"\nconnector = \"csv\"\nsource = \"a.csv\"\n\
             decimal = \"${{DECIMAL:-,}}\"\nfields = {{ sku = \"s\", quantity = \"q\" }}\n\
             guard = {{ zero_price = \"{zero}\" }}\n\
             [integrations.a.stock]\ndirection = \"{direction}\"\nwarehouse = \"main\"\n"
        )
    };
    let taken = with("${DIR:-download}", "${ZERO:-allow}");
    assert_eq!(wrong(&taken), Vec::<String>::new());
    let shop = Shop::new().file("a.csv", "s,q\nA,1\n");
    shop.write("invsync.toml", &taken);
    shop.run("check a --offline").code(0);
    assert!(!wrong(&with("upload", "allow")).is_empty());
}
