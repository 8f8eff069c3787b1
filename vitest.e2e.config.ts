import { defineConfig } from 'vitest/config';

/** Files that mostly wait for scrapes and alerts. Each has a stack of its own on free ports. */
const waiting = [
  'test/e2e/{documents,histograms,logs,straggler}.test.ts',
  'test/e2e/compose/{file,memory,queries,stack}.test.ts',
  'test/e2e/faults/last-value.test.ts',
];

export default defineConfig({
  test: {
    globalSetup: ['test/e2e/compose/global-setup.ts', 'test/support/bundle.ts'],
    testTimeout: 180_000,
    // The first hook may have to pull and build images.
    hookTimeout: 900_000,
    projects: [
      { extends: true, test: { name: 'waiting', include: waiting, maxWorkers: 3 } },
      {
        extends: true,
        test: {
          name: 'alone',
          include: ['test/e2e/*.test.ts', 'test/e2e/{compose,faults}/*.test.ts'],
          exclude: waiting,
          // They have deadlines, or put the machine under load: several at once would measure each other.
          fileParallelism: false,
        },
      },
    ],
  },
});
