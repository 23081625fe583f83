//! The power fails: what was not synced is lost, in part or as a whole, in any order.
//!
//! `strace` records every byte that a run writes to its folder, every name that it gives or takes
//! away, and every sync. From the record a model of the disk is made: of each file what is synced,
//! and what is still pending. After each step of the run it is cut: some of what is pending is on
//! the disk, some is not, some in part. What such a disk holds is put into a folder, which must hold
//! the promises: the inventory is whole, a pull is applied entirely or not at all, a store's file
//! has nothing that the journal does not know of, and the next run finishes the work.
//!
//! The model is as hard as POSIX allows: names and contents are on the disk only once the folder or
//! the file was synced, each name alone, each sector of 512 bytes alone. `INVSYNC_FAULTS=all` looks at
//! more disks than usual, and lets the next run finish on each.

#![cfg(target_os = "linux")]
#![allow(clippy::print_stdout, reason = "how many disks there were")]

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::faults::{
    Scene, can_trace, cold_pull, in_parallel, push, state, strace, undo_of_a_pull, undo_of_a_push,
    warm_pull,
};
use crate::support::Shop;

/// The calls that change a file, its name, or what a number stands for.
const CALLS: &str = "trace=open,openat,creat,close,dup,dup2,dup3,fcntl,write,pwrite64,writev,\
                     pwritev,pwritev2,ftruncate,truncate,fallocate,lseek,sendfile,copy_file_range,\
                     rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,mkdir,\
                     mkdirat,fsync,fdatasync";
const SECTOR: usize = 512;

/// A file, whatever its names are.
type FileId = usize;

/// What happened to the folder, in the order in which it ended.
#[derive(Clone, Debug)]
enum Event {
    Write {
        file: FileId,
        at: usize,
        bytes: Arc<[u8]>,
    },
    Resize {
        file: FileId,
        length: usize,
    },
    Put {
        name: String,
        file: FileId,
    },
    Remove {
        name: String,
    },
    /// One step, as for whoever looks: the old name goes with the new one.
    Move {
        from: String,
        to: String,
        file: FileId,
    },
    /// What happened to the file before the event `began` is on the disk.
    Sync {
        file: FileId,
        began: usize,
    },
    /// The same for the names.
    SyncFolder {
        began: usize,
    },
    /// A file that somebody else wrote, and synced.
    Given {
        file: FileId,
        bytes: Arc<[u8]>,
    },
}

impl Event {
    /// The file whose content it changes.
    fn changes(&self) -> Option<FileId> {
        match self {
            Event::Write { file, .. } | Event::Resize { file, .. } => Some(*file),
            _ => None,
        }
    }

    fn is_of_a_name(&self) -> bool {
        matches!(self, Event::Put { .. } | Event::Remove { .. } | Event::Move { .. })
    }
}

/// What became of an event that was pending when the power failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Done,
    Lost,
    /// So many of its sectors are there.
    Torn(usize),
    /// Of its sectors these are there.
    Sectors(u64),
    /// The file has grown, and holds zeros.
    Zeros,
}

impl Fate {
    fn keeps(self, sector: usize) -> bool {
        match self {
            Fate::Done => true,
            Fate::Lost | Fate::Zeros => false,
            Fate::Torn(count) => sector < count,
            Fate::Sectors(which) => which.rotate_right(sector as u32) & 1 == 1,
        }
    }
}

/// What is on the disk, as far as that is sure, and what may be.
#[derive(Clone, Default)]
struct Disk<'e> {
    files: Vec<Vec<u8>>,
    names: BTreeMap<String, FileId>,
    pending: Vec<(usize, &'e Event)>,
}

impl<'e> Disk<'e> {
    fn take(&mut self, at: usize, event: &'e Event) {
        match event {
            Event::Sync { file, began } => {
                self.settle(|which, event| which < *began && event.changes() == Some(*file));
            }
            Event::SyncFolder { began } => {
                self.settle(|which, event| which < *began && event.is_of_a_name());
            }
            Event::Given { .. } => self.apply(event, Fate::Done),
            _ => self.pending.push((at, event)),
        }
    }

    /// Puts pending events onto the disk.
    fn settle(&mut self, is_settled: impl Fn(usize, &Event) -> bool) {
        let pending = std::mem::take(&mut self.pending);
        for (at, event) in pending {
            match is_settled(at, event) {
                true => self.apply(event, Fate::Done),
                false => self.pending.push((at, event)),
            }
        }
    }

