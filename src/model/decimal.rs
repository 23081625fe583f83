//! Exact decimals: quantities and prices, never a binary float.

use std::fmt;

/// Decimals after the point that a [`Decimal`] holds.
const SCALE: u32 = 6;
const ONE: i64 = 1_000_000;

/// An exact decimal with six digits after the point, held as an `i64` of millionths.
///
/// Holds every value of up to 12 digits before and 6 after the point. What does not fit is a
/// [`DecimalError`], never rounded.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal(i64);

/// Why a text or a result is no [`Decimal`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// Not an optional sign, digits, and optionally a point and digits.
    #[error("is not a number")]
    NotANumber,
    /// More digits before the point than fit.
    #[error("is too large (12 digits before the point fit)")]
    TooLarge,
    /// A digit other than 0 after the sixth decimal.
    #[error("has more than 6 decimals")]
    TooPrecise,
}

impl Decimal {
    /// Zero.
    pub const ZERO: Decimal = Decimal(0);
    /// One.
    pub const ONE: Decimal = Decimal(ONE);

    /// From millionths. `None` for `i64::MIN`, which stands for "unknown" in a [`Cell`].
    pub const fn from_micros(micros: i64) -> Option<Decimal> {
        if micros == i64::MIN { None } else { Some(Decimal(micros)) }
    }

    /// The value in millionths; never `i64::MIN`.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Reads `-?digits[.digits]`, nothing else: no sign `+`, no exponent, no groups.
    pub fn parse(text: &[u8]) -> Result<Decimal, DecimalError> {
        let (negative, digits) = match text {
            [b'-', rest @ ..] => (true, rest),
            rest => (false, rest),
        };
        let mut value: i64 = 0;
        let mut decimals: Option<u32> = None;
        let mut any = false;
        for &byte in digits {
            match byte {
                b'0'..=b'9' => {
                    any = true;
                    let digit = i64::from(byte - b'0');
                    match &mut decimals {
                        Some(n) if *n >= SCALE => {
                            if digit != 0 {
                                return Err(DecimalError::TooPrecise);
                            }
                        }
                        places => {
                            value = value
                                .checked_mul(10)
                                .and_then(|v| v.checked_add(digit))
                                .ok_or(DecimalError::TooLarge)?;
                            if let Some(n) = places {
                                *n += 1;
                            }
                        }
                    }
                }
                b'.' if decimals.is_none() && any => decimals = Some(0),
                _ => return Err(DecimalError::NotANumber),
            }
        }
        if !any || decimals == Some(0) {
            return Err(DecimalError::NotANumber);
        }
        let missing = SCALE - decimals.unwrap_or(0);
        let micros = value.checked_mul(10_i64.pow(missing)).ok_or(DecimalError::TooLarge)?;
        Ok(Decimal(if negative { -micros } else { micros }))
    }

    /// From parts per `10^-scale`: `from_scaled(1230, 2)` is 12.30.
    ///
    /// Fails where the value has more than six decimals or does not fit.
    pub fn from_scaled(value: i128, scale: u32) -> Result<Decimal, DecimalError> {
        let micros = if scale <= SCALE {
            value.checked_mul(10_i128.pow(SCALE - scale)).ok_or(DecimalError::TooLarge)?
        } else {
            let divisor = 10_i128.checked_pow(scale - SCALE).ok_or(DecimalError::TooPrecise)?;
            if value % divisor != 0 {
                return Err(DecimalError::TooPrecise);
            }
            value / divisor
        };
        match i64::try_from(micros) {
            Ok(micros) if micros != i64::MIN => Ok(Decimal(micros)),
            _ => Err(DecimalError::TooLarge),
        }
    }

    /// The sum; `None` where it does not fit.
    pub fn checked_add(self, other: Decimal) -> Option<Decimal> {
        self.0.checked_add(other.0).and_then(Decimal::from_micros)
    }

    /// The difference; `None` where it does not fit.
    pub fn checked_sub(self, other: Decimal) -> Option<Decimal> {
        self.0.checked_sub(other.0).and_then(Decimal::from_micros)
    }

    /// Rounded half away from zero to `places` decimals (half-up for prices, which are positive).
    ///
    /// `None` where the rounded value does not fit.
    pub fn round_half_up(self, places: u32) -> Option<Decimal> {
        if places >= SCALE {
            return Some(self);
        }
        let unit = 10_i64.pow(SCALE - places);
        let rest = self.0 % unit;
        let down = self.0 - rest;
        let up = if rest.abs() * 2 >= unit { unit * self.0.signum() } else { 0 };
        down.checked_add(up).and_then(Decimal::from_micros)
    }

