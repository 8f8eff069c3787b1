// Loaded into a program by `node --expose-gc --import`: measures what it keeps, without the garbage that V8 has not collected
// yet. Writes the largest resident size to the file in KEPT_MEMORY_FILE, in bytes.
import { writeFileSync } from 'node:fs';
import { collectGarbage } from '../../test/support/collect-garbage.ts';

const everyMs = 2_000;
let largest = 0;

const timer = setInterval(() => {
  collectGarbage();
  largest = Math.max(largest, process.memoryUsage.rss());
}, everyMs);
timer.unref();

process.on('exit', () => writeFileSync(process.env.KEPT_MEMORY_FILE ?? '', String(largest)));
