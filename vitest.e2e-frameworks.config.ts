import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/e2e/frameworks/*.test.ts'],
    globalSetup: ['test/e2e/frameworks/environment.ts'],
    testTimeout: 120_000,
  },
});