    fn apply(&mut self, event: &Event, fate: Fate) {
        if fate == Fate::Lost {
            return;
        }
        if let Some(file) = event.changes().or(match event {
            Event::Put { file, .. } | Event::Move { file, .. } | Event::Given { file, .. } => {
                Some(*file)
            }
            _ => None,
        }) && self.files.len() <= file
        {
            self.files.resize(file + 1, Vec::new());
        }
        match event {
            Event::Write { file, at, bytes } => write(&mut self.files[*file], *at, bytes, fate),
            Event::Resize { file, length } => self.files[*file].resize(*length, 0),
            Event::Given { file, bytes } => self.files[*file] = bytes.to_vec(),
            Event::Put { name, file } => _ = self.names.insert(name.clone(), *file),
            Event::Remove { name } => _ = self.names.remove(name),
            Event::Move { from, to, file } => {
                self.names.remove(from);
                self.names.insert(to.clone(), *file);
            }
            Event::Sync { .. } | Event::SyncFolder { .. } => {}
        }
    }

    /// The folder as it is found when some of what is pending is there.
    fn folder(&self, fate: impl Fn(usize) -> Fate) -> BTreeMap<String, Vec<u8>> {
        let mut disk = Disk { pending: Vec::new(), ..self.clone() };
        for (at, (_, event)) in self.pending.iter().enumerate() {
            disk.apply(event, fate(at));
        }
        let content = |file: &FileId| disk.files.get(*file).cloned().unwrap_or_default();
        disk.names.iter().map(|(name, file)| (name.clone(), content(file))).collect()
    }
}

/// Writes some of the sectors; they are the disk's, not the write's.
fn write(file: &mut Vec<u8>, at: usize, bytes: &[u8], fate: Fate) {
    let end = at + bytes.len();
    let first = at / SECTOR;
    for sector in first..end.div_ceil(SECTOR) {
        let (from, to) = ((sector * SECTOR).max(at), ((sector + 1) * SECTOR).min(end));
        if fate.keeps(sector - first) {
            file.resize(file.len().max(to), 0);
            file[from..to].copy_from_slice(&bytes[from - at..to - at]);
        }
    }
    if fate == Fate::Zeros {
        file.resize(file.len().max(end), 0);
    }
}

/// What runs did to a folder.
#[derive(Clone, Default)]
struct Recording {
    events: Vec<Event>,
    /// What the names stand for while nothing is lost.
    names: BTreeMap<String, FileId>,
    files: usize,
}

/// What SQLite maps into memory and makes anew: its content does not matter.
fn is_left_out(name: &str) -> bool {
    name.ends_with("-shm")
}

impl Recording {
    /// Starts with the files of a shop, all of them synced.
    fn of(shop: &Shop) -> Recording {
        let mut recording = Recording::default();
        for name in shop.names() {
            recording.give(&name, &shop.bytes(&name));
        }
        recording
    }

    /// A file that is on the disk with its name.
    fn give(&mut self, name: &str, bytes: &[u8]) {
        let file = self.new_file(name);
        self.events.push(Event::Given { file, bytes: bytes.into() });
        self.events.push(Event::Put { name: name.to_owned(), file });
        self.events.push(Event::SyncFolder { began: self.events.len() });
    }

    fn new_file(&mut self, name: &str) -> FileId {
        let file = self.files;
        self.files += 1;
        self.names.insert(name.to_owned(), file);
        file
    }

    /// The disk after so many events.
    fn disk(&self, events: usize) -> Disk<'_> {
        let mut disk = Disk::default();
        for (at, event) in self.events[..events].iter().enumerate() {
            disk.take(at, event);
        }
        disk
    }

    /// Records a run in the shop, which has to have this recording's files.
    fn run(&mut self, shop: &Shop, args: &str) {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let strace_args = ["-xx", "-s", "100000000", "-o", log.to_str().unwrap(), "-e", CALLS];
        let output = strace(shop, args, &strace_args).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let log = std::fs::read_to_string(log).unwrap();
        Parser::new(self, &shop.path("").canonicalize().unwrap()).parse(&log);
        self.is_what_is_in(shop);
    }

    /// Where nothing is lost the model has what the folder has.
    fn is_what_is_in(&self, shop: &Shop) {
        let model = self.disk(self.events.len()).folder(|_| Fate::Done);
        let names = shop.names();
        let names: Vec<&String> = names.iter().filter(|name| !is_left_out(name)).collect();
        assert_eq!(model.keys().collect::<Vec<_>>(), names);
        for (name, bytes) in model {
            assert!(shop.bytes(&name) == bytes, "{name} was not recorded as it is");
        }
    }

    /// What a run leaves behind that is killed after so many events.
    fn killed_after(&self, events: usize) -> (Recording, Shop) {
        let disk = self.disk(events);
        let shop = materialized(&disk.folder(|_| Fate::Done));
        let mut names = disk.names.clone();
        let mut live = Disk { pending: Vec::new(), ..disk.clone() };
        for (_, event) in &disk.pending {
            live.apply(event, Fate::Done);
        }
        std::mem::swap(&mut names, &mut live.names);
        let (events, files) = (self.events[..events].to_vec(), self.files);
        (Recording { events, names, files }, shop)
    }
}

