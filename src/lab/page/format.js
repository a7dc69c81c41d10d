// Sizes, times and counts as people read them.

const MIB = 1 << 20;

/** `38.35`: mebibytes with two digits behind the point. */
export function mib(bytes) {
  return (bytes / MIB).toFixed(2);
}

/** `38.4 MiB`, `512 KiB`, `1.5 GiB`. */
export function size(bytes) {
  if (bytes === null || bytes === undefined) return '–';
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (Math.abs(value) >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || Math.abs(value) >= 100 || Number.isInteger(value) ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${units[unit]}`;
}

/** `107 ms`, `2.4 s`, `6m 0s`: nanoseconds with three digits that count. */
export function time(ns) {
  if (ns < 1e3) return `${Math.round(ns)} ns`;
  if (ns < 1e6) return `${three(ns / 1e3)} µs`;
  if (ns < 1e9) return `${three(ns / 1e6)} ms`;
  if (ns < 60e9) return `${three(ns / 1e9)} s`;
  const seconds = Math.round(ns / 1e9);
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${seconds % 60}s`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)}h ${Math.floor((seconds % 3600) / 60)}m`;
  return `${Math.floor(seconds / 86400)}d ${Math.floor((seconds % 86400) / 3600)}h`;
}

function three(value) {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** `1,000,000`. */
export function count(value) {
  return String(value).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/** `3.2%`. */
export function percent(share) {
  return `${(share * 100).toFixed(1)}%`;
}

/** Hundredths of a MiB for each part such that their sum is that of the whole, rounded: a ledger that adds up as printed. */
export function ledgerHundredths(parts) {
  const exact = parts.map((bytes) => (bytes * 100) / MIB);
  const whole = Math.round(exact.reduce((sum, part) => sum + part, 0));
  const cut = exact.map(Math.floor);
  let left = whole - cut.reduce((sum, part) => sum + part, 0);
  const order = exact.map((part, index) => [part - Math.floor(part), index]).sort((a, b) => b[0] - a[0] || a[1] - b[1]);
  for (const [, index] of order) {
    if (left <= 0) break;
    cut[index] += 1;
    left -= 1;
  }
  return { parts: cut, whole };
}

/** Hundredths as `0.07`. */
export function hundredths(value) {
  return (value / 100).toFixed(2);
}
