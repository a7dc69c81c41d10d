// The scenario that the reader is writing: Run and Step show the same one.

/** `{name, text}`; the text is null until something is changed. */
let draft = { name: null, text: null };

/** Remembers what is being written; `null` forgets it. */
export function keepDraft(name, text) {
  draft = { name, text };
}

/** What an address without a scenario stands for: the draft, if there is one, else `name` as it is shipped. */
export function draftOr(name) {
  return draft.text === null ? { name, text: null } : { ...draft };
}
