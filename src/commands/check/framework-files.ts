import { basename } from 'node:path';

const liveLog =
  'For values while it trains, set report_to="tensorboard" in TrainingArguments ("none" is the default) and check the event file below OUTPUT_DIR/runs';

/** Files of frameworks that look like a source of metrics, and what to read in their place. */
const advice: Readonly<Record<string, string>> = {
  'trainer_state.json': `trainer_state.json is written by Hugging Face's Trainer at a save only, and each save makes a new one. ${liveLog}.`,
  'all_results.json': `all_results.json is written by Hugging Face's example scripts at the end only. ${liveLog}.`,
  'train_results.json': `train_results.json is written by Hugging Face's example scripts at the end only. ${liveLog}.`,
  'eval_results.json': `eval_results.json is written by Hugging Face's example scripts at the end only. ${liveLog}.`,
};

/** What to read in place of a file that a framework writes too seldom; undefined for any other file. */
export const adviseOnFrameworkFile = (path: string): string | undefined => {
  const name = basename(path);
  return Object.hasOwn(advice, name) ? advice[name] : undefined;
};
