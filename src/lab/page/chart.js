// The chart: heap against RSS, with the owners of each resident byte as fills, the collections beneath, and a cursor.

import { drawn, element } from './dom.js';
import { size, time } from './format.js';
import { word } from './words.js';
import { timeAxis } from './time_axis.js';

/** The fills from the bottom up, and the parts of the ledger in each. */
export const FILLS = [
  { name: 'other', parts: ['binary', 'metadata', 'stack'] },
  { name: 'marked', parts: ['marked'] },
  { name: 'fresh', parts: ['fresh'] },
  { name: 'dead', parts: ['dead'] },
  { name: 'waste', parts: ['waste'] },
  { name: 'free', parts: ['free'] },
  { name: 'lazily_freed', parts: ['lazily_freed'] },
];

/** The lines, most important last: it is painted on top. */
const LINES = [
  { name: 'trigger', column: 'trigger_bytes', optional: true },
  { name: 'goal', column: 'heap_goal_bytes', optional: true },
  { name: 'heap_alloc', column: 'heap_alloc_bytes' },
  { name: 'rss', column: 'rss_bytes' },
];

const PATTERNS = ['fresh', 'dead', 'waste', 'free', 'lazily_freed'];

const pen = document.createElement('canvas').getContext('2d');

/** As much of a step's name as has room, in pixels; nothing if that would say nothing. */
function fitted(text, room) {
  pen.font = `12.5px ${getComputedStyle(document.body).fontFamily}`;
  if (pen.measureText(text).width <= room) return text;
  let letters = text.length - 1;
  while (letters > 0 && pen.measureText(`${text.slice(0, letters)}…`).width > room) letters -= 1;
  return letters > 3 ? `${text.slice(0, letters)}…` : '';
}

export class Chart {
  /** `events`: `cursor(index)`, `zoom([from_ns, to_ns])`, `zoomOut()`. */
  constructor(root, events) {
    this.root = root;
    this.events = events;
    this.run = null;
    this.pinned = null;
    this.window = null;
    this.index = 0;
    this.svg = drawn('svg', { class: 'plot', role: 'slider', tabindex: '0', 'aria-orientation': 'horizontal' });
    root.replaceChildren(this.svg);
    this.listen();
    new ResizeObserver(() => this.draw()).observe(root);
  }

  /** Shows a run, beside a pinned one if there is one, between two moments if these are given. */
  show(run, pinned, window_ns) {
    this.run = run;
    this.pinned = pinned;
    this.window = window_ns;
    this.draw();
  }

  /** The samples that are shown. */
  get series() {
    return this.run.series;
  }

  draw() {
    if (!this.run) return;
    const box = this.root.getBoundingClientRect();
    if (box.width < 50) return;
    this.width = box.width;
    this.height = box.height;
    const narrow = this.width < 620;
    this.plot = { left: narrow ? 56 : 66, right: this.width - (narrow ? 8 : 112), top: 40, bottom: this.height - 66 };
    this.axis = timeAxis(this.run, this.window, this.plot);
    this.top = this.highest();
    const { t_ns: times } = this.series;
    this.xs = times.map((t) => this.axis.x(t));
    this.svg.setAttribute('viewBox', `0 0 ${this.width} ${this.height}`);
    this.svg.setAttribute('aria-label', word('chart_label'));
    this.svg.setAttribute('aria-valuemin', '0');
    this.svg.setAttribute('aria-valuemax', String(Math.max(0, times.length - 1)));
    this.svg.replaceChildren(
      this.patterns(),
      ...this.steps(),
      ...this.grid(),
      ...this.cycles(),
      drawn('g', { 'clip-path': 'url(#inside)' }, ...this.fills(), ...this.pinnedLines(), ...this.levels(), ...this.lines()),
      ...this.timeMarks(),
      ...this.snapshotMarks(),
      ...(narrow ? [] : this.names()),
      this.oom(),
      this.selection(),
      this.cursor(),
    );
    this.moveTo(Math.min(this.index, times.length - 1), false);
  }

  y(bytes) {
    const { top, bottom } = this.plot;
    return bottom - (bytes / this.top) * (bottom - top);
  }

  /** The largest number that the plot must hold. A goal far above everything else does not press it flat. */
  highest() {
    const most = (list) => list.reduce((a, b) => Math.max(a, b ?? 0), 0);
    const { series } = this;
    let high = Math.max(most(series.rss_bytes), most(series.heap_alloc_bytes));
    if (this.pinned) {
      const other = this.pinned.series;
      high = Math.max(high, most(other.rss_bytes), most(other.heap_alloc_bytes));
    }
    for (const level of [most(series.heap_goal_bytes), this.run.config.memory_limit_bytes, this.run.config.machine_memory_bytes]) {
      if (level && level < 2.2 * high) high = Math.max(high, level);
    }
    return Math.max(high, 1 << 20) * 1.06;
  }

