//! Numbers as feeds write them: group signs, decimal commas, currency marks, units, bounds.
//!
//! What cannot be read for sure is an error, never a guess: `12,50` with a decimal point is
//! invalid, not 1250.

use crate::model::{Currency, Decimal, DecimalError};

/// Decimals that a division keeps.
const DIVISION_PLACES: u32 = 6;

/// The sign before the decimals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DecimalSign {
    /// `12.50`
    #[default]
    Point,
    /// `12,50`
    Comma,
    /// Either, where the text leaves no doubt.
    Auto,
}

/// Why a text is no number. Its display completes a sentence that names the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// Letters, an exponent, anything else.
    #[error("is not a number")]
    NotANumber,
    /// A comma where a point should be; it does not stand at a group of three.
    #[error(
        "has a comma where no group of three ends; set `decimal = \",\"` if it is the decimal sign"
    )]
    StrayComma,
    /// A point where a comma should be; it does not stand at a group of three.
    #[error(
        "has a point where no group of three ends; set `decimal = \".\"` if it is the decimal sign"
    )]
    StrayPoint,
    /// With `decimal = "auto"`: one sign with three digits behind it.
    #[error("can be read in two ways; set `decimal = \".\"` or `decimal = \",\"`")]
    Ambiguous,
    /// `<5`: no safe value.
    #[error("is only an upper bound; say in `values` what it means")]
    UpperBound,
    /// Of several numbers that are added.
    #[error("is added up from prices in several currencies")]
    SeveralCurrencies,
    /// `per` is 0.
    #[error("would be divided by 0")]
    DividedByZero,
    /// More digits than fit.
    #[error("is too large (12 digits before the point fit)")]
    TooLarge,
    /// More than six decimals.
    #[error("has more than 6 decimals; `round` says how many to keep")]
    TooPrecise,
}

impl From<DecimalError> for NumberError {
    fn from(error: DecimalError) -> NumberError {
        match error {
            DecimalError::NotANumber => NumberError::NotANumber,
            DecimalError::TooLarge => NumberError::TooLarge,
            DecimalError::TooPrecise => NumberError::TooPrecise,
        }
    }
}

/// A number on its way to a [`Decimal`]: as many digits as the source wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exact {
    digits: i128,
    scale: u32,
}

impl Exact {
    /// One.
    pub const ONE: Exact = Exact { digits: 1, scale: 0 };
    /// Zero.
    pub const ZERO: Exact = Exact { digits: 0, scale: 0 };

    /// The exact value as a decimal.
    pub fn decimal(self) -> Result<Decimal, NumberError> {
        Ok(Decimal::from_scaled(self.digits, self.scale)?)
    }

    /// The sum.
    pub fn plus(self, other: Exact) -> Result<Exact, NumberError> {
        let scale = self.scale.max(other.scale);
        let digits = self.digits_at(scale)?.checked_add(other.digits_at(scale)?);
        Ok(Exact { digits: digits.ok_or(NumberError::TooLarge)?, scale })
    }

    /// The exact product.
    pub fn times(self, factor: Exact) -> Result<Exact, NumberError> {
        let digits = self.digits.checked_mul(factor.digits).ok_or(NumberError::TooLarge)?;
        Ok(Exact { digits, scale: self.scale + factor.scale }.shortened())
    }

    /// The quotient, rounded half-even to six places.
    pub fn per(self, divisor: Exact) -> Result<Exact, NumberError> {
        if divisor.digits == 0 {
            return Err(NumberError::DividedByZero);
        }
        // self / 10^s ÷ (divisor / 10^d) × 10^6 = self × 10^(d + 6) ÷ (divisor × 10^s)
        let up = divisor.scale + DIVISION_PLACES;
        let common = up.min(self.scale);
        let top = scaled(self.digits, up - common)?;
        let bottom = scaled(divisor.digits, self.scale - common)?;
        let digits = divided_half_even(top, bottom)?;
        Ok(Exact { digits, scale: DIVISION_PLACES }.shortened())
    }

