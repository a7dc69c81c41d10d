//! The lessons inside the binary. A test compares this list with the folder `lessons/`.

use std::sync::LazyLock;

use super::{Files, Lesson};

/// A lesson's files: the one without words, then the words in the order of [`super::Language::ALL`].
type Shipped = [(&'static str, &'static str); 3];

#[rustfmt::skip]
const LESSONS: [Shipped; 17] = [
    [
        ("lessons/01-delete-every-key.toml", include_str!("../../lessons/01-delete-every-key.toml")),
        ("lessons/01-delete-every-key.en.toml", include_str!("../../lessons/01-delete-every-key.en.toml")),
        ("lessons/01-delete-every-key.zh.toml", include_str!("../../lessons/01-delete-every-key.zh.toml")),
    ],
    [
        ("lessons/02-set-the-map-to-nil.toml", include_str!("../../lessons/02-set-the-map-to-nil.toml")),
        ("lessons/02-set-the-map-to-nil.en.toml", include_str!("../../lessons/02-set-the-map-to-nil.en.toml")),
        ("lessons/02-set-the-map-to-nil.zh.toml", include_str!("../../lessons/02-set-the-map-to-nil.zh.toml")),
    ],
    [
        ("lessons/03-values-or-pointers.toml", include_str!("../../lessons/03-values-or-pointers.toml")),
        ("lessons/03-values-or-pointers.en.toml", include_str!("../../lessons/03-values-or-pointers.en.toml")),
        ("lessons/03-values-or-pointers.zh.toml", include_str!("../../lessons/03-values-or-pointers.zh.toml")),
    ],
    [
        ("lessons/04-rebuild-after-a-peak.toml", include_str!("../../lessons/04-rebuild-after-a-peak.toml")),
        ("lessons/04-rebuild-after-a-peak.en.toml", include_str!("../../lessons/04-rebuild-after-a-peak.en.toml")),
        ("lessons/04-rebuild-after-a-peak.zh.toml", include_str!("../../lessons/04-rebuild-after-a-peak.zh.toml")),
    ],
    [
        ("lessons/05-grow-without-a-hint.toml", include_str!("../../lessons/05-grow-without-a-hint.toml")),
        ("lessons/05-grow-without-a-hint.en.toml", include_str!("../../lessons/05-grow-without-a-hint.en.toml")),
        ("lessons/05-grow-without-a-hint.zh.toml", include_str!("../../lessons/05-grow-without-a-hint.zh.toml")),
    ],
    [
        ("lessons/06-rss-after-a-spike.toml", include_str!("../../lessons/06-rss-after-a-spike.toml")),
        ("lessons/06-rss-after-a-spike.en.toml", include_str!("../../lessons/06-rss-after-a-spike.en.toml")),
        ("lessons/06-rss-after-a-spike.zh.toml", include_str!("../../lessons/06-rss-after-a-spike.zh.toml")),
    ],
    [
        ("lessons/07-madv-free.toml", include_str!("../../lessons/07-madv-free.toml")),
        ("lessons/07-madv-free.en.toml", include_str!("../../lessons/07-madv-free.en.toml")),
        ("lessons/07-madv-free.zh.toml", include_str!("../../lessons/07-madv-free.zh.toml")),
    ],
    [
        ("lessons/08-what-gogc-trades.toml", include_str!("../../lessons/08-what-gogc-trades.toml")),
        ("lessons/08-what-gogc-trades.en.toml", include_str!("../../lessons/08-what-gogc-trades.en.toml")),
        ("lessons/08-what-gogc-trades.zh.toml", include_str!("../../lessons/08-what-gogc-trades.zh.toml")),
    ],
    [
        ("lessons/09-killed-at-half-full.toml", include_str!("../../lessons/09-killed-at-half-full.toml")),
        ("lessons/09-killed-at-half-full.en.toml", include_str!("../../lessons/09-killed-at-half-full.en.toml")),
        ("lessons/09-killed-at-half-full.zh.toml", include_str!("../../lessons/09-killed-at-half-full.zh.toml")),
    ],
    [
        ("lessons/10-the-death-spiral.toml", include_str!("../../lessons/10-the-death-spiral.toml")),
        ("lessons/10-the-death-spiral.en.toml", include_str!("../../lessons/10-the-death-spiral.en.toml")),
        ("lessons/10-the-death-spiral.zh.toml", include_str!("../../lessons/10-the-death-spiral.zh.toml")),
    ],
    [
        ("lessons/11-sync-map-deletes.toml", include_str!("../../lessons/11-sync-map-deletes.toml")),
        ("lessons/11-sync-map-deletes.en.toml", include_str!("../../lessons/11-sync-map-deletes.en.toml")),
        ("lessons/11-sync-map-deletes.zh.toml", include_str!("../../lessons/11-sync-map-deletes.zh.toml")),
    ],
    [
        ("lessons/12-a-pool-that-swells.toml", include_str!("../../lessons/12-a-pool-that-swells.toml")),
        ("lessons/12-a-pool-that-swells.en.toml", include_str!("../../lessons/12-a-pool-that-swells.en.toml")),
        ("lessons/12-a-pool-that-swells.zh.toml", include_str!("../../lessons/12-a-pool-that-swells.zh.toml")),
    ],
    [
        ("lessons/13-a-slice-pins-an-array.toml", include_str!("../../lessons/13-a-slice-pins-an-array.toml")),
        ("lessons/13-a-slice-pins-an-array.en.toml", include_str!("../../lessons/13-a-slice-pins-an-array.en.toml")),
        ("lessons/13-a-slice-pins-an-array.zh.toml", include_str!("../../lessons/13-a-slice-pins-an-array.zh.toml")),
    ],
    [
        ("lessons/14-finalizers-take-two-cycles.toml", include_str!("../../lessons/14-finalizers-take-two-cycles.toml")),
        ("lessons/14-finalizers-take-two-cycles.en.toml", include_str!("../../lessons/14-finalizers-take-two-cycles.en.toml")),
        ("lessons/14-finalizers-take-two-cycles.zh.toml", include_str!("../../lessons/14-finalizers-take-two-cycles.zh.toml")),
    ],
    [
        ("lessons/15-pprof-says-2-top-says-7.toml", include_str!("../../lessons/15-pprof-says-2-top-says-7.toml")),
        ("lessons/15-pprof-says-2-top-says-7.en.toml", include_str!("../../lessons/15-pprof-says-2-top-says-7.en.toml")),
        ("lessons/15-pprof-says-2-top-says-7.zh.toml", include_str!("../../lessons/15-pprof-says-2-top-says-7.zh.toml")),
    ],
    [
        ("lessons/16-is-it-a-leak.toml", include_str!("../../lessons/16-is-it-a-leak.toml")),
        ("lessons/16-is-it-a-leak.en.toml", include_str!("../../lessons/16-is-it-a-leak.en.toml")),
        ("lessons/16-is-it-a-leak.zh.toml", include_str!("../../lessons/16-is-it-a-leak.zh.toml")),
    ],
    [
        ("lessons/17-a-returned-pointer.toml", include_str!("../../lessons/17-a-returned-pointer.toml")),
        ("lessons/17-a-returned-pointer.en.toml", include_str!("../../lessons/17-a-returned-pointer.en.toml")),
        ("lessons/17-a-returned-pointer.zh.toml", include_str!("../../lessons/17-a-returned-pointer.zh.toml")),
    ],
];

