// Asks the registry for what is known against the packages that users run, and fails where there is something. A registry
// that cannot be asked (a mirror often has no such service) fails nothing, but says that nothing was checked.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export type Audit =
  | { readonly status: 'clean' }
  | { readonly status: 'found'; readonly findings: readonly string[] }
  | { readonly status: 'unavailable'; readonly reason: string };

/** What npm prints, as far as it is read here; a registry that offers no audit answers with a message alone. */
interface AuditReport {
  readonly message?: string;
  readonly vulnerabilities?: Readonly<Record<string, { name: string; severity: string; range: string }>>;
  readonly metadata?: { readonly vulnerabilities?: unknown };
}

/** What `npm audit --json` came to: `clean`, `found` with one line for each package, or `unavailable`. */
export function readAudit(output: string): Audit {
  const report = parse(output);
  if (report?.metadata?.vulnerabilities === undefined)
    return { status: 'unavailable', reason: report?.message ?? (output.trim().slice(0, 200) || 'no answer') };
  const findings = Object.values(report.vulnerabilities ?? {}).map(
    ({ name, severity, range }) => `${name} ${range}: ${severity}`,
  );
  return findings.length === 0 ? { status: 'clean' } : { status: 'found', findings };
}

function parse(output: string): AuditReport | undefined {
  try {
    return JSON.parse(output);
  } catch {
    return undefined;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { stdout } = spawnSync('npm', ['audit', '--omit=dev', '--json'], { encoding: 'utf8' });
  const audit = readAudit(stdout ?? '');
  if (audit.status === 'found') {
    console.error(`Known vulnerabilities:\n${audit.findings.join('\n')}`);
    process.exitCode = 1;
  } else if (audit.status === 'unavailable') {
    // The line that GitHub shows above a job's log.
    console.log(`::warning::NOT AUDITED, the registry offers no audit: ${audit.reason}`);
  } else console.log('Nothing is known against the packages that users run');
}
