// The view that steps: a small heap after each event, with the grey queue, the map's slots, the pages and the pacer's bar.

import { ask } from './carrier.js';
import { byId, drawn, element } from './dom.js';
import { draftOr, keepDraft } from './draft.js';
import { Editor } from './editor.js';
import { count, size } from './format.js';
import { layOut } from './graph.js';
import { pack, unpack } from './place.js';
import { spoken, word } from './words.js';

const GOGC = ['', '1', '2', '5', '10', '50', '100', '200', 'off'];
const VERSIONS = ['', '1.21', '1.23', '1.24', '1.25', '1.27'];
/** Milliseconds between two events while it plays. */
const BEAT = 700;
/** Milliseconds after the last letter before an edited scenario is carried out. */
const TYPING_PAUSE = 250;

export class StepView {
  /** `programs` are made for stepping; `scenarios` are shown small. */
  constructor(programs, scenarios, moved) {
    this.programs = programs;
    this.scenarios = scenarios;
    this.moved = moved;
    this.state = { name: programs[0].name, text: null, settings: {}, at: 0 };
    this.cache = new Map();
    this.build();
    document.addEventListener('keydown', (event) => this.key(event));
  }

  build() {
    const button = (id, label, text, act) => element('button', { type: 'button', id, 'data-label': label, onclick: act }, text);
    const field = (label, control) => element('label', { class: 'field' }, element('span', { 'data-word': label }), control);
    this.select = element('select', { id: 'step-program', onchange: () => this.choose(this.select.value) });
    const options = (list) => list.map(({ name, title }) => element('option', { value: name }, title));
    this.select.append(
      element('optgroup', { 'data-word-label': 'step_made' }, ...options(this.programs)),
      element('optgroup', { 'data-word-label': 'step_small' }, ...options(this.scenarios)));
    this.go = element('select', { id: 'step-go', onchange: () => this.setting('go', this.go.value) });
    this.go.append(...VERSIONS.map((version) => element('option', { value: version }, version ? `Go ${version}` : '–')));
    this.gogc = element('select', { id: 'step-gogc', onchange: () => this.setting('gogc', this.gogc.value) });
    this.gogc.append(...GOGC.map((percent) => element('option', { value: percent }, percent || '–')));
    this.slider = element('input', { id: 'step-at', type: 'range', min: 0, value: 0, 'data-label': 'step_position' });
    this.slider.addEventListener('input', () => this.moveTo(Number(this.slider.value)));
    this.counter = element('p', { class: 'counter', id: 'step-counter' });
    this.sentence = element('p', { class: 'sentence', id: 'step-sentence', 'aria-live': 'polite' });
    this.play = button('step-play', 'step_play', icon('play'), () => this.togglePlay());
    this.title = element('p', { class: 'eyebrow' });
    this.question = element('h1', {});
    this.lead = element('p', { class: 'facts' });
    this.heap = element('div', { class: 'heap-picture', id: 'heap' });
    this.queue = element('ol', { class: 'queue', id: 'grey-queue' });
    this.maps = element('div', { class: 'maps', id: 'maps' });
    this.pages = element('div', { class: 'pages', id: 'pages' });
    this.pacer = element('div', { class: 'pacer', id: 'pacer' });
    this.list = element('ol', { class: 'events', id: 'events' });
    this.box = element('details', { class: 'panel program', id: 'step-program-text' }, element('summary', { 'data-word': 'program' }),
      element('div', { class: 'row' }, button('step-restore', 'restore', word('restore'), () => this.restore())));
    this.mistakes = element('div', { id: 'step-mistakes', class: 'mistakes', role: 'alert' });
    this.told = element('p', {});
    const section = (label, ...children) => element('section', { class: 'panel' }, element('h2', { 'data-word': label }), ...children);
    byId('view-step').replaceChildren(
      element('div', { class: 'question' }, this.title, this.question, this.lead),
      element('div', { class: 'panel transport', role: 'group', 'data-label': 'step_transport' },
        element('div', { class: 'buttons' },
          button('step-first', 'step_first', icon('first'), () => this.moveTo(0)),
          button('step-back', 'step_back', icon('back'), () => this.moveTo(this.state.at - 1)),
          this.play,
          button('step-forward', 'step_forward', icon('forward'), () => this.moveTo(this.state.at + 1)),
          button('step-last', 'step_last', icon('last'), () => this.moveTo(Infinity)),
          this.counter),
        this.slider, this.sentence),
      element('div', { class: 'step-grid' },
        element('div', { class: 'step-main' },
          element('figure', { class: 'panel' }, element('h2', { 'data-word': 'step_heap' }), this.heap, this.colorLegend(),
            element('div', { class: 'queue-row' }, element('h3', { 'data-word': 'step_queue' }), this.queue)),
          section('step_maps', this.maps)),
        element('aside', { class: 'step-side' },
          element('section', { class: 'panel controls' }, field('step_program', this.select), element('div', { class: 'pair' }, field('go_version', this.go), field('step_gogc', this.gogc))),
          section('step_pacer', this.pacer),
          section('step_pages', this.pages),
          element('section', { class: 'panel' }, element('h2', { 'data-word': 'step_events' }), this.list),
          element('details', { class: 'panel answer' }, element('summary', { 'data-word': 'answer' }), this.told),
          this.mistakes,
          this.box)),
    );
    this.editor = new Editor(this.box, this.mistakes, (text) => this.edited(text));
  }

