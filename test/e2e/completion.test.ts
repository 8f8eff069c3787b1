import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../support/file.ts';
import { until } from '../support/until.ts';

const program = 'ml-metrics-bridge';

/** Line before the Tab key, and the arguments after it. */
const completions = [
  ['si', 'simulate'],
  ['check --sc', 'check --schema'],
  ['check -o j', 'check -o json'],
  ['simulate --fault s', 'simulate --fault stall'],
  ['completion f', 'completion fish'],
  ['help de', 'help demo'],
  ['check cur', 'check current.json'],
] as const;

/** A folder with the completion script and a metrics file in it. */
function prepare(shell: string) {
  const folder = temporaryFolder();
  const script = execFileSync(process.execPath, [inject('bundle'), 'completion', shell]);
  writeFileSync(join(folder, 'script'), script);
  writeFileSync(join(folder, 'current.json'), '{}');
  return folder;
}

it.each(completions)('fish completes %s to %s', (line, expected) => {
  const folder = prepare('fish');
  const args = ['--no-config', '-c', `source script; complete -C '${program} ${line}'`];
  const output = execFileSync('fish', args, { cwd: folder, encoding: 'utf8', env: environmentOf(folder) });
  const candidates = output.split('\n').map((it) => it.split('\t')[0]);
  expect(candidates).toContain(expected.split(' ').at(-1));
});

it.each(completions)('bash completes %s to %s', (line, expected) => terminal('bash', line, expected));
it.each(completions)('zsh completes %s to %s', (line, expected) => terminal('zsh', line, expected));

const startLines = {
  bash: 'source ./script',
  zsh: 'autoload -Uz compinit; compinit -u -d ./dump; source ./script',
};
const shellCommands = { bash: 'bash --norc -i', zsh: 'zsh -f -i' };

const environmentOf = (folder: string) => ({
  PATH: process.env.PATH,
  HOME: folder,
  TERM: 'dumb',
  LANG: 'C.UTF-8',
  // A shell that is hung up saves its history, perhaps while its folder is being removed.
  HISTFILE: '/dev/null',
});

/** Types into an interactive shell on a terminal of its own, whose Tab key completes. */
async function terminal(shell: keyof typeof shellCommands, line: string, expected: string) {
  const folder = prepare(shell);
  const child = spawn('script', ['-qec', shellCommands[shell], '/dev/null'], {
    cwd: folder,
    env: environmentOf(folder),
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const shows = (text: string) => until(() => output.includes(text), `${text}, of ${JSON.stringify(output)}`);
  // In place of the program, a function that prints its arguments. The quotes keep the echo of the line itself apart.
  child.stdin.write(`${startLines[shell]}; ${program}() { echo "r"an "$*".; }; echo "r"eady\n`);
  await shows('ready');
  child.stdin.write(`${program} ${line}\t\n`);
  await shows(`ran ${expected}`);
  // The shell must be gone before its folder is removed.
  child.stdin.write('exit\n');
  await once(child, 'close');
}
