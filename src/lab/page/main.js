// The page: which view is shown, in which language and light, and the address that restores it.

import { ask } from './carrier.js';
import { byId } from './dom.js';
import { LessonView } from './lesson_view.js';
import { read, write } from './place.js';
import { RunView } from './run_view.js';
import { StepView } from './step_view.js';
import { speak, spoken, translate, word } from './words.js';

const VIEWS = ['run', 'step', 'lesson'];

let views = {};
let current = null;
let writing = null;

async function start() {
  setTheme(remembered('theme'));
  const { params } = read(location.hash);
  const wished = params.get('lang') ?? remembered('language') ?? (navigator.language.startsWith('zh') ? 'zh' : 'en');
  speak(wished);
  translate(document);
  labelLanguage();
  for (const tab of document.querySelectorAll('.tabs a')) tab.hidden = !VIEWS.includes(tab.dataset.view);
  const answer = await ask('scenarios');
  if (!answer.scenarios) {
    say(answer.refused?.message ?? '');
    return;
  }
  const { run, step } = answer.scenarios;
  views = {
    run: new RunView(run, [...run, ...step], () => remember()),
    step: new StepView(step, run, () => remember()),
    lesson: new LessonView(() => remember()),
  };
  translate(document);
  window.addEventListener('hashchange', () => open());
  byId('language').addEventListener('click', changeLanguage);
  byId('theme').addEventListener('click', changeTheme);
  byId('share').addEventListener('click', share);
  await open();
}

/** Shows what the address says. */
async function open() {
  const { view, params } = read(location.hash);
  current = VIEWS.includes(view) ? view : 'run';
  for (const name of ['run', 'step', 'lesson']) byId(`view-${name}`).hidden = name !== current;
  for (const tab of document.querySelectorAll('.tabs a')) {
    if (tab.dataset.view === current) tab.setAttribute('aria-current', 'page');
    else tab.removeAttribute('aria-current');
  }
  const lang = params.get('lang');
  if (lang && lang !== spoken() && speak(lang)) relabel();
  try {
    await views[current].open(params);
  } catch {
    say(word('bad_link'));
    await views[current].open(new URLSearchParams());
  }
}

/** Brings the address up to what is shown; a moment later, for sliders move often. */
function remember() {
  clearTimeout(writing);
  writing = setTimeout(async () => {
    history.replaceState(null, '', await address());
  }, 200);
}

async function address() {
  return write(current, { ...(await views[current].place()), lang: spoken() === 'en' ? null : spoken() });
}

async function share() {
  clearTimeout(writing);
  history.replaceState(null, '', await address());
  try {
    await navigator.clipboard.writeText(location.href);
    say(word('shared'), 3000);
  } catch {
    say(word('share_failed'), 3000);
  }
}

function changeLanguage() {
  speak(spoken() === 'en' ? 'zh' : 'en');
  keep('language', spoken());
  relabel();
  remember();
}

function relabel() {
  translate(document);
  labelLanguage();
  views[current]?.show();
}

function labelLanguage() {
  const button = byId('language');
  button.textContent = spoken() === 'en' ? '中文' : 'English';
  button.lang = spoken() === 'en' ? 'zh' : 'en';
}

/** Light, dark, or what the system prefers. */
function setTheme(theme) {
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
}

function changeTheme() {
  const { dataset } = document.documentElement;
  const dark = dataset.theme ? dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  setTheme(dark ? 'light' : 'dark');
  keep('theme', dataset.theme);
}

function say(text, forMs) {
  const notice = byId('notice');
  notice.textContent = text;
  notice.hidden = !text;
  if (forMs) setTimeout(() => { if (notice.textContent === text) notice.hidden = true; }, forMs);
}

/** What a browser keeps for the next visit; it may refuse to. */
function keep(name, value) {
  try {
    localStorage.setItem(`gclab-${name}`, value);
  } catch {
    // A browser that keeps nothing asks again next time.
  }
}

function remembered(name) {
  try {
    return localStorage.getItem(`gclab-${name}`);
  } catch {
    return null;
  }
}

start();
