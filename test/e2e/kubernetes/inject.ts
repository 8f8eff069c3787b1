import { injectCommand } from '../../../src/commands/inject.ts';

/** `ml-metrics-bridge inject`, with a manifest on its standard input. */
export async function inject(manifest: string, ...args: readonly string[]): Promise<string> {
  let output = '';
  const problems: string[] = [];
  const code = await injectCommand(
    args,
    {},
    {
      print: (text) => {
        output += text;
      },
      printError: (line) => void problems.push(line),
      readInput: async () => manifest,
    },
  );
  if (code !== 0) throw new Error(problems.join('\n'));
  return output;
}