  patterns() {
    const inside = drawn('clipPath', { id: 'inside' }, this.plotArea());
    const hatch = (name) => {
      const marks = {
        fresh: [drawn('path', { d: 'M0 8L8 0M-2 2L2 -2M6 10L10 6' })],
        dead: [drawn('path', { d: 'M1 1l4 4M5 1l-4 4' })],
        waste: [drawn('path', { d: 'M2 0V8M6 0V8' })],
        free: [drawn('path', { d: 'M0 0L8 8M-2 6L2 10M6 -2L10 2', class: 'bold' })],
        lazily_freed: [drawn('circle', { cx: 2, cy: 2, r: 1.3 }), drawn('circle', { cx: 6, cy: 6, r: 1.3 })],
      }[name];
      const ground = drawn('rect', { width: 8, height: 8, class: 'ground' });
      return drawn('pattern', { id: `fill-${name}`, class: `pattern ${name}`, width: 8, height: 8, patternUnits: 'userSpaceOnUse' }, ground, ...marks);
    };
    return drawn('defs', {}, inside, ...PATTERNS.map(hatch));
  }

  plotArea() {
    const { left, right, top, bottom } = this.plot;
    return drawn('rect', { x: left, y: top, width: Math.max(0, right - left), height: Math.max(0, bottom - top) });
  }

  /** Steps as alternate grounds with their names on top. */
  steps() {
    const { top, bottom } = this.plot;
    const nodes = [];
    this.axis.segments.forEach((segment, index) => {
      const width = segment.right - segment.left;
      nodes.push(drawn('rect', { x: segment.left, y: top - 26, width, height: bottom - top + 26, class: index % 2 ? 'ground odd' : 'ground even' }));
      const text = fitted(segment.label, width - 9);
      const label = drawn('text', { x: segment.left + 5, y: top - 9, class: 'step-name' }, text);
      label.append(drawn('title', {}, segment.label));
      nodes.push(label);
    });
    return nodes;
  }

  grid() {
    const { left, right, top, bottom } = this.plot;
    const nodes = [];
    const step = niceStep(this.top / Math.max(3, (bottom - top) / 56));
    for (let bytes = 0; bytes <= this.top; bytes += step) {
      const y = this.y(bytes);
      nodes.push(drawn('line', { x1: left, x2: right, y1: y, y2: y, class: bytes === 0 ? 'base' : 'grid' }));
      nodes.push(drawn('text', { x: left - 6, y: y + 4, class: 'axis-number end' }, bytes === 0 ? '0' : size(bytes)));
    }
    return nodes;
  }

  /** A band while marking, and a bar for each cycle beneath the plot. */
  cycles() {
    const { top, bottom } = this.plot;
    const nodes = [drawn('text', { x: this.plot.left - 6, y: bottom + 18, class: 'axis-number end' }, 'GC')];
    for (const cycle of this.run.cycles) {
      const from = this.axis.x(cycle.start_ns);
      const to = this.axis.x(cycle.end_ns);
      if (to < this.plot.left || from > this.plot.right) continue;
      const width = Math.max(to - from, 1.5);
      nodes.push(drawn('rect', { x: from, y: top, width, height: bottom - top, class: 'marking' }));
      const words = word('cycle_at', {
        number: cycle.number, kind: word(`kind_${cycle.kind}`), heap_start: size(cycle.heap_start_bytes),
        heap_end: size(cycle.heap_end_bytes), marked: size(cycle.heap_marked_bytes),
      });
      nodes.push(drawn('rect', { x: from, y: bottom + 4, width, height: 12, class: `cycle ${cycle.kind}` }, drawn('title', {}, words)));
    }
    return nodes;
  }

  fills() {
    const { ledger } = this.series;
    const count = this.xs.length;
    let floor = new Array(count).fill(0);
    return FILLS.map(({ name, parts }) => {
      const roof = floor.map((bytes, index) => parts.reduce((sum, part) => sum + ledger[`${part}_bytes`][index], bytes));
      const up = this.path(roof);
      let down = '';
      for (let index = count - 1; index >= 0; index -= 1) down += `L${this.xs[index].toFixed(1)} ${this.y(floor[index]).toFixed(1)}`;
      floor = roof;
      return drawn('path', { d: `${up}${down}Z`, class: `fill ${name}` });
    });
  }

  path(values, xs = this.xs) {
    let d = '';
    let pen = 'M';
    values.forEach((bytes, index) => {
      if (bytes === null) {
        pen = 'M';
        return;
      }
      d += `${pen}${xs[index].toFixed(1)} ${this.y(bytes).toFixed(1)}`;
      pen = 'L';
    });
    return d;
  }

