import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Compiles a C file of this folder to a library for LD_PRELOAD, which takes a C compiler. */
export function compileLibrary(source: string, library: string): void {
  const path = fileURLToPath(new URL(source, import.meta.url));
  try {
    execFileSync('gcc', ['-shared', '-fPIC', '-O1', '-Wall', '-o', library, path, '-ldl'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  } catch (error) {
    throw new Error(`cannot compile test/support/${source}: these tests need gcc`, { cause: error });
  }
}
