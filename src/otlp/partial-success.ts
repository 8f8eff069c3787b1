import { type DiagLogger, DiagLogLevel, diag } from '@opentelemetry/api';

/** What a Collector rejected of a request that it accepted. It must not be sent again. */
export interface PartialSuccess {
  /** Data points or spans; 0 is a warning of the Collector. */
  readonly rejected: number;
  readonly reason: string;
}

const message = 'Received Partial Success response:';

let latest: PartialSuccess | undefined;
let isListening = false;

/**
 * Sets the logger of the SDK's diagnostics. The exporters report a partial success nowhere else, so what they report is
 * kept here for the request that is being answered, and everything else goes to the logger.
 */
export function setDiagnosticsLogger(logger: DiagLogger): void {
  isListening = true;
  const warn: DiagLogger['warn'] = (text, ...details) => {
    if (text === message) keep(String(details[0]));
    else logger.warn(text, ...details);
  };
  diag.setLogger({ ...logger, warn }, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
}

const silent = () => undefined;

/** Reads partial successes in programs that have set no logger for diagnostics. */
export function listenToPartialSuccess(): void {
  if (!isListening)
    setDiagnosticsLogger({ error: silent, warn: silent, info: silent, debug: silent, verbose: silent });
}

/**
 * The partial success of the answer that is being handled. The exporters report it and call back in the same turn of the
 * event loop, so that it cannot be another request's.
 */
export function takePartialSuccess(): PartialSuccess | undefined {
  const taken = latest;
  latest = undefined;
  return taken;
}

function keep(json: string): void {
  const { rejectedDataPoints, rejectedSpans, errorMessage = '' } = JSON.parse(json);
  latest = { rejected: Number(rejectedDataPoints ?? rejectedSpans ?? 0), reason: String(errorMessage) };
  // Another exporter of this process may report one that nobody takes.
  queueMicrotask(() => {
    latest = undefined;
  });
}
