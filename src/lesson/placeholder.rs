//! `{name}` in a text: where it stands, and the text with numbers in its place.
//!
//! A name begins with a small letter and goes on with small letters, digits and `_`. Other braces are left alone, so that
//! `struct{}` can be written as it is.

use std::ops::Range;

/// Every placeholder of `text`: its place, braces and all, and its name.
pub(super) fn placeholders(text: &str) -> Vec<(Range<usize>, &str)> {
    let mut found = Vec::new();
    for (start, _) in text.match_indices('{') {
        let inside = &text[start + 1..];
        let Some(end) = inside.find(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit() && c != '_')
        else {
            continue;
        };
        let name = &inside[..end];
        if inside[end..].starts_with('}') && name.starts_with(|c: char| c.is_ascii_lowercase()) {
            found.push((start..start + end + 2, name));
        }
    }
    found
}

/// `text` with `value(name)` for each placeholder.
pub(super) fn filled(text: &str, value: impl Fn(&str) -> String) -> String {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (place, name) in placeholders(text) {
        out.push_str(&text[done..place.start]);
        out.push_str(&value(name));
        done = place.end;
    }
    out.push_str(&text[done..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_braces_are_placeholders_and_other_braces_are_not() {
        let text = "从 {full} 到 {rss_2}: struct{} {} {x y} T{1} {Big}";
        let names: Vec<&str> = placeholders(text).into_iter().map(|(_, name)| name).collect();
        assert_eq!(names, ["full", "rss_2"]);
        assert_eq!(filled("a {b} c {d}", |name| name.to_uppercase()), "a B c D");
        assert_eq!(filled("{b", |_| panic!("no placeholder")), "{b");
    }
}
