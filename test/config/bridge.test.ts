import { describe, expect, it } from 'vitest';
import { bridgeSettings, printableConfig, readConfig } from '../../src/config/bridge.ts';
import { configOf as config } from '../support/config.ts';

const messages = (environment: Record<string, string>) => {
  const reading = readConfig(environment);
  return reading.status === 'invalid' ? reading.problems.map(({ message }) => message) : [];
};

describe('the environment', () => {
  it('has the defaults of the contract', () => {
    expect(config()).toMatchObject({
      metricsFilePath: '/shared/metrics/current.json',
      collectionIntervalMs: 10_000,
      staleAfterMs: 300_000,
      stallAfterMs: 600_000,
      shutdownTimeoutMs: 10_000,
      exitAfterStaleMs: 600_000,
      exitAfterFailedMs: 120_000,
      healthPort: 13_134,
      logLevel: 'info',
      maxExtraMetrics: 50,
      exportMinIntervalMs: 5_000,
      exportIntervalMs: 15_000,
      timeoutMs: 10_000,
      compression: 'gzip',
      metricsExporter: 'otlp',
      endpoint: { target: 'localhost:4317', transport: 'plaintext', warnings: [] },
    });
  });

  it.each([
    ['COLLECTION_INTERVAL', '0.25', 'collectionIntervalMs', 250],
    ['STALE_AFTER', '60', 'staleAfterMs', 60_000],
    ['EXPORT_MIN_INTERVAL', '0', 'exportMinIntervalMs', 0],
    ['EXPORT_MIN_INTERVAL', '2.5', 'exportMinIntervalMs', 2_500],
    ['EXIT_AFTER_FAILED', '0', 'exitAfterFailedMs', 0],
    ['OTEL_METRIC_EXPORT_INTERVAL', '5000', 'exportIntervalMs', 5_000],
    ['OTEL_EXPORTER_OTLP_TIMEOUT', '500', 'timeoutMs', 500],
    ['HEALTH_PORT', '0', 'healthPort', 0],
    ['LOG_LEVEL', 'WARNING', 'logLevel', 'warn'],
    ['LOG_LEVEL', 'Critical', 'logLevel', 'critical'],
    ['RANK', '4', 'rank', 4],
    ['JOB_COMPLETION_INDEX', '5', 'rank', 5],
    ['OTEL_EXPORTER_OTLP_COMPRESSION', 'none', 'compression', 'none'],
    ['OTEL_SDK_DISABLED', 'True', 'sdkDisabled', true],
    ['METRICS_FILE_PATH', '  /x y/z.json ', 'metricsFilePath', '/x y/z.json'],
    ['STALE_AFTER', '', 'staleAfterMs', 300_000],
  ])('%s=%s', (variable, value, key, expected) => {
    expect(config({ [variable]: value })).toHaveProperty(key, expected);
  });

  it.each([
    [{ RANK: '4', RANK_OFFSET: '1' }, 5],
    [{ JOB_COMPLETION_INDEX: '0', RANK_OFFSET: '1' }, 1],
    [{ RANK: '', RANK_OFFSET: '1' }, undefined],
  ])('counts the replicas that come first into the rank: %j', (environment, rank) => {
    expect(config(environment).rank).toBe(rank);
  });

  it('has variables for metrics alone that win over those for all signals', () => {
    const both = {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://all:1',
      OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://metrics:2',
    };
    expect(config(both).endpoint.target).toBe('metrics:2');
  });

  it('is frozen once read', () => {
    const read = config({ OTEL_TRACES_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_HEADERS: 'a=b' });
    const { traces } = read;
    for (const part of [read, read.endpoint, read.headers, traces, traces?.destination, traces?.sampler])
      expect(Object.isFrozen(part)).toBe(true);
  });
});

