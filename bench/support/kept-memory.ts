// Loaded into a program by `node --expose-gc --import`: measures what it keeps, without the garbage that V8 has not collected
// yet. Writes the largest resident size to the file in KEPT_MEMORY_FILE, in bytes.
import { writeFileSync } from 'node:fs';

const everyMs = 2_000;
let largest = 0;

const timer = setInterval(() => {
  // The last resort gives back also what V8 holds in reserve.
  globalThis.gc?.({ execution: 'sync', flavor: 'last-resort' });
  largest = Math.max(largest, process.memoryUsage.rss());
}, everyMs);
timer.unref();

process.on('exit', () => writeFileSync(process.env.KEPT_MEMORY_FILE ?? '', String(largest)));
