//! The gallery's page: every picture with its scenario and what it shows, as Markdown.

use std::fmt::Write;

use super::list::{List, Section};

/// Widest line.
const WIDTH: usize = 120;

/// The page; `sims` is the way from the gallery to the scenarios. `files` has the file of each picture, in order.
pub(super) fn page(list: &List, sims: &str, files: &[String]) -> String {
    let mut text = format!("# Gallery\n\n{}\n", wrapped(&list.intro));
    let mut files = files.iter();
    for section in &list.section {
        let _ = write!(text, "\n## {}\n", section.title);
        pictures(&mut text, section, sims, &mut files);
    }
    text
}

fn pictures<'f>(
    text: &mut String,
    section: &Section,
    sims: &str,
    files: &mut impl Iterator<Item = &'f String>,
) {
    let mut shown = "";
    for (entry, file) in section.picture.iter().zip(files) {
        // A scenario is named once, however many pictures of it stand together.
        if entry.sim != shown {
            let _ = write!(text, "\n[{0}]({sims}/{0}.toml)\n", entry.sim);
            shown = &entry.sim;
        }
        if !entry.text.is_empty() {
            let _ = write!(text, "\n{}\n", wrapped(&entry.text));
        }
        let image = format!("![{}]({file})", escaped(&entry.alt));
        let _ = write!(text, "\n{}\n", wrapped(&image));
    }
}

/// Brackets would end the words of a picture.
fn escaped(alt: &str) -> String {
    alt.replace('[', "\\[").replace(']', "\\]")
}

/// The words in lines.
fn wrapped(words: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for word in words.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_picture_stands_under_its_scenario_with_its_words() {
        let list: List = toml::from_str(
            "intro = \"Look.\"\n[[section]]\ntitle = \"Maps\"\n[[section.picture]]\nsim = \"a\"\nalt = \"one [1]\"\n\
             [[section.picture]]\nsim = \"a\"\nalt = \"two\"\ntext = \"Again:\"\n",
        )
        .unwrap();
        let page = page(&list, "../sims", &["a.png".to_owned(), "b.svg".to_owned()]);
        assert_eq!(
            page,
            "# Gallery\n\nLook.\n\n## Maps\n\n[a](../sims/a.toml)\n\n![one \\[1\\]](a.png)\n\nAgain:\n\n![two](b.svg)\n"
        );
        assert!(wrapped(&"word ".repeat(99)).lines().all(|line| line.len() <= WIDTH));
    }
}
