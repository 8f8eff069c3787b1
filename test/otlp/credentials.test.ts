import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type CredentialSources, readCredentials } from '../../src/otlp/credentials.ts';
import { createAuthority } from '../support/certificates.ts';
import { temporaryFolder } from '../support/file.ts';

const nothing: CredentialSources = {
  endpoint: { transport: 'tls' },
  headers: {},
  headersFile: undefined,
  certificate: undefined,
  clientKey: undefined,
  clientCertificate: undefined,
};
const named = (variable: string, path: string) => ({ variable, path });

function fileWith(content: string): string {
  const path = join(temporaryFolder(), 'file');
  writeFileSync(path, content);
  return path;
}

async function problems(sources: Partial<CredentialSources>): Promise<readonly string[]> {
  const reading = await readCredentials({ ...nothing, ...sources });
  return reading.status === 'ok' ? [] : reading.problems.map(({ message }) => message);
}

describe('files of credentials', () => {
  it('are read, with the headers of the file over those of the variable', async () => {
    const authority = createAuthority();
    const own = authority.issue('bridge');
    const reading = await readCredentials({
      ...nothing,
      headers: { 'x-tenant': 'ml', authorization: 'old' },
      headersFile: named('H', fileWith('Authorization=Bearer%20new\r\nx-a=1,x-b=2\n')),
      certificate: named('CA', authority.cert),
      clientKey: named('KEY', own.key),
      clientCertificate: named('CERT', own.cert),
    });
    expect(reading).toEqual({
      status: 'ok',
      credentials: {
        headers: { 'x-tenant': 'ml', authorization: 'Bearer new', 'x-a': '1', 'x-b': '2' },
        tls: {
          ca: readFileSync(authority.cert),
          key: readFileSync(own.key),
          cert: readFileSync(own.cert),
        },
      },
    });
  });

  it('of TLS are not looked at where nothing is encrypted', async () => {
    const plaintext = { endpoint: { transport: 'plaintext' } } as const;
    expect(await problems({ ...plaintext, certificate: named('CA', '/no/such') })).toEqual([]);
  });

  it('are all named that are wrong', async () => {
    const sources = { certificate: named('CA', '/no/ca'), headersFile: named('H', '/no/headers') };
    expect(await problems(sources)).toEqual([
      'H is "/no/headers", which does not exist',
      'CA is "/no/ca", which does not exist',
    ]);
  });

  it('may be a folder by mistake, or not readable', async () => {
    const folder = join(temporaryFolder(), 'folder');
    mkdirSync(folder);
    expect(await problems({ certificate: named('CA', folder) })).toEqual([
      `CA is ${JSON.stringify(folder)}, which is a folder`,
    ]);
    const closed = fileWith('');
    chmodSync(closed, 0);
    const [problem] = await problems({ certificate: named('CA', closed) });
    // Root reads everything.
    expect(problem).toMatch(process.getuid?.() === 0 ? /no PEM certificate/ : /permission denied/);
  });

  it.each([
    ['certificate', 'secret', 'contains no PEM certificate'],
    [
      'clientCertificate',
      '-----BEGIN CERTIFICATE-----\nc2VjcmV0\n-----END CERTIFICATE-----\n',
      'contains an invalid certificate',
    ],
    ['clientKey', 'secret', 'contains no PEM private key'],
    ['headersFile', 'secret', 'must contain key=value pairs'],
    ['headersFile', 'a=secret\u0007', 'must contain key=value pairs'],
  ] as const)('as %s with %j say what is wrong and not what is in them', async (source, content, reason) => {
    const [problem, ...others] = await problems({ [source]: named('VARIABLE', fileWith(content)) });
    expect(problem).toMatch(/^VARIABLE is "\/.*", which /);
    expect(problem).toContain(reason);
    expect(problem).not.toMatch(/secret|c2VjcmV0/);
    expect(others).toEqual([]);
  });

  it('say so where the key needs a passphrase', async () => {
    const { privateKey } = generateKeyPairSync('ec', {
      namedCurve: 'P-256',
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' },
    });
    const [problem] = await problems({ clientKey: named('KEY', fileWith(privateKey)) });
    expect(problem).toContain('is encrypted: use a key without a passphrase');
  });

  it('say so where the key is of another certificate', async () => {
    const authority = createAuthority();
    const clientKey = named('KEY', authority.issue('one').key);
    const clientCertificate = named('CERT', authority.issue('other').cert);
    const [problem] = await problems({ clientKey, clientCertificate });
    expect(problem).toBe(
      `KEY is ${JSON.stringify(clientKey.path)}, which is not the key of ${clientCertificate.path}`,
    );
  });
});
