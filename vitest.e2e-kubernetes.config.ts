import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/e2e/kubernetes/**/*.test.ts'],
    globalSetup: ['test/e2e/kubernetes/global-setup.ts', 'test/support/bundle.ts'],
    // One cluster for all.
    fileParallelism: false,
    testTimeout: 300_000,
    // The first hook may have to build the image.
    hookTimeout: 900_000,
  },
});