/// Scenarios by their paths relative to `lessons/`.
const SCENARIOS: [(&str, &str); 17] = [
    ("../sims/delete-million.toml", include_str!("../../sims/delete-million.toml")),
    ("sims/values-or-pointers.toml", include_str!("../../lessons/sims/values-or-pointers.toml")),
    ("../sims/rebuild-map.toml", include_str!("../../sims/rebuild-map.toml")),
    ("../sims/grow-without-hint.toml", include_str!("../../sims/grow-without-hint.toml")),
    ("../sims/spike-and-idle.toml", include_str!("../../sims/spike-and-idle.toml")),
    ("../sims/madv-free.toml", include_str!("../../sims/madv-free.toml")),
    ("sims/steady-tree.toml", include_str!("../../lessons/sims/steady-tree.toml")),
    ("../sims/container-oom.toml", include_str!("../../sims/container-oom.toml")),
    ("sims/near-the-limit.toml", include_str!("../../lessons/sims/near-the-limit.toml")),
    ("../sims/sync-map-delete.toml", include_str!("../../sims/sync-map-delete.toml")),
    ("../sims/oversized-pool-buffers.toml", include_str!("../../sims/oversized-pool-buffers.toml")),
    ("../sims/slice-pins-array.toml", include_str!("../../sims/slice-pins-array.toml")),
    ("../sims/finalizer-two-cycles.toml", include_str!("../../sims/finalizer-two-cycles.toml")),
    ("sims/live-and-resident.toml", include_str!("../../lessons/sims/live-and-resident.toml")),
    ("../sims/leak-or-retained.toml", include_str!("../../sims/leak-or-retained.toml")),
    ("sims/orders-by-pointer.toml", include_str!("../../lessons/sims/orders-by-pointer.toml")),
    ("../sims/returned-pointer.toml", include_str!("../../sims/returned-pointer.toml")),
];

/// The lessons inside the binary, in the teaching order.
pub fn all() -> &'static [Lesson] {
    static ALL: LazyLock<Vec<Lesson>> = LazyLock::new(|| LESSONS.iter().map(parse).collect());
    &ALL
}

fn parse([plan, words @ ..]: &Shipped) -> Lesson {
    let files = Files { name: plan.0, plan: plan.1, words: *words };
    Lesson::parse(&files, &scenario_text).unwrap_or_else(|mistakes| {
        let list =
            mistakes.files.iter().flat_map(|file| file.list.iter().map(|mistake| (&file.name, mistake)));
        panic!("a lesson inside the binary has mistakes: {:#?}", list.collect::<Vec<_>>())
    })
}

fn scenario_text(file: &str) -> Result<String, String> {
    let found = SCENARIOS.iter().find(|(name, _)| *name == file);
    found.map(|(_, text)| (*text).to_owned()).ok_or_else(|| format!("{file} is not inside the binary"))
}
