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

/** What it takes to be let in, as the files are now. PEM, each null where none is configured. */
export interface Credentials {
  readonly headers: Headers;
  readonly tls:
    | { readonly ca: Buffer | null; readonly key: Buffer | null; readonly cert: Buffer | null }
    | undefined;
}

export type CredentialsReading =
  | { readonly status: 'ok'; readonly credentials: Credentials }
  /** Of each file what is wrong, without a word of what is in it. */
  | { readonly status: 'invalid'; readonly problems: readonly Problem[] };

/** Reads the files and checks that they are what their variables say. Never rejects. */
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
      problems.push(problemWith(file, whyNot(error as NodeJS.ErrnoException)));
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

/** What is wrong with a file in words of ours: an error of a parser could quote what it parsed. */
class Unfit extends Error {}

function whyNot(error: NodeJS.ErrnoException): string {
  if (error instanceof Unfit) return error.message;
  switch (error.code) {
    case 'ENOENT':
      return 'does not exist';
    case 'EACCES':
      return 'may not be read by the user of the bridge';
    case 'EISDIR':
      return 'is a folder';
    default:
      return `cannot be read: ${error.code}`;
  }
}

function acceptHeaders(content: Buffer): Headers {
  const parsed = parseHeadersFile(content.toString());
  if (parsed.status === 'ok') return parsed.value;
  throw new Unfit(`has to hold ${parsed.expected}`);
}

/** The first certificate of a PEM file; each of the others has to be one, too. */
function acceptCertificate(content: Buffer): X509Certificate {
  const blocks = content.toString().match(/-----BEGIN [^-]*CERTIFICATE-----[^-]*-----END [^-]*-----/g);
  try {
    const [first] = (blocks ?? []).map((block) => new X509Certificate(block));
    if (first !== undefined) return first;
  } catch {
    throw new Unfit('holds a certificate that cannot be read');
  }
  throw new Unfit('holds no certificate in PEM form');
}

function acceptKey(content: Buffer): KeyObject {
  try {
    return createPrivateKey(content);
  } catch {
    const encrypted = /^-----BEGIN ENCRYPTED|^Proc-Type: .*ENCRYPTED/m.test(content.toString());
    throw new Unfit(
      encrypted ? 'is encrypted: give a key without a passphrase' : 'holds no private key in PEM form',
    );
  }
}

/** Whether an exporter created with one would be created with the other alike. */
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

/** Replaces the values of headers in a text: a server may repeat what it refuses, and a token must not reach the log. */
export function redactHeaders(text: string, { headers }: Credentials): string {
  return Object.values(headers)
    .flatMap((value) => [value, ...value.split(' ')])
    .filter(({ length }) => length >= shortestSecret)
    .reduce((rest, secret) => rest.replaceAll(secret, '***'), text);
}

/** Anything shorter would take words out of messages. */
const shortestSecret = 8;
