//! Zone: a time zone by its IANA name, in the form that chrono and croner want.
//!
//! The rules are those of the tz database as jiff carries them, in 0.2 MB. The crate chrono-tz is
//! chrono's own, and writes every change of every zone up to 2100 out: 2 MB of the binary, and 1 MB
//! of memory at each start.

use std::fmt;

use chrono::{FixedOffset, MappedLocalTime, NaiveDate, NaiveDateTime, Offset, TimeDelta, TimeZone};
use jiff::tz::{self, AmbiguousOffset};

/// A time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone(tz::TimeZone);

impl Zone {
    /// UTC.
    pub const UTC: Self = Self(tz::TimeZone::UTC);

    /// The zone of a name, as the tz database writes it: `Europe/Berlin`.
    pub fn named(name: &str) -> Option<Self> {
        let zone = tz::TimeZone::get(name).ok()?;
        (zone.iana_name() == Some(name) && !zone.is_unknown()).then_some(Self(zone))
    }

    /// All names.
    pub fn names() -> Vec<String> {
        tz::db().available().map(|name| name.to_string()).collect()
    }

    /// What its clocks show at a moment of UTC.
    fn at(&self, utc: &NaiveDateTime) -> Local {
        let info = self.0.to_offset_info(moment(utc));
        let seconds = info.offset().seconds();
        Local {
            zone: self.clone(),
            offset: FixedOffset::east_opt(seconds).expect("no place is a day ahead or behind"),
            name: info.abbreviation().to_owned(),
        }
    }
}

/// How far the clocks of a zone are ahead of UTC at some moment, and what that is called.
#[derive(Clone, Debug)]
pub struct Local {
    zone: Zone,
    offset: FixedOffset,
    /// `CET`, or `-03` where nobody has given it a name.
    name: String,
}

impl Offset for Local {
    fn fix(&self) -> FixedOffset {
        self.offset
    }
}

impl fmt::Display for Local {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.name)
    }
}

impl TimeZone for Zone {
    type Offset = Local;

    fn from_offset(offset: &Local) -> Self {
        offset.zone.clone()
    }

    fn offset_from_local_date(&self, local: &NaiveDate) -> MappedLocalTime<Local> {
        self.offset_from_local_datetime(&local.and_time(chrono::NaiveTime::MIN))
    }

    fn offset_from_local_datetime(&self, local: &NaiveDateTime) -> MappedLocalTime<Local> {
        let shown = tz::Offset::UTC.to_datetime(moment(local));
        let at = |ahead: tz::Offset| {
            let ahead = TimeDelta::seconds(ahead.seconds().into());
            self.at(&local.checked_sub_signed(ahead).unwrap_or(*local))
        };
        match self.0.to_ambiguous_timestamp(shown).offset() {
            AmbiguousOffset::Unambiguous { offset } => MappedLocalTime::Single(at(offset)),
            AmbiguousOffset::Gap { .. } => MappedLocalTime::None,
            AmbiguousOffset::Fold { before, after } => {
                MappedLocalTime::Ambiguous(at(before), at(after))
            }
        }
    }

    fn offset_from_utc_date(&self, utc: &NaiveDate) -> Local {
        self.at(&utc.and_time(chrono::NaiveTime::MIN))
    }

    fn offset_from_utc_datetime(&self, utc: &NaiveDateTime) -> Local {
        self.at(utc)
    }
}

/// The same for jiff, which knows no year beyond 9999.
fn moment(utc: &NaiveDateTime) -> jiff::Timestamp {
    let seconds = utc.and_utc().timestamp();
    let (first, last) = (jiff::Timestamp::MIN, jiff::Timestamp::MAX);
    let seconds = seconds.clamp(first.as_second(), last.as_second());
    jiff::Timestamp::from_second(seconds).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    #[test]
    fn names_are_those_of_the_tz_database_to_the_letter() {
        for good in ["UTC", "Europe/Berlin", "US/Eastern", "CET", "Etc/GMT+3", "Asia/Kathmandu"] {
            let zone = Zone::named(good);
            assert!(zone.is_some() && Zone::names().contains(&good.into()), "{good}");
        }
        for bad in ["", "europe/berlin", "CEST", "Etc/Unknown", "Berlin", "+01:00", "localtime"] {
            assert_eq!(Zone::named(bad), None, "{bad}");
        }
        assert_eq!(Zone::named("UTC"), Some(Zone::UTC));
    }

    #[test]
    fn clocks_are_where_chrono_tz_has_them() {
        use chrono_tz::{TZ_VARIANTS, Tz};
        let both = TZ_VARIANTS.iter().filter_map(|tz| Some((tz, Zone::named(tz.name())?)));
        let both: Vec<(&Tz, Zone)> = both.collect();
        assert!(both.len() > 590, "{} of {}", both.len(), TZ_VARIANTS.len());
        let day = |day: i64| DateTime::from_timestamp(day * 86_400 + 5400, 0).unwrap().naive_utc();
        for (theirs, ours) in both {
            // from 2000 to 2024, and never on one day of the week: both know the same of that time
            for at in (10_957..20_000).step_by(23).map(day) {
                let offset = ours.offset_from_utc_datetime(&at);
                let expect = theirs.offset_from_utc_datetime(&at);
                assert_eq!(offset.fix(), expect.fix(), "{theirs} {at}");
                assert_eq!(offset.to_string(), expect.to_string(), "{theirs} {at}");
                let local = ours.offset_from_local_datetime(&at).map(|local| local.fix());
                let expect = theirs.offset_from_local_datetime(&at).map(|local| local.fix());
                assert_eq!(local, expect, "{theirs} {at}");
            }
        }
    }

    #[test]
    fn an_hour_is_left_out_in_spring_and_comes_twice_in_autumn() {
        let berlin = Zone::named("Europe/Berlin").unwrap();
        let local = |text: &str| berlin.from_local_datetime(&text.parse().unwrap());
        let utc = |text: &str| text.parse::<DateTime<chrono::Utc>>().unwrap();
        let check = |text: &str, first: Option<&str>, last: Option<&str>| {
            let (first, last) = (first.map(utc), last.map(utc));
            assert_eq!(local(text).earliest().map(|at| at.to_utc()), first, "{text}");
            assert_eq!(local(text).latest().map(|at| at.to_utc()), last, "{text}");
        };
        let early = Some("2026-03-29T00:59:59Z");
        check("2026-03-29T01:59:59", early, early);
        check("2026-03-29T02:00:00", None, None);
        check("2026-03-29T02:59:59", None, None);
        check("2026-03-29T03:00:00", Some("2026-03-29T01:00:00Z"), Some("2026-03-29T01:00:00Z"));
        check("2026-10-25T02:00:00", Some("2026-10-25T00:00:00Z"), Some("2026-10-25T01:00:00Z"));
        check("2026-10-25T03:00:00", Some("2026-10-25T02:00:00Z"), Some("2026-10-25T02:00:00Z"));
        let shown = utc("2026-10-25T01:00:00Z").with_timezone(&berlin);
        assert_eq!(shown.format("%H:%M %Z %z").to_string(), "02:00 CET +0100");
        // rules go on, and years that nobody has do no harm
        let shown = utc("2199-07-01T00:00:00Z").with_timezone(&berlin);
        assert_eq!(shown.format("%H:%M %Z").to_string(), "02:00 CEST");
        for far in [DateTime::<chrono::Utc>::MIN_UTC, DateTime::<chrono::Utc>::MAX_UTC] {
            let _ = berlin.offset_from_utc_datetime(&far.naive_utc());
            let _ = berlin.offset_from_local_datetime(&far.naive_utc());
        }
    }
}
