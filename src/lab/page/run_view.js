// The view that runs a scenario: settings at the side, the chart, the ledger at the cursor, totals and snapshots.

import { ask } from './carrier.js';
import { Chart, FILLS, letter, swatch } from './chart.js';
import { byId, element } from './dom.js';
import { draftOr, keepDraft } from './draft.js';
import { Editor } from './editor.js';
import { count, hundredths, ledgerHundredths, mib, percent, size, time } from './format.js';
import { pack, unpack } from './place.js';
import { word } from './words.js';

const MIB = 1 << 20;
const GOGC = ['10', '15', '20', '25', '30', '40', '50', '60', '75', '100', '125', '150', '175', '200', '250', '300', '400', '500', '600', '800', '1000', 'off'];
const LIMITS = [16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 4096].map((n) => `${n}MiB`).concat('off');
const PROCS = ['1', '2', '3', '4', '6', '8', '12', '16', '24', '32', '64'];
const VERSIONS = ['1.21', '1.23', '1.24', '1.25', '1.27'];
const LEDGER = ['free', 'lazily_freed', 'waste', 'dead', 'fresh', 'marked', 'stack', 'metadata', 'binary'];
const NUMBERS = ['heap_alloc', 'heap_inuse', 'heap_idle', 'heap_released', 'heap_live', 'heap_goal', 'trigger', 'sys'];

/** Milliseconds after the last letter before an edited scenario runs. */
const TYPING_PAUSE = 250;

export class RunView {
  /** `scenarios` can be chosen; `shipped` are all texts that travel with gclab. */
  constructor(scenarios, shipped, moved) {
    this.scenarios = scenarios;
    this.shipped = shipped;
    this.moved = moved;
    this.state = { name: 'delete-million', text: null, settings: {}, window: null, t: null, pin: null };
    this.answer = null;
    this.pinned = null;
    this.busy = false;
    this.again = false;
    this.chart = new Chart(byId('chart'), {
      cursor: (index) => this.cursorMoved(index),
      zoom: (window_ns) => this.zoom(window_ns),
      zoomOut: () => this.zoom(null),
    });
    this.editor = new Editor(byId('program'), byId('mistakes'), (text) => this.edited(text));
    this.listen();
  }

  listen() {
    const slider = (id, key, list) => byId(id).addEventListener('input', (event) => this.set(key, event.target.list_values?.[event.target.value] ?? list[event.target.value]));
    slider('gogc', 'gogc', GOGC);
    slider('limit', 'memory_limit', LIMITS);
    slider('procs', 'procs', PROCS);
    byId('go').addEventListener('change', (event) => this.set('go', event.target.value));
    byId('madvise').addEventListener('change', (event) => this.set('madvdontneed', event.target.value));
    byId('seed').addEventListener('input', (event) => {
      if (/^[0-9]{1,20}$/.test(event.target.value)) this.set('seed', event.target.value);
    });
    byId('scenario').addEventListener('change', (event) => {
      this.state = { ...this.state, name: event.target.value, text: null, settings: {}, window: null, t: null };
      keepDraft(null, null);
      this.editor.text = this.shippedText();
      this.run();
    });
    byId('reset').addEventListener('click', () => {
      this.state.settings = {};
      this.run();
    });
    byId('restore').addEventListener('click', () => {
      this.state.text = null;
      keepDraft(null, null);
      this.editor.text = this.shippedText();
      this.run();
    });
    byId('pin').addEventListener('click', () => this.togglePin());
    byId('zoom-in').addEventListener('click', () => this.answer && this.chart.zoomBy(0.5));
    byId('zoom-out').addEventListener('click', () => this.answer && this.chart.zoomBy(2));
    byId('zoom-all').addEventListener('click', () => this.zoom(null));
  }

  shippedText() {
    return this.shipped.find(({ name }) => name === this.state.name)?.text ?? '';
  }

  set(key, value) {
    this.state.settings[key] = value;
    this.showControls();
    this.run();
  }

  edited(text) {
    this.state.text = text === this.shippedText() ? null : text;
    keepDraft(this.state.name, this.state.text);
    clearTimeout(this.typing);
    this.typing = setTimeout(() => this.run(), TYPING_PAUSE);
  }

