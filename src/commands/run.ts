import { hostname } from 'node:os';
import { type BridgeSummary, runBridge } from '../bridge/bridge.ts';
import { resolveExporters } from '../bridge/console-fallback.ts';
import { startHealthServer } from '../bridge/lifecycle/health.ts';
import { createLiveness } from '../bridge/lifecycle/liveness.ts';
import type { Shutdown } from '../bridge/lifecycle/shutdown.ts';
import { systemClock } from '../common/clock.ts';
import { createLogOutput, type LogOutput } from '../common/log-output.ts';
import { createConditions, createLogger, type Level, type Logger } from '../common/logger.ts';
import type { Environment, Problem } from '../common/setting.ts';
import { settlesWithin, whenAborted, withAbortGrace } from '../common/timing.ts';
import { version } from '../common/version.ts';
import { type Config, type InvalidConfig, printableConfig, readConfig } from '../config/bridge.ts';
import type { ExportOutcome } from '../otlp/classify-response.ts';
import { readCredentials } from '../otlp/credentials.ts';
import { removeExporterVariables } from '../otlp/environment.ts';
import { setDiagnosticsLogger } from '../otlp/partial-success.ts';

/** What the bridge needs from the process it runs in. */
export interface BridgeProcess {
  readonly environment: Environment;
  /** Listens since the process started. */
  readonly shutdown: Shutdown;
  /** Ends the process at once. */
  readonly exit: (exitCode: number) => void;
}

/** Runs the bridge until SIGTERM or SIGINT. Resolves to the exit code: 0 success, 1 failure, 2 invalid configuration. */
export async function runCommand(bridgeProcess: BridgeProcess): Promise<number> {
  const { environment, shutdown, exit } = bridgeProcess;
  const output = createLogOutput();
  const reading = readConfig(environment);
  if (reading.status === 'invalid') return refuseConfig(reading, bridgeProcess, output);
  const { config } = reading;
  removeExporterVariables(process.env);
  const problems = await credentialProblems(config, shutdown.signal);
  if (problems.length > 0)
    return refuseConfig(
      { ...config, idle: config.onConfigError === 'idle', problems },
      bridgeProcess,
      output,
    );
  const log = createLogger(config.logLevel, output);
  output.onRecovery((lines) => log.warn({ lines }, 'Log lines were dropped, because nothing read the log'));
  log.info({ version, node: process.version, config: printableConfig(config) }, 'ml-metrics-bridge started');
  for (const warning of [...reading.warnings, ...intervalWarnings(config)]) log.warn(warning);
  setDiagnosticsLogger(diagTo(log));

  const exitCodeOf = config.sidecarMode === 'container' ? () => 0 : (code: number) => code;
  shutdown.arm({
    log,
    timeoutMs: config.shutdownTimeoutMs,
    exit: (code) => exit(exitCodeOf(code)),
  });
  const liveness = createLiveness(systemClock, config.collectionIntervalMs);
  const health = await serveHealth(config.healthPort, liveness, log);
  try {
    const summary = await runBridge({
      config: await resolveExporters(config, version, log, shutdown.signal),
      log,
      clock: systemClock,
      signal: shutdown.signal,
      hostName: hostname(),
      version,
      logLinesDropped: () => output.dropped,
      onPoll: ({ outcome }) => liveness.polled(outcome.status),
      onExport: (outcome) => liveness.exported(failureOf(outcome)),
    });
    logEnd(log, summary);
    const failed = 'error' in summary || shutdown.signal.reason?.kind === 'error';
    return exitCodeOf(failed ? 1 : 0);
  } finally {
    health?.close();
    shutdown.release();
  }
}

function failureOf(outcome: ExportOutcome): string | undefined {
  if (outcome.status === 'success') return undefined;
  const advice = outcome.status === 'retry' ? outcome.advice : undefined;
  return advice === undefined ? outcome.reason : `${outcome.reason}. ${advice}`;
}

