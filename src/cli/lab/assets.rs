//! The files of the page, inside the binary.

use include_dir::{Dir, include_dir};

static PAGE: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/src/lab/page");

/// A file of the page.
#[derive(Debug)]
pub(super) struct Asset {
    /// Its bytes.
    pub bytes: &'static [u8],
    /// Its media type.
    pub media_type: &'static str,
}

/// The file at a path of a URL; `None` if there is none.
pub(super) fn at(path: &str) -> Option<Asset> {
    let path = path.trim_start_matches('/');
    let path = if path.is_empty() { "index.html" } else { path };
    if path == "carrier.json" {
        // The static site has a file of this name that says "wasm".
        return Some(Asset { bytes: br#"{"carrier":"server"}"#, media_type: "application/json" });
    }
    let file = PAGE.get_file(path)?;
    let ending = path.rsplit('.').next().unwrap_or("");
    let media_type = match ending {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        _ => return None,
    };
    Some(Asset { bytes: file.contents(), media_type })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_there_and_nothing_outside_it() {
        assert!(at("/").expect("the page").media_type.starts_with("text/html"));
        assert!(at("/index.html").is_some());
        assert!(at("/../mod.rs").is_none());
        assert!(at("/nothing.js").is_none());
    }

    #[test]
    fn the_page_asks_nobody_else() {
        for file in PAGE.files() {
            let name = file.path().display();
            let text = file.contents_utf8().unwrap_or("");
            let addresses = text.match_indices("http").filter(|(at, _)| {
                let rest = &text[*at..];
                // The name of a namespace is no address.
                (rest.starts_with("http://") || rest.starts_with("https://"))
                    && !rest.starts_with("http://www.w3.org/")
            });
            assert_eq!(addresses.count(), 0, "{name} names another machine");
        }
    }
}
