import { commandLine } from '../../support/terminal.ts';

/** `ml-metrics-bridge inject`, with a manifest on its standard input. */
export async function inject(manifest: string, ...args: readonly string[]): Promise<string> {
  const { code, text, errors } = await commandLine(['inject', ...args], { input: manifest });
  if (code !== 0) throw new Error(errors);
  return text;
}
