import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readFileState } from '../../../src/commands/check/file-state.ts';
import { type CheckResult, reportOn } from '../../../src/commands/check/report.ts';
import { systemClock } from '../../../src/common/clock.ts';
import type { Run } from '../../../src/run/run.ts';
import { bridgeResource } from '../../../src/telemetry/resource.ts';
import { configOf } from '../../support/config.ts';
import { temporaryFolder } from '../../support/file.ts';

/** A folder others may look into, as a shared volume is. */
export function openFolder(): string {
  const folder = temporaryFolder();
  chmodSync(folder, 0o755);
  return folder;
}

/** Checks a file with this content, or the one that is there. */
export async function check(
  content: string | Uint8Array | undefined,
  options: {
    readonly file?: string;
    readonly environment?: Readonly<Record<string, string>>;
    readonly uid?: number;
    /** As after the check of an earlier write. */
    readonly run?: Run | undefined;
  } = {},
): Promise<CheckResult> {
  const file = options.file ?? join(openFolder(), 'current.json');
  if (content !== undefined) writeFileSync(file, content);
  const config = configOf({ METRICS_FILE_PATH: file, ...options.environment });
  return reportOn(await readFileState(file, config), options.run, {
    config,
    resource: bridgeResource(config, 'test-host', '0.0.0'),
    version: '0.0.0',
    reader: { uid: options.uid ?? 65_532, gids: [options.uid ?? 65_532] },
    now: systemClock(),
  });
}