/// A shop with these files; in memory, for there are thousands.
fn materialized(folder: &BTreeMap<String, Vec<u8>>) -> Shop {
    let memory = Path::new("/dev/shm");
    let can_be_written = tempfile::tempfile_in(memory).is_ok();
    let shop = if can_be_written { Shop::in_folder(memory) } else { Shop::new() };
    for (name, bytes) in folder {
        shop.write(name, bytes);
    }
    shop
}

/// What a number of an open file stands for.
#[derive(Clone, Copy)]
enum Open {
    File { file: FileId, at: usize },
    Folder,
}

/// From the lines of `strace` to events.
struct Parser<'r> {
    recording: &'r mut Recording,
    folder: &'r Path,
    open: HashMap<i64, Open>,
    /// What each thread has begun, and after how many events.
    begun: HashMap<String, (String, usize)>,
}

impl<'r> Parser<'r> {
    fn new(recording: &'r mut Recording, folder: &'r Path) -> Parser<'r> {
        Parser { recording, folder, open: HashMap::new(), begun: HashMap::new() }
    }

    fn parse(&mut self, log: &str) {
        for line in log.lines() {
            let Some((thread, call)) = line.split_once(char::is_whitespace) else { continue };
            let (call, now) = (call.trim(), self.recording.events.len());
            if let Some(head) = call.strip_suffix("<unfinished ...>") {
                // The number is free for another thread at once.
                if head.starts_with("close(") {
                    self.close(head);
                }
                self.begun.insert(thread.to_owned(), (head.trim_end().to_owned(), now));
            } else if let Some((_, tail)) = call.split_once(" resumed>") {
                let (head, began) = self.begun.remove(thread).unwrap();
                if !head.starts_with("close(") {
                    self.take(&format!("{head}{tail}"), began);
                }
            } else if call.starts_with("close(") {
                self.close(call);
            } else if !call.starts_with(['+', '-']) {
                self.take(call, now);
            }
        }
    }

    fn close(&mut self, call: &str) {
        let number = call["close(".len()..].trim_end().split(')').next().unwrap();
        self.open.remove(&number.parse().unwrap());
    }

    fn take(&mut self, text: &str, began: usize) {
        let call = Call::new(text);
        // What failed changed nothing.
        if call.answer < 0 {
            return;
        }
        match call.name {
            "open" | "openat" | "creat" => self.open(&call),
            "dup" | "dup2" | "dup3" | "fcntl" => {
                let is_a_copy = call.name != "fcntl" || call.args.contains("F_DUPFD");
                let tracked = self.open.contains_key(&call.number(0));
                assert!(!(is_a_copy && tracked), "not understood: {text:.200}");
            }
            "lseek" => {
                if let Some(Open::File { at, .. }) = self.open.get_mut(&call.number(0)) {
                    *at = usize::try_from(call.answer).unwrap();
                }
            }
            "write" | "writev" | "pwrite64" | "pwritev" | "pwritev2" => self.write(&call),
            "ftruncate" => {
                if let Some(Open::File { file, .. }) = self.open.get(&call.number(0)) {
                    let length = usize::try_from(call.number(1)).unwrap();
                    self.recording.events.push(Event::Resize { file: *file, length });
                }
            }
            "fsync" | "fdatasync" => match self.open.get(&call.number(0)) {
                Some(Open::File { file, .. }) => {
                    self.recording.events.push(Event::Sync { file: *file, began });
                }
                Some(Open::Folder) => self.recording.events.push(Event::SyncFolder { began }),
                None => {}
            },
            "unlink" | "unlinkat" => {
                if let Some(name) = self.name(&call.strings[0]) {
                    self.recording.names.remove(&name).unwrap();
                    self.recording.events.push(Event::Remove { name });
                }
            }
            "rename" | "renameat" | "renameat2" | "link" | "linkat" => self.rename(&call),
            _ => {
                let is_of_ours = self.open.contains_key(&call.number(0))
                    || call.strings.iter().any(|path| self.name(path).is_some());
                assert!(!is_of_ours, "not understood: {text:.200}");
            }
        }
    }

    /// The name of a path in the folder.
    fn name(&self, path: &[u8]) -> Option<String> {
        let path = Path::new(std::str::from_utf8(path).unwrap());
        let name = path.file_name()?.to_str().unwrap();
        let is_here = self.folder.join(path).parent()?.canonicalize().ok()? == self.folder;
        (is_here && !is_left_out(name)).then(|| name.to_owned())
    }

    fn open(&mut self, call: &Call<'_>) {
        let path = &call.strings[0];
        let Some(name) = self.name(path) else {
            let path = self.folder.join(std::str::from_utf8(path).unwrap());
            if path.canonicalize().is_ok_and(|path| path == self.folder) {
                self.open.insert(call.answer, Open::Folder);
            }
            return;
        };
        let is_odd = ["O_APPEND", "O_TMPFILE"].iter().any(|flag| call.args.contains(flag));
        assert!(!is_odd, "not understood: {}", call.args);
        let file = match self.recording.names.get(&name) {
            Some(file) => *file,
            None => {
                assert!(
                    call.name == "creat" || call.args.contains("O_CREAT"),
                    "{name} is not known"
                );
                let file = self.recording.new_file(&name);
                self.recording.events.push(Event::Put { name, file });
                file
            }
        };
        if call.name == "creat" || call.args.contains("O_TRUNC") {
            self.recording.events.push(Event::Resize { file, length: 0 });
        }
        self.open.insert(call.answer, Open::File { file, at: 0 });
    }

    fn write(&mut self, call: &Call<'_>) {
        let Some(Open::File { file, at }) = self.open.get_mut(&call.number(0)) else { return };
        let length = usize::try_from(call.answer).unwrap();
        let mut bytes = call.strings.concat();
        bytes.truncate(length);
        assert_eq!(bytes.len(), length, "cut: {}", call.name);
        let place = match call.name {
            "write" | "writev" => std::mem::replace(at, *at + length),
            _ => usize::try_from(call.number(3)).unwrap(),
        };
        self.recording.events.push(Event::Write { file: *file, at: place, bytes: bytes.into() });
    }

    fn rename(&mut self, call: &Call<'_>) {
        assert!(!call.args.contains("EXCHANGE"), "not understood: {}", call.args);
        let (from, to) = (self.name(&call.strings[0]), self.name(&call.strings[1]));
        let (Some(from), Some(to)) = (from, to) else { panic!("not understood: {}", call.args) };
        let file = self.recording.names[&from];
        self.recording.names.insert(to.clone(), file);
        self.recording.events.push(match call.name.starts_with("link") {
            true => Event::Put { name: to, file },
            false => {
                self.recording.names.remove(&from);
                Event::Move { from, to, file }
            }
        });
    }
}

