//! Reading: values to settings and fields, and a problem for each part that can't be taken.
//!
//! **Invariant:** a part that is wrong costs that part and nothing beside it; of a key that is
//! given twice the last counts, as in JSON. `null` says nothing.

use std::collections::{BTreeMap, HashSet};

use url::Url;

use super::Said;
use super::json::{Data, Member, Node};
use super::properties::{BY_ACCOUNT, BY_PLATFORM, ID, ONCE, PROPERTIES, Slot, Take};
use super::value::{self, Wanted};
use crate::config::{nearest, one_of};
use crate::draft::{Channel, ReplyControl, Visibility};
use crate::entry::{Control, Override};
use crate::names::Label;
use crate::platform::Platform;

/// How many problems of one entry are told one by one.
const PROBLEMS_MAX: usize = 20;
/// What a problem says of a key that another one of the same name follows.
const AGAIN: &str = "is given again below";
/// What an override may name beside `Platform`: posts to an address of the owner's own.
const WEBHOOK: &str = "webhook";

/// What is read, and what was wrong with it so far.
#[derive(Debug)]
pub(super) struct Reading<'r> {
    /// How problems call what is read.
    place: &'static str,
    /// The text, where there is one: what positions are of.
    text: Option<&'r str>,
    /// What relative addresses are relative to.
    pub(super) base: &'r Url,
    /// Each with where it stands.
    problems: Vec<(usize, String)>,
    /// How many there are beyond those.
    more: usize,
}

impl<'r> Reading<'r> {
    /// Nothing wrong yet.
    pub(super) fn new(place: &'static str, text: Option<&'r str>, base: &'r Url) -> Self {
        Self { place, text, base, problems: Vec::new(), more: 0 }
    }

    /// The problems in the order of the text.
    pub(super) fn finish(mut self) -> Vec<String> {
        self.problems.sort_by_key(|(at, _)| *at);
        let mut told: Vec<String> = self.problems.into_iter().map(|(_, told)| told).collect();
        if self.more > 0 {
            told.push(format!("and {} more problems of `{}`", self.more, self.place));
        }
        told
    }

    /// Adds the problem that what stands at `path` is ignored.
    pub(super) fn tell(&mut self, path: &str, at: Option<usize>, what: &str) {
        if self.problems.len() == PROBLEMS_MAX {
            self.more += 1;
            return;
        }
        let place = self.text.zip(at).map(|(text, at)| {
            let (line, column) = line_and_column(text, at);
            format!(" (line {line}, column {column})")
        });
        let place = place.unwrap_or_default();
        let told = format!("`{}{path}`{place} {what}, ignored", self.place);
        self.problems.push((at.unwrap_or(0), told));
    }

    /// Adds the problem that a value is none of those that are wanted.
    pub(super) fn wrong(&mut self, path: &str, node: &Node<'_>, wanted: &str) {
        self.tell(path, node.at, &format!("is {}, not {wanted}", value::shown(node)));
    }

    /// Adds the problem that nothing has the name that stands at `path`.
    pub(super) fn unknown(&mut self, path: &str, at: Option<usize>, name: &str, known: &[&str]) {
        let near = nearest(name, known.iter().copied());
        let hint = match near {
            Some(near) => format!(" (did you mean `{near}`?)"),
            None if known.len() < 8 => format!(" (want {})", one_of(known)),
            None => String::new(),
        };
        self.tell(path, at, &format!("is unknown{hint}"));
    }

    /// Reads the whole of it.
    pub(super) fn all(&mut self, node: &Node<'_>) -> Said {
        let mut said = Said::default();
        let mut control = Control::default();
        let mut own = Override::default();
        for (path, member) in self.members("", node) {
            let node = &member.value;
            match &*member.name {
                ID => said.id = self.id(&path, node),
                BY_PLATFORM => control.by_platform = self.overrides(&path, node, platform),
                BY_ACCOUNT => control.by_account = self.overrides(&path, node, account),
                _ => self.property(&path, member, &mut own, true),
            }
        }
        control.settings = own.settings;
        Said { fields: own.fields, control, ..said }
    }

    /// The members of an object with their paths, none where it is no object. `null` says nothing.
    pub(super) fn members<'n, 't>(
        &mut self,
        path: &str,
        node: &'n Node<'t>,
    ) -> Vec<(String, &'n Member<'t>)> {
        let Data::Object(members) = &node.data else {
            if !matches!(node.data, Data::Null) {
                self.wrong(path, node, "an object");
            }
            return Vec::new();
        };
        let mut seen = HashSet::new();
        let mut found = Vec::with_capacity(members.len());
        for member in members.iter().rev() {
            let path = format!("{path}.{}", name_shown(&member.name));
            if !seen.insert(&member.name) {
                self.tell(&path, member.at, AGAIN);
            } else if !matches!(member.value.data, Data::Null) {
                found.push((path, member));
            }
        }
        found.reverse();
        found
    }

    fn id(&mut self, path: &str, node: &Node<'_>) -> Option<String> {
        let id = value::text(node).map(str::trim).unwrap_or_default();
        if id.is_empty() {
            self.wrong(path, node, "an id (a text)");
        }
        Some(id.to_owned()).filter(|id| !id.is_empty())
    }