  shippedText() {
    return [...this.programs, ...this.scenarios].find(({ name }) => name === this.state.name)?.text ?? '';
  }

  edited(text) {
    this.state.text = text === this.shippedText() ? null : text;
    keepDraft(this.state.name, this.state.text);
    clearTimeout(this.typing);
    this.typing = setTimeout(() => this.load(), TYPING_PAUSE);
  }

  restore() {
    this.state.text = null;
    keepDraft(null, null);
    this.editor.text = this.shippedText();
    this.load();
  }

  colorLegend() {
    const item = (color, key) => element('li', {}, element('span', { class: 'swatch-box' }, circle(color)), element('span', { 'data-word': key }));
    return element('ul', { class: 'legend' }, item('resting', 'color_resting'), item('white', 'color_white'), item('grey', 'color_grey'), item('black', 'color_black'), item('dead', 'color_dead'));
  }

  // ---- the address ----

  async place() {
    const { name, text, settings, at } = this.state;
    return { s: name, e: at, ...settings, toml: text === null ? null : await pack(text) };
  }

  async open(params) {
    const [first] = this.programs;
    let { name, text } = { name: params.get('s'), text: params.get('toml') ? await unpack(params.get('toml')) : null };
    if (name === null) ({ name, text } = draftOr(first.name));
    if (text === null && ![...this.programs, ...this.scenarios].some((one) => one.name === name)) ({ name } = first);
    const settings = Object.fromEntries(['go', 'gogc'].filter((key) => params.get(key)).map((key) => [key, params.get(key)]));
    this.state = { name, text, settings, at: Math.max(0, Number(params.get('e')) || 0) };
    keepDraft(name, text);
    this.editor.text = text ?? this.shippedText();
    if (text !== null) this.box.open = true;
    await this.load();
  }

  // ---- moving ----

  choose(name) {
    this.state = { name, text: null, settings: {}, at: 0 };
    keepDraft(null, null);
    this.editor.text = this.shippedText();
    this.load();
  }

  setting(key, value) {
    if (value) this.state.settings[key] = value;
    else delete this.state.settings[key];
    this.load();
  }

  moveTo(at) {
    if (!this.answer) return;
    const last = this.answer.events.length - 1;
    this.state.at = Math.min(Math.max(0, at), last);
    this.load();
  }

  /** Shows the event that the state says. While one is asked for, only the newest wish is remembered. */
  async load() {
    if (this.busy) {
      this.again = true;
      return;
    }
    this.busy = true;
    document.body.classList.add('busy');
    do {
      this.again = false;
      const answer = await this.fetch();
      const notice = byId('notice');
      notice.hidden = !answer.refused;
      if (answer.refused) notice.textContent = `${word('cut')}: ${answer.refused.message}`;
      this.editor.mark(answer.mistakes?.list ?? [], answer.mistakes?.message ?? '');
      if (answer.step) {
        this.answer = answer.step;
        this.language = spoken();
        this.state.at = answer.step.at;
        this.show();
      }
    } while (this.again);
    this.busy = false;
    document.body.classList.remove('busy');
    document.body.dataset.ready = String(Number(document.body.dataset.ready ?? 0) + 1);
    this.moved();
  }

  /** The same event is not asked for twice. */
  async fetch() {
    const { name, text, settings, at } = this.state;
    const body = { step: { name, settings, at: Number.isFinite(at) ? at : 1e9, language: spoken() } };
    if (text !== null) body.step.text = text;
    const key = JSON.stringify(body);
    if (!this.cache.has(key)) {
      if (this.cache.size > 300) this.cache.clear();
      this.cache.set(key, await ask(body));
    }
    return this.cache.get(key);
  }

