//! Which media type an answer has (GraphQL over HTTP, §4; RFC 9110, §12.5.1).

/// The media types that the endpoint answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaType {
    /// `application/graphql-response+json`: the HTTP status says how the request went.
    GraphqlResponse,
    /// `application/json`: 200 for every well-formed GraphQL answer, as older clients expect.
    Json,
}

impl MediaType {
    /// The value of `Content-Type`.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        }
    }
}

/// Chooses by the `Accept` header, the newer type first; `None` when it admits neither. Without the
/// header, and where only a wildcard admits it, the answer is `application/json`.
#[must_use]
pub fn negotiate(accept: Option<&str>) -> Option<MediaType> {
    let Some(accept) = accept.filter(|accept| !accept.trim().is_empty()) else {
        return Some(MediaType::Json);
    };
    let modern = quality(accept, "application/graphql-response+json");
    let classic = quality(accept, "application/json");
    let modern_is_named = modern.specificity == Specificity::Exact;
    match (modern.thousandths, classic.thousandths) {
        (0, 0) => None,
        (0, _) => Some(MediaType::Json),
        (_, 0) => Some(MediaType::GraphqlResponse),
        (modern, classic) if modern_is_named && modern >= classic => {
            Some(MediaType::GraphqlResponse)
        }
        _ => Some(MediaType::Json),
    }
}

/// Whether a browser asks for a page: it prefers HTML to what the endpoint answers with.
#[must_use]
pub fn prefers_html(accept: Option<&str>) -> bool {
    let accept = accept.unwrap_or_default();
    let html = quality(accept, "text/html");
    html.specificity == Specificity::Exact
        && html.thousandths > quality(accept, "application/graphql-response+json").thousandths
        && html.thousandths > quality(accept, "application/json").thousandths
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Specificity {
    None,
    Any,
    Type,
    Exact,
}

#[derive(Debug, Clone, Copy)]
struct Quality {
    specificity: Specificity,
    /// The `q` value times 1,000; 0 is "not acceptable".
    thousandths: u16,
}

/// The quality of `media_type` by the most specific range that matches it.
fn quality(accept: &str, media_type: &str) -> Quality {
    let mut best = Quality {
        specificity: Specificity::None,
        thousandths: 0,
    };
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let specificity = specificity(parts.next().unwrap_or_default(), media_type);
        if specificity > best.specificity {
            best = Quality {
                specificity,
                thousandths: parts.find_map(weight).unwrap_or(1000),
            };
        }
    }
    best
}

fn specificity(range: &str, media_type: &str) -> Specificity {
    let general = media_type.split('/').next().unwrap_or_default();
    match range.split_once('/') {
        _ if range.eq_ignore_ascii_case(media_type) => Specificity::Exact,
        Some(("*", "*")) => Specificity::Any,
        Some((range, "*")) if range.eq_ignore_ascii_case(general) => Specificity::Type,
        _ => Specificity::None,
    }
}

/// A `q=0.5` parameter in thousandths; malformed ones count as 0.
fn weight(parameter: &str) -> Option<u16> {
    let (name, value) = parameter.split_once('=')?;
    if !name.trim().eq_ignore_ascii_case("q") {
        return None;
    }
    let (whole, fraction) = value.trim().split_once('.').unwrap_or((value.trim(), ""));
    let fraction_is_valid = fraction.len() <= 3 && fraction.bytes().all(|b| b.is_ascii_digit());
    match (whole, format!("{fraction:0<3}").parse::<u16>()) {
        ("0", Ok(thousandths)) if fraction_is_valid => Some(thousandths),
        ("1", Ok(0)) if fraction_is_valid => Some(1000),
        _ => Some(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use MediaType::{GraphqlResponse, Json};

    #[test]
    fn the_accept_header_decides() {
        for (accept, expected) in [
            (None, Some(Json)),
            (Some(""), Some(Json)),
            (Some("*/*"), Some(Json)),
            (Some("application/*"), Some(Json)),
            (Some("application/json"), Some(Json)),
            (
                Some("application/graphql-response+json"),
                Some(GraphqlResponse),
            ),
            (
                Some("APPLICATION/GraphQL-Response+JSON; charset=utf-8"),
                Some(GraphqlResponse),
            ),
            (
                Some("application/graphql-response+json, application/json;q=0.9"),
                Some(GraphqlResponse),
            ),
            (
                Some("application/json, application/graphql-response+json"),
                Some(GraphqlResponse),
            ),
            (
                Some("application/graphql-response+json;q=0.5, application/json"),
                Some(Json),
            ),
            (Some("application/json;q=0, */*"), Some(GraphqlResponse)),
            (Some("application/json;q=0"), None),
            (Some("application/json;q=bad"), None),
            (Some("text/html"), None),
            (Some("text/*, image/png"), None),
        ] {
            assert_eq!(negotiate(accept), expected, "{accept:?}");
        }
    }

    #[test]
    fn browsers_get_a_page_and_programs_do_not() {
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        assert!(prefers_html(Some(browser)));
        for accept in [
            None,
            Some("*/*"),
            Some("application/json"),
            Some("text/html;q=0.1, */*"),
        ] {
            assert!(!prefers_html(accept), "{accept:?}");
        }
    }
}
