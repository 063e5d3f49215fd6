//! Lists: the properties that hold more than one value.
//!
//! **Invariant:** an item that is wrong costs that item; the others are taken. A list of which
//! nothing is left says nothing: a slip never takes an entry's pictures away.

use super::json::{Data, Node};
use super::properties::{OF_MEDIA, OF_UTM};
use super::reading::Reading;
use super::value::{self, Wanted};
use crate::draft::{self, Media};
use crate::feed::parse::media;
use crate::settings::Utm;

/// How many items of one list are read.
const LIST_MAX: usize = 100;

impl Reading<'_> {
    /// The items of a list with their paths; none where it is no list.
    fn items<'n, 't>(
        &mut self,
        path: &str,
        node: &'n Node<'t>,
    ) -> Option<impl Iterator<Item = (String, &'n Node<'t>)> + use<'n, 't>> {
        let Data::List(list) = &node.data else {
            self.wrong(path, node, "a list");
            return None;
        };
        if let Some(first) = list.get(LIST_MAX) {
            let what = format!("and what follows it is too much (at most {LIST_MAX} items)");
            self.tell(&format!("{path}[{LIST_MAX}]"), first.at, &what);
        }
        let path = path.to_owned();
        let items = list.iter().take(LIST_MAX).enumerate();
        Some(items.map(move |(nth, node)| (format!("{path}[{nth}]"), node)))
    }

    /// Texts, each only once; `bare` takes off what doesn't belong to them.
    pub(super) fn texts(
        &mut self,
        path: &str,
        node: &Node<'_>,
        bare: fn(&str) -> &str,
    ) -> Option<Vec<String>> {
        let mut texts: Vec<String> = Vec::new();
        let mut slips = false;
        for (path, node) in self.items(path, node)? {
            let Some(text) = self.wanted(&path, node, value::text(node)).map(bare) else {
                slips = true;
                continue;
            };
            if !text.is_empty() && !texts.iter().any(|known| known == text) {
                texts.push(text.to_owned());
            }
        }
        (!texts.is_empty() || !slips).then_some(texts)
    }

    /// Pictures, videos and sounds.
    pub(super) fn media(&mut self, path: &str, node: &Node<'_>) -> Option<Vec<Media>> {
        let (mut media, mut slips) = (Vec::new(), false);
        for (path, node) in self.items(path, node)? {
            match self.one_of_media(&path, node) {
                Some(one) => media.push(one),
                None => slips = true,
            }
        }
        (!media.is_empty() || !slips).then_some(media)
    }

    /// One item of `media`, none without an address.
    fn one_of_media(&mut self, path: &str, node: &Node<'_>) -> Option<Media> {
        if !matches!(node.data, Data::Object(_)) {
            self.wrong(path, node, "an object with `url`");
            return None;
        }
        let mut is_told = false;
        let mut one = Media::default();
        for (path, member) in self.members(path, node) {
            let node = &member.value;
            match &*member.name {
                "url" => {
                    let url = self.wanted(&path, node, value::url(node, self.base));
                    is_told = url.is_none();
                    one.url = url.unwrap_or_default();
                }
                "poster_url" => {
                    let url = self.wanted(&path, node, value::url(node, self.base));
                    one.poster_url = url.filter(|url| !url.is_empty());
                }
                "alt" => {
                    let alt = self.wanted(&path, node, value::text(node)).map(str::trim);
                    one.alt = alt.filter(|alt| !alt.is_empty()).map(str::to_owned);
                }
                "type" => one.media_type = self.wanted(&path, node, media_type(node)),
                name => self.unknown(&path, member.at, name, OF_MEDIA),
            }
        }
        if one.url.is_empty() {
            if !is_told {
                self.tell(path, node.at, "has no `url`");
            }
            return None;
        }
        one.media_type =
            one.media_type.take().or_else(|| draft::type_by_name(&one.url).map(str::to_owned));
        Some(one)
    }

    /// Parameters of the posted address.
    pub(super) fn utm(&mut self, path: &str, node: &Node<'_>) -> Option<Utm> {
        if !matches!(node.data, Data::Object(_)) {
            self.wrong(path, node, "an object");
            return None;
        }
        let mut utm = Utm::default();
        for (path, member) in self.members(path, node) {
            let known = OF_UTM.iter().find(|(known, _)| *known == member.name);
            let Some((_, slot)) = known else {
                let known: Vec<&str> = OF_UTM.iter().map(|(known, _)| *known).collect();
                self.unknown(&path, member.at, &member.name, &known);
                continue;
            };
            let text = self.wanted(&path, &member.value, value::text(&member.value));
            *slot(&mut utm) = text.map(str::trim).filter(|it| !it.is_empty()).map(str::to_owned);
        }
        Some(utm)
    }
}

/// A media type, or its family.
fn media_type(node: &Node<'_>) -> Wanted<String> {
    let written = value::text(node).map(|text| text.trim().to_ascii_lowercase());
    let kind = written.ok().filter(|kind| media::is_media(kind));
    kind.ok_or("`image`, `video`, `audio` or a media type such as `image/jpeg`".into())
}
