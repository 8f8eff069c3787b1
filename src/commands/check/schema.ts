import { toJSONSchema } from 'zod/mini';
import { fileSchema } from '../../snapshot/schema.ts';

/** The JSON Schema of the metrics file, for editors and for tests of programs that write it. */
export function fileJsonSchema(): Readonly<Record<string, unknown>> {
  const { $schema, ...schema } = toJSONSchema(fileSchema);
  return {
    $schema,
    title: 'Metrics file of ml-metrics-bridge',
    description:
      'The latest values of a training job. Replace the file by rename at every write. Every field is optional; one invalid field does not affect the others.',
    ...schema,
  };
}
