//! The command line as a reader can type it again.

/// The words of this process's command line, quoted where a shell needs it; the program by its name alone.
pub(super) fn as_typed(words: impl Iterator<Item = String>) -> String {
    let quoted = |word: String| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./,=:~+%".contains(c);
        if !word.is_empty() && word.chars().all(is_plain) {
            word
        } else {
            format!("'{}'", word.replace('\'', "'\\''"))
        }
    };
    let rest: Vec<String> = words.skip(1).map(quoted).collect();
    format!("gclab {}", rest.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_a_shell() {
        let words =
            ["target/gclab", "validate", "a b.toml", "--go", "/usr/local/go/bin/go"].map(str::to_owned);
        assert_eq!(as_typed(words.into_iter()), "gclab validate 'a b.toml' --go /usr/local/go/bin/go");
    }
}