  togglePlay() {
    if (this.playing) this.stop();
    else {
      if (this.state.at >= this.answer.events.length - 1) this.moveTo(0);
      this.playing = setInterval(() => {
        if (this.state.at >= this.answer.events.length - 1 || byId('view-step').hidden) this.stop();
        else this.moveTo(this.state.at + 1);
      }, BEAT);
      this.play.replaceChildren(icon('pause'));
    }
  }

  stop() {
    clearInterval(this.playing);
    this.playing = null;
    this.play.replaceChildren(icon('play'));
  }

  key(event) {
    if (byId('view-step').hidden || event.ctrlKey || event.metaKey || event.altKey) return;
    const { target } = event;
    if (['SELECT', 'TEXTAREA', 'INPUT'].includes(target.tagName)) return;
    const { at } = this.state;
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, PageDown: at + 10, PageUp: at - 10, Home: 0, End: Infinity }[event.key];
    if (to !== undefined) this.moveTo(to);
    else if (event.key === ' ' && target.tagName !== 'BUTTON' && target.tagName !== 'A' && target.tagName !== 'SUMMARY') this.togglePlay();
    else return;
    event.preventDefault();
  }

  // ---- showing ----

  show() {
    if (!this.answer) return;
    if (this.language !== spoken()) {
      // The sentences come in the language that was spoken when they were asked for.
      this.language = spoken();
      this.load();
      return;
    }
    const { title, question, answer, go, gogc_percent: gogc, factor, events, at, picture } = this.answer;
    this.title.textContent = title;
    this.question.textContent = question;
    this.told.textContent = answer;
    const small = factor > 1 ? ` · ${word('step_factor', { factor: count(factor) })}` : '';
    this.lead.textContent = `Go ${go} · GOGC ${gogc ?? word('off')}${small} · ${word('step_slow')}`;
    for (const group of this.select.querySelectorAll('[data-word-label]')) group.label = word(group.dataset.wordLabel);
    byId('step-restore').textContent = word('restore');
    byId('step-restore').disabled = this.state.text === null;
    this.select.value = this.state.name;
    this.go.value = this.state.settings.go ?? '';
    this.gogc.value = this.state.settings.gogc ?? '';
    this.slider.max = String(events.length - 1);
    this.slider.value = String(at);
    const text = events[at].sentence;
    this.slider.setAttribute('aria-valuetext', `${at}: ${text}`);
    this.counter.textContent = word('step_count', { at, last: events.length - 1 });
    this.sentence.textContent = text;
    this.showHeap(picture, events[at]);
    this.showQueue(picture);
    this.showMaps(picture, events[at]);
    this.showPages(picture);
    this.showPacer(picture);
    this.showEvents(events, at);
  }

  showHeap(picture, event) {
    const named = new Set([event.object, event.array, event.overwritten, event.stored, ...(event.objects ?? []), ...(event.to ?? []), ...(event.greyed ?? []), ...(event.blackened ?? [])]);
    const width = Math.max(280, this.heap.clientWidth || 700);
    const { places, roots, height, lost } = layOut(picture, width);
    const arrow = (color) => drawn('marker', { id: `arrow-${color}`, viewBox: '0 0 8 8', refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: 'auto-start-reverse' }, drawn('path', { d: 'M0 0L8 4L0 8z', class: `arrow ${color}` }));
    const nodes = [drawn('defs', {}, arrow('plain'), arrow('root'))];
    if (lost) {
      nodes.push(drawn('path', { d: `M8 ${lost}H${width - 8}`, class: 'lost-rule' }), drawn('text', { x: 8, y: lost + 15, class: 'lost-label' }, word('step_lost')));
    }
    for (const object of picture.objects) {
      const from = places.get(object.name);
      for (const target of object.to) {
        const to = places.get(target);
        if (to) nodes.push(drawn('path', { d: edge(from, to), class: 'edge', 'marker-end': 'url(#arrow-plain)' }));
      }
    }
    for (const root of roots) {
      const to = places.get(root.to);
      if (to) nodes.push(drawn('path', { d: edge({ x: root.x, y: root.y + 10, r: 0 }, to), class: 'edge root', 'marker-end': 'url(#arrow-root)' }));
    }
    for (const root of roots) {
      const text = root.var || word('step_stack');
      nodes.push(drawn('g', { class: root.to ? 'root' : 'root nil' },
        drawn('rect', { x: root.x - root.width / 2, y: root.y - 13, width: root.width, height: 26, rx: 6 }),
        drawn('text', { x: root.x, y: root.y + 5, class: 'middle' }, root.to ? text : `${text} = nil`)));
    }
    for (const object of picture.objects) {
      const { x, y, r } = places.get(object.name);
      const group = drawn('g', { class: `object ${object.color}${named.has(object.name) ? ' named' : ''}`, 'data-name': object.name });
      group.append(drawn('title', {}, `${object.name}: ${word(`color_${object.color}`)}, ${size(object.bytes)}${object.to.length ? ` → ${object.to.join(' ')}` : ''}`));
      if (named.has(object.name)) group.append(drawn('circle', { cx: x, cy: y, r: r + 5, class: 'halo' }));
      group.append(drawn('circle', { cx: x, cy: y, r, class: 'body' }));
      if (object.color === 'dead') group.append(drawn('path', { d: `M${x - r * 0.7} ${y - r * 0.7}L${x + r * 0.7} ${y + r * 0.7}M${x + r * 0.7} ${y - r * 0.7}L${x - r * 0.7} ${y + r * 0.7}`, class: 'cross' }));
      if (r >= 11) group.append(drawn('text', { x, y: y + 4, class: 'middle label' }, object.name.slice(1)));
      nodes.push(group);
    }
    const label = picture.objects.map((object) => `${object.name} ${word(`color_${object.color}`)}`).join(', ');
    this.heap.replaceChildren(drawn('svg', { class: 'heap-svg', viewBox: `0 0 ${width} ${height}`, width, height, role: 'img', 'aria-label': `${word('step_heap')}: ${label || word('step_empty')}` }, ...nodes));
  }

  showQueue(picture) {
    const items = picture.grey.map((name) => element('li', {}, circle('grey'), name));
    this.queue.replaceChildren(...(items.length ? items : [element('li', { class: 'none' }, word(picture.phase === 'marking' ? 'step_queue_empty' : `phase_${picture.phase}`))]));
  }

  showMaps(picture, event) {
    const cell = (slot, map) => {
      if (slot === 'empty') return element('td', { class: 'empty' }, element('span', { class: 'unseen' }, word('slot_empty')));
      if (slot === 'tombstone') return element('td', { class: 'tombstone' }, '†', element('span', { class: 'unseen' }, word('slot_tombstone')));
      const fresh = event.key === slot.key && event.var === map.var && event.what !== 'delete';
      return element('td', { class: fresh ? 'key now' : 'key' }, String(slot.key));
    };
    const row = (bucket, map) => element('tr', {}, element('th', { scope: 'row' }, bucket.overflow ? '↳' : String(bucket.number)), ...bucket.slots.map((slot) => cell(slot, map)));
    const table = (map) => element('div', { class: 'map' },
      element('table', { class: 'slots' },
        element('caption', {}, word(map.kind === 'buckets' ? 'map_buckets' : 'map_groups', { var: map.var, len: map.len, count: map.buckets.length + map.more }), map.tombstones ? ` ${word('map_tombstones', { count: map.tombstones })}` : '', map.growing ? ` ${word('map_growing')}` : ''),
        element('tbody', {}, ...map.buckets.map((bucket) => row(bucket, map)))),
      map.more ? element('p', {}, word('map_more', { count: map.more })) : null);
    this.maps.replaceChildren(...(picture.maps.length ? picture.maps.map(table) : [element('p', { class: 'none' }, word('map_none'))]));
  }

  showPages(picture) {
    const kind = (page) => (page.span !== null ? 'used' : page.stack ? 'stack' : page.resident ? 'free' : 'none');
    const cell = (page, index) => element('li', { class: `page ${kind(page)}${page.resident === 1 ? ' half' : ''}`, title: `${index}: ${word(`page_${kind(page)}`)}` }, element('span', {}, page.span !== null ? String(page.span) : ''));
    const kinds = picture.pages.some((page) => page.stack) ? ['used', 'stack', 'free', 'none'] : ['used', 'free', 'none'];
    const counts = kinds.map((name) => [name, picture.pages.filter((page) => kind(page) === name).length]);
    this.pages.replaceChildren(
      element('ol', { class: 'page-row', 'aria-hidden': 'true' }, ...picture.pages.map(cell)),
      picture.more_pages ? element('p', { class: 'facts' }, word('page_more', { count: count(picture.more_pages) })) : '',
      element('ul', { class: 'legend' }, ...counts.map(([name, count]) => element('li', {}, element('span', { class: `page ${name} sample`, 'aria-hidden': 'true' }), `${word(`page_${name}`)}: ${count}`))),
      element('p', { class: 'facts' }, word('page_resident', { resident: size(picture.resident_bytes), alloc: size(picture.heap_alloc_bytes) })));
  }

  /** Live, trigger and goal on one bar. */
  showPacer({ pacer }) {
    const marks = [['live', pacer.live_bytes], ['trigger', pacer.trigger_bytes], ['goal', pacer.goal_bytes]];
    const rows = element('dl', {}, ...[['marked', pacer.marked_bytes], ...marks].map(([key, bytes]) => element('div', {}, element('dt', {}, word(`pacer_${key}`)), element('dd', {}, bytes === null ? word('off') : size(bytes)))));
    const scale = Math.max(pacer.live_bytes, pacer.goal_bytes ?? pacer.live_bytes * 1.2, 1) * 1.08;
    const at = (bytes) => (bytes / scale) * 300;
    const svg = drawn('svg', { viewBox: '0 0 300 46', class: 'pacer-bar', 'aria-hidden': 'true' },
      drawn('rect', { x: 0, y: 12, width: 300, height: 20, rx: 4, class: 'rail' }),
      drawn('rect', { x: 0, y: 12, width: at(pacer.live_bytes), height: 20, rx: 4, class: 'live' }),
      drawn('rect', { x: 0, y: 12, width: at(pacer.marked_bytes), height: 20, rx: 4, class: 'marked' }));
    for (const [key, bytes] of marks.slice(1)) {
      if (bytes === null || bytes > scale) continue;
      svg.append(drawn('path', { d: `M${at(bytes)} 6V38`, class: key }));
      svg.append(drawn('text', { x: Math.min(at(bytes), 290), y: key === 'goal' ? 46 : 6, class: `${key} end` }, word(`pacer_${key}`)));
    }
    this.pacer.replaceChildren(svg, rows);
  }

  showEvents(events, at) {
    const from = Math.max(0, at - 5);
    const items = events.slice(from, at + 7).map((event, index) => {
      const number = from + index;
      return element('li', { 'aria-current': number === at ? 'step' : null, class: number > at ? 'later' : null },
        element('button', { type: 'button', class: 'link', onclick: () => this.moveTo(number) }, element('b', {}, String(number)), ` ${event.sentence}`));
    });
    this.list.replaceChildren(...items);
  }
}

