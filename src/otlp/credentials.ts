import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type ChannelCredentials, credentials, Metadata } from '@grpc/grpc-js';
import type { Endpoint } from '../common/endpoint.ts';
import type { Problem } from '../common/setting.ts';
import { type Headers, parseHeadersFile } from './headers.ts';

/** A file and the variable that names it, for messages. */
export interface NamedFile {
  readonly variable: string;
  readonly path: string;
}

/** Where credentials come from. */
export interface CredentialSources {
  readonly endpoint: Pick<Endpoint, 'transport'>;
  readonly headers: Headers;
  readonly headersFile: NamedFile | undefined;
  readonly certificate: NamedFile | undefined;
  readonly clientKey: NamedFile | undefined;
  readonly clientCertificate: NamedFile | undefined;
}

/** The credentials of a connection, with the current content of the files. */
export interface Credentials {
  readonly headers: Headers;
  /** PEM, null if not configured. Undefined for plaintext. */
  readonly tls:
    | { readonly ca: Buffer | null; readonly key: Buffer | null; readonly cert: Buffer | null }
    | undefined;
}

export type CredentialsReading =
  | { readonly status: 'ok'; readonly credentials: Credentials }
  /** One problem per file. Messages never contain the content of a file. */
  | { readonly status: 'invalid'; readonly problems: readonly Problem[] };

/** Reads the files and checks that each has the kind of content its variable requires. Never rejects. */
export async function readCredentials(sources: CredentialSources): Promise<CredentialsReading> {
  const problems: Problem[] = [];
  const read = async <T>(
    file: NamedFile | undefined,
    accept: (content: Buffer) => T,
  ): Promise<{ readonly content: Buffer; readonly accepted: T } | undefined> => {
    if (file === undefined) return undefined;
    try {
      const content = await readFile(file.path);
      return { content, accepted: accept(content) };
    } catch (error) {
      problems.push(problemWith(file, reasonOf(error as NodeJS.ErrnoException)));
      return undefined;
    }
  };

  const fromFile = await read(sources.headersFile, acceptHeaders);
  const headers = { ...sources.headers, ...fromFile?.accepted };
  if (sources.endpoint.transport === 'plaintext') return reading({ headers, tls: undefined }, problems);
  const ca = await read(sources.certificate, acceptCertificate);
  const cert = await read(sources.clientCertificate, acceptCertificate);
  const key = await read(sources.clientKey, acceptKey);
  if (sources.clientKey && cert && key && !cert.accepted.checkPrivateKey(key.accepted))
    problems.push(problemWith(sources.clientKey, `is not the key of ${sources.clientCertificate?.path}`));
  const tls = { ca: ca?.content ?? null, key: key?.content ?? null, cert: cert?.content ?? null };
  return reading({ headers, tls }, problems);
}

const reading = (credentials: Credentials, problems: readonly Problem[]): CredentialsReading =>
  problems.length === 0 ? { status: 'ok', credentials } : { status: 'invalid', problems };

const problemWith = ({ variable, path }: NamedFile, reason: string): Problem => ({
  variable,
  message: `${variable} is ${JSON.stringify(path)}, which ${reason}`,
});

/** A message that is safe to log. The error of a parser may quote the content that it parsed. */
class InvalidContent extends Error {}

function reasonOf(error: NodeJS.ErrnoException): string {
  if (error instanceof InvalidContent) return error.message;
  switch (error.code) {
    case 'ENOENT':
      return 'does not exist';
    case 'EACCES':
      return 'cannot be read: permission denied';
    case 'EISDIR':
      return 'is a folder';
    default:
      return `cannot be read: ${error.code}`;
  }
}

function acceptHeaders(content: Buffer): Headers {
  const parsed = parseHeadersFile(content.toString());
  if (parsed.status === 'ok') return parsed.value;
  throw new InvalidContent(`must contain ${parsed.expected}`);
}

/** The first certificate of a PEM file. All of them must be valid. */
function acceptCertificate(content: Buffer): X509Certificate {
  const blocks = content.toString().match(/-----BEGIN [^-]*CERTIFICATE-----[^-]*-----END [^-]*-----/g);
  try {
    const [first] = (blocks ?? []).map((block) => new X509Certificate(block));
    if (first !== undefined) return first;
  } catch {
    throw new InvalidContent('contains an invalid certificate');
  }
  throw new InvalidContent('contains no PEM certificate');
}

function acceptKey(content: Buffer): KeyObject {
  try {
    return createPrivateKey(content);
  } catch {
    const encrypted = /^-----BEGIN ENCRYPTED|^Proc-Type: .*ENCRYPTED/m.test(content.toString());
    throw new InvalidContent(
      encrypted ? 'is encrypted: use a key without a passphrase' : 'contains no PEM private key',
    );
  }
}

/** Whether an exporter that was created with one can also be used for the other. */
export function sameCredentials(one: Credentials, other: Credentials): boolean {
  return sameHeaders(one.headers, other.headers) && sameTls(one.tls, other.tls);
}

function sameHeaders(one: Headers, other: Headers): boolean {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name]);
}

function sameTls(one: Credentials['tls'], other: Credentials['tls']): boolean {
  const same = (a: Buffer | null = null, b: Buffer | null = null) =>
    a === b || (a !== null && b !== null && a.equals(b));
  return same(one?.ca, other?.ca) && same(one?.key, other?.key) && same(one?.cert, other?.cert);
}

export function channelCredentials({ tls }: Credentials): ChannelCredentials {
  return tls === undefined ? credentials.createInsecure() : credentials.createSsl(tls.ca, tls.key, tls.cert);
}

export function requestMetadata({ headers }: Credentials): Metadata {
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(headers)) metadata.set(key, value);
  return metadata;
}

/** Replaces the values of headers in a text: an error of the server may quote a token, which must not be logged. */
export function redactHeaders(text: string, { headers }: Credentials): string {
  return Object.values(headers)
    .flatMap((value) => [value, ...value.split(' ')])
    .filter(({ length }) => length >= shortestSecret)
    .reduce((rest, secret) => rest.replaceAll(secret, '***'), text);
}

/** In characters. Shorter values are also parts of ordinary words. */
const shortestSecret = 8;