    /// Rounded half away from zero (half-up for prices, which are positive).
    pub fn round_half_up(self, places: u32) -> Exact {
        if self.scale <= places {
            return self;
        }
        let Some(unit) = 10_i128.checked_pow(self.scale - places) else { return Exact::ZERO };
        let (whole, rest) = (self.digits / unit, self.digits % unit);
        let up = if rest.unsigned_abs() >= unit.unsigned_abs() / 2 { rest.signum() } else { 0 };
        Exact { digits: whole + up, scale: places }
    }

    fn digits_at(self, scale: u32) -> Result<i128, NumberError> {
        scaled(self.digits, scale - self.scale)
    }

    /// Without trailing zero decimals, so that a chain of factors does not run out of digits.
    fn shortened(mut self) -> Exact {
        while self.scale > 0 && self.digits % 10 == 0 {
            self.digits /= 10;
            self.scale -= 1;
        }
        self
    }
}

impl From<Decimal> for Exact {
    fn from(value: Decimal) -> Exact {
        Exact { digits: i128::from(value.micros()), scale: 6 }.shortened()
    }
}

fn scaled(digits: i128, places: u32) -> Result<i128, NumberError> {
    let factor = 10_i128.checked_pow(places).ok_or(NumberError::TooLarge)?;
    digits.checked_mul(factor).ok_or(NumberError::TooLarge)
}

fn divided_half_even(top: i128, bottom: i128) -> Result<i128, NumberError> {
    let (quotient, rest) = (
        top.checked_div(bottom).ok_or(NumberError::TooLarge)?,
        top.checked_rem(bottom).ok_or(NumberError::TooLarge)?,
    );
    // |rest| < |bottom|, so that the difference cannot overflow where doubling could.
    let (rest, missing) = (rest.unsigned_abs(), bottom.unsigned_abs() - rest.unsigned_abs());
    let away = rest > missing || (rest == missing && quotient % 2 != 0);
    let direction = if (top < 0) == (bottom < 0) { 1 } else { -1 };
    Ok(if away { quotient + direction } else { quotient })
}

/// Reads a trimmed quantity; `>10`, `≥10` and `10+` are the safe lower bound 10.
pub fn quantity(text: &str, sign: DecimalSign, units: &[String]) -> Result<Exact, NumberError> {
    let text = without_unit(text, units);
    if text.starts_with(['<', '≤']) {
        return Err(NumberError::UpperBound);
    }
    let bound = text.strip_prefix(">=").or_else(|| text.strip_prefix(['>', '≥']));
    let text = match bound {
        Some(rest) => without_unit(trim(rest), units),
        None => text.strip_suffix('+').map_or(text, trim),
    };
    plain(text, sign)
}

/// Reads a trimmed price and the currency whose mark stands before or behind it.
pub fn price(
    text: &str,
    sign: DecimalSign,
    units: &[String],
) -> Result<(Exact, Option<Currency>), NumberError> {
    let text = without_unit(text, units);
    // Nothing stands around what begins and ends with digits, and most prices do.
    if let [first, .., last] = text.as_bytes()
        && first.is_ascii_digit()
        && last.is_ascii_digit()
    {
        return Ok((plain(text, sign)?, None));
    }
    let (text, currency) = match without_currency(text) {
        Some((rest, currency)) => (without_unit(rest, units), Some(currency)),
        None => match without_unclear_currency(text) {
            Some(rest) => (without_unit(rest, units), None),
            None => (text, None),
        },
    };
    Ok((plain(text, sign)?, currency))
}

/// Reads a trimmed number that has nothing around it.
pub fn plain(text: &str, sign: DecimalSign) -> Result<Exact, NumberError> {
    let (negative, text) = match text.strip_prefix(['-', '−']) {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let parts = Parts::of(text, sign)?;
    let mut digits = whole_digits(parts.whole, parts.group)?;
    let mut scale = 0;
    if let Some(fraction) = parts.fraction {
        if fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
            return Err(NumberError::NotANumber);
        }
        for digit in fraction.trim_end_matches('0').bytes() {
            digits = appended(digits, digit)?;
            scale += 1;
        }
    } else if parts.whole.is_empty() {
        return Err(NumberError::NotANumber);
    }
    Ok(Exact { digits: if negative { -digits } else { digits }, scale })
}