describe('a variable that is wrong', () => {
  it.each([
    ['COLLECTION_INTERVAL', '0'],
    ['COLLECTION_INTERVAL', '-1'],
    ['COLLECTION_INTERVAL', '10s'],
    ['COLLECTION_INTERVAL', '1e9'],
    ['OTEL_METRIC_EXPORT_INTERVAL', '1.5'],
    ['HEALTH_PORT', '70000'],
    ['LOG_LEVEL', 'chatty'],
    ['MAX_EXTRA_METRICS', 'all'],
    ['EXPORT_MIN_INTERVAL', '-1'],
    ['EXPORT_MIN_INTERVAL', '30.1'],
    ['EXPORT_QUEUE_SIZE', '0'],
    ['EXPORT_QUEUE_BYTES', '16MB'],
    ['EXPORT_QUEUE_BYTES', '1000Ki'],
    ['EXPORT_QUEUE_DIR_BYTES', '1k'],
    ['SIDECAR_MODE', 'maybe'],
    ['ON_CONFIG_ERROR', 'ignore'],
    ['RANK', 'first'],
    ['OTEL_RESOURCE_ATTRIBUTES', 'a b=c'],
    ['OTEL_RESOURCE_ATTRIBUTES', 'a=%zz'],
    ['OTEL_SDK_DISABLED', '1'],
    ['OTEL_METRICS_EXPORTER', 'prometheus'],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'http/protobuf'],
    ['OTEL_EXPORTER_OTLP_COMPRESSION', 'zstd'],
    ['OTEL_EXPORTER_OTLP_INSECURE', 'yes'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'ftp://x'],
    ['OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE', 'delta'],
    ['OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION', 'linear'],
  ])('%s=%s is named, with what is expected', (variable, value) => {
    expect(messages({ [variable]: value })).toEqual([
      expect.stringMatching(new RegExp(`^${variable} (is|cannot be used)`)),
    ]);
  });

  it('does not hide the others', () => {
    const wrong = {
      COLLECTION_INTERVAL: 'x',
      HEALTH_PORT: 'x',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'ftp://x',
      OTEL_EXPORTER_OTLP_CLIENT_KEY: '/k',
    };
    expect(messages(wrong)).toHaveLength(4);
  });

  it('says why delta is not to be had', () => {
    expect(messages({ OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'delta' })[0]).toContain('lost');
  });

  it.each(['OTEL_EXPORTER_OTLP_HEADERS', 'OTEL_EXPORTER_OTLP_METRICS_HEADERS'])(
    '%s is not repeated',
    (variable) => {
      const [message] = messages({ [variable]: 'hunter2' });
      expect(message).toContain(variable);
      expect(message).not.toContain('hunter2');
    },
  );

  it.each(['authorization=Bearer%20hunter2%0A', 'x-bin=hunter2', 'a!b=hunter2', 'x=h%C3%BCnter2'])(
    'is a header that gRPC does not take: %s',
    (headers) => {
      const found = messages({ OTEL_EXPORTER_OTLP_HEADERS: headers });
      expect(found).toHaveLength(1);
      expect(found[0]).not.toMatch(/h.{1,2}nter2/);
    },
  );

  it('is not HEALTH_PORT where Kubernetes set it for a Service called health', () => {
    expect(config({ HEALTH_PORT: 'tcp://10.96.0.1:80' }).healthPort).toBe(13_134);
  });

  it('leaves ON_CONFIG_ERROR and HEALTH_PORT readable', () => {
    expect(readConfig({ LOG_LEVEL: 'x', ON_CONFIG_ERROR: 'idle', HEALTH_PORT: '99' })).toMatchObject({
      idle: true,
      healthPort: 99,
    });
  });
});

