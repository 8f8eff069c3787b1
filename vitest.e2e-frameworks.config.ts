import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/e2e/frameworks/*.test.ts'],
    globalSetup: ['test/e2e/frameworks/environment.ts', 'test/support/bundle.ts'],
    // Python may take a minute to load its libraries on a machine that is busy.
    testTimeout: 300_000,
  },
});
