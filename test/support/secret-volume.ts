import { mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Authority, Certificate } from './certificates.ts';
import { temporaryFolder } from './file.ts';

type Files = Readonly<Record<string, Buffer>>;

/** A volume as Kubernetes mounts a Secret: each file is a link through `..data`, which is replaced at once. */
export function secretVolume(files: Files) {
  const folder = temporaryFolder();
  let versions = 0;
  const renew = (next: Files) => {
    const version = `..version-${++versions}`;
    mkdirSync(join(folder, version));
    for (const [name, content] of Object.entries(next)) writeFileSync(join(folder, version, name), content);
    symlinkSync(version, join(folder, '..data_tmp'));
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
  };
  renew(files);
  for (const name of Object.keys(files)) symlinkSync(join('..data', name), join(folder, name));
  return { renew, path: (name: string) => join(folder, name) };
}

/** What cert-manager puts into a Secret for a client. */
export const clientFiles = (authority: Pick<Authority, 'cert'>, own: Certificate) => ({
  'ca.crt': readFileSync(authority.cert),
  'tls.crt': readFileSync(own.cert),
  'tls.key': readFileSync(own.key),
});

export const clientEnvironment = (path: (name: string) => string) => ({
  OTEL_EXPORTER_OTLP_CERTIFICATE: path('ca.crt'),
  OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: path('tls.crt'),
  OTEL_EXPORTER_OTLP_CLIENT_KEY: path('tls.key'),
});
