//! The languages that lessons are written in, and the words around a lesson in each.

use serde::Serialize;

/// A language of lessons.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Language {
    /// English.
    #[default]
    #[serde(rename = "en")]
    English,
    /// Chinese in simplified characters.
    #[serde(rename = "zh")]
    Chinese,
}

impl Language {
    /// Every language, the first being the one that the others are compared with.
    pub const ALL: [Language; 2] = [Language::English, Language::Chinese];

    /// `en` or `zh`: what stands in a file's name.
    pub fn code(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::Chinese => "zh",
        }
    }

    /// The language of a code.
    pub fn of_code(code: &str) -> Option<Language> {
        Language::ALL.into_iter().find(|language| language.code() == code)
    }

    /// The words around a lesson.
    pub fn headings(self) -> &'static Headings {
        match self {
            Language::English => &ENGLISH,
            Language::Chinese => &CHINESE,
        }
    }
}

/// The words around a lesson. `{answer}` stands for the right answer, `{number}` and `{title}` for the
/// lesson's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "each is the heading of the part of that name")]
pub struct Headings {
    pub lesson: &'static str,
    pub lessons: &'static str,
    pub question: &'static str,
    pub setup: &'static str,
    pub predict: &'static str,
    pub your_answer: &'static str,
    pub run: &'static str,
    pub right: &'static str,
    pub wrong: &'static str,
    pub unanswered: &'static str,
    pub reveal: &'static str,
    pub numbers: &'static str,
    pub why: &'static str,
    pub production: &'static str,
    pub try_it: &'static str,
    pub sources: &'static str,
}

const ENGLISH: Headings = Headings {
    lesson: "Lesson {number}: {title}",
    lessons: "Lessons",
    question: "Question",
    setup: "The program",
    predict: "Your prediction",
    your_answer: "Your answer",
    run: "Run",
    right: "Right: {answer}.",
    wrong: "Not quite. In this run: {answer}.",
    unanswered: "In this run: {answer}.",
    reveal: "What happened",
    numbers: "The numbers",
    why: "Why",
    production: "In production",
    try_it: "Try it in Go",
    sources: "Read on",
};

const CHINESE: Headings = Headings {
    lesson: "第 {number} 课：{title}",
    lessons: "课程",
    question: "问题",
    setup: "程序",
    predict: "先猜一猜",
    your_answer: "你的答案",
    run: "运行",
    right: "猜对了：{answer}。",
    wrong: "不对。这次运行的结果是：{answer}。",
    unanswered: "这次运行的结果是：{answer}。",
    reveal: "结果",
    numbers: "数字",
    why: "为什么",
    production: "线上怎么做",
    try_it: "用真实的 Go 验证",
    sources: "延伸阅读",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_a_code_of_its_own() {
        for language in Language::ALL {
            assert_eq!(Language::of_code(language.code()), Some(language));
        }
        assert_eq!(Language::of_code("fr"), None);
    }

    #[test]
    fn the_right_answer_has_a_place_in_every_verdict() {
        for headings in Language::ALL.map(Language::headings) {
            for text in [headings.right, headings.wrong, headings.unanswered] {
                assert!(text.contains("{answer}"), "{text}");
            }
        }
    }
}
