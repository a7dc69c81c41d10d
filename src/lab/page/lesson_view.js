// The view that teaches: a question, a prediction, the run, and what it shows.

import { ask } from './carrier.js';
import { Chart } from './chart.js';
import { byId, element } from './dom.js';
import { size, time } from './format.js';
import { pack, write } from './place.js';
import { spoken, word } from './words.js';

export class LessonView {
  constructor(moved) {
    this.moved = moved;
    this.state = { number: null, answer: null };
    this.root = byId('view-lesson');
  }

  place() {
    return { n: this.state.number, a: this.state.answer };
  }

  async open(params) {
    this.state = { number: Number(params.get('n')) || null, answer: params.get('a') };
    await this.load();
  }

  /** Asks for the list, or for the lesson that the state says. */
  async load() {
    document.body.classList.add('busy');
    const language = spoken();
    const { number, answer } = this.state;
    this.list ??= {};
    this.list[language] ??= (await ask({ lessons: { language } })).lessons ?? [];
    const request = { number, language };
    if (answer) request.answer = answer;
    const reply = number ? await ask({ lesson: request }) : {};
    const notice = byId('notice');
    notice.hidden = !reply.refused;
    if (reply.refused) notice.textContent = reply.refused.message;
    if (number && !reply.lesson && answer) this.state.answer = null;
    this.lesson = reply.lesson ?? (number && this.lesson?.asked?.number === number ? { ...this.lesson, result: undefined } : null);
    this.draw();
    document.body.classList.remove('busy');
    document.body.dataset.ready = String(Number(document.body.dataset.ready ?? 0) + 1);
    this.moved();
  }

  /** In another language, the words come anew. */
  show() {
    if (this.list) this.load();
  }

  go(number, answer = null) {
    this.state = { number, answer };
    this.load().then(() => {
      byId('main').focus({ preventScroll: true });
      if (answer) this.root.querySelector('.verdict')?.scrollIntoView({ block: 'start' });
      else scrollTo(0, 0);
    });
  }

  draw() {
    const { number } = this.state;
    const lessons = this.list[spoken()];
    const link = (lesson) => element('li', { 'aria-current': lesson.number === number ? 'page' : null },
      element('a', { href: write('lesson', { n: lesson.number, lang: spoken() === 'en' ? null : spoken() }) }, element('b', {}, String(lesson.number)), element('span', {}, lesson.title, number ? null : element('small', {}, lesson.question))));
    const nav = element('nav', { class: number ? 'panel lesson-list' : 'panel lesson-list all', 'aria-label': word('tab_lesson') }, element('ol', {}, ...lessons.map(link)));
    if (!this.lesson) {
      this.root.replaceChildren(element('div', { class: 'question' }, element('h1', {}, word('lesson_choose')), element('p', { class: 'facts' }, word('lesson_how'))), nav);
      return;
    }
    this.root.replaceChildren(element('div', { class: 'lesson-grid' }, nav, element('article', { class: 'lesson' }, ...this.asked(), ...(this.lesson.result ? this.told() : []), this.turn(lessons))));
    for (const [chart, run] of this.charts ?? []) {
      chart.show(run, null, null);
      chart.moveToTime(run.snapshots.at(-1)?.t_ns ?? run.summary.duration_ns, false);
      this.flagOf(chart, run);
    }
  }

  asked() {
    const { asked, result } = this.lesson;
    const head = element('div', { class: 'question' }, element('p', { class: 'eyebrow' }, word('lesson_number', { number: asked.number, title: asked.title })), element('h1', {}, asked.question), ...prose(asked.setup, 'setup'));
    const body = [element('h2', {}, word('lesson_predict')), ...prose(asked.predict)];
    if (asked.unit === null) {
      body.push(element('div', { class: 'choices' }, ...asked.choices.map(({ key, text }) => {
        const marks = result ? { 'aria-pressed': String(result.verdict.given === key), class: result.verdict.right === key ? 'choice right' : 'choice' } : { class: 'choice' };
        const sign = result && result.verdict.right === key ? '✓ ' : result && result.verdict.given === key ? '✗ ' : '';
        return element('button', { type: 'button', ...marks, 'data-key': key, onclick: () => this.go(asked.number, key) }, sign, ...coded(text));
      })));
    } else {
      const field = element('input', { type: 'text', id: 'guess', autocomplete: 'off', value: this.state.answer ?? '', size: 12 });
      const send = (event) => {
        event.preventDefault();
        if (field.value.trim()) this.go(asked.number, field.value.trim());
      };
      body.push(element('form', { class: 'guess', onsubmit: send }, element('label', { for: 'guess' }, word('lesson_guess')), field, asked.unit ? element('span', {}, asked.unit) : null, element('button', { type: 'submit', class: 'primary' }, word('lesson_run'))));
    }
    return [head, element('section', { class: 'panel predict' }, ...body)];
  }

