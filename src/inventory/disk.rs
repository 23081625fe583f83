//! What kind of disk an inventory is on. Locks and the write-ahead log need a local one.

use std::path::Path;

use super::{InventoryError, Result};

/// Refuses a network disk: two machines that write there would damage the inventory.
#[cfg(target_os = "linux")]
pub(super) fn check_local(path: &Path) -> Result<()> {
    // Where the kernel does not say, SQLite finds out.
    let Ok(disk) = rustix::fs::statfs(path) else { return Ok(()) };
    // The C type differs between machines; every magic number fits 32 bits.
    #[allow(clippy::unnecessary_cast, clippy::cast_possible_truncation)]
    let kind = disk.f_type as u32;
    match network_name(kind) {
        None => Ok(()),
        Some(name) => Err(InventoryError::broken(format!(
            "the inventory {} is on a network disk ({name}), where locks cannot be trusted; it was \
             left untouched. Put it on a local disk of the one machine that runs invsync, and copy \
             it with `inventory backup`",
            path.display()
        ))),
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn check_local(_path: &Path) -> Result<()> {
    Ok(())
}

/// The network file systems among the magic numbers of statfs(2).
#[cfg(target_os = "linux")]
fn network_name(kind: u32) -> Option<&'static str> {
    match kind {
        0x6969 => Some("NFS"),
        0x517B => Some("SMB"),
        0xFF53_4D42 => Some("CIFS"),
        0xFE53_4D42 => Some("SMB2"),
        0x0BD0_0BD0 => Some("Lustre"),
        0x00C3_6400 => Some("Ceph"),
        0x5346_414F => Some("AFS"),
        _ => None,
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_network_disk_has_a_name_and_a_local_one_is_fine() {
        assert_eq!(network_name(0x6969), Some("NFS"));
        // ext4
        assert_eq!(network_name(0xEF53), None);
        assert!(check_local(&std::env::temp_dir()).is_ok());
    }
}
