import type { Problem } from '../common/setting.ts';
import { settlesWithin } from '../common/timing.ts';
import { type CredentialSources, type Credentials, readCredentials } from './credentials.ts';

/** The credentials of now. */
export interface CredentialSource {
  /** Reads the files again; where they are wrong, the last good credentials. Rejects where there are none yet. */
  read(): Promise<Credentials>;
}

export interface CredentialSourceOptions extends CredentialSources {
  /** The longest that the files may take. */
  readonly timeoutMs: number;
  /** Called each time files are read, with what is wrong with them. */
  readonly onCredentials?: (problems: readonly Problem[]) => void;
}

export function createCredentialSource(options: CredentialSourceOptions): CredentialSource {
  let latest: Credentials | undefined;
  return {
    async read() {
      if (latest !== undefined && !hasCredentialFiles(options)) return latest;
      const read = readCredentials(options);
      // A volume that hangs must not keep back what can be sent with the credentials at hand.
      const isInTime = await settlesWithin(options.timeoutMs, read);
      const reading = isInTime ? await read : undefined;
      if (reading?.status === 'ok') latest = reading.credentials;
      const problems = reading?.status === 'invalid' ? reading.problems : [];
      options.onCredentials?.(problems);
      if (latest !== undefined) return latest;
      const messages = problems.map(({ message }) => message).join('; ');
      throw new Error(messages || 'the files of credentials cannot be read in time');
    },
  };
}

/** Whether credentials can change while the bridge runs. */
export const hasCredentialFiles = ({
  headersFile,
  certificate,
  clientKey,
  clientCertificate,
}: CredentialSources) =>
  [headersFile, certificate, clientKey, clientCertificate].some((file) => file !== undefined);
