//! GTINs (EAN, UPC): the only product codes that link by themselves.

/// A GTIN with a right check digit, without its leading zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Gtin(u64);

impl Gtin {
    /// 8, 12, 13 or 14 digits, not all zeros, with a right check digit (GS1 General
    /// Specifications 7.9); `None` for anything else.
    pub fn parse(text: &[u8]) -> Option<Gtin> {
        if !matches!(text.len(), 8 | 12 | 13 | 14) {
            return None;
        }
        let mut value: u64 = 0;
        let mut sum: u64 = 0;
        for (place, &byte) in text.iter().rev().enumerate() {
            if !byte.is_ascii_digit() {
                return None;
            }
            let digit = u64::from(byte - b'0');
            sum += if place % 2 == 1 { digit * 3 } else { digit };
        }
        for &byte in text {
            value = value * 10 + u64::from(byte - b'0');
        }
        (value != 0 && sum.is_multiple_of(10)).then_some(Gtin(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_right_check_digit_makes_a_gtin() {
        assert!(Gtin::parse(b"4006381333931").is_some());
        assert!(Gtin::parse(b"4006381333932").is_none());
        assert!(Gtin::parse(b"96385074").is_some());
        for text in ["", "0000000000000", "EANRP1", "400638133393", "4006381333931 "] {
            assert!(Gtin::parse(text.as_bytes()).is_none(), "{text}");
        }
    }

    #[test]
    fn leading_zeros_do_not_matter() {
        assert_eq!(Gtin::parse(b"036000291452"), Gtin::parse(b"0036000291452"));
        assert_eq!(Gtin::parse(b"036000291452"), Gtin::parse(b"00036000291452"));
    }
}
