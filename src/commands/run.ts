import { hostname } from 'node:os';
import { DiagLogLevel, diag } from '@opentelemetry/api';
import { type BridgeSummary, runBridge } from '../bridge/bridge.ts';
import { settleExporters } from '../bridge/console-fallback.ts';
import { startHealthServer } from '../bridge/lifecycle/health.ts';
import { createLiveness } from '../bridge/lifecycle/liveness.ts';
import { onTermination } from '../bridge/lifecycle/termination.ts';
import { systemClock } from '../common/clock.ts';
import { createConditions, createLogger, type Level, type Logger } from '../common/logger.ts';
import type { Environment, Problem } from '../common/setting.ts';
import { whenAborted } from '../common/timing.ts';
import { version } from '../common/version.ts';
import { type Config, type InvalidConfig, printableConfig, readConfig } from '../config/bridge.ts';
import { readCredentials } from '../otlp/credentials.ts';

/** What a command may ask of the process it runs in. */
export interface Process {
  readonly environment: Environment;
  /** Ends the process at once. */
  readonly leave: (exitCode: number) => void;
}

/** The bridge, until it is told to stop. Gives the exit code: 0 ended well, 1 failed, 2 wrong configuration. */
export async function runCommand({ environment, leave }: Process): Promise<number> {
  const reading = readConfig(environment);
  if (reading.status === 'invalid') return refuse(reading, leave);
  const { config } = reading;
  const problems = await credentialProblems(config);
  if (problems.length > 0)
    return refuse({ ...config, idle: config.onConfigError === 'idle', problems }, leave);
  const log = createLogger(config.logLevel);
  log.info({ version, node: process.version, config: printableConfig(config) }, 'ml-metrics-bridge started');
  for (const warning of reading.warnings) log.warn(warning);
  diag.setLogger(diagTo(log), DiagLogLevel.WARN);

  const exitCode = config.sidecarMode === 'container' ? () => 0 : (code: number) => code;
  const termination = onTermination({
    log,
    timeoutMs: config.shutdownTimeoutMs,
    leave: (code) => leave(exitCode(code)),
  });
  const liveness = createLiveness(systemClock, config.collectionIntervalMs);
  const health = await serveHealth(config.healthPort, liveness, log);
  try {
    const summary = await runBridge({
      config: await settleExporters(config, version, log),
      log,
      clock: systemClock,
      signal: termination.signal,
      hostName: hostname(),
      version,
      onPoll: ({ outcome }) => liveness.polled(outcome.status),
    });
    logEnd(log, summary);
    const failed = 'error' in summary || termination.signal.reason?.kind === 'error';
    return exitCode(failed ? 1 : 0);
  } finally {
    health?.close();
    termination.release();
  }
}

/** Files that are wrong at the start are a wrong configuration; those that become so later are not the end. */
async function credentialProblems(config: Config): Promise<readonly Problem[]> {
  if (config.sdkDisabled || config.metricsExporter !== 'otlp') return [];
  const reading = await readCredentials(config);
  return reading.status === 'ok' ? [] : reading.problems;
}

/**
 * A wrong configuration. Idle is for native sidecars: one that does not start keeps the trainer from starting, so it
 * stays, says what is wrong, and is unhealthy. A plain container is in nobody's way once it has ended, and one that
 * stayed would keep the Job from completing.
 */
async function refuse(
  { problems, idle, healthPort, sidecarMode }: Omit<InvalidConfig, 'status'>,
  leave: Process['leave'],
): Promise<number> {
  const log = createLogger('info');
  const messages = problems.map(({ message }) => message);
  log.error({ problems: messages }, 'Configuration is wrong');
  if (sidecarMode === 'container') return 0;
  if (!idle) return 2;
  const termination = onTermination({ log, timeoutMs: 1_000, leave });
  const verdict = () => ({ healthy: false, reason: messages.join('; ') });
  const health = await serveHealth(healthPort, { livez: verdict, readyz: verdict }, log);
  // Keeps the process alive where the health server is off.
  const wait = setInterval(() => undefined, 2 ** 30);
  log.warn('ON_CONFIG_ERROR=idle: waiting for SIGTERM without doing anything');
  await whenAborted(termination.signal);
  clearInterval(wait);
  health?.close();
  termination.release();
  return 0;
}

async function serveHealth(
  port: Config['healthPort'],
  checks: Parameters<typeof startHealthServer>[1],
  log: Logger,
) {
  if (port === 0) return undefined;
  const server = await startHealthServer(port, checks);
  if (server.status === 'listening') return server;
  log.error({ port, reason: server.reason }, 'Health cannot be served; the bridge goes on without');
  return undefined;
}

function logEnd(log: Logger, summary: BridgeSummary): void {
  const { error, ...done } = summary;
  if (error !== undefined) log.error({ ...done, err: error }, 'ml-metrics-bridge failed');
  else if (summary.undelivered === 0) log.info(summary, 'ml-metrics-bridge ended');
  else
    log.error(
      summary,
      'ml-metrics-bridge ended before everything was delivered: the Collector did not take it in time',
    );
}

/** The SDK's own complaints, as log lines like ours, each once: it has no notion of what lasts. */
function diagTo(log: Logger) {
  const conditions = createConditions(log);
  const at =
    (level: Level) =>
    (message: string, ...details: unknown[]) =>
      conditions.raise(message, level, { details: details.map(String) }, message);
  return { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug'), verbose: at('debug') };
}
