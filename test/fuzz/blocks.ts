import { type Profiler, Session } from 'node:inspector/promises';

/**
 * Which blocks of the bridge's sources have run, by V8's own precise coverage. The fuzzers for Node that go by coverage
 * are built on a native add-on that is compiled or fetched by an install script, which this repository does not run, or
 * see only CommonJS that they load themselves.
 */
export async function watchBlocks(folders: readonly string[]) {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  const seen = new Set<string>();

  return {
    /** Blocks that ran since the last call, and never before it. */
    async fresh(): Promise<number> {
      const before = seen.size;
      const { result } = await session.post('Profiler.takePreciseCoverage');
      for (const script of result) {
        if (folders.some((folder) => script.url.includes(folder)))
          for (const block of blocksOf(script)) seen.add(block);
      }
      return seen.size - before;
    },
    get count(): number {
      return seen.size;
    },
    stop: () => session.disconnect(),
  };
}

function blocksOf({ scriptId, functions }: Profiler.ScriptCoverage): readonly string[] {
  return functions.flatMap(({ ranges }) =>
    ranges
      .filter(({ count }) => count > 0)
      .map(({ startOffset, endOffset }) => `${scriptId}:${startOffset}-${endOffset}`),
  );
}