  // ---- the address ----

  /** What a permalink keeps of this view. */
  async place() {
    const { name, text, settings, window, t, pin } = this.state;
    return {
      s: name,
      ...short(settings),
      t,
      w: window ? window.join('-') : null,
      toml: text === null ? null : await pack(text),
      pin: pin ? new URLSearchParams({ s: pin.name, ...short(pin.settings), ...(pin.text === null ? {} : { toml: await pack(pin.text) }) }).toString() : null,
    };
  }

  /** Takes up what an address says. */
  async open(params) {
    const described = async (from) => ({
      name: from.get('s') || 'delete-million',
      settings: long(from),
      text: from.get('toml') ? await unpack(from.get('toml')) : null,
    });
    const window = (params.get('w') ?? '').match(/^(\d+)-(\d+)$/);
    const state = { ...(await described(params)), ...(params.has('s') ? {} : draftOr('delete-million')) };
    this.state = {
      ...state,
      window: window ? [Number(window[1]), Number(window[2])] : null,
      t: params.get('t') === null ? null : Number(params.get('t')),
      pin: params.get('pin') ? await described(new URLSearchParams(params.get('pin'))) : null,
    };
    if (!this.scenarios.some(({ name }) => name === this.state.name) && this.state.text === null) this.state.name = 'delete-million';
    keepDraft(this.state.name, this.state.text);
    this.editor.text = this.state.text ?? this.shippedText();
    if (this.state.text !== null) byId('program').open = true;
    this.pinned = this.state.pin ? ((await ask(request(this.state.pin, null))).run ?? null) : null;
    await this.run();
  }

  // ---- running ----

  /** Runs what the state says. While a run is under way, only the newest wish is remembered. */
  async run() {
    if (this.busy) {
      this.again = true;
      return;
    }
    this.busy = true;
    document.body.classList.add('busy');
    do {
      this.again = false;
      const { window } = this.state;
      const answer = await ask(request(this.state, window));
      if (!this.again || answer.run) this.take(answer);
    } while (this.again);
    this.busy = false;
    document.body.classList.remove('busy');
    document.body.dataset.ready = String(Number(document.body.dataset.ready ?? 0) + 1);
    this.moved();
  }

  take(answer) {
    this.showControls();
    // Panels without a run are empty boxes.
    byId('view-run').classList.toggle('empty', !answer.run && !this.answer);
    const notice = byId('notice');
    notice.hidden = !answer.refused;
    if (answer.refused) {
      notice.textContent = `${word('cut')}: ${answer.refused.message}`;
      return;
    }
    if (answer.mistakes) {
      this.editor.mark(answer.mistakes.list, answer.mistakes.message);
      if (!this.answer) {
        byId('question').textContent = answer.mistakes.message;
        byId('facts').textContent = word('mistakes_where');
      }
      return;
    }
    this.editor.mark([]);
    this.answer = answer.run;
    this.show();
  }

  zoom(window_ns) {
    this.state.window = window_ns;
    this.run();
  }

  togglePin() {
    if (this.state.pin) {
      this.state.pin = null;
      this.pinned = null;
    } else if (this.answer) {
      const { name, text, settings } = this.state;
      this.state.pin = { name, text, settings: { ...settings } };
      this.pinned = this.answer;
      if (this.state.window) ask(request(this.state.pin, null)).then((answer) => { this.pinned = answer.run ?? null; this.show(); });
    }
    this.show();
    this.moved();
  }

  // ---- showing ----

  /** Shows everything anew, in the language of the moment. */
  show() {
    this.showControls();
    if (!this.answer) return;
    const run = this.answer;
    byId('title').textContent = run.title;
    byId('question').textContent = run.question;
    byId('answer').textContent = run.answer;
    byId('facts').textContent = facts(run.config);
    this.chart.show(run, this.pinned, this.state.window);
    this.showLegend();
    const at = this.state.t ?? run.snapshots.at(-1)?.t_ns ?? run.summary.duration_ns;
    this.chart.moveToTime(at, false);
    this.readOut(this.chart.index);
    this.showTotals();
    this.showSnapshots();
  }

