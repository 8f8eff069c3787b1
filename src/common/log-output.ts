import { fstatSync } from 'node:fs';
import { Socket } from 'node:net';
import { type DestinationStream, pino } from 'pino';

/** Where log lines go. Writing never blocks the event loop. */
export interface LogOutput extends DestinationStream {
  /** Lines that were dropped so far because nothing read the pipe. */
  readonly dropped: number;
  /** Calls back when the pipe is read again, with the number of lines dropped since the last call, if there are any. */
  onRecovery(callback: (dropped: number) => void): void;
}

/** A few thousand lines: more than the bridge writes in an hour, and little memory. */
const maxBufferedBytes = 262_144;

/**
 * Writes to a descriptor, by default standard output. Node writes to a pipe synchronously, so a full pipe that nobody
 * reads would block the event loop. A pipe is therefore written to through a socket, which buffers up to `maxBytes` in
 * the background. Further lines are dropped and counted.
 */
export function createLogOutput(descriptor = 1, maxBytes = maxBufferedBytes): LogOutput {
  return isPipe(descriptor) ? pipeOutput(descriptor, maxBytes) : synchronousOutput(descriptor);
}

function isPipe(descriptor: number): boolean {
  try {
    const stats = fstatSync(descriptor);
    return stats.isFIFO() || stats.isSocket();
  } catch {
    return false;
  }
}

/** For files and terminals. The last lines before a crash matter most. */
function synchronousOutput(fd: number): LogOutput {
  const destination = pino.destination({ fd, sync: true });
  // A full disk must not end the bridge.
  destination.on('error', () => undefined);
  return {
    write: (line) => void destination.write(line),
    dropped: 0,
    onRecovery: () => undefined,
  };
}

function pipeOutput(fd: number, maxBytes: number): LogOutput {
  const socket = new Socket({ fd, readable: false, writable: true });
  let dropped = 0;
  let reported = 0;
  // A closed log pipe must not end the bridge.
  socket.on('error', () => undefined);
  return {
    write(line) {
      if (socket.destroyed || socket.writableLength >= maxBytes) dropped += 1;
      else socket.write(line);
    },
    get dropped() {
      return dropped;
    },
    onRecovery(callback) {
      socket.on('drain', () => {
        if (dropped > reported) callback(dropped - reported);
        reported = dropped;
      });
    },
  };
}
