import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/e2e/frameworks/*.test.ts'],
    globalSetup: ['test/e2e/frameworks/environment.ts', 'test/support/bundle.ts'],
    // One file waits for three minutes, while the others use the CPU.
    maxWorkers: 3,
    // Python may take a minute to load its libraries on a machine that is busy.
    testTimeout: 300_000,
  },
});
