/** How a Dockerfile starts what is in the image: the environment and the command line of one stage. */
export interface Stage {
  readonly name: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly entrypoint: readonly string[];
  /** Commands of the stage itself, in the form without a shell. */
  readonly runs: readonly (readonly string[])[];
}

/** Reads the stages of a Dockerfile. ENV is read as `NAME=value …` without quotes, commands as JSON lists. */
export function readStages(dockerfile: string): readonly Stage[] {
  const stages: Stage[] = [];
  for (const line of dockerfile.replaceAll(/\\\n\s*/g, ' ').split('\n')) {
    const [, instruction = '', rest = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    if (instruction === 'FROM') stages.push(begin(rest, stages));
    const stage = stages.at(-1);
    if (stage !== undefined) stages[stages.length - 1] = follow(stage, instruction, rest);
  }
  return stages;
}

function begin(from: string, before: readonly Stage[]): Stage {
  const [, base, name = ''] = /^(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?/i.exec(from) ?? [];
  const parent = before.find((stage) => stage.name === base);
  return { environment: {}, entrypoint: [], ...parent, name, runs: [] };
}

function follow(stage: Stage, instruction: string, rest: string): Stage {
  switch (instruction) {
    case 'ENV':
      return { ...stage, environment: { ...stage.environment, ...pairs(rest) } };
    case 'ENTRYPOINT':
      return { ...stage, entrypoint: JSON.parse(rest) };
    case 'RUN':
      return rest.startsWith('[') ? { ...stage, runs: [...stage.runs, JSON.parse(rest)] } : stage;
    default:
      return stage;
  }
}

const pairs = (text: string) =>
  Object.fromEntries([...text.matchAll(/(\w+)=(\S+)/g)].map(([, name, value]) => [name, value]));
