import { onTestFinished } from 'vitest';
import type { Program } from './program.ts';

/** A program that is stopped when the test ends. */
export async function forThisTest<P extends Program>(starting: Promise<P>): Promise<P> {
  const program = await starting;
  onTestFinished(() => program.stop());
  return program;
}
