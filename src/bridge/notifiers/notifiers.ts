import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { settlesWithin } from '../../common/timing.ts';
import type { Config } from '../../config/bridge.ts';
import type { Notifier, NotifierOptions } from './notifier.ts';

/** The notifiers that are configured. The others are not loaded, because every training node would pay for the memory. */
export async function openNotifiers(config: Config, options: NotifierOptions): Promise<Notifier> {
  const notifiers: Notifier[] = [];
  if (config.heartbeat) {
    const { createHeartbeat } = await import('./heartbeat/heartbeat.ts');
    notifiers.push(createHeartbeat(config.heartbeat, options));
  }
  if (config.trainJobStatus) {
    const { createTrainJobStatus } = await import('./trainjob-status/trainjob-status.ts');
    notifiers.push(createTrainJobStatus(config.trainJobStatus, options));
  }
  const messagePath = config.terminationMessagePath;
  if (await isWritable(messagePath)) {
    const { createTerminationMessage } = await import('./termination-message/termination-message.ts');
    notifiers.push(createTerminationMessage(messagePath, options.log));
  }
  return combineNotifiers(notifiers, options);
}

/** Kubernetes creates the file of the termination message in every container, for every user. Elsewhere there is none. */
const isWritable = (path: string): Promise<boolean> =>
  access(path, constants.W_OK).then(
    () => true,
    () => false,
  );

/** One notifier that passes everything on. One that throws is removed: its error must not affect the metrics. */
function combineNotifiers(
  notifiers: readonly Notifier[],
  { clock, log }: Pick<NotifierOptions, 'clock' | 'log'>,
): Notifier {
  const active = new Set(notifiers);
  const remove = (notifier: Notifier, error: unknown) => {
    active.delete(notifier);
    log.error({ err: error }, 'A notifier failed and is turned off; metrics continue');
  };
  return {
    follow(transition, now) {
      for (const notifier of active) {
        try {
          notifier.follow(transition, now);
        } catch (error) {
          remove(notifier, error);
        }
      }
    },
    async close(summary, deadlineMonotonicMs) {
      if (active.size === 0) return;
      const closing = [...active].map((notifier) =>
        notifier.close(summary, deadlineMonotonicMs).catch((error) => remove(notifier, error)),
      );
      await settlesWithin(deadlineMonotonicMs - clock().monotonicMs, Promise.all(closing));
    },
  };
}
