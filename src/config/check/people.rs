//! Check of `[people]`.

use crate::config::problem::{Kind, Report};
use crate::config::schema::one_of;
use crate::config::section::Section;
use crate::config::{schema, value};
use crate::people::{self, Handles, People};
use crate::platform::Platform;

const EXAMPLE: &str = "{ mastodon = \"@ada@example.social\", bluesky = \"@ada.example\" }";

/// Checks `[people]` in the top of the file.
pub fn check(report: &mut Report, top: &mut Section) -> People {
    let node = top.take("people");
    let Some(section) = node.and_then(|node| Section::open(report, "people", node, Vec::new()))
    else {
        return People::new();
    };
    let mut people = People::new();
    for (path, name, node) in section.entries() {
        if name.trim().is_empty() || name.trim() != name {
            let message = "want a name as your texts have it, without blanks around it";
            report.problem(node.place, Kind::Value, &path, message);
        }
        let want = format!(
            "{} is no table of handles, want for example `{EXAMPLE}`",
            value::describe(&node)
        );
        let person = Section::open_else(report, path, node, Vec::new(), &want);
        people.extend(person.map(|section| (name, handles(report, section))));
    }
    people
}

/// One person's handles, by platform.
fn handles(report: &mut Report, section: Section) -> Handles {
    let mut handles = Handles::new();
    let (place, own) = (section.place, section.path.clone());
    let mut is_empty = true;
    for (path, key, node) in section.entries() {
        is_empty = false;
        let Some(platform) = Platform::from_tag(&key) else {
            let tags: Vec<_> = schema::mentioning().into_iter().map(Platform::tag).collect();
            let message = match schema::nearest(&key, tags.iter().copied()) {
                Some(near) => format!("unknown platform, want `{near}`"),
                None => format!("unknown platform, want {}", one_of(&tags)),
            };
            report.problem(node.place, Kind::Absence, &path, message);
            continue;
        };
        if !schema::mentioning().contains(&platform) {
            let message = format!("{} has no mentions, leave it out", platform.tag());
            report.problem(node.place, Kind::Value, &path, message);
            continue;
        }
        let read = value::text(&node).and_then(|text| {
            people::handle(platform, text).map_err(|want| {
                format!("{} is no handle on {}, {want}", value::shown(text), platform.tag())
            })
        });
        match read {
            Ok(_) if handles.contains_key(&platform) => {
                let message = format!("{} is named twice, want one handle", platform.tag());
                report.problem(node.place, Kind::Value, &path, message);
            }
            Ok(handle) => drop(handles.insert(platform, handle)),
            Err(message) => report.problem(node.place, Kind::Value, &path, message),
        }
    }
    if is_empty {
        report.problem(place, Kind::Value, &own, format!("has no handle, want `{EXAMPLE}`"));
    }
    handles
}
