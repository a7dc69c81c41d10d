// The page of the lab in a real browser. GCLAB names the binary, SITE the folder of the static site; either may be absent.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { openBrowser, serveFolder, serveNatively, settled, shown, visit } from './browser.mjs';

const carriers = [];
if (process.env.GCLAB) carriers.push(['gclab lab', () => serveNatively(process.env.GCLAB)]);
if (process.env.SITE) carriers.push(['static site', () => serveFolder(process.env.SITE)]);
assert.ok(carriers.length, 'GCLAB or SITE must be set');

/** Sets a slider as a hand does. */
async function slide(page, id, position) {
  const done = await shown(page);
  await page.locator(`#${id}`).evaluate((slider, position) => {
    slider.value = String(position === 'end' ? slider.max : position);
    slider.dispatchEvent(new Event('input', { bubbles: true }));
  }, position);
  await settled(page, done);
}

const line = (page) => page.locator('.plot path.line.rss:not(.pinned)').getAttribute('d');
const goal = (page) => page.locator('.plot path.line.goal').getAttribute('d');

for (const [name, serve] of carriers) {
  describe(name, () => {
    let lab;
    let browser;
    before(async () => {
      lab = await serve();
      browser = await openBrowser();
    });
    after(async () => {
      await browser?.stop();
      lab?.stop();
      assert.deepEqual(browser.strangers, [], 'requests to other machines');
    });
    const open = (hash) => visit(browser.context, lab.url + hash);

    test('moving GOGC shows another chart, and the ledger adds up', async () => {
      const page = await open('#/run?s=container-oom');
      const first = await goal(page);
      await slide(page, 'gogc', 'end');
      assert.notEqual(await goal(page), first);
      assert.match(await page.locator('#facts').textContent(), /GOGC off/);
      const cells = await page.locator('#ledger tbody td:last-child').allTextContents();
      const sum = cells.reduce((total, cell) => total + Math.round(Number(cell) * 100), 0);
      assert.equal(sum, Math.round(Number(await page.locator('#ledger-sum').textContent()) * 100));
      await page.close();
    });

    test('what is typed wrong is shown where it is, and mended', async () => {
      const page = await open('#/run?s=delete-million');
      await page.locator('#program summary').click();
      const text = await page.locator('#program textarea').inputValue();
      const done = await shown(page);
      await page.locator('#program textarea').fill(text.replace('"0..1_000_000"', '"0..1_000_000_000_000_000"'));
      await settled(page, done);
      const said = await page.locator('#mistakes').textContent();
      assert.match(said, /line \d+:\d+/);
      assert.match(said, /steps\[2\]\.insert\.keys/);
      assert.equal(await page.locator('#program textarea').getAttribute('aria-invalid'), 'true');
      assert.ok(await page.locator('#program .backdrop mark').count() > 0);
      const again = await shown(page);
      await page.locator('#restore').click();
      await settled(page, again);
      assert.equal(await page.locator('#mistakes').textContent(), '');
      await page.close();
    });

    test('the keyboard moves the cursor and a screen reader hears of it', async () => {
      const page = await open('#/run?s=delete-million');
      const plot = page.locator('svg.plot');
      await plot.focus();
      await page.keyboard.press('Home');
      const first = await plot.getAttribute('aria-valuetext');
      await page.keyboard.press('End');
      const last = await plot.getAttribute('aria-valuetext');
      assert.notEqual(first, last);
      assert.match(last, /RSS .* HeapAlloc/);
      const done = await shown(page);
      await page.keyboard.press('+');
      await settled(page, done);
      await page.waitForFunction(() => /w=\d+-\d+/.test(location.hash));
      await page.close();
    });

    test('a permalink restores scenario, settings, cursor, zoom and the pinned run', async () => {
      const page = await open('#/run?s=delete-million&gogc=50&go=1.27&t=50000000&w=20000000-90000000&pin=s%3Ddelete-million%26gogc%3D400&lang=zh');
      assert.match(await page.locator('#facts').textContent(), /Go 1\.27 .* GOGC 50/);
      assert.equal(await page.locator('.line.pinned').count() > 0, true);
      assert.equal(await page.locator('html').getAttribute('lang'), 'zh-CN');
      const [before, title] = [await line(page), await page.locator('#readout-title').textContent()];
      await page.waitForTimeout(400);
      const other = await visit(browser.context, page.url());
      assert.equal(await line(other), before);
      assert.equal(await other.locator('#readout-title').textContent(), title);
      await page.close();
      await other.close();
    });

    test('an edited scenario travels in the link', async () => {
      const page = await open('#/run?s=delete-million');
      await page.locator('#program summary').click();
      const done = await shown(page);
      const text = (await page.locator('#program textarea').inputValue()).replace('Delete a million entries', 'Mine');
      await page.locator('#program textarea').fill(text);
      await settled(page, done);
      await page.waitForFunction(() => location.hash.includes('toml='));
      const other = await visit(browser.context, page.url());
      assert.equal(await other.locator('#program textarea').inputValue(), text);
      assert.equal(await other.locator('#title').textContent(), 'Mine');
      await page.close();
      await other.close();
    });

    test('stepping forward and back comes to the same picture', async () => {
      const page = await open('#/step?s=2-write-barrier&e=40');
      const picture = () => page.locator('#heap').innerHTML();
      const press = async (key) => {
        const done = await shown(page);
        await page.keyboard.press(key);
        await settled(page, done);
      };
      const [first, said] = [await picture(), await page.locator('#step-sentence').textContent()];
      for (let count = 0; count < 5; count += 1) await press('ArrowRight');
      assert.notEqual(await page.locator('#step-sentence').textContent(), said);
      for (let count = 0; count < 5; count += 1) await press('ArrowLeft');
      assert.equal(await picture(), first);
      assert.equal(await page.locator('#step-sentence').textContent(), said);
      await press('End');
      assert.match(await page.locator('#step-sentence').textContent(), /over/);
      await press('Home');
      assert.match(await page.locator('#step-counter').textContent(), /event 0 of/);
      await page.close();
    });

    test('Step and Run edit the same program, and show mistakes where they are', async () => {
      const page = await open('#/step?s=3-map-slots&e=10');
      const slots = () => page.locator('#step-counter').textContent();
      const before = await slots();
      await page.locator('#step-program-text summary').click();
      const area = page.locator('#step-program-text textarea');
      const text = await area.inputValue();
      const type = async (words) => {
        const done = await shown(page);
        await area.fill(words);
        await settled(page, done);
      };
      await type(text.replaceAll('0..20', '0..9'));
      assert.notEqual(await slots(), before);
      await type(text.replaceAll('"0..20"', '"0..-20"'));
      assert.match(await page.locator('#step-mistakes').textContent(), /line \d+:\d+.*keys/s);
      assert.ok(await page.locator('#step-program-text .backdrop mark').count() > 0);
      await type(text.replaceAll('0..20', '0..9'));
      assert.equal(await page.locator('#step-mistakes').textContent(), '');
      const done = await shown(page);
      await page.locator('.tabs a[data-view="run"]').click();
      await settled(page, done);
      assert.match(await page.locator('#program textarea').inputValue(), /0\.\.9/);
      await page.close();
    });

    test('a large scenario is stepped through small, and another language tells it', async () => {
      const page = await open('#/step?s=delete-million&e=1');
      assert.match(await page.locator('#step-sentence').textContent(), /Shown small/);
      assert.match(await page.locator('#view-step').textContent(), /divided by 10,000/);
      const done = await shown(page);
      await page.locator('#language').click();
      await settled(page, done);
      assert.match(await page.locator('#step-sentence').textContent(), /缩小显示/);
      await page.close();
    });

    test('a lesson is answered, and says whether that is right', async () => {
      const page = await open('#/lesson?n=1');
      assert.equal(await page.locator('.verdict').count(), 0);
      const choices = page.locator('button.choice');
      assert.ok(await choices.count() >= 2);
      const done = await shown(page);
      await choices.first().click();
      await settled(page, done);
      const right = page.locator('button.choice.right');
      assert.equal(await right.count(), 1);
      const again = await shown(page);
      await right.click();
      await settled(page, again);
      assert.equal(await page.locator('.verdict.right').count(), 1);
      assert.ok(await page.locator('.lesson-charts svg.plot').count() > 0);
      await page.close();
    });

    test('a hostile scenario is cut off while another visitor is served', async () => {
      const hostile = await open('#/run?s=slice-pins-array');
      const other = await open('#/run?s=slice-pins-array');
      const done = await shown(hostile);
      await hostile.locator('#program summary').click();
      await hostile.locator('#program textarea').fill('title = "t"\nquestion = "q"\nanswer = "a"\nvars = { m = "map[int]int" }\nsteps = [ { repeat = { times = 9_000_000, steps = [ { compute = "1s" } ] } } ]');
      await slide(other, 'gogc', 0);
      assert.match(await other.locator('#facts').textContent(), /GOGC 10 /);
      await settled(hostile, done);
      assert.match(await hostile.locator('#notice').textContent(), /cut off in/);
      await hostile.close();
      await other.close();
    });

    test('nothing is wider than a phone, in light and in dark', async () => {
      for (const colorScheme of ['light', 'dark']) {
        for (const hash of ['#/run?s=spike-and-idle', '#/step?s=3-map-slots&e=60', '#/step?s=sharded-16-against-one&e=120', '#/lesson?n=1']) {
          const page = await open(hash);
          await page.emulateMedia({ colorScheme });
          await page.setViewportSize({ width: 360, height: 740 });
          await page.waitForTimeout(100);
          const spill = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
          assert.ok(spill <= 0, `${hash} spills ${spill} pixels`);
          await page.close();
        }
      }
    });

    test('the page has reported no error', () => {
      assert.deepEqual(browser.errors, []);
    });
  });
}