describe('a duration with a unit', () => {
  it.each([
    ['COLLECTION_INTERVAL', '10s', '10'],
    ['COLLECTION_INTERVAL', '500ms', '0.5'],
    ['COLLECTION_INTERVAL', '1.1 s', '1.1'],
    ['STALE_AFTER', '5m', '300'],
    ['STALL_AFTER', '10 Minutes', '600'],
    ['EXIT_AFTER_STALE', '1h', '3600'],
    ['SHUTDOWN_TIMEOUT', '30sec', '30'],
    ['OTEL_METRIC_EXPORT_INTERVAL', '15s', '15000'],
    ['OTEL_EXPORTER_OTLP_TIMEOUT', '1.5s', '1500'],
  ])('%s=%s is answered with the number to write', (variable, value, number) => {
    expect(messages({ [variable]: value })).toEqual([
      expect.stringMatching(new RegExp(`expected .*; write ${number}$`)),
    ]);
  });

  it.each([
    ['COLLECTION_INTERVAL', '1ms'],
    ['COLLECTION_INTERVAL', '1.2.3s'],
    ['COLLECTION_INTERVAL', '10 sheep'],
    ['OTEL_METRIC_EXPORT_INTERVAL', '0.0155s'],
  ])('%s=%s has no number that would be accepted', (variable, value) => {
    expect(messages({ [variable]: value })).toEqual([expect.not.stringContaining('write')]);
  });
});

describe('an export interval above what the Collector remembers', () => {
  const read = (value: string) => readConfig({ OTEL_METRIC_EXPORT_INTERVAL: value });

  it.each(['30001', '300000'])('%s is capped, with a warning', (value) => {
    expect(read(value)).toMatchObject({
      config: { exportIntervalMs: 30_000 },
      warnings: [expect.stringMatching(`^OTEL_METRIC_EXPORT_INTERVAL is "${value}".*30000 is used`)],
    });
  });

  it('is above 30 seconds', () => {
    expect(read('30000')).toMatchObject({ config: { exportIntervalMs: 30_000 }, warnings: [] });
  });
});

describe('a proxy', () => {
  const warnings = (environment: Record<string, string>) => {
    const result = readConfig(environment);
    return result.status === 'ok' ? result.warnings : undefined;
  };

  it('is ignored, in one warning with the variables that name it and not their values', () => {
    const environment = { http_proxy: 'http://me:hunter2@p:1', HTTPS_PROXY: 'http://p:2', NO_PROXY: '*' };
    expect(warnings(environment)).toEqual([
      'http_proxy, HTTPS_PROXY are ignored: the bridge connects to the Collector without a proxy',
    ]);
  });

  it('is used only for the heartbeat, where one is configured', () => {
    const environment = { https_proxy: 'http://p:2', HEARTBEAT_URL: 'https://monitor/x' };
    expect(warnings(environment)).toEqual([
      'https_proxy is used only for the heartbeat: the bridge connects to the Collector without a proxy',
    ]);
  });

  it.each([{}, { NO_PROXY: '*' }, { http_proxy: '' }])(
    'is not mentioned where none is set: %j',
    (environment) => {
      expect(warnings(environment)).toEqual([]);
    },
  );
});

describe('mTLS', () => {
  it.each([
    ['OTEL_EXPORTER_OTLP_CLIENT_KEY', 'OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE'],
    ['OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE', 'OTEL_EXPORTER_OTLP_CLIENT_KEY'],
  ])('with %s alone names %s', (given, missing) => {
    expect(messages({ [given]: '/file' })).toEqual([
      expect.stringMatching(new RegExp(`^${missing} is not set`)),
    ]);
  });
});

describe('spans', () => {
  it('leave in requests of no more than may wait', () => {
    const { traces } = config({
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_BSP_MAX_QUEUE_SIZE: '10',
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '512',
    });
    expect(traces).toMatchObject({ queueSize: 10, batchSize: 10 });
  });
});

describe('what is printed', () => {
  it('has everything but the values of headers', () => {
    const printed = printableConfig(config({ OTEL_EXPORTER_OTLP_HEADERS: 'Authorization=hunter2' }));
    expect(printed.headers).toEqual(['authorization']);
    expect(JSON.stringify(printed)).not.toContain('hunter2');
    const traced = config({
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'Authorization=hunter2',
    });
    expect(printableConfig(traced).traces).toMatchObject({ destination: { headers: ['authorization'] } });
    expect(JSON.stringify(printableConfig(traced))).not.toContain('hunter2');
    // Part of the transport.
    const { insecure: _, ...settings } = bridgeSettings;
    expect(Object.keys(printed)).toEqual(expect.arrayContaining(Object.keys(settings)));
  });
});