/// A number cut at its decimal sign.
struct Parts<'a> {
    whole: &'a str,
    fraction: Option<&'a str>,
    /// Which of point and comma may separate groups.
    group: Option<char>,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str, sign: DecimalSign) -> Result<Parts<'a>, NumberError> {
        match sign {
            DecimalSign::Point => Ok(Parts::at(text, '.')),
            DecimalSign::Comma => Ok(Parts::at(text, ',')),
            DecimalSign::Auto => Parts::auto(text),
        }
    }

    fn at(text: &'a str, decimal: char) -> Parts<'a> {
        let group = Some(if decimal == '.' { ',' } else { '.' });
        match text.split_once(decimal) {
            Some((whole, fraction)) => Parts { whole, fraction: Some(fraction), group },
            None => Parts { whole: text, fraction: None, group },
        }
    }

    fn auto(text: &'a str) -> Result<Parts<'a>, NumberError> {
        let points = text.matches('.').count();
        let commas = text.matches(',').count();
        if points == 0 && commas == 0 {
            return Ok(Parts { whole: text, fraction: None, group: None });
        }
        if points > 0 && commas > 0 {
            let last = if text.rfind('.') > text.rfind(',') { '.' } else { ',' };
            return Ok(Parts::at(text, last));
        }
        let only = if points > 0 { '.' } else { ',' };
        if points + commas > 1 {
            return Ok(Parts { whole: text, fraction: None, group: Some(only) });
        }
        let parts = Parts::at(text, only);
        let behind = parts.fraction.map_or(0, str::len);
        let has_other_groups = parts.whole.bytes().any(|b| !b.is_ascii_digit());
        if behind == 3 && !has_other_groups {
            return Err(NumberError::Ambiguous);
        }
        Ok(parts)
    }
}

/// The digits before the decimal sign; group signs must stand at exact groups of three.
fn whole_digits(whole: &str, group: Option<char>) -> Result<i128, NumberError> {
    let mut digits = 0;
    let mut run = 0;
    let mut seen: Option<char> = None;
    for c in whole.chars() {
        if c.is_ascii_digit() {
            digits = appended(digits, c as u8)?;
            run += 1;
            continue;
        }
        let sign = group_sign(c, group).ok_or(NumberError::NotANumber)?;
        let exact = match seen {
            // Nobody groups behind a leading zero: `0,001` is a decimal comma.
            None => (1..=3).contains(&run) && !whole.starts_with('0'),
            Some(first) => run == 3 && first == sign,
        };
        if !exact {
            return Err(stray(sign));
        }
        seen = Some(sign);
        run = 0;
    }
    match seen {
        Some(sign) if run != 3 => Err(stray(sign)),
        _ => Ok(digits),
    }
}

fn appended(digits: i128, digit: u8) -> Result<i128, NumberError> {
    digits
        .checked_mul(10)
        .and_then(|d| d.checked_add(i128::from(digit - b'0')))
        .ok_or(NumberError::TooLarge)
}

/// The kind of group sign: all spaces are one kind, all apostrophes are one.
fn group_sign(c: char, group: Option<char>) -> Option<char> {
    match c {
        ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}' => Some(' '),
        '\'' | '’' => Some('\''),
        c if Some(c) == group => Some(c),
        _ => None,
    }
}

fn stray(sign: char) -> NumberError {
    match sign {
        ',' => NumberError::StrayComma,
        '.' => NumberError::StrayPoint,
        _ => NumberError::NotANumber,
    }
}

/// Whether a trimmed text of a quantity or price says nothing.
#[inline]
pub fn is_unknown(text: &str) -> bool {
    const WORDS: [&str; 8] = ["-", "--", "–", "—", "n/a", "na", "null", "none"];
    // The longest word has four bytes; digits start most cells.
    text.is_empty()
        || (text.len() <= 4
            && !text.as_bytes()[0].is_ascii_digit()
            && WORDS.iter().any(|word| text.eq_ignore_ascii_case(word)))
}

