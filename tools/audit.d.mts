export type Audit =
  | { readonly status: 'clean' }
  | { readonly status: 'found'; readonly findings: readonly string[] }
  | { readonly status: 'unavailable'; readonly reason: string };

/** What the output of `npm audit --json` came to. */
export function judgeAudit(output: string): Audit;