  showControls() {
    const config = this.answer?.config;
    const own = this.answer?.own_config;
    const { settings } = this.state;
    const value = (key, from) => settings[key] ?? from;
    const select = byId('scenario');
    const known = this.scenarios.some(({ name }) => name === this.state.name);
    if (select.options.length !== this.scenarios.length + (known ? 0 : 1)) {
      const own = known ? [] : [element('option', { value: this.state.name }, word('own_scenario', { name: this.state.name }))];
      select.replaceChildren(...own, ...this.scenarios.map(({ name, title }) => element('option', { value: name }, `${title}`)));
    }
    select.value = this.state.name;
    setSlider('gogc', GOGC, value('gogc', config ? (config.gogc_percent === null ? 'off' : String(config.gogc_percent)) : '100'), Number, (text) => (text === 'off' ? word('off') : `${text}`));
    setSlider('limit', LIMITS, value('memory_limit', config?.memory_limit_bytes ? bytesText(config.memory_limit_bytes) : 'off'), bytesOf, (text) => (text === 'off' ? word('off') : size(bytesOf(text))));
    setSlider('procs', PROCS, String(value('procs', config?.procs ?? 2)), Number, (text) => text);
    const versions = byId('go');
    if (!versions.options.length) versions.replaceChildren(...VERSIONS.map((version) => element('option', { value: version }, `Go ${version}`)));
    versions.value = value('go', config?.go ?? '1.27');
    byId('madvise').value = String(value('madvdontneed', config ? (config.madvdontneed ? '1' : '0') : '1'));
    const seed = byId('seed');
    if (document.activeElement !== seed) seed.value = value('seed', own ? String(own.seed) : '1');
    byId('reset').disabled = Object.keys(settings).length === 0;
    byId('restore').disabled = this.state.text === null;
    byId('pin').setAttribute('aria-pressed', String(Boolean(this.state.pin)));
    byId('pin').firstElementChild.textContent = word(this.state.pin ? 'unpin' : 'pin');
  }

  showLegend() {
    const { config } = this.answer;
    const lines = ['rss', 'heap_alloc', 'goal', 'trigger'];
    if (config.memory_limit_bytes) lines.push('limit');
    if (config.machine_memory_bytes) lines.push('container');
    const item = (name, kind, text) => element('li', {}, swatch(name, kind), text);
    const items = lines.map((name) => item(name, 'line', word(name)));
    items.push(...[...FILLS].reverse().map(({ name }) => item(name, 'fill', word(name))));
    if (this.pinned) items.push(item('pinned rss', 'line', word('pinned')));
    if (this.chart.axis?.perStep) items.push(element('li', { class: 'remark' }, word('own_scale')));
    byId('legend').replaceChildren(...items);
  }

  cursorMoved(index) {
    this.state.t = this.answer.series.t_ns[index];
    this.readOut(index);
    clearTimeout(this.moving);
    this.moving = setTimeout(() => this.moved(), 300);
  }

