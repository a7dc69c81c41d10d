// The editor of a scenario: line numbers, and mistakes underlined where they are.

import { element } from './dom.js';
import { word } from './words.js';

export class Editor {
  /** Fills `box`, a `details` element, and the list of mistakes. `changed(text)` is called while the reader writes. */
  constructor(box, list, changed) {
    this.box = box;
    this.list = list;
    this.area = element('textarea', { class: 'toml', spellcheck: 'false', autocomplete: 'off', autocapitalize: 'off', wrap: 'off', 'data-label': 'program', 'aria-describedby': list.id });
    this.gutter = element('pre', { class: 'gutter', 'aria-hidden': 'true' });
    this.backdrop = element('pre', { class: 'backdrop', 'aria-hidden': 'true' });
    this.mistakes = [];
    box.querySelector('summary').after(element('div', { class: 'editor' }, this.gutter, element('div', { class: 'editor-text' }, this.backdrop, this.area)));
    this.area.addEventListener('input', () => {
      this.mark([]);
      changed(this.area.value);
    });
    this.area.addEventListener('scroll', () => this.follow());
    this.area.addEventListener('keydown', (event) => this.indent(event));
  }

  get text() {
    return this.area.value;
  }

  /** Shows another text, unless the reader is writing this very one. */
  set text(text) {
    if (this.area.value !== text) this.area.value = text;
    this.mark([]);
  }

  /** Tab would leave the field, as it should; two spaces are what the scenarios are indented with. */
  indent(event) {
    if (event.key !== 'Enter' || event.ctrlKey || event.metaKey) return;
    const { value, selectionStart: at } = this.area;
    const line = value.slice(value.lastIndexOf('\n', at - 1) + 1, at);
    const spaces = line.match(/^ */)[0];
    if (!spaces) return;
    event.preventDefault();
    this.area.setRangeText(`\n${spaces}`, at, this.area.selectionEnd, 'end');
    this.area.dispatchEvent(new Event('input'));
  }

  /** Underlines mistakes and lists them; an empty list clears both. */
  mark(mistakes, message = '') {
    this.mistakes = mistakes;
    const wrong = new Set(mistakes.map((mistake) => mistake.line));
    const count = this.area.value.split('\n').length;
    this.gutter.replaceChildren(
      ...Array.from({ length: count }, (_, index) =>
        element('span', { class: wrong.has(index + 1) ? 'wrong' : null }, `${wrong.has(index + 1) ? '▸ ' : ''}${index + 1}\n`)),
    );
    this.backdrop.replaceChildren(...this.underlined());
    this.area.setAttribute('aria-invalid', String(mistakes.length > 0));
    this.list.replaceChildren(...(mistakes.length ? this.listed(message) : []));
    this.follow();
  }

  underlined() {
    const { value } = this.area;
    const nodes = [];
    let at = 0;
    for (const { start, end } of this.mistakes) {
      if (start < at) continue;
      // What is missing at the end of a line or of the file still needs a place to stand.
      const last = Math.max(Math.min(end, lineEnd(value, start)), start + 1);
      nodes.push(value.slice(at, start), element('mark', {}, value.slice(start, last).replace('\n', ' \n') || ' '));
      at = last;
    }
    nodes.push(`${value.slice(at)}\n`);
    return nodes;
  }

  listed(message) {
    const item = (mistake) =>
      element('li', {},
        element('button', { type: 'button', class: 'link', onclick: () => this.go(mistake) }, word('line_column', mistake)),
        element('span', { class: 'what' }, ` ${mistake.message}`),
        mistake.accepted ? element('span', { class: 'accepted' }, word('accepted', { what: mistake.accepted })) : null);
    return [element('p', { class: 'mistakes-title' }, word('mistakes_found', { count: message })), element('ol', {}, ...this.mistakes.map(item))];
  }

  /** Puts the caret on a mistake. */
  go({ start, end, line }) {
    this.box.open = true;
    this.area.focus();
    this.area.setSelectionRange(start, Math.max(end, start));
    const height = parseFloat(getComputedStyle(this.area).lineHeight);
    this.area.scrollTop = Math.max(0, (line - 4) * height);
    this.follow();
  }

  follow() {
    this.backdrop.scrollTop = this.area.scrollTop;
    this.backdrop.scrollLeft = this.area.scrollLeft;
    this.gutter.scrollTop = this.area.scrollTop;
  }
}

function lineEnd(text, at) {
  const newline = text.indexOf('\n', at);
  return newline < 0 ? text.length : newline;
}