    fn overrides(
        &mut self,
        path: &str,
        node: &Node<'_>,
        name: fn(&str) -> Result<String, String>,
    ) -> BTreeMap<String, Override> {
        let mut overrides = BTreeMap::new();
        // the last counts, also of a tag and its alias
        for (path, member) in self.members(path, node).into_iter().rev() {
            let name = match name(&member.name) {
                Ok(name) => name,
                Err(wrong) => {
                    self.tell(&path, member.at, &wrong);
                    continue;
                }
            };
            if overrides.contains_key(&name) {
                self.tell(&path, member.at, AGAIN);
                continue;
            }
            let mut over = Override::default();
            for (path, member) in self.members(&path, &member.value) {
                self.property(&path, member, &mut over, false);
            }
            overrides.insert(name, over);
        }
        overrides.retain(|_, over| *over != Override::default());
        overrides
    }

    /// Reads one property into `over`.
    fn property(&mut self, path: &str, member: &Member<'_>, over: &mut Override, is_top: bool) {
        let name = &*member.name;
        if let Some((_, take)) = PROPERTIES.iter().find(|(known, _)| *known == name) {
            return self.take(path, &member.value, *take, over);
        }
        if ONCE.contains(&name) {
            self.tell(path, member.at, "is for the whole entry and in no override");
            return;
        }
        let once = ONCE.iter().copied().filter(|_| is_top);
        let known: Vec<&str> = PROPERTIES.iter().map(|(known, _)| *known).chain(once).collect();
        self.unknown(path, member.at, name, &known);
    }

    fn take(&mut self, path: &str, node: &Node<'_>, take: Take, over: &mut Override) {
        let base = self.base;
        match take {
            Take::Flag(slot) => self.put(path, node, slot, over, value::flag(node)),
            Take::Text(slot) => {
                let text = value::text(node).map(str::to_owned);
                self.put(path, node, slot, over, text);
            }
            Take::Line(slot) => self.put(path, node, slot, over, value::line(node)),
            Take::Url(slot) => self.put(path, node, slot, over, value::url(node, base)),
            Take::Markup(slot) => self.put(path, node, slot, over, value::markup(node, base)),
            Take::Date(slot) => {
                if let Some(date) = self.wanted(path, node, value::date(node)) {
                    *slot(over) = date;
                }
            }
            Take::Language(slot) => self.put(path, node, slot, over, value::language(node)),
            Take::Channel(slot) => {
                let words = [Channel::Feed, Channel::Story];
                self.put(path, node, slot, over, value::word(node, words, Channel::as_str));
            }
            Take::Visibility(slot) => {
                use Visibility::{Direct, Private, Public, Unlisted};
                let words = [Public, Unlisted, Private, Direct];
                self.put(path, node, slot, over, value::word(node, words, Visibility::as_str));
            }
            Take::ReplyControl(slot) => {
                use ReplyControl::{AccountsYouFollow, Everyone, FollowersOnly, MentionedOnly};
                let words = [Everyone, AccountsYouFollow, FollowersOnly, MentionedOnly];
                self.put(path, node, slot, over, value::word(node, words, ReplyControl::as_str));
            }
            Take::Names(slot) => *slot(over) = self.texts(path, node, str::trim),
            Take::Hashtags(slot) => {
                *slot(over) =
                    self.texts(path, node, |tag| tag.trim().trim_start_matches(['#', '＃']));
            }
            Take::Media(slot) => *slot(over) = self.media(path, node),
            Take::Utm(slot) => *slot(over) = self.utm(path, node),
        }
    }

    fn put<T>(
        &mut self,
        path: &str,
        node: &Node<'_>,
        slot: Slot<T>,
        over: &mut Override,
        read: Wanted<T>,
    ) {
        if let Some(value) = self.wanted(path, node, read) {
            *slot(over) = Some(value);
        }
    }

    /// What was read, else tells what was wanted.
    pub(super) fn wanted<T>(&mut self, path: &str, node: &Node<'_>, read: Wanted<T>) -> Option<T> {
        read.map_err(|wanted| self.wrong(path, node, &wanted)).ok()
    }
}

/// The tag of a platform, whether an account can have it or not.
fn platform(name: &str) -> Result<String, String> {
    let tag =
        if name == WEBHOOK { Some(WEBHOOK) } else { Platform::from_tag(name).map(Platform::tag) };
    tag.map(str::to_owned).ok_or_else(|| {
        let known: Vec<&str> =
            Platform::ALL.map(Platform::tag).into_iter().chain([WEBHOOK]).collect();
        match nearest(name, known.iter().copied()) {
            Some(near) => format!("is no platform (did you mean `{near}`?)"),
            None => format!("is no platform (want {})", one_of(&known)),
        }
    })
}

/// The label of an account; whether there is such an account, only the config knows.
fn account(name: &str) -> Result<String, String> {
    let label = Label::new(name).map(|label| label.as_str().to_owned());
    label.ok_or_else(|| "is no label that an account could have".to_owned())
}

/// A key in a path: one short line.
fn name_shown(name: &str) -> String {
    name.escape_debug().take(40).collect()
}

/// Where the byte `at` of `text` stands: line and character, from 1.
fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..text.floor_char_boundary(at)];
    let line = before.rfind('\n').map_or(0, |end| end + 1);
    (before.matches('\n').count() + 1, before[line..].chars().count() + 1)
}
