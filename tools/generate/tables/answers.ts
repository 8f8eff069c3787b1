import { type AnswerRule, answerRules } from '../../../src/otlp/classify-response.ts';
import { markdownTable } from '../markdown.ts';

/** What the bridge does after each answer to an export, in the order in which the rules are tried. */
export function answersTable(): string {
  const rows = answerRules.map((rule) => [rule.answer, reactionText(rule), rule.beyond ?? '–']);
  return markdownTable(['Answer', 'Reaction', 'Beyond the OTLP specification'], rows);
}

function reactionText({ reaction }: AnswerRule): string {
  switch (reaction.action) {
    case 'wait':
      return 'Wait and send again';
    case 'halve':
      return `Halve; a snapshot refused alone is dropped as \`${reaction.dropReason}\``;
    case 'drop':
      return `Drop as \`${reaction.dropReason}\``;
  }
}
