// npm run fuzz:coverage -- [--inputs 20000] [--seed N] [--corpus FILE]
// Mutates further what reached code that nothing before it did. Prints a line of JSON; what reached something, and what
// failed, are kept as fixtures that `npm test` replays.
import { randomInt } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { mulberry32, type Random } from '../../src/commands/simulate/random.ts';
import { watchBlocks } from './blocks.ts';
import { type Fixture, fixtureOf, keepFixture } from './fixture.ts';
import { mutateBytes, mutatedFile } from './mutate.ts';
import { runSession } from './session.ts';

const { values } = parseArgs({
  options: { inputs: { type: 'string' }, seed: { type: 'string' }, corpus: { type: 'string' } },
});
const inputs = Number(values.inputs ?? 20_000);
const seed = Number(values.seed ?? randomInt(2 ** 31));
const corpusFile = values.corpus ?? fileURLToPath(new URL('./fixtures/corpus.json', import.meta.url));

/** Bytes: what is found is kept in the repository. */
const largestKept = 20_000;
const sizeOf = (files: readonly Buffer[]) => files.reduce((sum, { length }) => sum + length, 0);

const folder = mkdtempSync(join(tmpdir(), 'ml-metrics-bridge-fuzz-'));
const path = join(folder, 'current.json');
const random = mulberry32(seed);
const blocks = await watchBlocks(['/src/snapshot/', '/src/run/', '/src/telemetry/']);
const known: readonly Fixture[] = existsSync(corpusFile) ? JSON.parse(readFileSync(corpusFile, 'utf8')) : [];
const corpus: (readonly Buffer[])[] = [];
let failures = 0;

async function attempt(files: readonly Buffer[]): Promise<void> {
  try {
    await runSession(files, path);
  } catch (error) {
    failures += 1;
    keepFixture(`coverage-${seed}-${failures}`, files, String(error));
  }
  const isNews = (await blocks.fresh()) > 0;
  if (isNews && sizeOf(files) < largestKept) corpus.push(files);
}

function mutated(random: Random, files: readonly Buffer[]): readonly Buffer[] {
  const index = Math.floor(random() * files.length);
  const next = random() < 0.3 ? mutatedFile(random, index) : mutateBytes(random, files[index] as Buffer);
  if (random() < 0.1 && files.length < 8) return [...files, next];
  return files.with(index, next);
}

console.error(`seed ${seed}`);
for (const { files } of known) await attempt(files.map((file) => Buffer.from(file, 'base64')));
const knownBlocks = blocks.count;
for (let input = 0; input < inputs; input++) {
  const chosen = corpus[Math.floor(random() * corpus.length)];
  await attempt(
    chosen !== undefined && random() < 0.8 ? mutated(random, chosen) : [mutatedFile(random, input % 8)],
  );
}
writeFileSync(
  corpusFile,
  `${JSON.stringify(
    corpus.map((files) => fixtureOf(files)),
    undefined,
    1,
  )}\n`,
);
rmSync(folder, { recursive: true });
blocks.stop();
console.log(
  JSON.stringify({ seed, inputs, corpus: corpus.length, knownBlocks, blocks: blocks.count, failures }),
);
if (failures > 0) process.exitCode = 1;
