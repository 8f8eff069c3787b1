import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/e2e/*.test.ts', 'test/e2e/compose/*.test.ts', 'test/e2e/faults/*.test.ts'],
    globalSetup: ['test/e2e/compose/global-setup.ts', 'test/support/bundle.ts'],
    // Each file brings up a stack of its own; several at once would measure each other.
    fileParallelism: false,
    testTimeout: 180_000,
    // The first hook may have to pull and build images.
    hookTimeout: 900_000,
  },
});
