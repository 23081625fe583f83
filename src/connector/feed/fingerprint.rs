//! The hash that tells whether a file is still the one that was read.
//!
//! It notices accidents and other programs, not forgers.

use crate::connector::Fingerprint;

const LANES: usize = 4;
const STRIPE: usize = LANES * 8;
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// Hashes bytes as they come; how they are cut into blocks does not matter.
#[derive(Clone, Debug)]
pub struct Hasher {
    lanes: [u64; LANES],
    /// The bytes that do not fill a stripe yet.
    rest: [u8; STRIPE],
    rest_len: usize,
    length: u64,
}

impl Default for Hasher {
    fn default() -> Hasher {
        Hasher::new()
    }
}

impl Hasher {
    /// Nothing hashed yet.
    pub fn new() -> Hasher {
        Hasher { lanes: [1, 2, 3, 4], rest: [0; STRIPE], rest_len: 0, length: 0 }
    }

    /// Adds the next bytes.
    pub fn update(&mut self, mut bytes: &[u8]) {
        self.length += bytes.len() as u64;
        if self.rest_len > 0 {
            let count = bytes.len().min(STRIPE - self.rest_len);
            self.rest[self.rest_len..self.rest_len + count].copy_from_slice(&bytes[..count]);
            self.rest_len += count;
            bytes = &bytes[count..];
            if self.rest_len < STRIPE {
                return;
            }
            let stripe = self.rest;
            self.mix(&stripe);
        }
        let (stripes, rest) = bytes.as_chunks::<STRIPE>();
        for stripe in stripes {
            self.mix(stripe);
        }
        self.rest[..rest.len()].copy_from_slice(rest);
        self.rest_len = rest.len();
    }

    /// The fingerprint of all bytes.
    pub fn finish(mut self) -> Fingerprint {
        let mut stripe = [0; STRIPE];
        stripe[..self.rest_len].copy_from_slice(&self.rest[..self.rest_len]);
        self.mix(&stripe);
        let start = self.length.wrapping_mul(FACTOR);
        let hash = self.lanes.iter().fold(start, |hash, lane| {
            let mixed = (hash ^ lane).wrapping_mul(FACTOR);
            mixed ^ (mixed >> 32)
        });
        Fingerprint { length: self.length, hash }
    }

    fn mix(&mut self, stripe: &[u8; STRIPE]) {
        let (words, _) = stripe.as_chunks::<8>();
        for (lane, word) in self.lanes.iter_mut().zip(words) {
            *lane = (*lane ^ u64::from_le_bytes(*word)).wrapping_mul(FACTOR).rotate_left(29);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn whole(bytes: &[u8]) -> Fingerprint {
        let mut hasher = Hasher::new();
        hasher.update(bytes);
        hasher.finish()
    }

    proptest! {
        #[test]
        fn blocks_do_not_matter_and_one_changed_byte_does(
            bytes in proptest::collection::vec(any::<u8>(), 1..300),
            cut in any::<prop::sample::Index>(),
            at in any::<prop::sample::Index>(),
        ) {
            let cut = cut.index(bytes.len());
            let mut hasher = Hasher::new();
            hasher.update(&bytes[..cut]);
            hasher.update(&bytes[cut..]);
            prop_assert_eq!(hasher.finish(), whole(&bytes));
            let mut changed = bytes.clone();
            changed[at.index(bytes.len())] ^= 1;
            prop_assert_ne!(whole(&changed), whole(&bytes));
        }
    }
}