const ICONS = {
  first: 'M3 3h2.4v14H3zM17 3v14L6.4 10z', back: 'M14.4 3.4L12.2 1.6L5.2 10L12.2 18.4L14.4 16.6L8.8 10z', play: 'M5 2.5v15L17 10z', pause: 'M4 3h4.4v14H4zM11.6 3H16v14h-4.4z', forward: 'M5.6 3.4L7.8 1.6L14.8 10L7.8 18.4L5.6 16.6L11.2 10z', last: 'M14.6 3H17v14h-2.4zM3 3v14l10.6-7z',
};

function icon(name) {
  return drawn('svg', { viewBox: '0 0 20 20', 'aria-hidden': 'true' }, drawn('path', { d: ICONS[name] }));
}

function circle(color) {
  return drawn('svg', { class: 'dot-sample', viewBox: '0 0 20 20', 'aria-hidden': 'true' }, drawn('g', { class: `object ${color}` }, drawn('circle', { cx: 10, cy: 10, r: 8, class: 'body' }), color === 'dead' ? drawn('path', { d: 'M5 5L15 15M15 5L5 15', class: 'cross' }) : null));
}

/** A line from rim to rim, bent a little so that pointers both ways are two lines. */
function edge(from, to) {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = Math.hypot(dx, dy) || 1;
  const start = [from.x + (dx / length) * from.r, from.y + (dy / length) * from.r];
  const end = [to.x - (dx / length) * (to.r + 2), to.y - (dy / length) * (to.r + 2)];
  const bend = Math.min(18, length / 8);
  const middle = [(start[0] + end[0]) / 2 - (dy / length) * bend, (start[1] + end[1]) / 2 + (dx / length) * bend];
  const point = ([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`;
  return `M${point(start)}Q${point(middle)} ${point(end)}`;
}