  lines() {
    return LINES.map(({ name, column }) => drawn('path', { d: this.path(this.series[column]), class: `line ${name}` }));
  }

  pinnedLines() {
    if (!this.pinned) return [];
    const { series } = this.pinned;
    const xs = series.t_ns.map(this.axis.of(this.pinned));
    return ['heap_alloc', 'rss'].map((name) => drawn('path', { d: this.path(series[`${name}_bytes`], xs), class: `line pinned ${name}` }));
  }

  /** Limits, as lines from side to side. */
  levels() {
    const { left, right } = this.plot;
    const { config } = this.run;
    const nodes = [];
    for (const [name, bytes] of [['limit', config.memory_limit_bytes], ['container', config.machine_memory_bytes]]) {
      if (!bytes || bytes > this.top) continue;
      const y = this.y(bytes);
      nodes.push(drawn('line', { x1: left, x2: right, y1: y, y2: y, class: `line level ${name}` }));
    }
    return nodes;
  }

  timeMarks() {
    const y = this.plot.bottom + 32;
    return this.axis.ticks().flatMap(({ x, text, anchor }) => [
      drawn('line', { x1: x, x2: x, y1: this.plot.bottom + 16, y2: this.plot.bottom + 20, class: 'base' }),
      drawn('text', { x, y, class: `axis-number ${anchor}` }, text),
    ]);
  }

  /** The letters of the snapshots beneath the axis. */
  snapshotMarks() {
    const { bottom, left, right } = this.plot;
    let last = -Infinity;
    return this.run.snapshots.flatMap((snapshot, index) => {
      const x = this.axis.x(snapshot.t_ns);
      if (x < left - 1 || x > right + 1) return [];
      const crowded = x - last < 13;
      if (!crowded) last = x;
      const title = drawn('title', {}, snapshot.label);
      const mark = drawn('path', { d: `M${x} ${bottom + 38}l4 6h-8z`, class: 'snapshot-mark' }, title);
      return crowded ? [mark] : [mark, drawn('text', { x, y: bottom + 58, class: 'snapshot-letter middle' }, letter(index))];
    });
  }

  /** Names at the right ends of the lines, held apart. */
  names() {
    const lastOf = (column) => this.series[column].at(-1);
    const { config } = this.run;
    const ends = LINES.map(({ name, column }) => ({ name, bytes: lastOf(column) }));
    ends.push({ name: 'limit', bytes: config.memory_limit_bytes }, { name: 'container', bytes: config.machine_memory_bytes });
    const shown = ends.filter(({ bytes }) => bytes && bytes <= this.top).map((end) => ({ ...end, y: this.y(end.bytes) }));
    shown.sort((a, b) => a.y - b.y);
    const gap = 17;
    for (let index = 1; index < shown.length; index += 1) shown[index].y = Math.max(shown[index].y, shown[index - 1].y + gap);
    let floor = this.plot.bottom;
    for (let index = shown.length - 1; index >= 0; index -= 1) {
      shown[index].y = Math.min(shown[index].y, floor);
      floor = shown[index].y - gap;
    }
    return shown.map(({ name, y }) => drawn('text', { x: this.plot.right + 8, y: y + 4, class: `name ${name}` }, word(name)));
  }

  oom() {
    const kill = this.run.oom_kill;
    if (!kill) return drawn('g');
    const x = Math.min(this.axis.x(kill.t_ns), this.plot.right);
    const y = Math.max(this.y(kill.rss_bytes), this.plot.top + 8);
    return drawn('g', { class: 'oom' }, drawn('path', { d: `M${x - 7} ${y - 7}l14 14m0 -14l-14 14` }), drawn('text', { x: x - 10, y: y - 10, class: 'end' }, 'OOM'));
  }

  selection() {
    this.band = drawn('rect', { y: this.plot.top, height: this.plot.bottom - this.plot.top, class: 'selection', width: 0 });
    return this.band;
  }

  cursor() {
    const { top, bottom } = this.plot;
    this.hair = drawn('line', { y1: top - 26, y2: bottom + 15, class: 'hair' });
    this.dots = LINES.slice(2).map(({ name }) => drawn('circle', { r: 5, class: `dot ${name}` }));
    this.flag = drawn('text', { y: top - 30, class: 'flag' });
    return drawn('g', { class: 'cursor' }, this.hair, ...this.dots, this.flag);
  }

