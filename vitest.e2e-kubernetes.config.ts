import { defineConfig } from 'vitest/config';

const folder = 'test/e2e/kubernetes';
const ownNamespace = `${folder}/{goldens,heartbeat,rendezvous,restart,watch}.test.ts`;
/** To bring up the stack and delete it takes a minute. */
const sharedStack = `${folder}/{ranks,status-load,submit,train-job,train-job-status,users}.test.ts`;

export default defineConfig({
  test: {
    globalSetup: [`${folder}/global-setup.ts`, 'test/support/bundle.ts'],
    testTimeout: 300_000,
    // The first hook may have to build the image.
    hookTimeout: 900_000,
    // One cluster for all. What changes the same namespace runs one after the other.
    projects: [
      {
        extends: true,
        test: {
          name: 'namespace of its own',
          include: [ownNamespace],
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'stack of its own',
          include: [`${folder}/*.test.ts`],
          exclude: [ownNamespace, sharedStack],
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          name: 'shared stack',
          include: [sharedStack],
          maxWorkers: 1,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