/** Maximum wait for the credential files at the start, because their volume may hang. The exporter then reads them in the background. */
const credentialsWaitMs = 3_000;

/** Only at the start is an invalid file an invalid configuration. A file that becomes invalid later does not end the bridge. */
async function credentialProblems(config: Config, signal: AbortSignal): Promise<readonly Problem[]> {
  if (config.sdkDisabled || config.metricsExporter !== 'otlp') return [];
  const reading = readCredentials(config);
  const isRead = await withAbortGrace(settlesWithin(credentialsWaitMs, reading), signal, 0);
  if (!isRead) return [];
  const result = await reading;
  return result.status === 'ok' ? [] : result.problems;
}

/** Warnings about settings that are valid, but not together. */
function intervalWarnings({ collectionIntervalMs, staleAfterMs, stallAfterMs }: Config): readonly string[] {
  const limits = [
    { variable: 'STALE_AFTER', ms: staleAfterMs, effect: 'gauges go stale between polls' },
    { variable: 'STALL_AFTER', ms: stallAfterMs, effect: 'a run is reported as stalled between polls' },
  ];
  return limits
    .filter(({ ms }) => collectionIntervalMs >= ms)
    .map(
      ({ variable, ms, effect }) =>
        `COLLECTION_INTERVAL (${collectionIntervalMs / 1000} s) is not below ${variable} (${ms / 1000} s): ${effect}`,
    );
}

const idleReminderMs = 600_000;

/**
 * Reports an invalid configuration. Idling is for native sidecars: the trainer cannot start while its sidecar does not,
 * so the bridge keeps running: it is live, because a restart would not help, and not ready. An ordinary container exits, because it does not block the trainer, and
 * the Job would not complete while it runs.
 */
async function refuseConfig(
  { problems, idle, healthPort, sidecarMode }: Omit<InvalidConfig, 'status'>,
  { shutdown, exit }: BridgeProcess,
  output: LogOutput,
): Promise<number> {
  const log = createLogger('info', output);
  const messages = problems.map(({ message }) => message);
  log.error({ problems: messages }, 'Configuration is invalid');
  if (sidecarMode === 'container') return 0;
  if (!idle) return 2;
  shutdown.arm({ log, timeoutMs: 1_000, exit });
  const status = (healthy: boolean) => () => ({ healthy, reason: `idle: ${messages.join('; ')}` });
  const health = await serveHealth(healthPort, { livez: status(true), readyz: status(false) }, log);
  log.warn('ON_CONFIG_ERROR=idle: waiting for SIGTERM without doing anything');
  // Repeated, so that the end of the log shows it. The timer also keeps the process alive if the health server is off.
  const keepAlive = setInterval(
    () =>
      log.error({ problems: messages }, 'Configuration is invalid: the bridge is idle and exports nothing'),
    idleReminderMs,
  );
  await whenAborted(shutdown.signal);
  clearInterval(keepAlive);
  health?.close();
  shutdown.release();
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
  log.error(
    { port, reason: server.reason },
    'Health server cannot listen: the bridge runs without health checks. Set HEALTH_PORT to a free port, or to 0',
  );
  return undefined;
}

function logEnd(log: Logger, summary: BridgeSummary): void {
  const { error, ...done } = summary;
  if (error !== undefined) log.error({ ...done, err: error }, 'ml-metrics-bridge failed');
  else if (summary.undelivered === 0) log.info(summary, 'ml-metrics-bridge ended');
  else
    log.error(
      summary,
      'ml-metrics-bridge ended with undelivered snapshots: the Collector did not accept them in time',
    );
}

/** Logs the SDK's own messages, each once: the SDK repeats a message for as long as its cause lasts. */
function diagTo(log: Logger) {
  const conditions = createConditions(log);
  const at =
    (level: Level) =>
    (message: string, ...details: unknown[]) =>
      conditions.raise(message, level, { details: details.map(String) }, message);
  return { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug'), verbose: at('debug') };
}
