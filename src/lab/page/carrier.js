// How requests reach the simulator: over HTTP to `gclab lab`, or into WebAssembly in a worker. The answers are the same bytes.

let carrier = null;

/** Sends a request, gives the answer. Whatever goes wrong is an answer, too: `{refused: {message}}`. */
export async function ask(request) {
  if (!carrier) carrier = choose();
  try {
    return JSON.parse(await (await carrier)(JSON.stringify(request)));
  } catch (error) {
    return { refused: { message: String(error.message || error) } };
  }
}

async function choose() {
  const response = await fetch('carrier.json');
  const { carrier: kind } = response.ok ? await response.json() : { carrier: 'server' };
  return kind === 'wasm' ? overWorker() : overHttp;
}

async function overHttp(body) {
  let response;
  try {
    response = await fetch('api/lab', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  } catch {
    throw new Error('gclab lab does not answer: does it still run?');
  }
  return response.text();
}

/** One worker; requests one after the other. A simulator that has stopped is started anew. */
function overWorker() {
  let worker = null;
  let number = 0;
  const waiting = new Map();
  const start = () => {
    worker = new Worker('worker.js', { type: 'module' });
    worker.onmessage = ({ data }) => {
      const { resolve, reject } = waiting.get(data.number);
      waiting.delete(data.number);
      if (data.answer !== undefined) {
        resolve(data.answer);
      } else {
        worker.terminate();
        worker = null;
        reject(new Error(data.error));
      }
    };
    worker.onerror = (event) => {
      for (const { reject } of waiting.values()) reject(new Error(event.message || 'the simulator could not be loaded'));
      waiting.clear();
      worker = null;
    };
  };
  return (body) =>
    new Promise((resolve, reject) => {
      if (!worker) start();
      number += 1;
      waiting.set(number, { resolve, reject });
      worker.postMessage({ number, body });
    });
}
