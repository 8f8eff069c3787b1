import { parseArgs } from 'node:util';

/** Reads `--seconds 60 --rounds 5` from the command line; what is not given is as in `defaults`. */
export function readOptions<Name extends string>(
  defaults: Readonly<Record<Name, number>>,
  args: readonly string[] = process.argv.slice(2),
): Readonly<Record<Name, number>> {
  const names = Object.keys(defaults) as Name[];
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]));
  const { values } = parseArgs({ args: [...args], options });
  const entries = names.map((name) => {
    const text = values[name];
    const value = text === undefined ? defaults[name] : Number(text);
    if (!(value > 0)) throw new RangeError(`--${name} ${text} is not a number above zero`);
    return [name, value];
  });
  return Object.fromEntries(entries);
}