/// Without white space around it: no-break spaces and byte order marks count as white space.
#[inline]
pub fn trim(text: &str) -> &str {
    let plain = |byte: Option<&u8>| byte.is_some_and(|b| (b'!'..=b'~').contains(b));
    let bytes = text.as_bytes();
    if plain(bytes.first()) && plain(bytes.last()) {
        return text;
    }
    text.trim_matches(is_space)
}

/// What [`trim`] takes off.
pub fn is_space(c: char) -> bool {
    c.is_whitespace() || c == '\u{feff}'
}

/// Takes one of the units off behind the number.
fn without_unit<'a>(text: &'a str, units: &[String]) -> &'a str {
    units
        .iter()
        .filter_map(|unit| strip_suffix_ignoring_case(text, unit))
        .min_by_key(|rest| rest.len())
        .map_or(text, trim)
}

/// Takes one currency mark off before or behind the number.
fn without_currency(text: &str) -> Option<(&str, Currency)> {
    let first = text.chars().next()?;
    if !first.is_ascii_digit() && !matches!(first, '-' | '.' | ',') {
        let found = MARKS
            .iter()
            .find_map(|(mark, code)| Some((strip_prefix_ignoring_case(text, mark)?, *code)))
            .or_else(|| text.get(..3).map(|code| (&text[3..], code)));
        if let Some((rest, currency)) = found.and_then(|(rest, code)| Some((rest, iso(code)?))) {
            return Some((trim(rest), currency));
        }
    }
    let found = MARKS
        .iter()
        .find_map(|(mark, code)| Some((strip_suffix_ignoring_case(text, mark)?, *code)))
        .or_else(|| {
            let at = text.len().checked_sub(3)?;
            text.get(at..).map(|code| (&text[..at], code))
        });
    let (rest, currency) = found.and_then(|(rest, code)| Some((rest, iso(code)?)))?;
    Some((trim(rest), currency))
}

/// The currency that a cell of its own names: a code, or a mark that names a single one.
pub fn currency(text: &str) -> Option<Currency> {
    Currency::parse(text).or_else(|| {
        let marked = MARKS.iter().find(|(mark, _)| text.to_lowercase() == *mark);
        marked.and_then(|(_, code)| Currency::parse(code))
    })
}

/// Takes one mark off that several currencies share, and that names none of them.
fn without_unclear_currency(text: &str) -> Option<&str> {
    const UNCLEAR_MARKS: [&str; 3] = ["$", "¥", "kr"];
    UNCLEAR_MARKS
        .iter()
        .find_map(|mark| {
            strip_prefix_ignoring_case(text, mark)
                .or_else(|| strip_suffix_ignoring_case(text, mark))
        })
        .map(trim)
}

fn strip_suffix_ignoring_case<'a>(text: &'a str, suffix: &str) -> Option<&'a str> {
    let at =
        text.char_indices().rev().nth(suffix.chars().count().checked_sub(1)?).map(|(at, _)| at)?;
    (text[at..].to_lowercase() == suffix.to_lowercase()).then(|| &text[..at])
}

fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let count = prefix.chars().count();
    let at = text.char_indices().nth(count).map_or(text.len(), |(at, _)| at);
    (text[..at].to_lowercase() == prefix.to_lowercase()).then(|| &text[at..])
}

/// Marks that name a single currency, in lower case.
const MARKS: [(&str, &str); 7] = [
    ("€", "EUR"),
    ("£", "GBP"),
    ("zł", "PLN"),
    ("kč", "CZK"),
    ("₴", "UAH"),
    ("₽", "RUB"),
    ("ft", "HUF"),
];

/// A code of ISO 4217, so that `12 pcs` is no price in `PCS`.
fn iso(code: &str) -> Option<Currency> {
    let currency = Currency::parse(code)?;
    CODES.split(' ').any(|known| known == currency.code()).then_some(currency)
}