/// One line of `strace -xx`.
struct Call<'l> {
    name: &'l str,
    /// Without the texts, which are in `strings`.
    args: String,
    strings: Vec<Vec<u8>>,
    answer: i64,
}

impl<'l> Call<'l> {
    fn new(line: &'l str) -> Call<'l> {
        let (name, rest) = line.split_once('(').unwrap();
        let (rest, answer) = rest.rsplit_once(" = ").unwrap();
        let answer = answer.split(' ').next().unwrap();
        // `?`: it never came back.
        let answer = answer.strip_prefix("0x").map_or_else(
            || answer.parse().unwrap_or(-1),
            |hex| i64::from_str_radix(hex, 16).unwrap_or(-1),
        );
        let (mut args, mut strings) = (String::new(), Vec::new());
        for (at, part) in rest.split('"').enumerate() {
            match at % 2 {
                0 => args.push_str(part),
                _ => strings.push(unescaped(part)),
            }
        }
        Call { name, args, strings, answer }
    }

    /// An argument that is a number.
    fn number(&self, at: usize) -> i64 {
        let arg =
            self.args.split(", ").nth(at).unwrap_or_default().trim_end().trim_end_matches(')');
        arg.parse().unwrap_or(-1)
    }
}

/// `\x41\x42` → `AB`.
fn unescaped(text: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).unwrap() as u8;
    let bytes = text.as_bytes().chunks_exact(4);
    bytes.map(|byte| digit(byte[2]) << 4 | digit(byte[3])).collect()
}

