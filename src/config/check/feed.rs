//! Check of `[feeds.LABEL]`.

use std::time::Duration;

use super::{Around, references};
use crate::config::problem::{Kind, Report};
use crate::config::raw::Node;
use crate::config::section::Section;
use crate::config::{Cadence, CatchUp, FeedConfig, schema, value};
use crate::zone::Zone;

/// One week: older news is no news.
const MAX_AGE: Duration = Duration::from_secs(7 * 86_400);

/// Checks one feed; `None` where something was reported that a feed can't be without.
pub fn check(report: &mut Report, around: &Around, path: &str, node: Node) -> Option<FeedConfig> {
    const CATCH_UP: [(&str, CatchUp); 3] =
        [("all", CatchUp::All), ("newest", CatchUp::Newest), ("hold", CatchUp::Hold)];
    let mut section = Section::open(report, path, node, schema::FEED)?;
    if !section.has("url") {
        section.missing(report, "url", "want for example `https://example.com/feed.xml`");
    }
    let url = section.read(report, "url", |node| value::feed_url(node, around.folder));
    let cadence = cadence(report, &mut section);
    let mut count = |report: &mut Report, key, otherwise: u32| {
        let read = section.read(report, key, |node| value::count(node, 0));
        usize::try_from(read.unwrap_or(otherwise)).unwrap_or(usize::MAX)
    };
    let (backfill, max_new) = (count(report, "backfill", 0), count(report, "max_new", 5));
    let max_age = section.read(report, "max_age", |node| value::duration(node, "d", "1s"));
    let catch_up = section.read(report, "catch_up", |node| value::word(node, &CATCH_UP));
    let accounts = references(report, &mut section, "accounts", around.accounts);
    let active = section.read(report, "active", value::switch).unwrap_or(true);
    section.finish(report, |_, _| None);
    Some(FeedConfig {
        url: url?,
        cadence,
        accounts,
        backfill,
        max_new,
        max_age: max_age.unwrap_or(MAX_AGE),
        catch_up: catch_up.unwrap_or_default(),
        active,
    })
}

/// `poll`, or `cron` with its `timezone`.
fn cadence(report: &mut Report, section: &mut Section) -> Cadence {
    let (has_poll, has_cron) = (section.has("poll"), section.has("cron"));
    if has_poll && has_cron {
        let place = section.place_of("poll").max(section.place_of("cron"));
        let message = "`poll` and `cron` can't both be given, want one of them";
        report.problem(place, Kind::Value, &section.path_of("cron"), message);
    }
    if section.has("timezone") && !has_cron {
        let place = section.place_of("timezone");
        let message = "has no effect without `cron`, want both or none";
        report.problem(place, Kind::Absence, &section.path_of("timezone"), message);
    }
    let place = section.place_of("cron");
    let poll = section.read(report, "poll", |node| value::duration(node, "m", "100ms"));
    let cron = section.read(report, "cron", value::cron);
    let has_timezone = section.has("timezone");
    let timezone = section.read(report, "timezone", value::timezone);
    if let Some(expression) = cron {
        let timezone = timezone.or_else(local_timezone).unwrap_or_else(|| {
            if !has_timezone {
                let message = "the machine names no time zone, so that `cron` is read in UTC";
                report.warning(place, &section.path_of("timezone"), message);
            }
            Zone::UTC
        });
        return Cadence::Cron { expression: Box::new(expression), timezone };
    }
    poll.map_or(Cadence::Auto, Cadence::Every)
}

/// The machine's zone, where it has one with a name.
fn local_timezone() -> Option<Zone> {
    Zone::named(&iana_time_zone::get_timezone().ok()?)
}
