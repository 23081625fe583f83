//! Feeds from this machine that are no plain file: standard input, programs, one of several files.

use std::io::Write;
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime};

use crate::support::Shop;

const CSV: &str = "sku,qty\nA,3\nB,4\n";

fn shop(source: &str) -> Shop {
    Shop::new().inventory("sku\nA\nB\n").config(&format!(
        "[integrations.w]\ntype = \"wholesaler\"\nconnector = \"csv\"\nsource = {source}\n\
         fields = {{ sku = \"sku\", quantity = \"qty\" }}\n\
         stock = {{ direction = \"download\", warehouse = \"main\" }}\n"
    ))
}

#[test]
fn standard_input_is_taken_whole() {
    let shop = shop("\"-\"");
    let mut command = shop.command(["pull", "w"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let (first, second) = CSV.split_at(11);
    input.write_all(first.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    // Nothing of it is used before its end: the inventory stays free.
    shop.run("inventory set A stock.outlet=1").code(0);
    input.write_all(second.as_bytes()).unwrap();
    drop(input);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(shop.stock("main", "A").as_deref(), Some("3"));
    // Closed, or nothing in it.
    shop.run("pull w").code(1).stderr("standard input is empty (0 bytes)");
}

#[cfg(unix)]
#[test]
fn a_signal_ends_waiting_for_standard_input() {
    let shop = shop("\"-\"");
    let mut command = shop.command(["pull", "w"]);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    // Waiting for a child closes what it reads.
    let _input = child.stdin.take();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(interrupted_after(&mut child), Some(130));
}

#[cfg(unix)]
fn interrupted_after(child: &mut std::process::Child) -> Option<i32> {
    let began = Instant::now();
    let kill = std::process::Command::new("kill").arg("-INT").arg(child.id().to_string()).status();
    assert!(kill.unwrap().success());
    let code = child.wait().unwrap().code();
    assert!(began.elapsed() < Duration::from_secs(2));
    code
}

#[cfg(unix)]
fn script(shop: Shop, name: &str, text: &str) -> Shop {
    use std::os::unix::fs::PermissionsExt;
    let shop = shop.file(name, text);
    let path = shop.path(name);
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    shop
}

#[cfg(unix)]
#[test]
fn what_a_program_prints_is_a_feed_where_it_ends_well() {
    let exec = "{ exec = [\"bin/feed\", \"a b\"], env = { TOKEN = \"${FEED_TOKEN}\" } }";
    let text = "#!/bin/sh\n[ \"$1\" = 'a b' ] && [ \"$TOKEN\" = t0ken ] || exit 9\ncat feed.csv\n\
                echo warning >&2\n";
    let shop = script(shop(exec), "bin/feed", text).file("feed.csv", CSV);
    shop.run_with(("FEED_TOKEN", "t0ken"), "pull w").code(0).stock("main", "A", "3");
    shop.run("pull w").code(2).stderr("the environment variable FEED_TOKEN is not set");
    let text = "#!/bin/sh\ncat feed.csv\necho first >&2\nprintf 'no \\033[31m%s\\n' $TOKEN >&2\n\
                exit 3\n";
    let shop = script(shop, "bin/feed", text).file("feed.csv", "sku,qty\nA,5\n");
    let ran = shop
        .run_with(("FEED_TOKEN", "t0ken"), "pull w")
        .code(1)
        .stderr("what \"feed\" prints is no delivery: it ended with exit status: 3")
        .stderr("it said: first | no")
        .stock("main", "A", "3");
    assert!(!ran.stderr.contains("t0ken") && !ran.stderr.contains('\u{1b}'), "{}", ran.stderr);
}

#[test]
fn a_program_that_is_not_there_or_prints_nothing_is_named() {
    shop("{ exec = [\"no-such-program-here\"] }")
        .run("pull w")
        .code(1)
        .stderr("what \"no-such-program-here\" prints is no delivery: there is no such program");
    shop("{ exec = [\"true\"] }").run("pull w").code(1).stderr("is empty (0 bytes)");
    shop("{ exec = [] }").run("pull w").code(2).stderr("must begin with a program");
    shop("{ exec = [\"x\"], environment = {} }").run("pull w").code(2).stderr("unknown key");
}

#[cfg(target_os = "linux")]
#[test]
fn a_program_is_ended_with_all_it_started_and_gets_no_file_of_ours() {
    let text = "#!/bin/sh\nls -l /proc/self/fd > fds\nsleep 300 &\necho $! > pid\nwait\n";
    let shop = script(shop("{ exec = [\"./feed\"] }"), "feed", text);
    let mut command = shop.command(["pull", "w"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let pid = loop {
        if let Ok(pid) = std::fs::read_to_string(shop.path("pid"))
            && pid.ends_with('\n')
        {
            break pid;
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    assert_eq!(interrupted_after(&mut child), Some(130));
    let fds = shop.read("fds");
    assert!(!fds.contains("inventory.db"), "{fds}");
    let gone = || !std::path::Path::new(&format!("/proc/{}/cwd", pid.trim())).exists();
    let until = Instant::now() + Duration::from_secs(2);
    while !gone() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(gone());
}

#[cfg(unix)]
#[test]
fn a_program_that_takes_too_long_is_ended() {
    let shop = shop("{ exec = [\"sleep\", \"60\"] }")
        .config("[integrations.w.http]\ndownload_timeout = \"1s\"\n");
    shop.run("pull w").code(7).stderr("did not end within 1 s (`http.download_timeout`)");
}

fn aged(shop: &Shop, name: &str, seconds: u64) {
    let file = std::fs::File::options().append(true).open(shop.path(name)).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(seconds)).unwrap();
}

#[test]
fn of_several_files_the_newest_complete_one_is_read() {
    let shop = shop("\"feeds/stock-*.csv*\"");
    shop.run("pull w").code(1).stderr("no file matches").stderr("stock-*.csv*");
    for (name, csv) in [
        ("feeds/stock-20261122.csv", "sku,qty\nA,1\n"),
        ("feeds/stock-20261124.csv", "sku,qty\nA,2\n"),
        ("feeds/stock-20261123.csv", "sku,qty\nA,3\n"),
        ("feeds/stock-20261125.csv", ""),
        ("feeds/stock-20261126.csv.part", "sku,qty\nA,4\n"),
        ("feeds/other-20261127.csv", "sku,qty\nA,5\n"),
    ] {
        shop.write(name, csv);
        aged(&shop, name, 3600);
    }
    let ran = shop.run("pull w -v").code(0).stock("main", "A", "2");
    ran.stderr("stock-20261124.csv, the newest of 3 by the numbers in their names");
    // The time decides where names do not.
    shop.write("feeds/stock-new.csv", "sku,qty\nA,6\n");
    aged(&shop, "feeds/stock-new.csv", 60);
    shop.run("pull w -v")
        .code(0)
        .stock("main", "A", "6")
        .stderr("the one of 4 that was written last");
    // Names that do not sort are told.
    std::fs::remove_file(shop.path("feeds/stock-new.csv")).unwrap();
    aged(&shop, "feeds/stock-20261122.csv", 60);
    shop.run("pull w")
        .code(0)
        .stock("main", "A", "2")
        .stderr("stock-20261122.csv was written later");
}

#[test]
fn a_file_that_still_grows_is_passed_over() {
    let shop =
        shop("\"s-*.csv\"").file("s-1.csv", "sku,qty\nA,1\n").file("s-2.csv", "sku,qty\nA,2\n");
    aged(&shop, "s-1.csv", 3600);
    let path = shop.path("s-2.csv");
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut file = std::fs::File::options().append(true).open(path).unwrap();
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                file.write_all(b"B,1\n").unwrap();
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        let ran = shop.run("pull w -v");
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        let ran = ran.code(0).stock("main", "A", "1").stderr("s-2.csv is still being written");
        // It was looked at, and is not what the names hide.
        assert!(!ran.stderr.contains("was written later"), "{}", ran.stderr);
    });
}

#[test]
fn one_of_several_files_is_never_written() {
    let store = "[integrations.s]\ntype = \"store\"\nconnector = \"csv\"\nsource = \"s-*.csv\"\n\
                 fields = { sku = \"sku\", quantity = \"qty\" }\n\
                 stock = { direction = \"send\", warehouse = \"main\" }\n";
    Shop::new().config(store).run("push s").code(2).stderr("one of several files is only read");
}

#[test]
fn a_page_is_named_also_where_it_is_well_formed_xml() {
    let page = "<?xml version=\"1.0\"?>\n<!-- x -->\n<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0\">\n\
                <html xmlns=\"http://www.w3.org/1999/xhtml\"><head><title>Log in</title></head></html>";
    let shop = shop("\"feed\"").file("feed", page);
    shop.run("pull w").code(1).stderr("is an HTML page titled \"Log in\", no feed");
}

#[test]
fn what_a_source_can_be_is_told() {
    let shop = shop("5");
    shop.run("check w")
        .code(2)
        .stderr("`integrations.w.source` must be a path or URL, or { exec = [\"program\"");
}
