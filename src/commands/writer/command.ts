import { type CommandContext, refuse } from '../../cli/command.ts';
import { type WriterLanguage, writerLanguages } from './languages.ts';
import { writers } from './writers.ts';

/** `writer [--language LANGUAGE]`: prints source code that writes the metrics file. Exit code 0, or 2 for wrong arguments. */
export async function writerCommand(context: CommandContext): Promise<number> {
  const { args, stdout } = context;
  if (args.problems.length > 0) return refuse(context, args.problems);
  // Reading the arguments has checked that the value is one of the choices.
  const language = (args.options.language ?? writerLanguages[0]) as WriterLanguage;
  stdout.write(writers[language]);
  return 0;
}
