import { toJSONSchema } from 'zod/mini';
import { fileSchema } from '../../snapshot/schema.ts';

/** The JSON Schema of the metrics file, for editors and for the tests of those who write it. */
export function fileJsonSchema(): Readonly<Record<string, unknown>> {
  const { $schema, ...schema } = toJSONSchema(fileSchema);
  return {
    $schema,
    title: 'Metrics file of ml-metrics-bridge',
    description:
      'What a training job last measured. Replace the file by rename at every write. Every field may be absent; one that is wrong costs itself alone.',
    ...schema,
  };
}