/// What of the pending events is on a disk.
#[derive(Clone, Copy, Debug)]
enum Luck {
    Nothing,
    Everything,
    /// All names and no content, or the other way round.
    Names,
    Contents,
    AllBut(usize),
    /// Everything, but of the last write so many sectors.
    TornLast(usize),
    Chance(u64),
}

impl Luck {
    /// All that are looked at, where so many events are pending.
    fn all(pending: usize, chances: u64) -> Vec<Luck> {
        let mut all = vec![Luck::Nothing];
        if pending > 0 {
            all.extend([Luck::Everything, Luck::Names, Luck::Contents]);
            all.extend((0..pending).map(Luck::AllBut));
            all.extend([1, 8].map(Luck::TornLast));
            all.extend((0..chances).map(Luck::Chance));
        }
        all
    }

    fn fate(self, disk: &Disk<'_>, at: usize) -> Fate {
        let event = disk.pending[at].1;
        let when = |is_done| if is_done { Fate::Done } else { Fate::Lost };
        match self {
            Luck::Nothing => Fate::Lost,
            Luck::Everything => Fate::Done,
            Luck::Names => when(event.is_of_a_name()),
            Luck::Contents => when(!event.is_of_a_name()),
            Luck::AllBut(lost) => when(at != lost),
            Luck::TornLast(sectors) => {
                let is_write = |(_, event): &(usize, &Event)| matches!(event, Event::Write { .. });
                match disk.pending.iter().rposition(is_write) {
                    Some(last) if last == at => Fate::Torn(sectors),
                    _ => Fate::Done,
                }
            }
            Luck::Chance(seed) => chance(seed, disk.pending[at].0),
        }
    }
}

