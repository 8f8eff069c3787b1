import { flushCompileCache } from 'node:module';

/** What is still pending may be done a moment later: a write to the queue folder, or the last log lines. */
const graceMs = 150;

/**
 * Ends the process with this exit code, even if a thread hangs. process.exit waits for libuv's threads, so a volume or
 * a name server that never answers would keep the process alive until SIGKILL. If nothing is pending, the event loop
 * ends by itself, which `beforeExit` reports, and process.exit has nothing to wait for.
 */
export function exitProcess(exitCode: number): void {
  process.once('beforeExit', () => process.exit(exitCode));
  setTimeout(() => replaceProcess(exitCode), graceMs).unref();
}

/**
 * Replaces this program by one that exits at once with the same code: execve ends all threads that a signal can end.
 * Node before 22.15 has no execve, and Node's permission model forbids it: then process.exit is the best there is.
 */
function replaceProcess(exitCode: number): void {
  // As process.exit does: the demo shows the terminal's cursor again.
  process.emit('exit', exitCode);
  // Also as process.exit does: the image is built with the compiled code that a first run leaves. Node 20 keeps none.
  flushCompileCache?.();
  try {
    // Without NODE_OPTIONS and the like, which could load modules that hang or print.
    const environment = Object.entries(process.env).filter(([name]) => !name.startsWith('NODE_'));
    process.execve?.(
      process.execPath,
      [process.execPath, '-e', `process.exit(${exitCode})`],
      Object.fromEntries(environment),
    );
  } catch {
    // Forbidden.
  }
  process.exit(exitCode);
}