  /** Moves the cursor to a sample. */
  moveTo(index, tell = true) {
    const { series } = this;
    if (index < 0 || !series.t_ns.length) return;
    this.index = index;
    const x = this.xs[index];
    this.hair.setAttribute('x1', x);
    this.hair.setAttribute('x2', x);
    this.dots.forEach((dot, number) => {
      dot.setAttribute('cx', x);
      dot.setAttribute('cy', this.y(series[LINES[number + 2].column][index]));
    });
    const anchor = x > this.width * 0.85 ? 'end' : x < this.plot.left + 40 ? 'start' : 'middle';
    this.flag.setAttribute('x', x);
    this.flag.setAttribute('text-anchor', anchor);
    this.flag.textContent = time(series.t_ns[index]);
    this.svg.setAttribute('aria-valuenow', String(index));
    if (tell) this.events.cursor(index);
  }

  /** Moves the cursor to the sample at, or last before, a moment. */
  moveToTime(t_ns, tell = true) {
    this.moveTo(Math.max(0, upperBound(this.series.t_ns, t_ns) - 1), tell);
  }

  /** What a screen reader says of the cursor. */
  describe(text) {
    this.svg.setAttribute('aria-valuetext', text);
  }

  nearest(x) {
    const after = Math.min(upperBound(this.xs, x), this.xs.length - 1);
    return after > 0 && x - this.xs[after - 1] < this.xs[after] - x ? after - 1 : after;
  }

  /** Zooms by a factor around the cursor. */
  zoomBy(factor) {
    const { t_ns: times } = this.series;
    const [from, to] = this.window ?? [0, this.run.summary.duration_ns];
    const center = times[this.index];
    const half = ((to - from) * factor) / 2;
    const end = this.run.summary.duration_ns;
    if (half * 2 >= end) {
      this.events.zoomOut();
      return;
    }
    const start = Math.min(Math.max(0, center - half), end - 2 * half);
    this.events.zoom([Math.floor(start), Math.ceil(start + Math.max(2 * half, 1000))]);
  }

  listen() {
    const { svg } = this;
    let from = null;
    const at = (event) => event.clientX - svg.getBoundingClientRect().left;
    svg.addEventListener('pointermove', (event) => {
      if (!this.run) return;
      const x = at(event);
      this.moveTo(this.nearest(x));
      if (from !== null && this.band) {
        this.band.setAttribute('x', Math.min(from, x));
        this.band.setAttribute('width', Math.abs(x - from));
      }
    });
    svg.addEventListener('pointerdown', (event) => {
      if (!this.run) return;
      this.moveTo(this.nearest(at(event)));
      if (event.pointerType !== 'mouse' || event.button !== 0) return;
      from = at(event);
      svg.setPointerCapture(event.pointerId);
    });
    const finish = (event) => {
      if (from === null) return;
      const x = at(event);
      const [a, b] = [Math.min(from, x), Math.max(from, x)];
      from = null;
      this.band.setAttribute('width', 0);
      if (event.type === 'pointerup' && b - a > 8) this.events.zoom([this.axis.t(a), this.axis.t(b)]);
    };
    svg.addEventListener('pointerup', finish);
    svg.addEventListener('pointercancel', finish);
    svg.addEventListener('dblclick', () => this.events.zoomOut());
    svg.addEventListener('keydown', (event) => this.key(event));
  }

  key(event) {
    if (!this.run || event.ctrlKey || event.metaKey || event.altKey) return;
    const last = this.xs.length - 1;
    const stride = event.shiftKey ? 10 : 1;
    const to = {
      ArrowRight: this.index + stride, ArrowUp: this.index + stride,
      ArrowLeft: this.index - stride, ArrowDown: this.index - stride,
      PageUp: this.index + 20, PageDown: this.index - 20, Home: 0, End: last,
    }[event.key];
    if (to !== undefined) this.moveTo(Math.min(Math.max(0, to), last));
    else if (event.key === '+' || event.key === '=') this.zoomBy(0.5);
    else if (event.key === '-') this.zoomBy(2);
    else if (event.key === 'Escape' || event.key === '0') this.events.zoomOut();
    else return;
    event.preventDefault();
  }
}

/** `A` to `Z`, then `A1` and so on. */
export function letter(index) {
  const name = String.fromCharCode(65 + (index % 26));
  return index < 26 ? name : `${name}${Math.floor(index / 26)}`;
}

/** A swatch of a fill or a line, as in the chart. */
export function swatch(name, kind) {
  const picture = drawn('svg', { class: 'swatch', viewBox: '0 0 22 14', 'aria-hidden': 'true' });
  if (kind === 'fill') picture.append(drawn('rect', { x: 0.5, y: 0.5, width: 21, height: 13, rx: 2, class: `fill ${name}` }));
  else picture.append(drawn('path', { d: 'M1 7H21', class: `line ${name}` }));
  return element('span', { class: 'swatch-box' }, picture);
}

/** How many elements of an ascending list are at most `value`. */
function upperBound(list, value) {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The next power of two from `bytes` up. */
function niceStep(bytes) {
  let step = 1024;
  while (step < bytes) step *= 2;
  return step;
}
