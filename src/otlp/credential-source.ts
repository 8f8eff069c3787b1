import type { Problem } from '../common/setting.ts';
import { settlesWithin } from '../common/timing.ts';
import {
  type CredentialSources,
  type Credentials,
  type CredentialsReading,
  readCredentials,
} from './credentials.ts';

/** The current credentials. */
export interface CredentialSource {
  /** Reads the files again. If that fails, gives the last valid credentials; invalid if there are none. Never rejects. */
  read(): Promise<CredentialsReading>;
}

export interface CredentialSourceOptions extends CredentialSources {
  /** The longest that the files may take. */
  readonly timeoutMs: number;
  /** Called after each read of the files, with their problems. */
  readonly onCredentials?: (problems: readonly Problem[]) => void;
}

export function createCredentialSource(options: CredentialSourceOptions): CredentialSource {
  const limitMs = Math.min(options.timeoutMs, longestReadMs);
  let latest: Credentials | undefined;
  /** The read that has not returned. It occupies a thread until it does, so there is only one at a time. */
  let pending: Promise<CredentialsReading> | undefined;
  let isLate = false;

  /** Does not wait again for a read that is late: a volume that hangs must not delay what can be sent. */
  async function readInTime(): Promise<CredentialsReading> {
    pending ??= readCredentials(options).finally(() => {
      pending = undefined;
    });
    const current = pending;
    isLate = !(await settlesWithin(isLate ? 0 : limitMs, current));
    return isLate ? { status: 'invalid', problems: [hangs(options)] } : current;
  }

  return {
    async read() {
      if (latest !== undefined && !hasCredentialFiles(options)) return { status: 'ok', credentials: latest };
      const reading = await readInTime();
      if (reading.status === 'ok') latest = reading.credentials;
      const problems = reading.status === 'invalid' ? reading.problems : [];
      // Without credentials, the failed export names the problems.
      if (latest === undefined) return reading;
      options.onCredentials?.(problems);
      return { status: 'ok', credentials: latest };
    },
  };
}

/** Reading a few small files takes milliseconds. */
const longestReadMs = 3_000;

function hangs(sources: CredentialSources): Problem {
  const files = credentialFiles(sources).map(({ variable, path }) => `${variable} (${path})`);
  const message = `reading ${files.join(', ')} has not returned; the volume may not answer`;
  return { variable: credentialFiles(sources)[0]?.variable ?? '', message };
}

/** Whether credentials can change while the bridge runs. */
export const hasCredentialFiles = (sources: CredentialSources) => credentialFiles(sources).length > 0;

const credentialFiles = ({ headersFile, certificate, clientKey, clientCertificate }: CredentialSources) =>
  [headersFile, certificate, clientKey, clientCertificate].filter((file) => file !== undefined);