    /// Rounded down (towards minus infinity) to `places` decimals.
    ///
    /// `None` where the rounded value does not fit.
    pub fn floor(self, places: u32) -> Option<Decimal> {
        if places >= SCALE {
            return Some(self);
        }
        let unit = 10_i64.pow(SCALE - places);
        self.0.checked_sub(self.0.rem_euclid(unit)).and_then(Decimal::from_micros)
    }

    /// Whether the value is 0 or less.
    pub fn is_zero_or_less(self) -> bool {
        self.0 <= 0
    }

    /// The text with at least `min` decimals, more where the value has them.
    pub fn with_decimals(self, min: u32) -> WithDecimals {
        WithDecimals { value: self, min: min.min(SCALE) }
    }
}

/// Without trailing zeros: `12.3`, `5`, `-0.5`.
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with_decimals(0).fmt(f)
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Decimal({self})")
    }
}

impl serde::Serialize for Decimal {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A [`Decimal`] shown with a minimum number of decimals.
#[derive(Clone, Copy, Debug)]
pub struct WithDecimals {
    value: Decimal,
    min: u32,
}

impl fmt::Display for WithDecimals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.value.0.unsigned_abs();
        let (whole, mut rest) = (micros / ONE.unsigned_abs(), micros % ONE.unsigned_abs());
        let mut places = SCALE;
        while places > self.min && rest.is_multiple_of(10) {
            rest /= 10;
            places -= 1;
        }
        let sign = if self.value.0 < 0 { "-" } else { "" };
        let text = if places == 0 {
            format!("{sign}{whole}")
        } else {
            format!("{sign}{whole}.{rest:0width$}", width = places as usize)
        };
        f.pad(&text)
    }
}

/// A value that may be unknown, in eight bytes: what the large tables of a pass are made of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Cell(i64);

impl Cell {
    /// Unknown: changes nothing, is never 0.
    pub const UNKNOWN: Cell = Cell(i64::MIN);

    /// The value, if it is known.
    pub const fn get(self) -> Option<Decimal> {
        Decimal::from_micros(self.0)
    }
}

impl From<Decimal> for Cell {
    fn from(value: Decimal) -> Cell {
        Cell(value.0)
    }
}

impl From<Option<Decimal>> for Cell {
    fn from(value: Option<Decimal>) -> Cell {
        value.map_or(Cell::UNKNOWN, Cell::from)
    }
}

impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.get() {
            Some(value) => write!(f, "Cell({value})"),
            None => f.write_str("Cell(unknown)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<Decimal, DecimalError> {
        Decimal::parse(text.as_bytes())
    }

    #[test]
    fn equal_values_are_equal_however_they_are_written() {
        assert_eq!(parse("12.3"), parse("12.300000000"));
        assert_eq!(parse("-0"), parse("0.00"));
    }

    #[test]
    fn what_does_not_fit_is_an_error_and_never_rounded() {
        assert_eq!(parse("0.1234567"), Err(DecimalError::TooPrecise));
        assert_eq!(parse("9999999999999"), Err(DecimalError::TooLarge));
        assert!(parse("999999999999.999999").is_ok());
        for text in ["", "-", ".", "1.", ".5", "+1", "1e3", "1,5", "0x1", "١", "1.2.3", "--1"] {
            assert_eq!(parse(text), Err(DecimalError::NotANumber), "{text}");
        }
    }

    #[test]
    fn prices_round_half_up_and_stock_rounds_down() {
        let show = |d: Option<Decimal>| d.map(|d| d.to_string());
        assert_eq!(show(parse("1.005").unwrap().round_half_up(2)), Some("1.01".into()));
        assert_eq!(show(parse("1.004999").unwrap().round_half_up(2)), Some("1".into()));
        assert_eq!(show(parse("2.9").unwrap().floor(0)), Some("2".into()));
        assert_eq!(show(parse("-2.1").unwrap().floor(0)), Some("-3".into()));
    }

    proptest! {
        #[test]
        fn a_decimal_survives_a_round_trip(micros in (i64::MIN + 1)..=i64::MAX, min in 0_u32..7) {
            let value = Decimal::from_micros(micros).unwrap();
            prop_assert_eq!(Decimal::parse(value.to_string().as_bytes()), Ok(value));
            prop_assert_eq!(
                Decimal::parse(value.with_decimals(min).to_string().as_bytes()), Ok(value));
            prop_assert_eq!(Cell::from(value).get(), Some(value));
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = Decimal::parse(&bytes);
        }
    }
}
