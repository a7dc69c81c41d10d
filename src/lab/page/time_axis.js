// The horizontal axis: one scale for the whole run when every step can be seen on it, else one scale per step.
//
// Two seconds of allocation and six idle minutes on one scale put all the action into the first pixels. Then each step gets a
// width of its own: what its name needs, and a share of the rest that grows with the logarithm of its duration. Inside a step time stays linear, and its duration stands under it.

import { time } from './format.js';

/** A step shorter than this share of the run takes no time that could be drawn. */
const INSTANT_SHARE = 1e-6;
/** A step narrower than this share of the plot asks for scales of its own. */
const VISIBLE_SHARE = 0.02;
/** Pixels that a step on its own scale has at least. */
const MIN_WIDTH = 54;
/** Letters of a step's name that it gets room for, and the pixels of one. */
const LETTERS = 24;
const LETTER_WIDTH = 6.6;

/** The axis of a run in the pixels of a plot; between two moments if these are given. */
export function timeAxis(run, window_ns, plot) {
  const end = Math.max(run.summary.duration_ns, run.series.t_ns.at(-1) ?? 0, 1);
  const width = plot.right - plot.left;
  if (window_ns) {
    const [from, to] = window_ns;
    const spans = stepSpans(run.steps, end, 1000)
      .filter((span) => span.end > from && span.start < to)
      .map((span) => ({ ...span, start: Math.max(span.start, from), end: Math.min(span.end, to) }));
    return new Axis(placed(spans.length ? spans : [{ start: from, end: to, label: '' }], plot, (span) => span.end - span.start), false);
  }
  const spans = stepSpans(run.steps, end, Math.max(2, Math.floor(width / MIN_WIDTH)));
  const uniform = spans.every((span) => (span.end - span.start) / end >= VISIBLE_SHARE);
  if (uniform) return new Axis(placed(spans, plot, (span) => span.end - span.start), false);
  const shortest = Math.min(...spans.map((span) => Math.max(span.end - span.start, 1)));
  const logarithm = (span) => 1 + Math.log10(Math.max(span.end - span.start, 1) / shortest);
  const logarithms = spans.reduce((sum, span) => sum + logarithm(span), 0);
  const names = spans.map((span) => Math.min(span.label.length, LETTERS) * LETTER_WIDTH + 12);
  const spare = Math.max(width - names.reduce((sum, pixels) => sum + pixels, 0), 0.35 * width);
  const grown = (span) => names[spans.indexOf(span)] + (spare * logarithm(span)) / logarithms;
  return new Axis(placed(spans, plot, grown), true);
}

/** Cuts the run at its steps: snapshots and instants join their neighbours, and the shortest when there are too many. */
function stepSpans(steps, end, most) {
  const spans = [];
  let pending = '';
  const join = (a, b) => [a, b].filter(Boolean).join(', ');
  steps.forEach((step, index) => {
    const start = Math.min(step.t_ns, end);
    const next = index + 1 < steps.length ? Math.min(Math.max(steps[index + 1].t_ns, start), end) : end;
    if (step.label.startsWith('snapshot')) {
      if (spans.length) spans.at(-1).end = Math.max(spans.at(-1).end, next);
      return;
    }
    const label = join(pending, step.label);
    pending = '';
    if (next - start > end * INSTANT_SHARE) spans.push({ start, end: next, label });
    else {
      if (spans.length) spans.at(-1).end = Math.max(spans.at(-1).end, next);
      pending = label;
    }
  });
  if (!spans.length) return [{ start: 0, end, label: pending }];
  if (pending) spans.at(-1).label = join(spans.at(-1).label, pending);
  spans[0].start = 0;
  spans.forEach((span, index) => {
    span.end = index + 1 < spans.length ? spans[index + 1].start : end;
  });
  while (spans.length > most) {
    let best = 0;
    for (let index = 1; index + 1 < spans.length; index += 1) {
      const pair = (at) => spans[at + 1].end - spans[at].start;
      if (pair(index) < pair(best)) best = index;
    }
    const [second] = spans.splice(best + 1, 1);
    spans[best].end = second.end;
    spans[best].label = join(spans[best].label, second.label);
  }
  return spans;
}

function placed(spans, plot, weight) {
  const total = spans.reduce((sum, span) => sum + weight(span), 0) || 1;
  let left = plot.left;
  return spans.map((span) => {
    const right = left + ((plot.right - plot.left) * weight(span)) / total;
    const segment = { ...span, left, right };
    left = right;
    return segment;
  });
}

class Axis {
  constructor(segments, perStep) {
    this.segments = segments;
    this.perStep = perStep;
  }

  /** The pixel of a moment. */
  x(t) {
    const { segments } = this;
    const segment = segments.find((one) => t <= one.end) ?? segments.at(-1);
    const share = (t - segment.start) / Math.max(segment.end - segment.start, 1);
    return segment.left + share * (segment.right - segment.left);
  }

  /** The moment of a pixel. */
  t(x) {
    const { segments } = this;
    const segment = segments.find((one) => x <= one.right) ?? segments.at(-1);
    const share = Math.min(Math.max(0, (x - segment.left) / Math.max(segment.right - segment.left, 1)), 1);
    return Math.round(segment.start + share * (segment.end - segment.start));
  }

  /** The pixels of another run's moments: on scales of its own, where steps are the same, step beside step. */
  of(other) {
    if (!this.perStep) return (t) => this.x(t);
    const end = Math.max(other.summary.duration_ns, 1);
    const theirs = stepSpans(other.steps, end, this.segments.length);
    const same = theirs.length === this.segments.length && theirs.every((span, index) => span.label === this.segments[index].label);
    if (!same) return (t) => this.x(t);
    return (t) => {
      const index = Math.max(0, theirs.findIndex((span) => t <= span.end));
      const { left, right } = this.segments[index];
      return left + ((t - theirs[index].start) / Math.max(theirs[index].end - theirs[index].start, 1)) * (right - left);
    };
  }

  /** Marks beneath the axis: moments on one scale, durations on scales per step. */
  ticks() {
    const { segments } = this;
    const first = segments[0];
    const last = segments.at(-1);
    if (this.perStep) {
      return segments
        .filter((segment) => segment.right - segment.left > 34)
        .map((segment) => ({ x: (segment.left + segment.right) / 2, text: time(segment.end - segment.start), anchor: 'middle' }));
    }
    const count = Math.max(2, Math.floor((last.right - first.left) / 110));
    const step = niceTime((last.end - first.start) / count);
    const ticks = [];
    for (let t = Math.ceil(first.start / step) * step; t <= last.end; t += step) {
      ticks.push({ x: this.x(t), text: time(t), anchor: 'middle' });
    }
    return ticks;
  }
}

/** 1, 2 or 5 of a power of ten; from a minute on, what clocks count in. */
function niceTime(ns) {
  const clocks = [60e9, 120e9, 300e9, 600e9, 1800e9, 3600e9, 7200e9, 21600e9, 43200e9, 86400e9];
  if (ns > 30e9) return clocks.find((step) => step >= ns) ?? Math.ceil(ns / 86400e9) * 86400e9;
  const power = 10 ** Math.floor(Math.log10(Math.max(ns, 1)));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= ns);
}
