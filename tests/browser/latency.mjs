// How long the page waits when a slider moves: node latency.mjs GCLAB [WASM] [SCENARIO]
//
// Asks for delete-million (or another scenario) with GOGC moved, ten times for each carrier: `gclab lab` over HTTP, and the WebAssembly
// in this process, as the page's worker runs it. Prints the median and the range from request to parsed answer, and the length of
// the answer. Wanted: under 100 ms natively, under 250 ms in WebAssembly, on a quiet machine. Measures; fails nobody.

import { readFileSync } from 'node:fs';
import { serveNatively } from './browser.mjs';

const TIMES = 10;
const GOGC = ['50', '75', '100', '150', '200', '250', '300', '400', '500', '800'];

const [binary, wasm, name = 'delete-million'] = process.argv.slice(2);
if (!binary) {
  console.error('usage: node latency.mjs GCLAB [WASM] [SCENARIO]');
  process.exit(2);
}

const request = (gogc) => JSON.stringify({ run: { name, settings: { gogc }, points: 800 } });

async function measure(carrier, ask) {
  // The first answer pays for what is loaded once.
  await ask(request('100'));
  const times = [];
  let length = 0;
  for (let turn = 0; turn < TIMES; turn += 1) {
    const start = performance.now();
    const text = await ask(request(GOGC[turn % GOGC.length]));
    if (!JSON.parse(text).run) throw new Error(text.slice(0, 300));
    times.push(performance.now() - start);
    length = text.length;
  }
  times.sort((a, b) => a - b);
  const median = (times[TIMES / 2 - 1] + times[TIMES / 2]) / 2;
  console.log(`${name}, ${carrier}: median ${median.toFixed(1)} ms (${times[0].toFixed(1)} to ${times.at(-1).toFixed(1)}), ${(length / 1024).toFixed(0)} KiB`);
}

const lab = await serveNatively(binary);
await measure('gclab lab', async (body) => {
  const response = await fetch(`${lab.url}api/lab`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  return response.text();
});
lab.stop();

if (wasm) {
  const { instance } = await WebAssembly.instantiate(readFileSync(wasm), {});
  const { memory, request: make, answer, answer_place: place } = instance.exports;
  await measure('WebAssembly', (body) => {
    const bytes = new TextEncoder().encode(body);
    // First make room, then look at the memory: it may have moved.
    const room = make(bytes.length);
    new Uint8Array(memory.buffer, room, bytes.length).set(bytes);
    const length = answer();
    return new TextDecoder().decode(new Uint8Array(memory.buffer, place(), length));
  });
}
