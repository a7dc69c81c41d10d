// Where the reader is: everything that a permalink restores, as the part of the address behind `#`.

/** `#/run?s=delete-million&gogc=200` as `{view: 'run', params: Map}`. */
export function read(hash) {
  const [path, query = ''] = hash.replace(/^#\/?/, '').split('?');
  return { view: path || 'run', params: new URLSearchParams(query) };
}

/** The other way round; parameters that are empty are left out. */
export function write(view, entries) {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(entries)) {
    if (value !== null && value !== undefined && value !== '') params.set(name, value);
  }
  const query = params.toString().replaceAll('%2C', ',').replaceAll('%3A', ':');
  return `#/${view}${query ? `?${query}` : ''}`;
}

/** A text as letters that fit an address, squeezed. */
export async function pack(text) {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream('deflate-raw'));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  let letters = '';
  for (const byte of bytes) letters += String.fromCharCode(byte);
  return btoa(letters).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

/** Longest text that a permalink may unfold to: as long as a scenario may be. */
const UNPACKED_LIMIT = 64 * 1024;

/** What `pack` made of a text; throws if it is none. */
export async function unpack(letters) {
  const bytes = Uint8Array.from(atob(letters.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw')).getReader();
  const decoder = new TextDecoder();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    text += decoder.decode(value, { stream: true });
    if (text.length > UNPACKED_LIMIT) throw new Error('the scenario in this address is too long');
  }
}
