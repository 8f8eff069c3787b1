import { X509Certificate } from 'node:crypto';

/** Why the Collector cannot be reached, and what to do about it. */
export interface Diagnosis {
  readonly detail: string;
  readonly advice: string;
}

const caFile = 'OTEL_EXPORTER_OTLP_CERTIFICATE';
const clientFiles = 'OTEL_EXPORTER_OTLP_CLIENT_KEY and OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE';
const acceptedClientFiles = `Set ${clientFiles} to a key and a certificate that the Collector accepts`;
const trustOrReplace = `${acceptedClientFiles}, or add their authority to its client_ca_file.`;

/** By the messages of OpenSSL and Node.js: gRPC passes on the message of an error, but not its code. */
const diagnoses: readonly (readonly [RegExp, Diagnosis])[] = [
  [
    /certificate has expired/,
    {
      detail: 'the certificate of the Collector has expired',
      advice: 'Renew it, or correct the clock of this host.',
    },
  ],
  [
    /certificate is not yet valid/,
    {
      detail: 'the certificate of the Collector is not valid yet',
      advice: 'Correct the clock of this host, or of the host where the certificate was issued.',
    },
  ],
  [
    /self-signed certificate in certificate chain|unable to verify the first certificate|unable to get (local )?issuer certificate/,
    {
      detail: 'the certificate of the Collector is signed by an unknown authority',
      advice: `Set ${caFile} to a PEM file with the certificate of that authority.`,
    },
  ],
  [
    /self-signed certificate/,
    {
      detail: 'the certificate of the Collector is self-signed and not trusted',
      advice: `Set ${caFile} to a PEM file with this certificate.`,
    },
  ],
  [
    /alert certificate expired/,
    {
      detail: 'the Collector rejects the certificate of the bridge, which has expired',
      advice: `Renew the files of ${clientFiles}.`,
    },
  ],
  [
    /alert unknown ca/,
    {
      detail:
        'the Collector rejects the certificate of the bridge, because it does not know the authority that signed it',
      advice: trustOrReplace,
    },
  ],
  [
    /alert (certificate required|handshake failure|bad certificate)/,
    {
      detail: 'the Collector requires a client certificate that it trusts',
      advice: `${acceptedClientFiles}.`,
    },
  ],
  [
    /wrong version number|packet length too long|EPROTO/,
    {
      detail: 'the response is not TLS',
      advice: 'If the port uses plaintext, write http:// in OTEL_EXPORTER_OTLP_ENDPOINT.',
    },
  ],
];

const otherHost =
  /certificate's altnames: (?:Host|IP): (\S+?)\.? is not in the cert's (?:altnames|list): (.*?)(?:\. Resolution note:.*)?$/s;

/** The cause of a TLS error, by its message; undefined if the message is not known. */
export function diagnoseTls(message: string): Diagnosis | undefined {
  const [, host, names] = otherHost.exec(message) ?? [];
  if (host !== undefined) {
    const named = names?.replaceAll(/\b(DNS|IP Address):/g, '').trim();
    return {
      detail: named
        ? `the certificate of the Collector is for ${named}, not for ${host}`
        : `the certificate of the Collector is not for ${host}`,
      advice: 'Use a name of the certificate in the endpoint, or issue a certificate for this name.',
    };
  }
  return diagnoses.find(([pattern]) => pattern.test(message))?.[1];
}

/** The bridge sends plaintext to a port that uses TLS. */
export const plaintextToTls: Diagnosis = {
  detail: 'the port uses TLS, but plaintext was sent to it',
  advice: 'Write https:// in OTEL_EXPORTER_OTLP_ENDPOINT.',
};

/**
 * The Collector closes the connection after the handshake without a reason, so the reason is derived from the bridge's
 * certificate. Throws if `pem` is not a certificate.
 */
export function ownCertificateRejected(pem: Buffer): Diagnosis {
  const { validTo } = new X509Certificate(pem);
  const hasExpired = Date.parse(validTo) < Date.now();
  return {
    detail: `the Collector closes the connection after receiving the certificate of the bridge${hasExpired ? `, which has expired (${validTo})` : ''}`,
    advice: hasExpired ? `Renew the files of ${clientFiles}.` : trustOrReplace,
  };
}