  /** The ledger and every series at the cursor. */
  readOut(index) {
    const { series, steps } = this.answer;
    const t = series.t_ns[index];
    if (t === undefined) return;
    const step = steps.filter((one) => one.t_ns <= t).at(-1);
    byId('readout-title').replaceChildren(word('at', { time: time(t) }), element('small', {}, step ? word('of_step', { step: step.label }) : ''));
    const bytes = LEDGER.map((part) => series.ledger[`${part}_bytes`][index]);
    const { parts, whole } = ledgerHundredths(bytes);
    const rss = series.rss_bytes[index];
    const row = (part, number) => {
      const bar = element('i', {});
      bar.style.width = `${(100 * bytes[number]) / Math.max(rss, 1)}%`;
      return element('tr', { class: bytes[number] === 0 ? 'zero' : null },
        element('th', { scope: 'row' }, swatch(fillOf(part), 'fill'), word(part)),
        element('td', { class: 'bar', 'aria-hidden': 'true' }, bar),
        element('td', {}, hundredths(parts[number])));
    };
    byId('ledger').replaceChildren(
      element('caption', {}, `${word('rss_owners')}, MiB`),
      element('tbody', {}, ...LEDGER.map(row)),
      element('tfoot', {}, element('tr', {}, element('th', { scope: 'row' }, swatch('rss', 'line'), word('sum')), element('td', {}), element('td', { id: 'ledger-sum' }, hundredths(whole)))),
    );
    const column = (name) => series[`${name}_bytes`][index];
    const numbers = NUMBERS.map((name) =>
      element('tr', {}, element('th', { scope: 'row' }, word(name === 'heap_goal' ? 'goal' : name)), element('td', {}, column(name) === null ? word('off') : mib(column(name)))));
    numbers.push(element('tr', {}, element('th', { scope: 'row' }, word('num_gc')), element('td', {}, `${series.num_gc[index]}${series.marking[index] ? ` (${word('marking')})` : ''}`)));
    byId('numbers').replaceChildren(element('tbody', {}, ...numbers));
    const owners = LEDGER.filter((_, number) => bytes[number] > 0).map((part, number) => `${word(part)} ${size(series.ledger[`${part}_bytes`][index])}`).join(', ');
    this.chart.describe(word('chart_value', { time: time(t), rss: size(rss), heap: size(series.heap_alloc_bytes[index]), owners }));
  }

  showTotals() {
    const rows = totals(this.answer);
    const pinned = this.pinned ? totals(this.pinned) : null;
    const tile = ([key, text, value], index) => {
      const tile = element('div', { class: 'tile' }, element('dt', {}, word(key)), element('dd', {}, text));
      if (pinned) {
        const [, then, before] = pinned[index];
        const change = before ? (value - before) / before : 0;
        const sign = value === before ? '=' : change > 0 ? '▲' : '▼';
        tile.append(element('dd', { class: 'then' }, `${word('pinned')} ${then} `, element('b', {}, `${sign}${before && value !== before ? ` ${Math.abs(change * 100).toFixed(0)}%` : ''}`)));
      }
      return tile;
    };
    const kill = this.answer.oom_kill;
    const nodes = [element('dl', {}, ...rows.map(tile))];
    if (kill) nodes.unshift(element('p', { class: 'killed' }, word('oom', { time: time(kill.t_ns), rss: size(kill.rss_bytes), limit: size(kill.limit_bytes), step: kill.step })));
    if (this.pinned) nodes.push(element('p', { class: 'compared' }, `${word('now')}: ${facts(this.answer.config)}`, element('br'), `${word('pinned')}: ${this.pinned.name === this.answer.name ? '' : `${this.pinned.title}, `}${facts(this.pinned.config)}`));
    byId('totals').replaceChildren(...nodes);
  }

  showSnapshots() {
    const { snapshots, snapshot_count: all } = this.answer;
    const heads = ['snapshot', 'time', 'heap_alloc', 'heap_inuse', 'heap_idle', 'heap_released', 'sys', 'rss', 'goal', 'num_gc'];
    const head = element('tr', {}, ...heads.map((key) => element('th', { scope: 'col' }, key === 'goal' ? 'NextGC' : word(key))));
    const row = (snapshot, index) => {
      const stats = snapshot.mem_stats;
      const sizes = [stats.HeapAlloc, stats.HeapInuse, stats.HeapIdle, stats.HeapReleased, stats.Sys, snapshot.rss_bytes, stats.NextGC];
      const go = () => {
        this.chart.moveToTime(snapshot.t_ns);
        byId('chart').scrollIntoView({ block: 'nearest' });
      };
      return element('tr', {},
        element('th', { scope: 'row' }, element('button', { type: 'button', class: 'link', onclick: go }, element('span', { class: 'letter' }, letter(index)), ` ${snapshot.label}`)),
        element('td', {}, time(snapshot.t_ns)),
        ...sizes.map((bytes) => element('td', {}, mib(bytes))),
        element('td', {}, String(stats.NumGC)));
    };
    const note = all > snapshots.length ? `${word('more_snapshots', { shown: snapshots.length, count: all })}, MiB` : `${word('snapshots')}, MiB`;
    byId('snapshots').replaceChildren(element('caption', {}, note), element('thead', {}, head), element('tbody', {}, ...snapshots.map(row)));
  }
}

