import { describe, expect, it } from 'vitest';
import { printableConfig, readConfig } from '../../src/config/bridge.ts';

const complete = {
  TRAINJOB_STATUS: 'true',
  KUBEFLOW_TRAINER_SERVER_URL: 'https://controller.svc:10443/status',
  KUBEFLOW_TRAINER_SERVER_CA_CERT: '/status/ca.crt',
  KUBEFLOW_TRAINER_SERVER_TOKEN: '/status/token',
};

function read(environment: Readonly<Record<string, string>>) {
  const reading = readConfig(environment);
  if (reading.status === 'invalid')
    return { problems: reading.problems.map(({ message }) => message) } as const;
  return {
    config: reading.config.trainJobStatus,
    warnings: reading.warnings,
    whole: reading.config,
  } as const;
}

describe('the TrainJob status', () => {
  it('has an address, an authority and a token, and is printed', () => {
    const { config, whole } = read(complete);
    expect(config).toEqual({
      url: 'https://controller.svc:10443/status',
      caFile: '/status/ca.crt',
      tokenFile: '/status/token',
    });
    expect(whole && printableConfig(whole)).toMatchObject({
      trainJobStatus: true,
      trainJobStatusUrl: config?.url,
    });
  });

  it.each(['', 'false'])('is off with TRAINJOB_STATUS=%s, whatever Kubeflow Trainer sets', (off) => {
    const others = { ...complete, KUBEFLOW_TRAINER_SERVER_URL: 'http://plain', TRAINJOB_STATUS: off };
    expect(read(others)).toMatchObject({ config: undefined, warnings: [] });
  });

  it.each(['KUBEFLOW_TRAINER_SERVER_URL', 'KUBEFLOW_TRAINER_SERVER_TOKEN'])(
    'without %s is off, with a warning',
    (missing) => {
      expect(read({ ...complete, [missing]: '' })).toMatchObject({
        config: undefined,
        warnings: [expect.stringContaining('no TrainJob status is posted')],
      });
    },
  );

  it('is posted only by https, because of the token', () => {
    expect(read({ ...complete, KUBEFLOW_TRAINER_SERVER_URL: 'http://controller' }).problems).toEqual([
      expect.stringMatching(/^KUBEFLOW_TRAINER_SERVER_URL is .*: expected an address that starts with https/),
    ]);
    expect(read({ TRAINJOB_STATUS: 'yes' }).problems).toEqual([expect.stringMatching(/^TRAINJOB_STATUS is/)]);
  });
});
