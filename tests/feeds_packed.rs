//! Feeds that are packed: recognised by their bytes, unpacked as they are read, refused when cut.

use std::io::{Cursor, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::support::{Shop, zipped};

const CSV: &str = "sku,qty\nA,3\nB,4\n";
const STOCK: &str = "stock = { direction = \"download\", warehouse = \"main\" }\n";

fn wholesaler(source: &str, more: &str) -> Shop {
    Shop::new().inventory("sku\nA\nB\n").config(&format!(
        "[integrations.w]\ntype = \"wholesaler\"\nconnector = \"csv\"\n{source}\n{more}\n\
         fields = {{ sku = \"sku\", quantity = \"qty\" }}\n{STOCK}"
    ))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

fn joined(parts: &[Vec<u8>]) -> Vec<u8> {
    parts.concat()
}

#[test]
fn what_is_packed_is_told_by_its_bytes_not_by_its_name() {
    let skippable = b"\x50\x2a\x4d\x18\x03\0\0\0abc".to_vec();
    let (first, second) = CSV.as_bytes().split_at(9);
    for (what, bytes) in [
        ("gzip", gzip(CSV.as_bytes())),
        ("gzip members", joined(&[gzip(first), gzip(second)])),
        ("gzip of gzip", gzip(&gzip(CSV.as_bytes()))),
        ("bzip2", bzip2(CSV.as_bytes())),
        ("bzip2 streams", joined(&[bzip2(first), bzip2(second)])),
        ("zstd", zstd(CSV.as_bytes())),
        ("zstd frames", joined(&[skippable, zstd(first), zstd(second)])),
        // Up to the end of a block of a tape.
        ("gzip and zeros", joined(&[gzip(first), gzip(second), vec![0; 70_000]])),
        ("zip", zipped(&[("any/where.txt", CSV.as_bytes())])),
        ("zip of gzip", zipped(&[("feed.csv.gz", &gzip(CSV.as_bytes()))])),
    ] {
        let shop = wholesaler("source = \"feed.csv\"", "").file("feed.csv", bytes);
        let ran = shop.run("pull w");
        assert_eq!(ran.code, Some(0), "{what}: {}", ran.stdout);
        ran.stock("main", "A", "3").stock("main", "B", "4");
        // A name that promises something else does not matter.
        shop.write("feed.csv", CSV.replace('3', "5"));
        shop.run("pull w").code(0).stock("main", "A", "5");
    }
}

#[test]
fn a_larger_feed_goes_through_every_packing() {
    let mut csv = "sku,qty\n".to_owned();
    for n in 0..200_000_u32 {
        csv += &format!("SKU-{n},{}\n", n.wrapping_mul(2_654_435_761) % 1000);
    }
    csv += "A,7\n";
    for bytes in [
        gzip(csv.as_bytes()),
        bzip2(csv.as_bytes()),
        zstd(csv.as_bytes()),
        zipped(&[("a", csv.as_bytes())]),
    ] {
        let shop = wholesaler("source = \"feed\"", "unlinked = \"ignore\"").file("feed", bytes);
        let run = shop.run("pull w --format json").code(0).stock("main", "A", "7").one_run();
        assert_eq!(run.number("items"), 200_001);
    }
}

#[test]
fn half_of_something_packed_is_no_feed() {
    for (bytes, word) in [
        (gzip(CSV.as_bytes()), "gzip"),
        (bzip2(CSV.as_bytes()), "bzip2"),
        (zstd(CSV.as_bytes()), "zstd"),
        (zipped(&[("a.csv", CSV.as_bytes())]), "zip"),
    ] {
        for cut in [1, 5, bytes.len() / 3] {
            let half = &bytes[..bytes.len() - cut];
            let shop = wholesaler("source = \"feed\"", "").file("feed", half);
            shop.run("pull w").code(1).stderr(word).stock("main", "A", "–");
        }
        let mut damaged = bytes.clone();
        let middle = bytes.len() / 2;
        damaged[middle] ^= 0x55;
        damaged[middle + 1] ^= 0x55;
        let shop = wholesaler("source = \"feed\"", "").file("feed", damaged);
        shop.run("pull w").code(1).stock("main", "A", "–");
    }
}

#[test]
fn what_stands_behind_the_zeros_behind_gzip_is_looked_at() {
    let bytes = joined(&[gzip(CSV.as_bytes()), vec![0; 100], b"sku".to_vec()]);
    let shop = wholesaler("source = \"feed\"", "").file("feed", bytes);
    shop.run("pull w").code(1).stderr("gzip").stock("main", "A", "–");
}

#[test]
fn of_an_archive_a_workbook_is_read_like_any_file() {
    let text = |texts: [&str; 2]| {
        let cells = texts.map(|text| format!("<c t=\"inlineStr\"><is><t>{text}</t></is></c>"));
        format!("<row>{}</row>", cells.concat())
    };
    let book = |count: &str| {
        let rows = [text(["sku", "qty"]), text(["A", count])].concat();
        crate::support::feeds::xlsx(&[("Stock", &rows)])
    };
    let place = |source: &str, more: &str, bytes: Vec<u8>| {
        let shop = wholesaler(&format!("source = \"{source}\""), more).file(source, bytes);
        let toml = shop.read("invsync.toml").replace("\"csv\"", "\"xlsx\"");
        shop.file("invsync.toml", toml)
    };
    let (three, four) = (book("3"), book("4"));
    let one = || zipped(&[("a/stock.xlsx", &three)]);
    let readme = || zipped(&[("readme.txt", b"hi"), ("stock.xlsx", &three)]);
    let two = || zipped(&[("old.xlsx", &four), ("stock.xlsx", &three)]);
    for (more, bytes) in [
        ("", one()),
        ("", readme()),
        ("member = \"*.xlsx\"", readme()),
        ("member = \"s*.xlsx\"", two()),
        ("", gzip(&one())),
        // What is a workbook already is taken out of nothing.
        ("member = \"*.xlsx\"", three.clone()),
    ] {
        place("feed", more, bytes).run("pull w").code(0).stock("main", "A", "3");
    }
    let why = "is a zip archive with 2 files: \"old.xlsx\", \"stock.xlsx\"; say which one";
    place("feed", "", two()).run("pull w").code(1).stderr(why);
    place("feed", "member = \"*.ods\"", two()).run("pull w").code(1).stderr("without a file");
    let text = zipped(&[("a.csv", CSV.as_bytes())]);
    place("feed", "", text).run("pull w").code(1).stderr("is no spreadsheet");
    let twice = zipped(&[("a.zip", &one())]);
    place("feed", "", twice).run("pull w").code(1).stderr("pack the workbook only once");
    let cut = one();
    place("feed", "", cut[..cut.len() - 9].to_vec()).run("pull w").code(1).stderr("cut or damaged");
}

#[test]
fn of_an_archive_one_file_is_read_and_nothing_is_written() {
    let two = zipped(&[
        ("../../escape.csv", CSV.as_bytes()),
        ("docs/readme.txt", b"hello"),
        ("__MACOSX/._escape.csv", b"x"),
    ]);
    let shop = wholesaler("source = \"feed.zip\"", "").file("feed.zip", &two);
    shop.run("pull w").code(1).stderr(
        "is a zip archive with 2 files: \"../../escape.csv\", \"docs/readme.txt\"; say which one \
         with `member = \"…\"`",
    );
    let before = shop.names();
    for member in ["*.csv", "escape.csv", "../../escape.csv"] {
        let member = format!("member = \"{member}\"");
        let shop = wholesaler("source = \"feed.zip\"", &member).file("feed.zip", &two);
        shop.run("pull w").code(0).stock("main", "A", "3");
        assert_eq!(shop.names(), before);
        assert!(!shop.path("../../escape.csv").exists());
    }
    for (member, said) in [
        ("*.xml", "without a file that `member` matches; it holds \"../../escape.csv\""),
        ("*", "in which `member` matches 2 files"),
    ] {
        let member = format!("member = \"{member}\"");
        let shop = wholesaler("source = \"feed.zip\"", &member).file("feed.zip", &two);
        shop.run("pull w").code(1).stderr(said);
    }
    let shop = wholesaler("source = \"feed.zip\"", "").file("feed.zip", zipped(&[]));
    shop.run("pull w").code(1).stderr("is a zip archive with no file in it");
}

#[test]
fn an_archive_with_a_password_or_another_packing_is_named() {
    let mut encrypted = zipped(&[("a.csv", CSV.as_bytes())]);
    let table = encrypted.windows(4).position(|four| four == b"PK\x01\x02").unwrap();
    encrypted[6] |= 1;
    encrypted[table + 8] |= 1;
    let shop = wholesaler("source = \"f\"", "").file("f", encrypted);
    shop.run("pull w").code(1).stderr("\"a.csv\" is encrypted");
    let mut other = zipped(&[("a.csv", CSV.as_bytes())]);
    other[8] = 12;
    other[table + 10] = 12;
    let shop = wholesaler("source = \"f\"", "").file("f", other);
    shop.run("pull w").code(1).stderr("only deflate is read");
}

#[test]
fn a_bomb_is_stopped_and_named() {
    // Rows as long as a field may be, so that nothing else strikes first.
    let row = format!("A,3,{}\n", "x".repeat(1 << 19)).into_bytes();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("a.csv", SimpleFileOptions::default()).unwrap();
    for out in [&mut gzip as &mut dyn Write, &mut zip] {
        out.write_all(b"sku,qty,note\n").unwrap();
        for _ in 0..210 {
            out.write_all(&row).unwrap();
        }
    }
    for bomb in [gzip.finish().unwrap(), zip.finish().unwrap().into_inner()] {
        let shop = wholesaler("source = \"f\"", "").file("f", bomb);
        shop.run("pull w")
            .code(1)
            .stderr("unpacks to more than 100 MiB, over 200 times its own size")
            .stock("main", "A", "–");
    }
}

#[test]
fn how_long_what_is_unpacked_may_get_is_for_the_config_to_say() {
    let csv = format!("sku,qty,note\nA,3,{}\n", "x".repeat(1000));
    let gzipped = gzip(csv.as_bytes());
    let with = |limit: &str| {
        wholesaler(&format!("source = \"f\"\nmax_unpacked = \"{limit}\""), "").file("f", &gzipped)
    };
    with("1KiB").run("pull w").code(0).stock("main", "A", "3");
    let why = "unpacks to more than 1000 bytes (`max_unpacked`)";
    with("1kB").run("pull w").code(1).stderr(why).stock("main", "A", "–");
    with("much").run("pull w").code(2).stderr("must be a size such as \"500MiB\" or \"4GiB\"");
    // More than the usual 100 MiB and 200 times its size.
    let mut long = GzEncoder::new(Vec::new(), Compression::fast());
    long.write_all(b"sku,qty,note\nA,3,\n").unwrap();
    for _ in 0..101 {
        long.write_all(&vec![b'\n'; 1 << 20]).unwrap();
    }
    let long = long.finish().unwrap();
    let shop = |more: &str| wholesaler(&format!("source = \"f\"{more}"), "").file("f", &long);
    shop("").run("pull w").code(1).stderr("max_unpacked = \"2GiB\"");
    shop("\nmax_unpacked = \"2GiB\"").run("pull w").code(0).stock("main", "A", "3");
}

#[test]
fn a_tar_archive_and_an_empty_file_are_named() {
    let mut tar = vec![0; 1024];
    tar[257..262].copy_from_slice(b"ustar");
    for (bytes, said) in [
        (gzip(&tar), "is a tar archive, which is not read"),
        (tar.clone(), "is a tar archive, which is not read"),
        (gzip(b""), "holds an empty file (0 bytes)"),
        (gzip(&gzip(&gzip(&gzip(CSV.as_bytes())))), "is packed more than 3 times over"),
        (gzip(b"<!doctype html><title>Log in</title>"), "is an HTML page titled \"Log in\""),
    ] {
        let shop = wholesaler("source = \"f\"", "").file("f", bytes);
        shop.run("pull w").code(1).stderr(said);
    }
}

#[test]
fn what_is_packed_is_never_written_back() {
    let store = "[integrations.s]\ntype = \"store\"\nconnector = \"csv\"\nsource = \"s.csv.zst\"\n\
                 fields = { sku = \"sku\", quantity = \"qty\" }\n\
                 stock = { direction = \"send\", warehouse = \"main\" }\n";
    Shop::new().config(store).run("push s").code(2).stderr("a compressed file cannot be written");
    let shop = Shop::new()
        .config(&store.replace("s.csv.zst", "s.csv"))
        .inventory("sku,stock.main\nA,9\n")
        .file("s.csv", gzip(CSV.as_bytes()));
    let before = shop.bytes("s.csv");
    shop.run("push s").code(1).stderr("this integration cannot be written");
    assert!(shop.bytes("s.csv") == before);
}
