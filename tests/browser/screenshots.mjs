// Pictures of every screen, for docs/: node screenshots.mjs GCLAB FOLDER [NAME]

import { join } from 'node:path';
import { openBrowser, serveNatively, settled } from './browser.mjs';

const [binary, folder, only] = process.argv.slice(2);
/** A scenario with two mistakes, as an address carries it. */
async function packed(text) {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream('deflate-raw'));
  return Buffer.from(await new Response(stream).arrayBuffer()).toString('base64url');
}

const WRONG = `title    = "A map with mistakes"
question = "What does the page say?"
answer   = "Where they are."

steps = [
  { make   = { var = "sessions", hint = "many" } },
  { insert = { var = "sesions", keys = "0..1_000_000_000_000_000" } },
]

[vars]
sessions = "map[int]int"
`;

const SCREENS = [
  ['lab-run', '#/run?s=delete-million&t=90000000', 1440, 900],
  ['lab-run-spike', '#/run?s=spike-and-idle', 1440, 900],
  ['lab-run-compare', '#/run?s=steady-gogc&gogc=400&pin=s%3Dsteady-gogc%26gogc%3D50', 1440, 1060],
  ['lab-run-projector', '#/run?s=container-oom', 1920, 1080],
  ['lab-error', `#/run?s=delete-million&toml=${await packed(WRONG)}`, 1440, 1000],
  ['lab-step-mark', '#/step?s=1-mark-and-sweep&e=40', 1440, 900],
  ['lab-step-barrier', '#/step?s=2-write-barrier&e=44', 1440, 900],
  ['lab-step-map', '#/step?s=3-map-slots&e=58', 1440, 1040],
  ['lab-step-small', '#/step?s=sync-map-delete&go=1.23&e=75', 1440, 1000],
  ['lab-lesson', '#/lesson?n=1', 1440, 1000],
  ['lab-lesson-reveal', '#/lesson?n=1&a=all', 1440, 1300],
];

const lab = await serveNatively(binary);
for (const scheme of ['light', 'dark']) {
  for (const [name, hash, width, height] of SCREENS) {
    for (const [suffix, size] of [['', { width, height }], ['-360', { width: 360, height: 740 }]]) {
      const file = `${name}-${scheme}${suffix}`;
      if (only && !file.startsWith(only)) continue;
      const { context, errors, stop } = await openBrowser({ colorScheme: scheme, viewport: size });
      const page = await context.newPage();
      await page.goto(lab.url + hash);
      await settled(page, 0).catch((error) => console.log(String(error)));
      await page.waitForTimeout(150);
      await page.screenshot({ path: join(folder, `${file}.png`), fullPage: suffix !== '' });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      console.log(file, errors.join('; '), wide > 0 ? `WIDER by ${wide}` : '');
      await stop();
    }
  }
}
lab.stop();