// ---- settings as texts ----

/** Settings under the short names of an address. */
function short(settings) {
  const { gogc, memory_limit: limit, go, procs, madvdontneed: madv, seed } = settings;
  return Object.fromEntries(Object.entries({ gogc, limit, go, procs, madv, seed }).filter(([, value]) => value !== undefined));
}

function long(params) {
  const names = { gogc: 'gogc', limit: 'memory_limit', go: 'go', procs: 'procs', madv: 'madvdontneed', seed: 'seed' };
  return Object.fromEntries(Object.entries(names).filter(([from]) => params.get(from)).map(([from, to]) => [to, params.get(from)]));
}

/** The request for a run. */
export function request({ name, text, settings }, window_ns) {
  const asked = { ...settings };
  if (asked.procs !== undefined) asked.procs = Number(asked.procs);
  if (asked.madvdontneed !== undefined) asked.madvdontneed = asked.madvdontneed === '1';
  const run = { name, settings: asked, points: 800 };
  if (text !== null) run.text = text;
  if (window_ns) run.window_ns = window_ns;
  return { run };
}

/** `Go 1.23 · GOGC 100 · ...`. */
function facts(config) {
  const words = [
    `Go ${config.go}`,
    `GOGC ${config.gogc_percent ?? word('off')}`,
    `GOMEMLIMIT ${config.memory_limit_bytes ? size(config.memory_limit_bytes) : word('off')}`,
    `GOMAXPROCS ${config.procs}`,
    config.madvdontneed ? 'MADV_DONTNEED' : 'MADV_FREE',
    `${word('seed')} ${config.seed}`,
  ];
  if (config.machine_memory_bytes) words.push(`${word('container')} ${size(config.machine_memory_bytes)}`);
  return words.join(' · ');
}

/** Totals: their words, as texts, and as numbers to compare. */
function totals({ summary }) {
  const rows = [
    ['peak_rss', size(summary.peak_rss_bytes), summary.peak_rss_bytes],
    ['final_rss', size(summary.final_rss_bytes), summary.final_rss_bytes],
    ['peak_heap', size(summary.peak_heap_alloc_bytes), summary.peak_heap_alloc_bytes],
    ['total_alloc', size(summary.total_alloc_bytes), summary.total_alloc_bytes],
    ['total_cycles', count(summary.num_gc), summary.num_gc],
    ['total_cpu', percent(summary.gc_cpu_fraction), summary.gc_cpu_fraction],
    ['longest_pause', time(summary.max_pause_ns), summary.max_pause_ns],
    ['total_time', time(summary.duration_ns), summary.duration_ns],
  ];
  if (summary.latency) rows.push(['p99', time(summary.latency.p99_ns), summary.latency.p99_ns]);
  return rows;
}

function fillOf(part) {
  return FILLS.find(({ parts }) => parts.includes(part)).name;
}

function bytesOf(text) {
  const units = { B: 1, KiB: 1024, MiB: MIB, GiB: 1024 * MIB, TiB: MIB * MIB };
  const [, number, unit] = text.match(/^(\d+)(\w+)$/) ?? [];
  return unit in units ? number * units[unit] : NaN;
}

function bytesText(bytes) {
  return bytes % MIB === 0 ? `${bytes / MIB}MiB` : bytes % 1024 === 0 ? `${bytes / 1024}KiB` : `${bytes}B`;
}

/** Puts a slider on a value; one that is not among its own gets a place among them. */
function setSlider(id, own, value, number, text) {
  const slider = byId(id);
  const list = [...own];
  if (!list.includes(value)) {
    const place = list.findIndex((one) => one === 'off' || number(one) > number(value));
    list.splice(place < 0 ? list.length : place, 0, value);
  }
  slider.list_values = list;
  slider.max = String(list.length - 1);
  if (document.activeElement !== slider || slider.value !== String(list.indexOf(value))) slider.value = String(list.indexOf(value));
  slider.setAttribute('aria-valuetext', text(value));
  byId(`${id}-value`).textContent = text(value);
}