  told() {
    const { asked, result } = this.lesson;
    const { verdict, told, runs, program } = result;
    const verdictText = word(verdict.is_right ? 'lesson_right' : 'lesson_wrong', { answer: told.right });
    this.charts = [];
    const figure = ({ name, text, run }) => {
      const box = element('div', { class: 'chart small' });
      const caption = element('figcaption', {});
      const open = element('a', { href: '#' }, word('lesson_open'));
      this.link(text, run).then((href) => open.setAttribute('href', href));
      const node = element('figure', { class: 'panel chart-panel' }, runs.length > 1 ? element('h3', {}, `${name}: ${settings(run.config)}`) : element('h3', {}, settings(run.config)), box, caption, open);
      const chart = new Chart(box, { cursor: (index) => { caption.textContent = readOut(run, index); }, zoom: () => {}, zoomOut: () => {} });
      chart.caption = caption;
      this.charts.push([chart, run]);
      return node;
    };
    const numbers = element('table', { class: 'numbers' }, element('tbody', {}, ...told.numbers.map(({ label, text }) => element('tr', {}, element('th', { scope: 'row' }, ...coded(label)), element('td', {}, text)))));
    const part = (key, ...nodes) => element('section', { class: 'panel' }, element('h2', {}, word(key)), ...nodes);
    const source = ({ title, url, about }) => element('li', {}, url ? element('a', { href: url, rel: 'noreferrer', target: '_blank' }, title) : element('code', {}, title), about ? ` – ${about}` : '');
    const code = element('pre', { class: 'code' }, program.text);
    const copy = element('button', { type: 'button', onclick: () => navigator.clipboard?.writeText(program.text) }, word('lesson_copy'));
    return [
      element('section', { class: `panel verdict ${verdict.is_right ? 'right' : 'wrong'}`, role: 'status' }, element('p', { class: 'verdict-line' }, element('span', { 'aria-hidden': 'true' }, verdict.is_right ? '✓ ' : '✗ '), ...coded(verdictText)), ...prose(told.reveal)),
      element('div', { class: 'lesson-charts' }, ...runs.map(figure)),
      part('lesson_numbers', numbers),
      part('lesson_why', ...prose(told.why)),
      part('lesson_production', element('ul', { class: 'advice' }, ...told.production.map((text) => element('li', {}, ...coded(text))))),
      part('lesson_try', ...prose(told.try_it), element('pre', { class: 'code' }, `gclab lesson ${asked.number}\n${program.environment}go run ${asked.name}.go`), element('details', {}, element('summary', {}, word('lesson_program')), copy, code)),
      part('lesson_sources', element('ul', { class: 'sources' }, ...told.sources.map(source))),
    ];
  }

  /** The run of a lesson's picture, in the view that runs. */
  async link(text, { name, config }) {
    return write('run', {
      s: name, toml: await pack(text), gogc: config.gogc_percent ?? 'off', limit: config.memory_limit_bytes ? `${config.memory_limit_bytes}B` : 'off', go: config.go,
      procs: config.procs, madv: config.madvdontneed ? '1' : '0', seed: config.seed, lang: spoken() === 'en' ? null : spoken(),
    });
  }

  flagOf(chart, run) {
    chart.caption.textContent = readOut(run, chart.index);
    chart.describe(readOut(run, chart.index));
  }

  turn(lessons) {
    const at = lessons.findIndex(({ number }) => number === this.state.number);
    const to = (lesson, key) => (lesson ? element('button', { type: 'button', onclick: () => this.go(lesson.number) }, word(key, { title: lesson.title })) : element('span', {}));
    return element('div', { class: 'row turn' }, to(lessons[at - 1], 'lesson_before'), to(lessons[at + 1], 'lesson_next'));
  }
}

/** Paragraphs of a text. */
function prose(text, name = null) {
  return text.split(/\n\s*\n/).filter((paragraph) => paragraph.trim()).map((paragraph) => element('p', { class: name }, ...coded(paragraph.trim())));
}

/** A text with `code` in it. */
function coded(text) {
  return text.split('`').map((part, index) => (index % 2 ? element('code', {}, part) : part));
}

function settings(config) {
  return `Go ${config.go} · GOGC ${config.gogc_percent ?? word('off')} · GOMEMLIMIT ${config.memory_limit_bytes ? size(config.memory_limit_bytes) : word('off')} · ${config.procs} P`;
}

function readOut({ series }, index) {
  const t = series.t_ns[index];
  if (t === undefined) return '';
  return `${word('at', { time: time(t) })}: ${word('rss')} ${size(series.rss_bytes[index])}, ${word('heap_alloc')} ${size(series.heap_alloc_bytes[index])}, ${word('goal')} ${size(series.heap_goal_bytes[index])}`;
}
