// Every benchmark, one after the other, with what each takes by itself; then `npm run generate` brings the documents up to date.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { benchmarks } from '../tools/generate/tables/performance.ts';

for (const name of benchmarks) {
  console.log(`\n== ${name}`);
  const script = fileURLToPath(new URL(`${name}.ts`, import.meta.url));
  const { status } = spawnSync(process.execPath, [script], { stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}
