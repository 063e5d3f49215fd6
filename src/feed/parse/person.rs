//! Person: authors, from elements or from one line.

use url::Url;

use super::address;
use super::element::Element;
use super::entities::Entities;
use super::namespace::Namespace::Core;
use crate::entry::Person;
use crate::text::fold;

/// How many authors of one entry are read.
const AUTHORS_MAX: usize = 50;

/// Adds the person that `element` names to `people`, unless it is there already.
pub(super) fn read(
    element: &Element<'_>,
    base: &Url,
    entities: &Entities,
    people: &mut Vec<Person>,
) {
    let child = |names: &[&str]| {
        let texts = names.iter().filter_map(|name| element.child_text(entities, Core, name));
        texts.map(|text| fold(&text)).find(|text| !text.is_empty())
    };
    let mut person = if element.children.is_empty() {
        of_line(&element.text(entities))
    } else {
        let url = child(&["uri", "url", "homepage", "href"]);
        let url = url.and_then(|url| address::absolute(base, &url));
        Person { name: child(&["name"]), email: child(&["email"]), url }
    };
    if person.name.is_none() && person.email.is_none() && !element.children.is_empty() {
        let line = of_line(&element.text(entities));
        person.name = line.name.filter(|_| person.url.is_none());
    }
    add(people, person);
}

/// Adds a person, or what is new about one known by name.
pub(super) fn add(people: &mut Vec<Person>, person: Person) {
    if person == Person::default() || people.len() >= AUTHORS_MAX {
        return;
    }
    let same = |known: &&mut Person| {
        (known.name.is_some() && known.name == person.name)
            || (known.name.is_none() && known.email.is_some() && known.email == person.email)
    };
    match people.iter_mut().find(same) {
        Some(known) => {
            known.name = known.name.take().or(person.name);
            known.email = known.email.take().or(person.email);
            known.url = known.url.take().or(person.url);
        }
        None => people.push(person),
    }
}

/// A person in one line: `a@b.example (Ada)`, `Ada <a@b.example>`, `Ada (a@b.example)`, `Ada`.
pub(super) fn of_line(line: &str) -> Person {
    let line = fold(line);
    let is_mail = |word: &str| {
        let parts = word.split_once('@');
        parts.is_some_and(|(user, host)| {
            !user.is_empty() && host.contains('.') && !host.contains('@')
        })
    };
    let edge =
        |c: char| matches!(c, '(' | ')' | '<' | '>' | ',' | ';' | '[' | ']' | '"' | '（' | '）');
    let mail = line
        .split(|c: char| c.is_whitespace() || edge(c))
        .map(|word| word.strip_prefix("mailto:").unwrap_or(word))
        .find(|word| is_mail(word));
    let name = match mail {
        Some(mail) => {
            let rest = line.replacen(&format!("mailto:{mail}"), "", 1).replacen(mail, "", 1);
            let rest = rest.replace("()", "").replace("<>", "").replace("（）", "");
            fold(rest.trim().trim_matches(edge))
        }
        None => line.clone(),
    };
    let email = mail.map(|mail| mail.split('?').next().unwrap_or(mail).to_owned());
    Person { name: Some(name).filter(|name| !name.is_empty()), email, url: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, name: &str, email: &str) {
        let person = of_line(line);
        assert_eq!(person.name.as_deref().unwrap_or(""), name, "{line}");
        assert_eq!(person.email.as_deref().unwrap_or(""), email, "{line}");
    }

    #[test]
    fn a_person_in_one_line() {
        check("ada@example.com (Ada Lovelace)", "Ada Lovelace", "ada@example.com");
        check("Ada Lovelace <ada@example.com>", "Ada Lovelace", "ada@example.com");
        check("Ada  Lovelace (mailto:ada@example.com)", "Ada Lovelace", "ada@example.com");
        check("ada@example.com", "", "ada@example.com");
        check("Ada", "Ada", "");
        check("@ada", "@ada", "");
        check("", "", "");
        check("山田太郎（a@b.co）", "山田太郎", "a@b.co");
        check("Zoë—a@b.co", "", "Zoë—a@b.co");
        check("a@b.co?subject=Hi", "", "a@b.co");
    }
}