/// ISO 4217: the active codes, and withdrawn ones that old feeds still carry.
const CODES: &str = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD \
CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD \
HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD \
MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG \
QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS \
UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG ZWL \
ATS BEF BYR CYP DEM EEK ESP FIM FRF GRD HRK IEP ITL LTL LUF LVL MTL NLG PTE ROL RUR SIT SKK TRL";

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str, sign: DecimalSign) -> Result<String, NumberError> {
        plain(text, sign).and_then(Exact::decimal).map(|d| d.to_string())
    }

    fn ok(text: &str) -> Result<String, NumberError> {
        Ok(text.to_owned())
    }

    #[test]
    fn group_signs_stand_at_exact_groups_of_three() {
        for text in ["1234.5", "1 234.5", "1\u{a0}234.5", "1\u{202f}234.5", "1'234.5", "1,234.5"] {
            assert_eq!(read(text, DecimalSign::Point), ok("1234.5"), "{text}");
        }
        assert_eq!(read("1.234.567,8", DecimalSign::Comma), ok("1234567.8"));
        assert_eq!(read("12,50", DecimalSign::Point), Err(NumberError::StrayComma));
        assert_eq!(read("12.50", DecimalSign::Comma), Err(NumberError::StrayPoint));
        for text in ["1 23", "1234 567", "1,234 567", "1 234,5", ",234", "1,", " 1", "1  234"] {
            assert!(read(text, DecimalSign::Point).is_err(), "{text}");
        }
    }

    #[test]
    fn auto_takes_only_what_leaves_no_doubt() {
        let auto = |text| read(text, DecimalSign::Auto);
        assert_eq!(auto("1.234,5"), ok("1234.5"));
        assert_eq!(auto("1,234.5"), ok("1234.5"));
        assert_eq!(auto("12,50"), ok("12.5"));
        assert_eq!(auto("12.5"), ok("12.5"));
        assert_eq!(auto("1 234,500"), ok("1234.5"));
        assert_eq!(auto("1.234.567"), ok("1234567"));
        assert_eq!(auto("1234"), ok("1234"));
        assert_eq!(auto("1.234"), Err(NumberError::Ambiguous));
        assert_eq!(auto("0,125"), Err(NumberError::Ambiguous));
        assert!(auto("1.2,3.4").is_err());
    }

    #[test]
    fn signs_and_bare_decimals_are_read_and_all_else_is_invalid() {
        assert_eq!(read(",8", DecimalSign::Comma), ok("0.8"));
        assert_eq!(read("-5", DecimalSign::Point), ok("-5"));
        assert_eq!(read("−5", DecimalSign::Point), ok("-5"));
        for text in ["", "-", ".", "5.", "+5", "1e3", "5-", "--5", "١", "0x1", "1.2.3", "5 a"] {
            assert!(read(text, DecimalSign::Point).is_err(), "{text}");
        }
    }

    #[test]
    fn a_lower_bound_is_the_safe_quantity() {
        for text in [">10", "> 10", "≥10", "10+", "10 +", "10"] {
            let read = quantity(text, DecimalSign::Point, &[]).and_then(Exact::decimal);
            assert_eq!(read.map(|d| d.to_string()), ok("10"), "{text}");
        }
        assert_eq!(quantity("<5", DecimalSign::Point, &[]), Err(NumberError::UpperBound));
        assert!(quantity(">10+", DecimalSign::Point, &[]).is_err());
    }

    #[test]
    fn a_declared_unit_is_taken_off_and_other_letters_stay_invalid() {
        let units = ["szt.".to_owned(), "szt".to_owned()];
        for text in ["12 szt.", "12szt", "12 SZT.", ">12 szt."] {
            let read = quantity(text, DecimalSign::Point, &units).and_then(Exact::decimal);
            assert_eq!(read.map(|d| d.to_string()), ok("12"), "{text}");
        }
        assert!(quantity("12 pcs", DecimalSign::Point, &units).is_err());
        assert!(quantity("szt.", DecimalSign::Point, &units).is_err());
    }

    #[test]
    fn one_currency_mark_is_taken_off_a_price() {
        for (text, value, code) in [
            ("14.3 EUR", "14.3", "EUR"),
            ("USD 187", "187", "USD"),
            ("£264.99", "264.99", "GBP"),
            ("1 234.50 zł", "1234.5", "PLN"),
            ("25000 Kč", "25000", "CZK"),
            ("€5", "5", "EUR"),
            ("99 Ft", "99", "HUF"),
        ] {
            let (read, currency) = price(text, DecimalSign::Point, &[]).unwrap();
            assert_eq!(read.decimal().unwrap().to_string(), value, "{text}");
            assert_eq!(currency, Currency::parse(code), "{text}");
        }
        for text in ["EUR 5 EUR", "12 pcs", "EUR", "5 € €", "$5 $", "$", "US$ 5"] {
            assert!(price(text, DecimalSign::Point, &[]).is_err(), "{text}");
        }
        for text in ["$5", "5 kr", "¥5", "5 $"] {
            let (read, currency) = price(text, DecimalSign::Point, &[]).unwrap();
            assert_eq!(
                (read.decimal().unwrap().to_string().as_str(), currency),
                ("5", None),
                "{text}"
            );
        }
    }

    #[test]
    fn words_for_nothing_are_unknown() {
        for text in ["", "-", "--", "–", "—", "n/a", "NA", "Null", "none"] {
            assert!(is_unknown(text), "{text}");
        }
        for text in ["0", "nan", "---", "no", "nil"] {
            assert!(!is_unknown(text), "{text}");
        }
    }

    #[test]
    fn white_space_of_every_kind_is_trimmed() {
        assert_eq!(trim("\u{feff}\u{a0} 7\u{202f}\t"), "7");
        assert_eq!(trim("7"), "7");
        assert_eq!(trim(" \u{feff}"), "");
    }

    #[test]
    fn factors_are_exact_and_division_rounds_half_even_to_six_places() {
        let number = |text| plain(text, DecimalSign::Point).unwrap();
        let show = |value: Result<Exact, NumberError>| {
            value.and_then(Exact::decimal).map(|d| d.to_string())
        };
        assert_eq!(show(number("17.23").times(number("0.8"))), ok("13.784"));
        assert_eq!(show(number("10.5").per(number("100"))), ok("0.105"));
        assert_eq!(show(number("1").per(number("3"))), ok("0.333333"));
        assert_eq!(show(number("0.000001").per(number("2"))), ok("0"));
        assert_eq!(show(number("0.000003").per(number("2"))), ok("0.000002"));
        assert_eq!(show(number("-2").per(number("3"))), ok("-0.666667"));
        assert_eq!(show(number("5").per(number("0"))), Err(NumberError::DividedByZero));
    }

    #[test]
    fn more_than_six_decimals_need_round() {
        let net = plain("8.1300813008130", DecimalSign::Point).unwrap();
        assert_eq!(net.decimal(), Err(NumberError::TooPrecise));
        assert_eq!(net.round_half_up(2).decimal().unwrap().to_string(), "8.13");
        let half = plain("1.005", DecimalSign::Point).unwrap();
        assert_eq!(half.round_half_up(2).decimal().unwrap().to_string(), "1.01");
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in ".{0,60}") {
            for sign in [DecimalSign::Point, DecimalSign::Comma, DecimalSign::Auto] {
                let units = ["szt.".to_owned()];
                let _ = quantity(&text, sign, &units).map(|n| n.round_half_up(2).decimal());
                if let Ok((value, _)) = price(&text, sign, &units) {
                    let _ = (value.times(value), value.per(value), value.plus(value));
                }
            }
        }

        #[test]
        fn any_number_like_text_is_read_without_a_panic(text in "[-−]?[0-9 ,.']{0,50}( EUR)?") {
            for sign in [DecimalSign::Point, DecimalSign::Comma, DecimalSign::Auto] {
                if let Ok((value, _)) = price(&text, sign, &[]) {
                    let _ = (value.times(value), value.per(value), value.plus(value));
                    let _ = value.round_half_up(0).decimal();
                }
            }
        }
    }
}