/// Any fate; the same on every machine.
fn chance(seed: u64, event: usize) -> Fate {
    let mut random = (seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (event as u64 + 1);
    for _ in 0..3 {
        random = (random ^ (random >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    }
    random ^= random >> 29;
    match random % 10 {
        0..4 => Fate::Done,
        4..7 => Fate::Lost,
        7 => Fate::Torn((random >> 8) as usize % 20),
        8 => Fate::Sectors(random),
        _ => Fate::Zeros,
    }
}

/// How thoroughly disks are looked at.
fn is_thorough() -> bool {
    std::env::var_os("INVSYNC_FAULTS").is_some_and(|all| all == "all")
}

/// Cuts the power after each event of a recording from the `first` on; gives how many disks that
/// differ there were, and on how many of them the next run had to finish.
fn cut_everywhere(scene: &Scene, recording: &Recording, first: usize) -> (usize, usize) {
    let (seen, finished) = (Mutex::new(HashSet::new()), AtomicUsize::new(0));
    let cuts: Vec<usize> = (first..=recording.events.len()).collect();
    let (chances, every) = if is_thorough() { (20, 1) } else { (4, 25) };
    in_parallel(&cuts, 1, |cut| {
        let disk = recording.disk(*cut);
        for (which, luck) in Luck::all(disk.pending.len(), chances).into_iter().enumerate() {
            let mut folder = disk.folder(|at| luck.fate(&disk, at));
            let mut hash = DefaultHasher::new();
            folder.hash(&mut hash);
            if !seen.lock().unwrap().insert(hash.finish()) {
                continue;
            }
            let number = cut * 7 + which;
            if number.is_multiple_of(2) {
                folder.insert("inventory.db-shm".to_owned(), vec![0xa5; 32 << 10]);
            }
            let keeps = std::panic::AssertUnwindSafe(|| {
                let shop = materialized(&folder);
                scene.is_whole(&shop);
                if number.is_multiple_of(every) {
                    scene.is_finished_by_the_next_run(&shop);
                    finished.fetch_add(1, Ordering::Relaxed);
                }
            });
            if let Err(panic) = std::panic::catch_unwind(keeps) {
                println!("{luck:?} of {:#?}", Told(&disk.pending));
                std::panic::resume_unwind(panic);
            }
        }
    });
    (seen.into_inner().unwrap().len(), finished.into_inner())
}

/// Pending events without their bytes.
struct Told<'a>(&'a [(usize, &'a Event)]);

impl std::fmt::Debug for Told<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let lines = self.0.iter().map(|(at, event)| match event {
            Event::Write { file, at: place, bytes } => {
                format!("{at}: {} bytes at {place} of file {file}", bytes.len())
            }
            event => format!("{at}: {event:?}"),
        });
        f.debug_list().entries(lines).finish()
    }
}

/// Records the scene's command and cuts the power everywhere.
fn is_survived(name: &str, scene: &Scene) {
    let mut recording = Recording::of(&scene.shop);
    let first = recording.events.len();
    let shop = scene.shop.copy();
    recording.run(&shop, scene.args);
    let (disks, finished) = cut_everywhere(scene, &recording, first);
    println!(
        "{name}: {} steps, {disks} disks, finished on {finished}",
        recording.events.len() - first
    );
    assert!(disks > 50, "{name}: only {disks} disks");
}

#[test]
fn whatever_the_power_takes_of_a_pull_it_is_applied_whole_or_not_at_all() {
    if !can_trace() {
        return;
    }
    is_survived("a cold pull", &cold_pull());
    is_survived("a warm pull", &warm_pull());
    is_survived("the undo of a pull", &undo_of_a_pull());
}

#[test]
fn whatever_the_power_takes_of_a_push_the_journal_knows_what_was_sent() {
    if !can_trace() {
        return;
    }
    is_survived("a push", &push());
    is_survived("the undo of a push", &undo_of_a_push());
}

/// Runs the scene's command a second time, after a first one that was killed after each event that
/// is chosen; the power fails in the second.
fn is_survived_after_a_kill(name: &str, scene: &Scene, is_chosen: impl Fn(&Event) -> bool) {
    let mut killed = Recording::of(&scene.shop);
    let first = killed.events.len();
    killed.run(&scene.shop.copy(), scene.args);
    let (mut kills, mut all, mut all_finished) = (0, 0, 0);
    for at in first..killed.events.len() {
        if is_chosen(&killed.events[at]) {
            let (mut recording, shop) = killed.killed_after(at + 1);
            recording.run(&shop, scene.args);
            let (disks, finished) = cut_everywhere(scene, &recording, at + 1);
            (kills, all, all_finished) = (kills + 1, all + disks, all_finished + finished);
        }
    }
    println!("{name}: {kills} kills, {all} disks, finished on {all_finished}");
    assert!(all > 50, "{name}: only {all} disks");
}

#[test]
fn what_a_killed_run_left_unsynced_the_next_one_does_not_take_for_granted() {
    if !can_trace() {
        return;
    }
    // The store's file has its new name, and its folder was not synced.
    let is_renamed = |event: &Event| matches!(event, Event::Move { .. });
    is_survived_after_a_kill("a push after a killed one", &push(), is_renamed);
    is_survived_after_a_kill("an undo after a killed one", &undo_of_a_push(), is_renamed);
    // The log of the inventory is whole, and nothing of it is in the inventory yet.
    let is_synced = |event: &Event| matches!(event, Event::Sync { .. });
    is_survived_after_a_kill("a pull after a killed one", &warm_pull(), is_synced);
}

/// What the first pull left unsynced, its log above all, must not come back after the second one.
#[test]
fn of_two_pulls_in_a_row_each_is_applied_whole_or_not_at_all() {
    if !can_trace() {
        return;
    }
    let mut scene = warm_pull();
    let mut recording = Recording::of(&scene.shop);
    let shop = scene.shop.copy();
    recording.run(&shop, scene.args);
    let between = state(&shop, false);
    let delivery = "id,sku,ean,name,qty,price\n1,MUG-01,,Mug,4,12.50\n2,TEA-01,,Teapot,6,40\n\
                    3,CUP-01,4006381333931,Cup,3,5.50\n4,POT-01,,Pot,8,21\n";
    shop.write("store.csv", delivery);
    recording.give("store.csv", delivery.as_bytes());
    let first = recording.events.len();
    recording.run(&shop, scene.args);
    scene.states = vec![scene.states[0].clone(), state(&shop, false), between];
    scene.files = vec![delivery.to_owned()];
    let (disks, finished) = cut_everywhere(&scene, &recording, first);
    println!("a second pull: {disks} disks, finished on {finished}");
    assert!(disks > 50, "only {disks} disks");
}
