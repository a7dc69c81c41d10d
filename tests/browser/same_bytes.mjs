// The same request gives the same bytes natively and as WebAssembly: node same_bytes.mjs GCLAB WASM
//
// Asks every scenario and every glass program under the releases of Go that differ most, and says the first difference.

import { readFileSync } from 'node:fs';
import { spawn } from 'node:child_process';

const [binary, wasm] = process.argv.slice(2);
const { instance } = await WebAssembly.instantiate(readFileSync(wasm), {});
const lab = instance.exports;

function inWasm(body) {
  const request = new TextEncoder().encode(body);
  const place = lab.request(request.length);
  new Uint8Array(lab.memory.buffer, place, request.length).set(request);
  const length = lab.answer();
  return new TextDecoder().decode(new Uint8Array(lab.memory.buffer, lab.answer_place(), length));
}

const child = spawn(binary, ['lab', '--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
const url = await new Promise((resolve, reject) => {
  child.stdout.on('data', (data) => resolve(String(data).match(/http:\S+/)[0]));
  child.on('exit', (code) => reject(new Error(`gclab lab ended with ${code}`)));
});

async function natively(body) {
  const response = await fetch(`${url}api/lab`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  return response.text();
}

let wrong = 0;
let count = 0;
let [nativeMs, wasmMs] = [0, 0];
async function compare(request) {
  const body = JSON.stringify(request);
  const start = performance.now();
  const one = await natively(body);
  const middle = performance.now();
  const other = inWasm(body);
  nativeMs += middle - start;
  wasmMs += performance.now() - middle;
  count += 1;
  if (one === other) return;
  wrong += 1;
  let at = 0;
  while (one[at] === other[at]) at += 1;
  console.error(`${body}\n  native: ...${one.slice(Math.max(0, at - 60), at + 60)}\n  wasm:   ...${other.slice(Math.max(0, at - 60), at + 60)}`);
}

const { scenarios } = JSON.parse(await natively('"scenarios"'));
await compare('scenarios');
for (const { name } of scenarios.run) {
  for (const settings of [{}, { go: '1.27', seed: '7', gogc: '60' }]) await compare({ run: { name, settings, points: 300 } });
  await compare({ step: { name, at: 60, language: 'zh' } });
}
for (const { name } of scenarios.step) {
  for (const go of ['1.23', '1.27']) await compare({ step: { name, settings: { go }, at: 50 } });
}
await compare({ lesson: { number: 1, language: 'en', answer: 'a' } });
await compare({ run: { name: 'x', text: 'title = 5' } });
child.kill();
console.log(`${count} requests, ${wrong} differ; native ${Math.round(nativeMs)} ms, WebAssembly ${Math.round(wasmMs)} ms`);
process.exit(wrong ? 1 : 0);
