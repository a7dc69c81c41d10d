// A browser, and a lab for it to look at: `gclab lab` on a free port, or a folder of the static site behind a plain file server.

import { spawn } from 'node:child_process';
import { createReadStream, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { chromium } from 'playwright-core';

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

/** Starts `gclab lab`; `{url, stop}`. */
export async function serveNatively(binary) {
  const child = spawn(binary, ['lab', '--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const url = await new Promise((resolve, reject) => {
    child.stdout.on('data', (data) => {
      const found = String(data).match(/http:\S+/);
      if (found) resolve(found[0]);
    });
    child.on('exit', (code) => reject(new Error(`gclab lab ended with ${code}`)));
  });
  return { url, stop: () => child.kill() };
}

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.json': 'application/json', '.svg': 'image/svg+xml', '.wasm': 'application/wasm' };

/** Serves a folder as any static host does; `{url, stop}`. */
export async function serveFolder(folder) {
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, 'http://host').pathname));
    const file = join(folder, path.endsWith('/') ? `${path}index.html` : path);
    if (!file.startsWith(folder) || !existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' });
    createReadStream(file).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${server.address().port}/`, stop: () => server.close() };
}

/** A browser with a profile of its own; `{context, stop}`. Requests to other machines are noted in `strangers`. */
export async function openBrowser(options = {}) {
  const profile = mkdtempSync(join(tmpdir(), 'gclab-browser-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    args: FLAGS,
    viewport: { width: 1440, height: 900 },
    ...options,
  });
  context.setDefaultTimeout(15000);
  const strangers = [];
  const errors = [];
  context.on('request', (request) => {
    const { hostname, protocol } = new URL(request.url());
    if (protocol.startsWith('http') && hostname !== '127.0.0.1') strangers.push(request.url());
  });
  context.on('weberror', (error) => errors.push(String(error.error())));
  context.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  const stop = async () => {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  };
  return { context, strangers, errors, stop };
}

/** A page of the lab, once it shows what its address asks for. */
export async function visit(context, url) {
  const page = await context.newPage();
  await page.goto(url);
  await settled(page, 0);
  return page;
}

/** How many answers the page has shown. */
export function shown(page) {
  return page.evaluate(() => Number(document.body.dataset.ready ?? 0));
}

/** Waits until the page has shown another answer than the first `before`, and asks for no more. */
export async function settled(page, before) {
  await page.waitForFunction((before) => Number(document.body.dataset.ready ?? 0) > before && !document.body.classList.contains('busy'), before);
}
