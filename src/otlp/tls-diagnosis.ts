import { X509Certificate } from 'node:crypto';

/** What went wrong on the way to the Collector, and what to do about it. */
export interface Diagnosis {
  readonly detail: string;
  readonly advice: string;
}

const authority = 'OTEL_EXPORTER_OTLP_CERTIFICATE';
const ownPair = 'OTEL_EXPORTER_OTLP_CLIENT_KEY and OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE';

/** By the words of OpenSSL and Node.js, which reach us also through gRPC, while their codes do not. */
const diagnoses: readonly (readonly [RegExp, Diagnosis])[] = [
  [
    /certificate has expired/,
    {
      detail: 'its certificate has expired',
      advice: 'Renew it, or set the clock right where that is wrong.',
    },
  ],
  [
    /certificate is not yet valid/,
    {
      detail: 'its certificate is not valid yet',
      advice: 'Set the clock right, here or where the certificate was made.',
    },
  ],
  [
    /self-signed certificate in certificate chain|unable to verify the first certificate|unable to get (local )?issuer certificate/,
    {
      detail: 'its certificate is signed by an authority that is not known here',
      advice: `Give the authority's certificate, a PEM file, in ${authority}.`,
    },
  ],
  [
    /self-signed certificate/,
    {
      detail: 'its certificate is self-signed and not known here',
      advice: `Give this certificate, as a PEM file, in ${authority}.`,
    },
  ],
  [
    /alert certificate expired/,
    {
      detail: "it refuses the bridge's certificate, which has expired",
      advice: `Renew the files of ${ownPair}.`,
    },
  ],
  [
    /alert unknown ca/,
    {
      detail: "it refuses the bridge's certificate, which is signed by an authority it does not know",
      advice: `Give a key and a certificate it accepts in ${ownPair}, or have it trust their authority.`,
    },
  ],
  [
    /alert (certificate required|handshake failure|bad certificate)/,
    {
      detail: 'the Collector asks for a client certificate that it knows',
      advice: `Give a key and a certificate it accepts in ${ownPair}.`,
    },
  ],
  [
    /wrong version number|packet length too long|EPROTO/,
    {
      detail: 'what it answers is not TLS',
      advice: 'The port speaks plaintext: write http:// in OTEL_EXPORTER_OTLP_ENDPOINT.',
    },
  ],
];

const otherHost =
  /certificate's altnames: (?:Host|IP): (\S+?)\.? is not in the cert's (?:altnames|list): (.*?)(?:\. Resolution note:.*)?$/s;

/** What an error of a TLS connection means, by its message; undefined where it is none of those that are known. */
export function diagnoseTls(message: string): Diagnosis | undefined {
  const [, host, names] = otherHost.exec(message) ?? [];
  if (host !== undefined) {
    const named = names?.replaceAll(/\b(DNS|IP Address):/g, '').trim();
    return {
      detail: named
        ? `its certificate is for ${named}, not for ${host}`
        : `its certificate is not for ${host}`,
      advice: 'Write the endpoint with a name the certificate is for, or have it made for this one.',
    };
  }
  return diagnoses.find(([words]) => words.test(message))?.[1];
}

/** The port speaks TLS, and plaintext was sent. */
export const plaintextToTls: Diagnosis = {
  detail: 'the port speaks TLS and was spoken to in plaintext',
  advice: 'Write https:// in OTEL_EXPORTER_OTLP_ENDPOINT.',
};

/** The Collector ends the connection after the handshake without saying why, which may be read off the certificate. */
export function ownCertificateRefused(pem: Buffer): Diagnosis {
  const { validTo } = new X509Certificate(pem);
  const hasExpired = Date.parse(validTo) < Date.now();
  return {
    detail: `it ends the connection when it has seen the bridge's certificate${hasExpired ? `, which has expired (${validTo})` : ''}`,
    advice: hasExpired
      ? `Renew the files of ${ownPair}.`
      : `Give a key and a certificate it accepts in ${ownPair}, or have it trust their authority.`,
  };
}
