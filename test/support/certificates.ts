import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from './file.ts';

/** The PEM files of a certificate and its key, and the same for a gRPC server. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
  readonly pair: { readonly private_key: Buffer; readonly cert_chain: Buffer };
}

export interface Authority extends Certificate {
  /** A certificate for a host name, in files of its own; `expired` a day ago, or good for two. */
  issue(name: string, validity?: 'good' | 'expired'): Certificate;
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
const openssl = (...args: readonly string[]) => execFileSync('openssl', args, { stdio: 'ignore' });

/** A certificate authority, in a folder that is gone after the test; made by openssl(1), which has to be there. */
export function createAuthority(name = 'authority'): Authority {
  const folder = temporaryFolder();
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  openssl('req', '-x509', ...newKey, '-days', '2', '-subj', `/CN=${name}`, '-keyout', key, '-out', cert);
  return {
    ...certificateIn(cert, key),
    issue: (host, validity = 'good') => issue({ cert, key }, host, validity),
  };
}

function issue(
  authority: { cert: string; key: string },
  name: string,
  validity: 'good' | 'expired',
): Certificate {
  const folder = temporaryFolder();
  const [key, request, cert] = ['key.pem', 'request.pem', 'cert.pem'].map((file) => join(folder, file)) as [
    string,
    string,
    string,
  ];
  const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`];
  openssl('req', ...newKey, ...subject, '-keyout', key, '-out', request);
  const signer = [
    '-CA',
    authority.cert,
    '-CAkey',
    authority.key,
    '-CAcreateserial',
    '-copy_extensions',
    'copy',
  ];
  openssl('x509', '-req', '-in', request, ...signer, '-days', validity === 'good' ? '2' : '-1', '-out', cert);
  return certificateIn(cert, key);
}

const certificateIn = (cert: string, key: string): Certificate => ({
  cert,
  key,
  pair: { private_key: readFileSync(key), cert_chain: readFileSync(cert) },
});
