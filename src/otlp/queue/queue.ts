import type { Collection } from '../collection.ts';
import type { Spill } from './disk-queue.ts';
import type { Backlog, Drop } from './memory-queue.ts';

/** What waits to be sent: in memory, and beyond that on a disk where there is one for it. */
export interface Queue {
  push(collection: Collection): void;
  /** Lends the oldest, or the newest, that fit one request together; none where none wait. */
  lend(end: 'oldest' | 'newest'): Promise<readonly Collection[]>;
  giveBack(): void;
  /** Takes out what was lent and was delivered, or refused for good. */
  remove(collections: readonly Collection[]): void;
  /** Resolves when the disk is as it should be. */
  settled(): Promise<void>;
  readonly size: number;
}

export interface QueueOptions {
  readonly backlog: Backlog;
  readonly spill: Spill | undefined;
  /** Called with what is lost for want of room. */
  readonly onOverflow: (drops: readonly Drop[]) => void;
}

export function createQueue({ backlog, spill, onOverflow }: QueueOptions): Queue {
  let isFromDisk = false;

  function letGo(drops: readonly Drop[]): void {
    const lost = drops.filter(({ collection }) => !spill?.release(collection));
    if (lost.length > 0) onOverflow(lost);
  }

  async function lendFromDisk(): Promise<readonly Collection[]> {
    const collections = (await spill?.lend()) ?? [];
    isFromDisk = collections.length > 0;
    return collections;
  }

  return {
    push(collection) {
      if (collection.kind === 'snapshot') spill?.store(collection);
      else spill?.touch();
      letGo(backlog.push(collection));
    },
    async lend(end) {
      isFromDisk = false;
      const fromDisk = end === 'oldest' || backlog.size === 0 ? await lendFromDisk() : [];
      return fromDisk.length > 0 ? fromDisk : backlog.lend(end);
    },
    giveBack() {
      if (isFromDisk) spill?.giveBack();
      else letGo(backlog.giveBack());
    },
    remove(collections) {
      if (isFromDisk) return spill?.removeLent();
      backlog.remove(collections);
      spill?.forget(collections);
    },
    settled: async () => spill?.settled(),
    get size() {
      return backlog.size + (spill?.size ?? 0);
    },
  };
}
