//! A mail's form: as text and as HTML, which say the same. What is said comes from the service that
//! sends it.

use std::borrow::Cow;

use askama::Template;
use chrono::{DateTime, Utc};
use kernel::Email;
use uuid::Uuid;

use super::Mail;

/// Nothing in it is markup: the HTML form escapes every word, a person's name included. No colour
/// is set and nothing is loaded, so that it reads well on dark ground and tells nobody that it was
/// opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    pub subject: Cow<'static, str>,
    /// `None` where a stranger may have chosen the name: it could carry anything to anybody.
    pub name: Option<String>,
    /// Who did what, and when.
    pub paragraphs: Vec<String>,
    /// What the reader can do with the mail itself.
    pub action: Option<Action>,
    /// What to do if it was not the reader.
    pub otherwise: String,
    /// Where Plumbline is.
    pub site: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    pub instruction: String,
    pub label: &'static str,
    /// The token stands in its fragment, which browsers send to nobody; opening the link consumes
    /// nothing, the page's button does.
    pub link: String,
    pub token: String,
}

#[derive(Template)]
#[template(path = "mail.txt")]
struct Text<'a> {
    letter: &'a Letter,
}

#[derive(Template)]
#[template(path = "mail.html")]
struct Html<'a> {
    letter: &'a Letter,
}

/// The templates are compiled, so that this never happens.
#[derive(Debug, thiserror::Error)]
#[error("the template can't be filled in")]
pub struct LetterError(#[from] askama::Error);

impl Letter {
    /// The mail with this letter. `id` and `at` are those of what it tells of: sent twice, it is the
    /// same mail.
    pub fn into_mail(self, id: Uuid, to: Email, at: DateTime<Utc>) -> Result<Mail, LetterError> {
        Ok(Mail {
            id,
            to,
            text: self.text()?,
            html: self.html()?,
            subject: self.subject.into_owned(),
            token: self.action.map(|action| action.token),
            at,
        })
    }

    fn text(&self) -> Result<String, askama::Error> {
        Text { letter: self }.render()
    }

    fn html(&self) -> Result<String, askama::Error> {
        Html { letter: self }.render()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(name: Option<&str>) -> Letter {
        Letter {
            subject: "Subject".into(),
            name: name.map(str::to_owned),
            paragraphs: vec!["First & last.".to_owned(), "Second.".to_owned()],
            action: Some(Action {
                instruction: "Do it here:".to_owned(),
                label: "Do it",
                link: "https://shop.example/do#token=abc".to_owned(),
                token: "abc".to_owned(),
            }),
            otherwise: "Otherwise don't.".to_owned(),
            site: "https://shop.example".to_owned(),
        }
    }

    #[test]
    fn the_text_is_laid_out_in_paragraphs() {
        let expected = "\
Hello Ada,

First & last.

Second.

Do it here:

https://shop.example/do#token=abc

Or do it by hand, with this token:

abc

Otherwise don't.

-- 
Plumbline, https://shop.example
A program wrote this mail: nobody reads answers to it.";
        assert_eq!(letter(Some("Ada")).text().unwrap(), expected);
        let mut nameless = letter(None);
        nameless.action = None;
        let text = nameless.text().unwrap();
        assert!(text.starts_with("Hello,\n\nFirst"), "{text}");
        assert!(text.contains("Second.\n\nOtherwise"), "{text}");
    }

    #[test]
    fn a_name_is_never_markup() {
        let html = letter(Some("<img src=//evil> \"Ada\"")).html().unwrap();
        assert!(!html.contains("<img"), "{html}");
        assert!(html.contains("&#60;img src=//evil&#62;"), "{html}");
        assert!(html.contains("First &#38; last."), "{html}");
        assert!(html.contains("href=\"https://shop.example/do#token=abc\""));
    }

    #[test]
    fn the_html_loads_nothing_and_reads_on_dark_ground() {
        let html = letter(Some("Ada")).html().unwrap();
        for remote in ["src=", "url(", "@import", "<link", "<script"] {
            assert!(!html.contains(remote), "{remote}");
        }
        assert!(html.contains("color-scheme: light dark"));
        assert!(!html.contains("background"));
    }
}
