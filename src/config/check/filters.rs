//! Check of `include` and `exclude` in `[accounts.LABEL]`.

use crate::config::problem::{Kind, Report};
use crate::config::raw::{Data, Node};
use crate::config::section::Section;
use crate::config::{schema, value};
use crate::filter::{Field, Filters, Rule};

/// The most patterns that an `include` or an `exclude` may have.
const RULES_MAX: usize = 100;

/// Checks the filters of the account in `section`.
pub fn check(report: &mut Report, section: &mut Section) -> Filters {
    Filters {
        include: rules(report, section, "include"),
        exclude: rules(report, section, "exclude"),
    }
}

fn rules(report: &mut Report, section: &mut Section, key: &'static str) -> Vec<Rule> {
    const EXAMPLE: &str = "{ title = \"*draft*\", category = [\"private\", \"test\"] }";
    let (place, path) = (section.place_of(key), section.path_of(key));
    let Some(mut section) = section.inner(report, key, schema::FILTER, EXAMPLE) else {
        return Vec::new();
    };
    let mut rules = Vec::new();
    for field in Field::ALL {
        let Some(node) = section.take(field.key()) else { continue };
        let path = section.path_of(field.key());
        match patterns(&node) {
            Ok(nodes) => {
                for node in nodes {
                    match rule(report, field, node, &path) {
                        Ok(rule) => rules.push(rule),
                        Err(why) => report.problem(node.place, Kind::Value, &path, why),
                    }
                }
            }
            Err(why) => report.problem(node.place, Kind::Value, &path, why),
        }
    }
    section.finish(report, |_, _| None);
    if rules.len() > RULES_MAX {
        let message = format!("holds {} patterns, want at most {RULES_MAX}", rules.len());
        report.problem(place, Kind::Value, &path, message);
    }
    rules
}

/// One pattern, or a list of them.
fn patterns(node: &Node) -> Result<&[Node], String> {
    match &node.data {
        Data::Text(_) => Ok(std::slice::from_ref(node)),
        Data::List(nodes) if nodes.is_empty() => {
            Err("is an empty list, want at least one pattern, or leave it out".into())
        }
        Data::List(nodes) => Ok(nodes),
        _ => Err(format!("{} is no pattern, want one in quotes", value::describe(node))),
    }
}

fn rule(report: &mut Report, field: Field, node: &Node, path: &str) -> Result<Rule, String> {
    let text = value::text(node)?;
    let rule = Rule::new(field, text).map_err(|why| format!("{} {why}", value::shown(text)))?;
    let inner = text.strip_prefix('/').and_then(|text| text.strip_suffix('/'));
    let is_like_a_path =
        |text: &str| text.chars().all(|c| c.is_alphanumeric() || "/-_".contains(c));
    if field == Field::Url
        && let Some(inner) = inner.filter(|inner| is_like_a_path(inner))
    {
        let what = format!("is the regular expression `{inner}`, anywhere in the URL");
        let message = format!("{} {what}; the path is `*{text}*`", value::shown(text));
        report.warning(node.place, path, message);
    }
    Ok(rule)
}
