import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { readStages } from '../../bench/support/dockerfile.ts';

it('follows stages that build on one another', () => {
  const stages = readStages(
    [
      'FROM --platform=$BUILDPLATFORM node:26 AS build',
      'RUN npm ci',
      'FROM base AS program',
      'ENV A=1 B=/app/cache',
      'ENTRYPOINT ["/node", "--flag", "/app/main.cjs"]',
      'FROM program AS warm',
      'ENV B=2 \\',
      '    C=3',
      'RUN ["/node", "warm"]',
      'FROM program',
    ].join('\n'),
  );
  const entrypoint = ['/node', '--flag', '/app/main.cjs'];
  expect(stages).toEqual([
    { name: 'build', environment: {}, entrypoint: [], runs: [] },
    { name: 'program', environment: { A: '1', B: '/app/cache' }, entrypoint, runs: [] },
    { name: 'warm', environment: { A: '1', B: '2', C: '3' }, entrypoint, runs: [['/node', 'warm']] },
    { name: '', environment: { A: '1', B: '/app/cache' }, entrypoint, runs: [] },
  ]);
});

it('reads how our image starts, and that its cache is warmed', () => {
  const stages = readStages(readFileSync('Dockerfile', 'utf8'));
  expect(stages.at(-1)?.entrypoint).toContain('/app/main.cjs');
  expect(stages.at(-1)?.environment).toHaveProperty('NODE_COMPILE_CACHE');
  expect(stages.flatMap(({ runs }) => runs)).not.toEqual([]);
});
