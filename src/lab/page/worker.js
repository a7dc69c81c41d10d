// The simulator as WebAssembly. The text of a request is written into its memory, that of the answer is read from it.

const ready = load();

async function load() {
  const response = await fetch('gclab.wasm');
  if (!response.ok) throw new Error('gclab.wasm is not there');
  const bytes = await response.arrayBuffer();
  const { instance } = await WebAssembly.instantiate(bytes, {});
  return instance.exports;
}

self.onmessage = async ({ data: { number, body } }) => {
  try {
    const lab = await ready;
    const request = new TextEncoder().encode(body);
    const place = lab.request(request.length);
    new Uint8Array(lab.memory.buffer, place, request.length).set(request);
    const length = lab.answer();
    const answer = new TextDecoder().decode(new Uint8Array(lab.memory.buffer, lab.answer_place(), length));
    self.postMessage({ number, answer });
  } catch (error) {
    self.postMessage({ number, error: `the simulator stopped: ${error.message}` });
  }
};
