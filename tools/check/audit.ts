// Fails if the registry knows vulnerabilities of the packages that users run. If the registry offers no audit, as many
// mirrors do not, a warning is printed and the check passes.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export type Audit =
  | { readonly status: 'clean' }
  | { readonly status: 'found'; readonly findings: readonly string[] }
  | { readonly status: 'unavailable'; readonly reason: string };

/** The output of npm, as far as it is read here. If the registry offers no audit, it has only a message. */
interface AuditReport {
  readonly message?: string;
  readonly vulnerabilities?: Readonly<Record<string, { name: string; severity: string; range: string }>>;
  readonly metadata?: { readonly vulnerabilities?: unknown };
}

/** The result of `npm audit --json`: `clean`, `found` with one line for each package, or `unavailable`. */
export function readAudit(output: string): Audit {
  const report = parse(output);
  if (report?.metadata?.vulnerabilities === undefined)
    return {
      status: 'unavailable',
      reason: report?.message ?? (output.trim().slice(0, 200) || 'no response'),
    };
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
    // GitHub shows this line above the log of a job.
    console.log(`::warning::NOT AUDITED, the registry offers no audit: ${audit.reason}`);
  } else console.log('No known vulnerabilities in the packages that users run');
}
