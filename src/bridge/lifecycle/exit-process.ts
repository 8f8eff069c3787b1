/** Calls that run in libuv's thread pool and may hang there: file operations and name resolution. */
const threadCalls = /^(FSReq|GetAddrInfo|GetNameInfo)/;

/** Most calls are done a moment later, and process.exit is then the better way. */
const graceMs = 200;
const checkMs = 10;

/**
 * Ends the process with this exit code, even if a thread hangs. process.exit waits for libuv's threads, so a volume or
 * a name server that never answers would keep the process alive until SIGKILL, which as PID 1 only the kernel's
 * container runtime can send.
 */
export function exitProcess(exitCode: number): void {
  const startedMs = performance.now();
  const check = () => {
    if (!process.getActiveResourcesInfo().some((name) => threadCalls.test(name))) process.exit(exitCode);
    if (performance.now() - startedMs >= graceMs) replaceProcess(exitCode);
    setTimeout(check, checkMs);
  };
  check();
}

/**
 * Replaces this program by one that exits at once with the same code: execve ends all threads that a signal can end.
 * Where that is not possible (Node before 22.15, or its permission model), what is left is process.exit.
 */
function replaceProcess(exitCode: number): void {
  try {
    // Without NODE_OPTIONS and the like, which could load modules that hang or print.
    const others = Object.entries(process.env).filter(([name]) => !name.startsWith('NODE_'));
    process.execve?.(
      process.execPath,
      [process.execPath, '-e', `process.exit(${exitCode})`],
      Object.fromEntries(others),
    );
  } catch {
    // The permission model refuses.
  }
  process.exit(exitCode);
}
