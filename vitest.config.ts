import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/e2e/**'],
    globalSetup: ['test/support/bundle.ts'],
    testTimeout: 30_000,
    // Hooks build bundles and start processes, as tests do.
    hookTimeout: 60_000,
    // Many tests run whole processes; more at once than cores would make them wait for each other.
    maxWorkers: 2,
  },
});
